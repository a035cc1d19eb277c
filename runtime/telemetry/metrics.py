"""Metrics in Prometheus' text format, from what the supervisor's table says; and the port where they are fetched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from runtime.clock import NS_PER_S
from runtime.errors import Unavailable
from runtime.protocol import ActorRow

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric


class Kind(Enum):
    COUNTER = "counter"
    """Exposed as `<name>_total`, as Prometheus' own client does."""
    GAUGE = "gauge"
    SUMMARY = "summary"
    """Samples named with the suffixes `_count` and `_sum`, and quantiles without one."""


@dataclass(frozen=True)
class Sample:
    labels: dict[str, str]
    value: float
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    name: str
    help: str
    kind: Kind
    samples: list[Sample] = field(default_factory=list)

    def add(self, value: float, suffix: str = "", **labels: str) -> None:
        self.samples.append(Sample(labels, value, suffix))


def actor_families(rows: Iterable[ActorRow]) -> list[Family]:
    """Mailbox, work and restarts of every actor. Labels: `actor`, `host`, and `state` of `actor_up`."""
    up = Family("actor_up", "1 while the actor is alive", Kind.GAUGE)
    depth = Family("actor_mailbox_depth", "Messages waiting", Kind.GAUGE)
    age = Family("actor_mailbox_age_seconds", "How long the oldest message has been waiting", Kind.GAUGE)
    handled = Family("actor_messages_handled", "Messages handled", Kind.COUNTER)
    dropped = Family("actor_messages_dropped", "Messages shed because a lane was full", Kind.COUNTER)
    restarts = Family("actor_restarts", "Lives after the first", Kind.COUNTER)
    for row in rows:
        labels = {"actor": row.name, "host": row.host}
        up.add(row.state == "READY", **labels, state=row.state)
        depth.add(row.depth, **labels)
        age.add(row.waiting_ns / NS_PER_S, **labels)
        handled.add(row.handled, **labels)
        dropped.add(row.dropped, **labels)
        restarts.add(row.restarts, **labels)
    return [up, depth, age, handled, dropped, restarts]


def exposition(families: Sequence[Family]) -> bytes:
    """What a scrape gets: text format 0.0.4."""
    from prometheus_client import generate_latest

    return generate_latest(_registry(_Published(families)))


class MetricsPort:
    """Serves the families published last, on a thread of its own. Raises `Unavailable` if the port is taken."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        from prometheus_client import start_http_server

        self._published = _Published([])
        try:
            self._server, self._thread = start_http_server(port, address, _registry(self._published))
        except OSError as error:
            raise Unavailable(f"metrics port {address}:{port}: {error.strerror}") from error

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def publish(self, families: Sequence[Family]) -> None:
        self._published.families = families

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Published:
    """A collector in Prometheus' sense."""

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = families

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client import Metric

        for family in self.families:
            metric = Metric(family.name, family.help, family.kind.value)
            ending = "_total" if family.kind is Kind.COUNTER else ""
            for sample in family.samples:
                metric.add_sample(family.name + (sample.suffix or ending), sample.labels, sample.value)
            yield metric


def _registry(published: _Published) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    registry.register(published)
    return registry
