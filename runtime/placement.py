"""Which node of a cluster a host goes to: a pure function of the nodes that there are, and who keeps count."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from runtime.spec import HostSpec, HostWaits

NODE_POLL_S = 0.5
NOWHERE: frozenset[str] = frozenset()
SHUN_S = 10.0
"""Longer than a cluster takes to find out that a node is lost."""

RESOURCE = "resource"
"""What is placed on nodes with a Ray resource has this label, with the resource's name."""

AWAY = "waits for the head of the cluster, which does not answer"
OnWait = Callable[[], None]


class Node(msgspec.Struct, frozen=True):
    """A node that is alive. `labels` are those that it was started with, `resources` the names of its own ones."""

    id: str
    ip: str
    labels: dict[str, str]
    resources: frozenset[str] = frozenset()

    def has(self, labels: Mapping[str, str]) -> bool:
        """All of them; the label `RESOURCE` is any of its resources."""
        return all(
            value in self.resources if name == RESOURCE else self.labels.get(name) == value
            for name, value in labels.items()
        )


def choose(
    nodes: Sequence[Node],
    labels: Mapping[str, str],
    hosts: Mapping[str, int],
    shunned: frozenset[str],
    closed: frozenset[str] = NOWHERE,
    taken: frozenset[str] = NOWHERE,
    rather_on: str = "",
) -> Node | None:
    """The node with all these labels that holds the fewest hosts of the run, or None: so equals are spread.

    `hosts` counts by node. A shunned node, on which a host has just fallen silent, is taken only if there is no other,
    and before it one that is `taken`; a `closed` one never.
    """
    fitting = [node for node in nodes if node.has(labels) and node.id not in closed]

    def rank(node: Node) -> tuple[bool, bool, bool, int, str, str]:
        is_other = node.id != rather_on
        return node.id in shunned, node.id in taken, is_other, hosts.get(node.id, 0), node.ip, node.id

    return min(fitting, key=rank, default=None)


def why_none(
    nodes: Sequence[Node],
    labels: Mapping[str, str],
    closed: frozenset[str] = NOWHERE,
    yields_to: Sequence[str] = (),
    not_on: str = "",
) -> str:
    """What somebody has to know who waits for a node with these labels."""
    known = "; ".join(
        f"{node.ip} has {_of_node(node) or 'no label'}{_held(node, closed, yields_to)}"
        for node in sorted(nodes, key=lambda node: node.ip)
    )
    wanted = [f"with {_written(labels)}"] if labels else []
    wanted += [f"without {' and '.join(yields_to)}"] if yields_to else []
    wanted += ["other than the one where the desk was started"] if not_on else []
    return f"waits for a node {' and '.join(wanted)}: {known or 'the cluster has no node'}"


def _of_node(node: Node) -> str:
    return ", ".join(
        [*filter(None, [_written(node.labels)]), *(f"{RESOURCE}={name}" for name in sorted(node.resources))]
    )


def _held(node: Node, closed: frozenset[str], yields_to: Sequence[str]) -> str:
    return f" and holds {' and '.join(yields_to)}" if yields_to and node.id in closed else ""


def _written(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if not name.startswith("ray.io/"))


def on_wait(spec: HostSpec, notify: Callable[[HostWaits], None]) -> OnWait:
    """What to do while a host cannot be started because the head of the cluster is away."""
    return lambda: notify(HostWaits(spec.name, spec.incarnation, AWAY))


class Placement:
    """Where the hosts of a run are, and where the next one goes."""

    def __init__(self, living: Callable[[OnWait], Awaitable[list[Node]]]) -> None:
        """`living` may take its time, and calls what it is given again and again if it does."""
        self._living = living
        self._nodes: dict[tuple[str, int], str] = {}
        """(host, incarnation) → node, of those that have not ended."""
        self._last: dict[str, str] = {}
        """Host → the node of its last life: who keeps a journal rather goes back to it."""
        self._shunned: dict[str, float] = {}
        """Node → when it is no longer, by the clock of the loop."""

    async def find(self, spec: HostSpec, notify: Callable[[HostWaits], None]) -> str:
        """The id of its node, as soon as there is one; "" on one machine."""
        node = spec.home.machine
        not_on = node if spec.abroad else ""
        rather_on = self._last.get(spec.name, "") if any(actor.journal for actor in spec.actors) else ""
        while node and (spec.labels or spec.yields_to or spec.abroad):
            nodes = await self._living(on_wait(spec, notify))
            now = asyncio.get_running_loop().time()
            shunned = frozenset(node for node, until in self._shunned.items() if until > now)
            closed, taken = self._of(spec.yields_to), self._of(spec.displaces)
            barred = closed | {not_on}
            chosen = choose(nodes, spec.labels, Counter(self._nodes.values()), shunned, barred, taken, rather_on)
            unplaced = [host for host in spec.yields_to if not self._of([host])]
            if unplaced:
                reason = f"waits for a node until {' and '.join(unplaced)} has one"
            elif chosen is not None:
                node = chosen.id
                break
            else:
                reason = why_none(nodes, spec.labels, closed, spec.yields_to, not_on)
            notify(HostWaits(spec.name, spec.incarnation, reason))
            await asyncio.sleep(NODE_POLL_S)
        self.is_at(spec.name, spec.incarnation, node)
        return node

    def displaced(self, spec: HostSpec) -> list[tuple[str, int]]:
        """(host, incarnation) of those that have to leave the node to which this one has gone."""
        node = self._nodes.get((spec.name, spec.incarnation))
        return [key for key, at in self._nodes.items() if key[0] in spec.displaces and at == node and node]

    def _of(self, hosts: Sequence[str]) -> frozenset[str]:
        """The nodes on which they are."""
        return frozenset(node for (host, _), node in self._nodes.items() if host in hosts)

    def nodes(self) -> set[str]:
        """Those that hold hosts."""
        return set(self._nodes.values())

    def is_at(self, host: str, incarnation: int, node: str) -> None:
        self._nodes[host, incarnation] = self._last[host] = node

    def has_ended(self, host: str, incarnation: int) -> None:
        self._nodes.pop((host, incarnation), None)

    def had_to_be_killed(self, host: str, incarnation: int) -> None:
        """Its node may be lost, although the cluster does not know it yet."""
        node = self._nodes.get((host, incarnation))
        if node is not None:
            self._shunned[node] = asyncio.get_running_loop().time() + SHUN_S
