"""The latency monitor: a histogram of every stage between the venue's clock and the venue's answer, for each venue.

    feed_venue    the venue's own time → bytes read: two clocks, so only as true as they agree
    feed_deliver  bytes read → strategy's hook
    signal        market data read → order submitted by the strategy
    journal       submitted → its intent is in the journal
    risk          in the journal → approved
    route         approved → venue chosen
    wire          routed → written to the venue's socket
    tick_to_wire  market data read → written to the venue's socket
    ack           written → the venue's answer read

The feed stages, and any other that an actor measures itself, come as `Measured` from every host twice a second; those
of an order are the differences of its stamps. A stage that an order did not pass (it was not caused by market data,
say) is not counted. Histograms last for one life of the monitor.
"""

from itertools import pairwise
from typing import Any

from actors.messages import OrderAccepted, OrderRejected, OrderSent
from actors.model.order import Stamps
from runtime.actor import Context, Report
from runtime.clock import NS_PER_US
from runtime.message import Measured
from runtime.telemetry.histogram import Histogram

HOPS = ("market_recv", "submitted", "journaled", "approved", "routed", "sent")
STAGES = ("signal", "journal", "risk", "route", "wire")
"""Between two hops each."""
ORDER = ("feed_venue", "feed_deliver", *STAGES, "tick_to_wire", "ack")
"""In which a report names the stages; others follow."""
UNANSWERED = 10_000
"""So many sent orders wait for their answer; then the oldest is forgotten."""


class LatencyMonitor:
    """Connectors tell `OrderSent`, and `OrderAccepted` and `OrderRejected` with the time at which they were read."""

    def __init__(self) -> None:
        self._histograms: dict[tuple[str, str], Histogram] = {}
        """By (stage, venue)."""
        self._sent: dict[str, int] = {}
        """Client order id → when it was written."""
        self._counters = {"measured": 0, "orders": 0, "unanswered": 0}

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Measured():
                self._counters["measured"] += 1
                self._histogram(message.stage, message.label).merge(Histogram.from_plain(message.histogram))
            case OrderSent():
                self._on_sent(message)
            case OrderAccepted() | OrderRejected():
                sent = self._sent.pop(message.client_order_id, None)
                if sent is not None:
                    self._histogram("ack", message.venue).record(message.ts_recv - sent)
            case _:
                pass

    def report(self) -> Report:
        stages: dict[str, Histogram] = {}
        venues: dict[str, dict[str, Any]] = {}
        for (stage, venue), histogram in sorted(self._histograms.items(), key=_place):
            stages.setdefault(stage, Histogram()).merge(histogram)
            venues.setdefault(venue, {})[stage] = summary(histogram)
        return Report(
            counters=dict(self._counters),
            state={
                "stages": {stage: summary(histogram) for stage, histogram in stages.items()},
                "venues": venues,
            },
        )

    def _on_sent(self, message: OrderSent) -> None:
        self._counters["orders"] += 1
        for stage, duration_ns in stage_durations(message.stamps).items():
            self._histogram(stage, message.venue).record(duration_ns)
        self._sent[message.client_order_id] = message.stamps.sent
        if len(self._sent) > UNANSWERED:
            del self._sent[next(iter(self._sent))]
            self._counters["unanswered"] += 1

    def _histogram(self, stage: str, venue: str) -> Histogram:
        histogram = self._histograms.get((stage, venue))
        if histogram is None:
            histogram = self._histograms[stage, venue] = Histogram()
        return histogram


def stage_durations(stamps: Stamps) -> dict[str, int]:
    """Nanoseconds of each stage that both its hops have a stamp of."""
    times = [getattr(stamps, hop) for hop in HOPS]
    durations = {
        stage: later - earlier
        for stage, (earlier, later) in zip(STAGES, pairwise(times), strict=True)
        if earlier and later
    }
    if stamps.market_recv and stamps.sent:
        durations["tick_to_wire"] = stamps.sent - stamps.market_recv
    return durations


def summary(histogram: Histogram) -> dict[str, float | int]:
    p50, p99, p999 = (round((value or 0) / NS_PER_US, 3) for value in histogram.percentiles(50, 99, 99.9))
    return {"p50_us": p50, "p99_us": p99, "p999_us": p999, "count": histogram.count}


def _place(item: tuple[tuple[str, str], Histogram]) -> tuple[int, str, str]:
    (stage, venue), _ = item
    return ORDER.index(stage) if stage in ORDER else len(ORDER), stage, venue
