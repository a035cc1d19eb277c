"""Binance's limits as it tells them, and every one of its error codes."""

import pytest

from actors.venues.binance.errors import CODES, ERRORS
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.payloads import RateLimit
from actors.venues.contract import LimitScope
from runtime.leases import Lease

S = 1_000_000_000
NOW = 1_700_000_040 * S
"""A full minute."""
MARGIN = 60 * S // 64
"""Of a window of a minute: how far the venue's clock may be off."""

LISTED = [
    RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 1000),
    RateLimit("ORDERS", "SECOND", 10, 100),
    RateLimit("ORDERS", "DAY", 1, 160_000),
    RateLimit("RAW_REQUESTS", "MINUTE", 5, 300_000),
    RateLimit("SOMETHING_NEW", "MINUTE", 1, 1),
]


def limits() -> RateLimits:
    limits = RateLimits()
    limits.set(LISTED)
    return limits


def test_queries_stop_first_then_new_orders_then_reducing_ones_and_cancels_last() -> None:
    weights = limits()
    granted = {
        priority: sum(1 for _ in range(1000) if weights.spend(1, priority, NOW) == 0) for priority in reversed(Priority)
    }
    assert granted == {
        Priority.HISTORY: 500,
        Priority.BOOK: 300,
        Priority.QUERY: 0,
        Priority.NEW: 100,
        Priority.REDUCE: 50,
        Priority.CANCEL: 50,
    }
    assert weights.spend(1, Priority.CANCEL, NOW + 60 * S + MARGIN) == 0


def test_orders_are_counted_besides_their_weight_and_a_first_fill_frees_one() -> None:
    orders = limits()
    assert all(orders.spend(0, Priority.NEW, NOW, orders=1) == 0 for _ in range(90))
    assert orders.spend(0, Priority.NEW, NOW, orders=1) == 10 * S + 10 * S // 64
    assert orders.spend(0, Priority.CANCEL, NOW) == 0
    assert orders.order_counts() == {"10 SECOND": [90, 100], "1 DAY": [90, 160_000]}
    orders.give_back_order(NOW)
    assert orders.spend(0, Priority.NEW, NOW, orders=1) == 0


def test_what_headers_and_answers_say_is_used_counts() -> None:
    both = limits()
    both.learn_headers({"x-mbx-used-weight-1m": "799", "x-mbx-order-count-10s": "89", "x-mbx-other": "1"}, NOW)
    assert both.spend(1, Priority.QUERY, NOW) == 0
    assert both.spend(1, Priority.QUERY, NOW) > 0
    assert both.spend(0, Priority.NEW, NOW, orders=1) == 0
    assert both.spend(0, Priority.NEW, NOW, orders=1) > 0
    both.learn([RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 2000, 1000)], NOW)
    assert both.weight.limit == 2000
    assert both.spend(500, Priority.QUERY, NOW) == 0


@pytest.mark.parametrize("header", ["", "x", "m", "-1", "1e3"])
def test_headers_that_are_no_numbers_are_passed_over(header: str) -> None:
    both = limits()
    both.learn_headers({"x-mbx-used-weight-1m": header, f"x-mbx-used-weight-{header}": "999999"}, NOW)
    assert both.spend(1, Priority.QUERY, NOW) == 0


def test_who_is_silent_for_how_long() -> None:
    blocked = limits()
    blocked.block_orders(NOW + 1 * S)
    assert blocked.spend(0, Priority.NEW, NOW, orders=1) == S
    assert blocked.spend(1, Priority.QUERY, NOW) == 0
    blocked.back_off(NOW + 2 * S)
    assert blocked.spend(1, Priority.QUERY, NOW) == 2 * S
    assert blocked.spend(0, Priority.CANCEL, NOW) == 0
    blocked.ban(NOW + 3 * S)
    assert blocked.spend(0, Priority.CANCEL, NOW) == 3 * S
    assert blocked.spend(0, Priority.CANCEL, NOW + 3 * S) == 0


ACTIONS = {
    Action.UNKNOWN: {-1000, -1001, -1006, -1007},
    Action.BACK_OFF: {-1003, -1008, -1015, -1034, -1181},
    Action.CLOCK: {-1021},
    Action.NOT_FOUND: {-2013, -2026},
    Action.ALREADY: {-2035},
    Action.RETRY: {-1035, -1125, -2036},
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_what_each_code_asks_for(code: int) -> None:
    (expected,) = [action for action, codes in ACTIONS.items() if code in codes] or [Action.REFUSE]
    assert ERRORS.action(400, code) is expected


@pytest.mark.parametrize(
    ("status", "code", "message", "action"),
    [
        (400, -2010, "Account has insufficient balance for requested action.", Action.REFUSE),
        (400, -2010, "Duplicate order sent.", Action.UNKNOWN),
        (400, -999_999, "unheard of", Action.REFUSE),
        (500, -1013, "", Action.UNKNOWN),
        (503, -1008, "", Action.UNKNOWN),
        (429, -1003, "", Action.BACK_OFF),
        (429, -1015, "", Action.BACK_OFF),
        (418, -1003, "", Action.BAN),
        (400, -1003, "Way too much request weight used; IP banned until 1700000000000.", Action.BAN),
        (403, 0, "", Action.BAN),
    ],
)
def test_the_status_and_the_words_may_say_more_than_the_code(
    status: int, code: int, message: str, action: Action
) -> None:
    assert ERRORS.action(status, code, message) is action


def test_what_an_account_shares_is_not_what_an_address_shares() -> None:
    shared = limits()
    assert shared.spend(10, Priority.CANCEL, NOW + S, orders=4) == 0
    shared.share(LimitScope.ACCOUNT, 2, NOW + S)
    [(_, name, ten_seconds), (_, day, _)] = shared.leased()
    assert (name, day) == ("ORDERS 10 SECOND", "ORDERS 1 DAY")
    assert ten_seconds.look(NOW + S).spent == 4
    assert [shared.spend(1, Priority.CANCEL, NOW + S, orders=1) for _ in range(8)] == [0] * 8
    assert shared.spend(1, Priority.CANCEL, NOW + S, orders=1) > 0
    assert shared.spend(800, Priority.CANCEL, NOW + S) == 0, "its address is its own"
    lease = Lease((NOW + S) // (10 * S), Priority.NEW, 20, 1)
    ten_seconds.put(lease, NOW + S)
    assert [shared.spend(1, Priority.NEW, NOW + S, orders=1) for _ in range(20)] == [0] * 20
    assert shared.spend(1, Priority.NEW, NOW + S, orders=1) > 0


def test_what_is_forbidden_is_told_and_heeded_from_elsewhere() -> None:
    one, other = limits(), limits()
    one.ban(NOW + 9 * S)
    one.block_orders(NOW + 5 * S)
    [ban, orders] = one.forbidden(NOW)
    assert (ban, orders) == (
        (LimitScope.ADDRESS, "BAN", NOW + 9 * S),
        (LimitScope.ACCOUNT, "ORDERS", NOW + 5 * S),
    )
    for _, what, until in (ban, orders):
        other.forbid(what, until)
    assert other.spend(1, Priority.CANCEL, NOW) == 9 * S
    assert other.banned_for(NOW + 9 * S) == 0
    assert list(one.forbidden(NOW + 9 * S)) == []
