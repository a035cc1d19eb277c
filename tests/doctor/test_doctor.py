"""What the doctor finds in a table, and that a healthy desk has nothing."""

from typing import Any

import pytest

from actors.doctor import diagnose
from runtime.protocol import ActorRow

CONNECTED = {"venue": "binance", "connected": True, "links": {"orders": "UP"}, "books": {"BTCUSDT": "SYNCED"}}


def row(name: str = "connector.binance", **changes: Any) -> ActorRow:
    values: dict[str, Any] = {
        "name": name,
        "host": name,
        "state": "READY",
        "pid": 7,
        "node": "n",
        "incarnation": 1,
        "restarts": 0,
        "reason": "",
        "depth": 0,
        "waiting_ns": 0,
        "handled": 1,
        "dropped": 0,
        "counters": {},
        "report": {},
    }
    return ActorRow(**values | changes)


def test_a_healthy_desk_has_no_findings() -> None:
    assert (
        diagnose([row("supervisor"), row(report=CONNECTED), row("store", report={"problem": "", "lag_bytes": 9})]) == []
    )


def test_a_polled_book_is_not_called_invalid() -> None:
    report = CONNECTED | {"books": {"BTCUSDT": "DEGRADED"}, "degraded": {"market data feed-0": "LINK_DOWN: cut"}}
    (finding,) = diagnose([row(report=report)])
    assert "market data feed-0 by REST" in finding.what


@pytest.mark.parametrize(
    ("sick", "what", "do"),
    [
        (
            row(report=CONNECTED | {"degraded": {"orders": "LINK_DOWN: cut"}}),
            "binance is degraded: orders by REST, because LINK_DOWN: cut",
            "ends by itself when the WebSocket is back",
        ),
        (
            row(state="PARKED", restarts=6, reason="Corrupt: /j/1.journal: offset 99"),
            "ended 6 times and is parked, last because: Corrupt: /j/1.journal: offset 99",
            "outcry journal verify",
        ),
        (
            row(
                state="PARKED", restarts=1, reason="Corrupt: neither /j nor its copy is known to hold all that was said"
            ),
            "neither /j nor its copy is known to hold all",
            "bring it back",
        ),
        (
            row(state="STARTING", reason="waits for a node with zone=mars: 10.0.0.1 has no label"),
            "waits for a node with zone=mars: 10.0.0.1 has no label",
            "start Ray on such a node",
        ),
        (row(counters={"strangers_refused": 3}), "3 connections of strangers were refused", "close the ports"),
        (row(state="BACKOFF", restarts=1, reason="killed by SIGKILL"), "about to start again", "wait"),
        (row(waiting_ns=3_200_000_000, depth=900), "900 messages wait, the first for 3.2 s", "handlers are too slow"),
        (row(dropped=12), "12 events were conflated or dropped", "newest is kept"),
        (
            row(report=CONNECTED | {"connected": False, "problem": "BANNED: until 12:00"}),
            "BANNED: until 12:00",
            "denied",
        ),
        (row(report=CONNECTED | {"links": {"orders": "DOWN"}}), "links of binance that are not up: orders", "wait"),
        (row(report=CONNECTED | {"books": {"ETHUSDT": "INVALID"}}), "nobody may trade on now: ETHUSDT", "anew"),
        (row(report=CONNECTED | {"unknown_symbols": ["XYZ"]}), "binance does not list XYZ", "venues.binance.symbols"),
        (
            row(report=CONNECTED | {"used_weight": 5500, "weight_limit": 6000}),
            "5500 of 6000 request weight",
            "query less",
        ),
        (row(report=CONNECTED | {"clock_offset_ms": -900.0}), "differ by -900 ms", "NTP"),
        (row(report=CONNECTED, counters={"bad_frames": 3}), "3 frames of binance could not be understood", "protocol"),
        (row("order_manager", report={"orders": {"UNKNOWN": 2}}), "2 orders whose outcome is not known", "worst case"),
        (row("order_manager", counters={"missing_at_venue": 1}), "1 orders that the venue once had", "client order id"),
        (
            row("order_manager", report={"venues": {"binance": {"foreign_orders": 4}}}),
            "4 open orders at binance",
            "cancel",
        ),
        (
            row("order_manager", report={"journal_copy": {"problem": "the follower does not answer"}}),
            "its journal is on one machine only: the follower does not answer",
            "refused as NOT_DURABLE, cancels go",
        ),
        (row("store", report={"problem": "locked"}), "locked", "orders go on"),
        (row("store", report={"problem": "", "lag_bytes": 5_000_000}), "5000000 bytes behind", "slow"),
    ],
)
def test_each_trouble_is_said_in_words_with_what_to_do(sick: ActorRow, what: str, do: str) -> None:
    (finding,) = diagnose([sick])
    assert what in finding.what
    assert do in finding.do
    assert finding.subject == sick.name
