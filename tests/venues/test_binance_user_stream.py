"""The account's own events on Binance's WebSocket API."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    AccountReported,
    Balance,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from actors.model.order import Side
from actors.venues.contract import BadFrame, Output
from tests.venues.binance_orders import MS, PLACED, a_venue_up, ask
from tests.venues.binance_spot import (
    ID,
    NOW,
    answer,
    event,
    place,
)

REPORT = {
    "e": "executionReport",
    "E": 1499405658658,
    "s": "BTCUSDT",
    "c": ID,
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "1.0",
    "p": "0.1",
    "C": "",
    "x": "NEW",
    "X": "NEW",
    "r": "NONE",
    "i": 42,
    "l": "0.0",
    "z": "0.0",
    "L": "0.0",
    "n": "0",
    "N": None,
    "T": 7,
    "t": -1,
    "w": True,
    "m": False,
    "M": False,
    "O": 7,
}

REPORTS = [
    ({}, [OrderAccepted("binance", ID, "42", 7 * MS, NOW)]),
    (
        {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.4", "L": "0.1", "n": "0.001", "N": "BNB", "t": 9, "m": True},
        [OrderFilled("binance", ID, "42", "BTCUSDT", "9", Side.BUY, "0.1", "0.4", "0.001", "BNB", True, 7 * MS, NOW)],
    ),
    (
        {"x": "CANCELED", "X": "CANCELED", "c": "of-the-cancel", "C": ID, "z": "0.4"},
        [OrderCanceled("binance", ID, "0.4", 7 * MS, NOW)],
    ),
    ({"x": "CANCELED", "X": "CANCELED"}, [OrderCanceled("binance", ID, "0.0", 7 * MS, NOW)]),
    (
        {"x": "EXPIRED", "X": "EXPIRED", "eR": "INSUFFICIENT_LIQUIDITY"},
        [OrderExpired("binance", ID, "0.0", "INSUFFICIENT_LIQUIDITY", 7 * MS, NOW)],
    ),
    (
        {"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"},
        [OrderExpired("binance", ID, "0.0", "SELF_TRADE_PREVENTION", 7 * MS, NOW)],
    ),
    ({"x": "TRADE_PREVENTION", "X": "PARTIALLY_FILLED"}, []),
    (
        {"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCES"},
        [OrderRejected("binance", ID, "INSUFFICIENT_BALANCES", "INSUFFICIENT_BALANCES", NOW)],
    ),
    ({"x": "REPLACED", "q": "0.4"}, [OrderAmended("binance", ID, "0.4", 7 * MS, NOW)]),
]


@pytest.mark.parametrize(("changes", "expected"), REPORTS)
def test_execution_reports_are_told_in_the_desks_terms(changes: dict[str, Any], expected: list[Output]) -> None:
    assert a_venue_up().on_frame("orders", event(**{**REPORT, **changes}), NOW) == expected


def test_changed_balances_are_reported_as_changes() -> None:
    payload = event(e="outboundAccountPosition", E=1, u=1, B=[{"a": "ETH", "f": "1.5", "l": "0.5"}])
    assert a_venue_up().on_frame("orders", payload, NOW) == [
        AccountReported("binance", [Balance("ETH", "1.5", "0.5")], False, NOW)
    ]


def test_an_event_of_a_kind_unknown_here_keeps_the_link_but_a_damaged_report_drops_it() -> None:
    venue = a_venue_up()
    (new,) = venue.on_frame("orders", event(e="somethingNew", E=1), NOW)
    (damaged,) = venue.on_frame("orders", event(**{**REPORT, "T": "yesterday"}), NOW)
    assert isinstance(new, BadFrame)
    assert isinstance(damaged, BadFrame)
    assert (new.drop_link, damaged.drop_link) == (False, True)


def test_used_weight_and_order_counts_are_learned_from_answers() -> None:
    venue = a_venue_up()
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 321},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 12},
    ]
    venue.on_frame("orders", answer(ask(venue, place(), "order.place"), PLACED, rateLimits=limits), NOW)
    report = venue.report(False)
    assert (report["used_weight"], report["weight_limit"]) == (321, 6000)
    assert report["order_counts"] == {"10 SECOND": [12, 50]}


anything: st.SearchStrategy[object] = st.sampled_from([None, True, -5, 2**63, 1.5, "", "x", [], {}, "9" * 5000])


@given(st.sampled_from(sorted(REPORT)), anything, st.booleans())
def test_mutated_execution_reports_never_raise(field: str, value: object, drop: bool) -> None:
    mutant: dict[str, object] = {**REPORT, field: value}
    if drop:
        del mutant[field]
    for output in a_venue_up().on_frame("orders", event(**mutant), NOW):
        msgspec.msgpack.encode(output)


@given(st.sampled_from(["id", "status", "result", "error", "rateLimits", "event"]), anything)
def test_mutated_answers_never_raise(field: str, value: object) -> None:
    venue = a_venue_up()
    mutant = {**msgspec.json.decode(answer(ask(venue, place(), "order.place"), PLACED)), field: value}
    for output in venue.on_frame("orders", msgspec.json.encode(mutant), NOW):
        msgspec.msgpack.encode(output)


def test_no_output_ever_shows_a_secret() -> None:
    venue = a_venue_up()
    assert "demo-secret" not in repr([venue.execute(place(), NOW), venue.report(True)])
