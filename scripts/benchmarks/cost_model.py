"""What a desk of many connectors costs, as a pure function of its shape; and which limit it reaches first.

Every connector is a process of its own, from which the one supervisor hears ten times a second (`restart.heartbeat_s`).
For each change of anybody the supervisor tells everybody that change, and the whole directory once to who is new. A
reader has one stream to each connector that it reads from. The constants are measured (`scale`), the sums are these.
"""

from collections.abc import Mapping

import msgspec

BEATS_PER_S = 10.0
"""By default; the report of each actor comes twice a second besides."""
REPORTS_PER_S = 2.0
OTHERS = 7
"""Hosts of a desk that are neither connectors nor strategies: order manager, risk checker, router, …"""


class Shape(msgspec.Struct, frozen=True):
    """A desk. Symbols are spread evenly, every strategy reads all of them."""

    venues: int
    shards: int
    """Of each venue."""
    symbols: int
    """Of each venue."""
    rate: float
    """Events a second and symbol."""
    strategies: int
    nodes: int

    @property
    def connectors(self) -> int:
        return self.venues * self.shards

    @property
    def hosts(self) -> int:
        return self.connectors + self.strategies + OTHERS

    @property
    def events(self) -> float:
        """A second, of the whole desk."""
        return self.venues * self.symbols * self.rate


class Constants(msgspec.Struct, frozen=True):
    """Measured on one machine, at rates so low that each event wakes who it is for; in a flood, where one read brings
    many, an event costs a tenth of that (`paths`). CPU is seconds of one core."""

    idle_cpu: float
    """Of a connector that hears nothing, a second."""
    event_cpu: float
    """Of a connector, for each event that it makes and hands to its readers."""
    reader_idle: float
    """Of a strategy that hears nothing, a second."""
    reader_cpu: float
    """Of a strategy that does nothing with it, for each event."""
    beat_cpu: float
    """Of the supervisor, for each heartbeat or report."""
    connector_mb: float
    connector_files: float
    supervisor_files: float
    """With no host at all."""
    supervisor_files_per_host: float
    address_bytes: float
    """Of one actor in a directory that is sent."""
    address_cpu: float
    """Of the supervisor, to write it there."""
    change_bytes: float
    """Of one change that is told to one host."""
    change_cpu: float
    """Of the supervisor, to write it."""


class Cost(msgspec.Struct, frozen=True):
    """Of the fullest process or node where there are several."""

    connector_cpu: float
    supervisor_beats: float
    """Heartbeats and reports a second."""
    supervisor_cpu: float
    supervisor_files: float
    directory_mb: float
    """What one change of one actor makes the supervisor send in all."""
    directory_cpu: float
    """Seconds that it is busy with that."""
    start_mb: float
    """What all of them have been sent when each has come up once."""
    start_cpu: float
    """Seconds that the supervisor is busy with that."""
    reader_streams: float
    """Of a strategy, to connectors."""
    reader_cpu: float
    node_mb: float
    """Connectors only."""
    node_cpu: float
    node_processes: float


class Machine(msgspec.Struct, frozen=True):
    """What a node of the cluster has."""

    cores: float
    memory_mb: float
    files: float
    """That one process may have open."""
    network_mb: float
    """A second."""


class Saturation(msgspec.Struct, frozen=True):
    what: str
    used: float
    """Of what there is: 1 is full."""
    then: str
    """What to do."""


def cost(shape: Shape, of: Constants) -> Cost:
    per_connector = shape.events / shape.connectors
    on_node = shape.connectors / shape.nodes
    connector_cpu = of.idle_cpu + of.event_cpu * per_connector
    beats = shape.hosts * (BEATS_PER_S + REPORTS_PER_S)
    pairs = float(shape.hosts) ** 2 / 2
    return Cost(
        connector_cpu=connector_cpu,
        supervisor_beats=beats,
        supervisor_cpu=beats * of.beat_cpu,
        supervisor_files=of.supervisor_files + shape.hosts * of.supervisor_files_per_host,
        directory_mb=shape.hosts * of.change_bytes / 1e6,
        directory_cpu=shape.hosts * of.change_cpu,
        start_mb=pairs * (of.address_bytes + of.change_bytes) / 1e6,
        start_cpu=pairs * (of.address_cpu + of.change_cpu),
        reader_streams=float(shape.connectors),
        reader_cpu=of.reader_idle + shape.events * of.reader_cpu,
        node_mb=on_node * of.connector_mb,
        node_cpu=on_node * connector_cpu,
        node_processes=on_node,
    )


def saturations(shape: Shape, of: Constants, machine: Machine) -> list[Saturation]:
    """The fullest first."""
    at = cost(shape, of)
    found: Mapping[str, tuple[float, str]] = {
        "a strategy that reads every event of every venue": (
            at.reader_cpu,
            "share symbols out over strategies too: nobody trades on all of them; one process reads as much as it has "
            "one core for",
        ),
        "the supervisor's core, by heartbeats": (
            at.supervisor_cpu,
            "longer restart.heartbeat_s (1 s is a tenth of it), several actors in a host (colocate), then a supervisor "
            "for each venue or zone below the one",
        ),
        "the supervisor's core while the desk starts": (
            at.start_cpu / START_S,
            "tell what a burst of changes left, once: what a start sends grows with the square of the hosts",
        ),
        "the supervisor's network while the desk starts": (at.start_mb / START_S / machine.network_mb, "the same"),
        "open files of the supervisor": (
            at.supervisor_files / machine.files,
            "raise the limit of open files (`ulimit -n`), several actors in a host",
        ),
        "memory of a node, by connectors": (
            at.node_mb / machine.memory_mb,
            "more nodes, or fewer shards with more symbols each: a connector costs its memory however little it hears",
        ),
        "cores of a node, by connectors": (at.node_cpu / machine.cores, "more nodes (placement spreads them)"),
        "a connector's core": (at.connector_cpu, "more shards"),
        "open files of a reader of everything": (at.reader_streams / machine.files, "as for the supervisor"),
    }
    listed = [Saturation(what, used, then) for what, (used, then) in found.items()]
    return sorted(listed, key=lambda each: each.used, reverse=True)


START_S = 60.0
"""A start of the whole desk may take so long."""
