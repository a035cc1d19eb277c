"""What a change of an open order may add, on both sides of each boundary, and what is reserved meanwhile."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages import ApprovedChange, ChangeDenied, CheckChange, ControlsChanged, DeskSnapshot, OrderUpdated
from actors.model.order import OrderSpec, Side, Stamps
from actors.model.order_state import OrderState
from runtime.actor import Started, Undelivered
from tests.risk.desk import NOW, RiskDesk, S, account, order_id

SELL = Side.SELL
BTC = "binance.BTCUSDT"
NEW = order_id(99)


def working(desk: RiskDesk, quantity: str = "2", price: str = "100", side: Side = Side.BUY) -> OrderSpec:
    """An order that was approved and is at the venue."""
    spec = desk.spec(quantity, price, side)
    assert desk.check(spec) == ""
    desk.update("ACCEPTED", spec=spec)
    return spec


def change(desk: RiskDesk, before: OrderSpec, replace: bool = False, filled: str = "0", **terms: str) -> str:
    """ "" if it was approved, else the reason. `replace`: by another order in its place."""
    after = msgspec.structs.replace(before, **terms)
    if replace:
        after = msgspec.structs.replace(after, client_order_id=NEW, replaces=before.client_order_id)
    desk.ctx.told.clear()
    asked = CheckChange(before, after, filled, "v", Stamps(1, 2, 3), 1, NOW + S)
    desk.receive(asked)
    [(to, answer)] = desk.ctx.told
    if isinstance(answer, ApprovedChange):
        assert (to, answer.change) == ("router", msgspec.structs.replace(asked, stamps=Stamps(1, 2, 3, NOW)))
        return ""
    assert isinstance(answer, ChangeDenied)
    assert (to, answer.client_order_id, answer.by) == ("order_manager", before.client_order_id, "risk_checker")
    return answer.reason


def state_of(desk: RiskDesk) -> tuple[Any, ...]:
    one = desk.checker.desk.at(BTC)
    return desk.checker.desk.open_orders, one.buying, one.selling, desk.checker.desk.exposure


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("limits", "passes", "reason"),
    [
        ({"max_position": {BTC: "3"}}, "3", "MAX_POSITION: 3.1 of binance.BTCUSDT at worst, limit 3"),
        ({"max_exposure": "298.5"}, "3", "MAX_EXPOSURE: 308.45 at worst, limit 298.5"),
        ({"max_order_notional": "300"}, "3", "MAX_ORDER_NOTIONAL: 310.0, limit 300"),
        ({"max_order_quantity": {BTC: "3"}}, "3", "MAX_ORDER_QUANTITY: 3.1, limit 3"),
        ({}, "40", "INVALID_NOTIONAL: 3010.0, at most 3000"),
    ],
)
def test_more_is_refused_from_the_limit_on(limits: Any, passes: str, reason: str, replace: bool) -> None:
    refused = reason.split(":")[0]
    for quantity, expected in ((passes, ""), ("3.1" if limits else "40.1", reason)):
        desk = RiskDesk(**limits)
        before = working(desk)
        held = state_of(desk)
        answer = change(desk, before, replace, quantity=quantity)
        if expected:
            assert answer.startswith(refused)
            assert answer == reason or not limits
            assert state_of(desk) == held, "a refusal leaves everything as it was"
        else:
            assert answer == ""
            assert desk.checker.desk.at(BTC).buying == Decimal(passes), "the larger of both, not their sum"


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("110", ""),
        ("110.01", "PRICE_BAND: buy at 110.01, at most 110.0"),
        ("100.001", "INVALID_PRICE: 100.001 is not a multiple of 0.01"),
        ("x", "INVALID_PRICE: 'x'"),
    ],
)
def test_a_new_price_is_checked_as_that_of_a_new_order(price: str, reason: str) -> None:
    desk = RiskDesk()
    assert change(desk, working(desk), True, price=price) == reason


@pytest.mark.parametrize("replace", [False, True])
def test_a_change_needs_capital_for_what_it_adds_only(replace: bool) -> None:
    desk = RiskDesk(max_order_notional="100000")
    before = working(desk, "2", "100")
    desk.receive(account(USDT="100"))  # the venue has taken 200 of 300
    assert change(desk, before, replace, quantity="3.1").startswith("INSUFFICIENT_CAPITAL: 110.")
    assert change(desk, before, replace, quantity="2.9") == ""
    assert desk.checker.desk.available("binance", "USDT") < Decimal("10")


def test_at_the_most_open_orders_one_can_still_be_replaced() -> None:
    desk = RiskDesk(max_open_orders=1)
    assert change(desk, working(desk), True, price="99") == ""


def test_a_selling_order_adds_on_the_other_side() -> None:
    desk = RiskDesk(max_position={BTC: "3"})
    before = working(desk, side=SELL)
    assert change(desk, before, quantity="3.1").startswith("MAX_POSITION: 3.1")
    assert change(desk, before, quantity="3") == ""
    assert state_of(desk)[2] == 3


@pytest.mark.parametrize("ready", [True, False])
def test_less_is_always_approved_even_while_nothing_is_known(ready: bool) -> None:
    desk = RiskDesk(ready=ready, max_position={BTC: "1"}, max_order_notional="1")
    before = desk.spec("2", "100")
    assert change(desk, before, quantity="1.9") == ""


def test_what_is_not_only_less_is_denied_while_the_desk_is_not_known() -> None:
    desk = RiskDesk(ready=False)
    before = desk.spec("2", "100")
    assert change(desk, before, True, price="99") == "REBUILDING: no snapshot of the desk yet"


def test_a_change_that_adds_nothing_passes_beyond_a_position_limit() -> None:
    desk = RiskDesk(max_position={BTC: "2"})
    before = working(desk)
    desk.fill("5")
    assert change(desk, before, True, price="99") == ""


def test_an_order_that_is_over_is_not_changed() -> None:
    desk = RiskDesk()
    before = working(desk)
    desk.update("CANCELED", spec=before)
    assert change(desk, before, True, price="99") == f"NOT_OPEN: {before.client_order_id} is over"


def test_late_is_late() -> None:
    desk = RiskDesk()
    before = working(desk)
    desk.ctx.time += S + 1
    assert change(desk, before, True, price="99") == "DEADLINE: passed before the check"


def test_what_an_amendment_may_add_is_held_until_it_is_known_what_became_of_it() -> None:
    desk = RiskDesk()
    before = working(desk)
    after = msgspec.structs.replace(before, quantity="3")
    assert change(desk, before, quantity="3") == ""
    for state in (OrderState.PENDING_UPDATE, OrderState.UNKNOWN):
        desk.receive(OrderUpdated(before, state, "0.5", None, "", "v", NOW, after))
        assert state_of(desk)[1] == Decimal("2.5")
    desk.receive(OrderUpdated(before, OrderState.ACCEPTED, "0.5", None, "", "v", NOW))
    assert state_of(desk)[1] == Decimal("1.5")
    desk.receive(OrderUpdated(after, OrderState.ACCEPTED, "0.5", None, "", "v", NOW))
    assert state_of(desk)[1] == Decimal("2.5")


def test_an_order_and_what_takes_its_place_hold_as_much_as_the_larger() -> None:
    desk = RiskDesk()
    before = working(desk, "2")
    assert change(desk, before, True, quantity="3") == ""
    after = msgspec.structs.replace(before, client_order_id=NEW, quantity="3", replaces=before.client_order_id)
    assert state_of(desk)[:2] == (2, 3)
    desk.update("SENT", spec=after)
    desk.update("CANCELED", spec=before)
    assert state_of(desk)[:2] == (1, 3)
    desk.update("ACCEPTED", "1", spec=after)
    assert state_of(desk)[:2] == (1, 2)
    desk.update("CANCELED", "1", spec=after)
    assert state_of(desk)[:2] == (0, 0)


def test_a_replacement_that_came_to_nothing_leaves_what_the_first_holds() -> None:
    desk = RiskDesk()
    before = working(desk, "2")
    held = state_of(desk)
    free = desk.checker.desk.available("binance", "USDT")
    assert change(desk, before, True, quantity="3") == ""
    after = msgspec.structs.replace(before, client_order_id=NEW, quantity="3", replaces=before.client_order_id)
    desk.update("DENIED", spec=after)
    desk.update("ACCEPTED", spec=before)
    assert state_of(desk) == held
    assert desk.checker.desk.available("binance", "USDT") == free


def test_a_new_life_counts_an_order_and_its_replacement_as_the_life_before() -> None:
    desk = RiskDesk()
    before = working(desk, "2")
    after = msgspec.structs.replace(before, client_order_id=NEW, quantity="3", replaces=before.client_order_id)
    amended = msgspec.structs.replace(desk.spec("1"), quantity="4")
    other = msgspec.structs.replace(amended, quantity="1")
    orders = [
        OrderUpdated(before, OrderState.PENDING_UPDATE, "0", None, "", "v", NOW, after),
        OrderUpdated(after, OrderState.PENDING, "0", None, "", "", NOW),
        OrderUpdated(other, OrderState.UNKNOWN, "0", None, "", "v", NOW, amended),
    ]
    desk.receive(Started(), DeskSnapshot(orders, {}, True))
    assert state_of(desk)[:2] == (3, 7)


def test_a_router_that_is_not_there_denies_the_change() -> None:
    desk = RiskDesk()
    before = working(desk)
    assert change(desk, before, quantity="3") == ""
    [(_, approved)] = desk.ctx.told
    desk.receive(Undelivered("router", approved, "gone"))
    assert desk.ctx.told[-1] == (
        "order_manager",
        ChangeDenied(before.client_order_id, "ROUTER_UNAVAILABLE: gone", "risk_checker"),
    )


@pytest.mark.parametrize("replace", [False, True])
def test_while_the_desk_is_halted_an_order_may_only_become_smaller(replace: bool) -> None:
    desk = RiskDesk()
    before = working(desk)
    desk.receive(ControlsChanged("by jo", {}, 1))
    assert change(desk, before, replace, quantity="3") == "HALTED: by jo"
    assert change(desk, before, replace, price="99") == "HALTED: by jo"
    assert change(desk, before, quantity="1.5") == ""
    desk.receive(ControlsChanged("", {}, 1))
    assert change(desk, before, replace, quantity="3") == ""
