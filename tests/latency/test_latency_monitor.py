"""Stamps and batches in, percentiles for each stage and venue out."""

import pytest

from actors import latency_monitor
from actors.latency_monitor import LatencyMonitor
from actors.messages import OrderAccepted, OrderRejected, OrderSent
from actors.model.order import Stamps
from runtime.actor import Started
from runtime.message import Measured
from runtime.telemetry.histogram import Histogram
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000


def monitor(*messages: object) -> LatencyMonitor:
    actor, ctx = LatencyMonitor(), RecordingContext("latency_monitor")
    for message in (Started(), *messages):
        actor.receive(message, ctx)
    return actor


def sent(key: str = "a" * 32, venue: str = "binance", **changed: int) -> OrderSent:
    stamps = {
        "market_recv": NOW,
        "submitted": NOW + 50_000,
        "journaled": NOW + 120_000,
        "approved": NOW + 220_000,
        "routed": NOW + 230_000,
        "sent": NOW + 240_000,
    }
    return OrderSent(key, venue, Stamps(**(stamps | changed)))


def measured(stage: str, label: str, *durations_ns: int) -> Measured:
    histogram = Histogram()
    for duration_ns in durations_ns:
        histogram.record(duration_ns)
    return Measured(stage, label, histogram.to_plain())


def medians(stages: dict[str, dict[str, float]]) -> dict[str, int]:
    """In whole microseconds; the middle of its bucket stands for a value, up to 0.8 % off."""
    return {stage: round(values["p50_us"]) for stage, values in stages.items()}


def test_an_order_is_measured_between_each_two_hops() -> None:
    state = monitor(sent()).report().state
    assert medians(state["stages"]) == {
        "signal": 50,
        "journal": 70,
        "risk": 100,
        "route": 10,
        "wire": 10,
        "tick_to_wire": 241,
    }
    assert state["venues"] == {"binance": state["stages"]}


def test_stages_whose_hops_were_not_passed_are_not_counted() -> None:
    state = monitor(sent(market_recv=0, routed=0)).report().state
    assert list(state["stages"]) == ["journal", "risk"]


def test_the_answer_of_the_venue_ends_the_ack_stage_once() -> None:
    key, other = "a" * 32, "b" * 32
    state = (
        monitor(
            sent(key),
            sent(other),
            OrderAccepted("binance", key, "7", NOW, NOW + 1_240_000),
            OrderAccepted("binance", key, "7", NOW, NOW + 9_000_000),
            OrderRejected("binance", other, "-2010", "no", NOW + 3_240_000),
            OrderAccepted("binance", "c" * 32, "8", NOW, NOW + 9_000_000),
        )
        .report()
        .state
    )
    ack = state["stages"]["ack"]
    assert ack["count"] == 2
    assert (round(ack["p50_us"], -1), round(ack["p99_us"], -1)) == (1000, 3000)


def test_batches_of_the_hosts_are_added_up_for_each_stage_and_venue() -> None:
    actor = monitor(
        measured("feed_deliver", "binance", *[100_000] * 98),
        measured("feed_deliver", "kraken", 900_000),
        measured("feed_deliver", "binance", 200_000),
        measured("ping", "binance", 5_000_000),
        measured("feed_venue", "binance", 2_000_000),
    )
    report = actor.report()
    assert report.counters == {"measured": 5, "orders": 0, "unanswered": 0}
    assert list(report.state["stages"]) == ["feed_venue", "feed_deliver", "ping"]
    deliver = report.state["stages"]["feed_deliver"]
    assert deliver["count"] == 100
    assert (round(deliver["p50_us"], -1), round(deliver["p99_us"], -1), round(deliver["p999_us"], -1)) == (
        100,
        200,
        900,
    )
    venues = report.state["venues"]
    assert venues["binance"]["feed_deliver"]["count"] == 99
    assert medians(venues["kraken"]) == {"feed_deliver": 897}


def test_orders_that_are_never_answered_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_monitor, "UNANSWERED", 2)
    first, second, third = (letter * 32 for letter in "abc")
    actor = monitor(
        sent(first),
        sent(second),
        sent(third),
        OrderAccepted("binance", first, "1", NOW, NOW + 300_000),
        OrderAccepted("binance", second, "2", NOW, NOW + 300_000),
    )
    report = actor.report()
    assert report.counters["unanswered"] == 1
    assert report.state["stages"]["ack"]["count"] == 1


def test_nothing_measured_is_an_empty_report() -> None:
    assert monitor("what is this").report().state == {"stages": {}, "venues": {}}
