"""Metrics as Prometheus reads them."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.metrics import families, render
from runtime.errors import Unavailable
from runtime.protocol import ActorRow
from runtime.telemetry.metrics import MetricsPort


def row(name: str, report: dict[str, object] | None = None, **counters: int) -> ActorRow:
    return ActorRow(
        name=name,
        host=f"host.{name}",
        state="READY",
        pid=1,
        node="",
        incarnation=3,
        restarts=2,
        reason="",
        depth=4,
        waiting_ns=1_500_000,
        handled=1000,
        dropped=5,
        counters=counters,
        report=report or {},
    )


CONNECTOR = row(
    "connector.binance",
    {"venue": "binance", "links": {"market": "UP", "trade": "UP", "user": "DOWN"}},
    messages=900,
    bad_frames=3,
    gaps=2,
    reconnects=7,
)
MONITOR = row(
    "latency_monitor",
    {"stages": {}, "venues": {"binance": {"feed": {"p50_us": 100.0, "p99_us": 900.0, "p999_us": 2000.0, "count": 50}}}},
)


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_connector_is_exported_under_the_names_of_the_field() -> None:
    read = samples(render([CONNECTOR, MONITOR]))
    binance = ("exchange", "binance")
    assert read["ws_messages_received_total", (binance, ("type", "all"))] == 900
    assert read["ws_messages_processed_total", (binance, ("type", "all"))] == 897
    assert read["ws_connections_active", (binance,)] == 2
    assert read["ws_reconnection_attempts_total", (binance, ("reason", "link_down"))] == 7
    assert read["ws_invalid_messages_total", (binance, ("reason", "bad_frame"))] == 3
    assert read["ws_invalid_messages_total", (binance, ("reason", "gap"))] == 2
    assert read["ws_message_processing_seconds", (binance, ("quantile", "0.99"), ("type", "feed"))] == 0.0009
    assert read["ws_message_processing_seconds_count", (binance, ("type", "feed"))] == 50


def test_what_is_degraded_is_named_with_its_reason() -> None:
    well = row("connector.one", report={"venue": "one", "connected": True})
    lame = row(
        "connector.two", report={"venue": "two", "connected": True, "degraded": {"orders": "ORDERS: LINK_DOWN: cut"}}
    )
    read = samples(render([well, lame]))
    assert read["venue_degraded", (("exchange", "one"), ("part", ""), ("reason", ""))] == 0
    assert read["venue_degraded", (("exchange", "two"), ("part", "orders"), ("reason", "ORDERS: LINK_DOWN"))] == 1


def test_every_actor_shows_its_mailbox_and_its_restarts() -> None:
    read = samples(render([CONNECTOR]))
    labels = (("actor", "connector.binance"), ("host", "host.connector.binance"))
    assert read["actor_up", (*labels, ("state", "READY"))] == 1
    assert read["actor_mailbox_depth", labels] == 4
    assert read["actor_mailbox_age_seconds", labels] == 0.0015
    assert read["actor_messages_handled_total", labels] == 1000
    assert read["actor_messages_dropped_total", labels] == 5
    assert read["actor_restarts_total", labels] == 2


def test_an_actor_without_a_report_is_no_venue() -> None:
    assert b'exchange="' not in render([row("router")])


def test_the_port_serves_what_was_published_last() -> None:
    port = MetricsPort(0)
    try:
        port.publish(families([CONNECTOR]))
        with urllib.request.urlopen(f"http://127.0.0.1:{port.port}/metrics", timeout=60) as answer:
            text = answer.read()
        assert samples(text) == samples(render([CONNECTOR]))
        with pytest.raises(Unavailable, match="metrics port"):
            MetricsPort(port.port)
    finally:
        port.close()
