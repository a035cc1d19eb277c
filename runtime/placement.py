"""Which node of a cluster a host goes to: a pure function of the nodes that there are, and who keeps count."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from runtime.spec import HostSpec, HostWaits

NODE_POLL_S = 0.5
SHUN_S = 10.0
"""Longer than a cluster takes to find out that a node is lost."""

AWAY = "waits for the head of the cluster, which does not answer"
OnWait = Callable[[], None]


class Node(msgspec.Struct, frozen=True):
    """A node that is alive. `labels` are those that it was started with."""

    id: str
    ip: str
    labels: dict[str, str]


def choose(
    nodes: Sequence[Node], labels: Mapping[str, str], hosts: Mapping[str, int], shunned: frozenset[str]
) -> Node | None:
    """The node with all these labels that holds the fewest hosts of the run, or None: so equals are spread.

    `hosts` counts by node. A shunned node, on which a host has just fallen silent, is taken only if there is no other.
    """
    fitting = [node for node in nodes if labels.items() <= node.labels.items()]
    return min(fitting, key=lambda node: (node.id in shunned, hosts.get(node.id, 0), node.ip, node.id), default=None)


def why_none(nodes: Sequence[Node], labels: Mapping[str, str]) -> str:
    """What somebody has to know who waits for a node with these labels."""
    known = "; ".join(
        f"{node.ip} has {_written(node.labels) or 'no label'}" for node in sorted(nodes, key=lambda node: node.ip)
    )
    return f"waits for a node with {_written(labels)}: {known or 'the cluster has no node'}"


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
        self._shunned: dict[str, float] = {}
        """Node → when it is no longer, by the clock of the loop."""

    async def find(self, spec: HostSpec, notify: Callable[[HostWaits], None]) -> str:
        """The id of its node, as soon as there is one; "" on one machine."""
        node = spec.home.machine
        while node and spec.labels:
            nodes = await self._living(on_wait(spec, notify))
            now = asyncio.get_running_loop().time()
            shunned = frozenset(node for node, until in self._shunned.items() if until > now)
            chosen = choose(nodes, spec.labels, Counter(self._nodes.values()), shunned)
            if chosen is not None:
                node = chosen.id
                break
            notify(HostWaits(spec.name, spec.incarnation, why_none(nodes, spec.labels)))
            await asyncio.sleep(NODE_POLL_S)
        self.is_at(spec.name, spec.incarnation, node)
        return node

    def is_at(self, host: str, incarnation: int, node: str) -> None:
        self._nodes[host, incarnation] = node

    def has_ended(self, host: str, incarnation: int) -> None:
        self._nodes.pop((host, incarnation), None)

    def had_to_be_killed(self, host: str, incarnation: int) -> None:
        """Its node may be lost, although the cluster does not know it yet."""
        node = self._nodes.get((host, incarnation))
        if node is not None:
            self._shunned[node] = asyncio.get_running_loop().time() + SHUN_S
