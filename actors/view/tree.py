"""Which node and process holds which actor: as a tree, and as a Mermaid diagram."""

from collections.abc import Mapping

from rich.text import Text
from rich.tree import Tree

from actors.status import ActorStatus, Status
from actors.view.render import STYLES

Placement = dict[str, dict[tuple[str, int], list[str]]]
"""node → (host, pid) → actors."""


def placement(actors: Mapping[str, ActorStatus]) -> Placement:
    nodes: Placement = {}
    for name, actor in actors.items():
        nodes.setdefault(actor.node or "nowhere", {}).setdefault((actor.host, actor.pid), []).append(name)
    return nodes


def tree_of(status: Status) -> Tree:
    root = Tree(Text.assemble(("outcry ", "bold"), (status.name, "bold cyan")))
    for node, hosts in placement(status.actors).items():
        branch = root.add(Text(f"node {node}"))
        for (host, pid), names in hosts.items():
            process = branch.add(Text(f"{host or 'no host'} (pid {pid or '–'})", style="dim"))
            for name in names:
                actor = status.actors[name]
                life = f" {actor.state.value.lower()}, life {actor.incarnation}, {actor.restarts} restarts"
                reason = f": {actor.reason}" if actor.reason else ""
                process.add(Text.assemble((f"● {name}", STYLES[actor.state]), life, reason))
    return root


def mermaid(status: Status) -> str:
    lines = ["flowchart LR", f'  desk["outcry {status.name}"]']
    for n, (node, hosts) in enumerate(placement(status.actors).items()):
        lines.append(f'  desk --> node{n}["node {node}"]')
        for h, ((host, pid), names) in enumerate(hosts.items()):
            lines.append(f'  node{n} --> host{n}_{h}["{host or "no host"}<br/>pid {pid}"]')
            for a, name in enumerate(names):
                actor = status.actors[name]
                lines.append(f'  host{n}_{h} --> actor{n}_{h}_{a}["{name}<br/>{actor.state.value.lower()}"]')
    return "\n".join(lines)
