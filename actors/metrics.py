"""A desk's metrics: every actor's mailbox, and every venue's links under the `ws_…` names of the field."""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from actors.status import of_rows
from runtime.protocol import ActorRow
from runtime.telemetry.metrics import Family, Kind, actor_families, exposition

US_PER_S = 1_000_000
QUANTILES = {"p50_us": "0.5", "p99_us": "0.99", "p999_us": "0.999"}


def render(rows: Iterable[ActorRow]) -> bytes:
    """The supervisor's table as Prometheus' text format."""
    return exposition(families(list(rows)))


def families(rows: list[ActorRow]) -> list[Family]:
    return [*actor_families(rows), *venue_families(rows)]


def venue_families(rows: Iterable[ActorRow]) -> list[Family]:
    """Labels: `exchange` is the venue's name in the configuration.

    `type` is a stage of the latency monitor (`feed`, …) for durations and `all` for counts; `reason` is what a counter
    of the connector counts.
    """
    received = Family("ws_messages_received", "WebSocket messages received", Kind.COUNTER)
    processed = Family("ws_messages_processed", "WebSocket messages understood and carried out", Kind.COUNTER)
    seconds = Family("ws_message_processing_seconds", "Durations of the stages of a message", Kind.SUMMARY)
    active = Family("ws_connections_active", "WebSocket connections that are up", Kind.GAUGE)
    attempts = Family("ws_reconnection_attempts", "Attempts to open a lost connection again", Kind.COUNTER)
    invalid = Family("ws_invalid_messages", "Messages not understood, and gaps in what they continue", Kind.COUNTER)
    degraded = Family("venue_degraded", "1 for each part that goes on by REST while its WebSocket is down", Kind.GAUGE)
    rows = list(rows)
    connected = [row for row in rows if isinstance(row.report.get("venue"), str)]
    for venue, shown in of_rows(connected).venues.items():
        received.add(shown.messages, exchange=venue, type="all")
        processed.add(shown.messages - shown.bad_frames, exchange=venue, type="all")
        active.add(sum(state == "UP" for state in shown.links.values()), exchange=venue)
        attempts.add(shown.reconnects, exchange=venue, reason="link_down")
        invalid.add(shown.bad_frames, exchange=venue, reason="bad_frame")
        invalid.add(shown.gaps, exchange=venue, reason="gap")
        for part, reason in shown.degraded.items():
            degraded.add(1, exchange=venue, part=part, reason=_code(str(reason)))
        if not shown.degraded:
            degraded.add(0, exchange=venue, part="", reason="")
    for row in rows:
        if "stages" in row.report:
            for exchange, stages in _mapping(row.report.get("venues")).items():
                for stage, values in _mapping(stages).items():
                    _summarise(seconds, exchange, stage, _mapping(values))
    return [received, processed, seconds, active, attempts, invalid, degraded]


def _summarise(family: Family, exchange: str, stage: str, values: Mapping[str, Any]) -> None:
    for name, quantile in QUANTILES.items():
        if name in values:
            family.add(values[name] / US_PER_S, exchange=exchange, type=stage, quantile=quantile)
    family.add(values.get("count", 0), "_count", exchange=exchange, type=stage)


def _code(reason: str) -> str:
    """What a reason begins with in capitals: words after it would be a label of their own each time."""
    return ": ".join(takewhile(str.isupper, reason.split(": ")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
