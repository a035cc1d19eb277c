"""Order lists before the risk checker: the worst case of each kind, on both sides of each boundary."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages import (
    ApprovedList,
    CheckOrderList,
    ControlsChanged,
    DeskSnapshot,
    ListKind,
    OrderDenied,
    OrderUpdated,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_state import OrderState
from runtime.actor import Started, Undelivered
from tests.risk.desk import NOW, RiskDesk, S, account

BTC = "binance.BTCUSDT"


def oco(desk: RiskDesk, quantity: str = "2", second: str | None = None, side: Side = Side.SELL) -> list[OrderSpec]:
    """To sell at 105, or at the market from 95 on; to buy at 95, or from 105 on."""
    price, stop = ("105", "95") if side is Side.SELL else ("95", "105")
    first = desk.spec(quantity, price, side)
    other = msgspec.structs.replace(
        desk.spec(second or quantity, None, side), type=OrderType.STOP, stop_price=stop, price=None
    )
    return [msgspec.structs.replace(leg, list_id=first.client_order_id, exclusive=True) for leg in (first, other)]


def oto(desk: RiskDesk, quantity: str = "2", second: str = "2") -> list[OrderSpec]:
    """Buys at 99 and then sells at 105."""
    first, other = desk.spec(quantity, "99"), desk.spec(second, "105", Side.SELL)
    return [msgspec.structs.replace(leg, list_id=first.client_order_id) for leg in (first, other)]


def check(desk: RiskDesk, orders: list[OrderSpec], kind: ListKind = ListKind.OCO) -> str:
    """ "" if all were approved, else the one reason for all."""
    desk.ctx.told.clear()
    asked = CheckOrderList(kind, orders, Stamps(1, 2, 3), 1, NOW + S)
    desk.receive(asked)
    answers = [message for _, message in desk.ctx.told]
    if isinstance(answers[0], ApprovedList):
        stamped = msgspec.structs.replace(asked, stamps=Stamps(1, 2, 3, NOW))
        assert desk.ctx.told == [("router", ApprovedList(stamped, 1))]
        return ""
    assert [to for to, _ in desk.ctx.told] == ["order_manager"] * len(orders)
    denied = [answer for answer in answers if isinstance(answer, OrderDenied)]
    assert [one.client_order_id for one in denied] == [order.client_order_id for order in orders]
    [reason] = {one.reason for one in denied}
    return reason


def held(desk: RiskDesk) -> tuple[Any, ...]:
    one = desk.checker.desk.at(BTC)
    free = [desk.checker.desk.available("binance", asset) for asset in ("USDT", "BTC")]
    return desk.checker.desk.open_orders, one.buying, one.selling, desk.checker.desk.exposure, *free


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        ({"max_position": {BTC: "2"}}, "MAX_POSITION: 2.1 of binance.BTCUSDT at worst, limit 2"),
        ({"max_exposure": "199"}, "MAX_EXPOSURE: 208.95 at worst, limit 199"),
        ({"max_order_quantity": {BTC: "2"}}, "MAX_ORDER_QUANTITY: 2.1, limit 2"),
    ],
)
def test_of_an_oco_the_larger_leg_counts(limits: Any, refused: str) -> None:
    desk = RiskDesk(**limits)
    before = held(desk)
    assert check(desk, oco(desk, "2.1")) == refused
    assert check(desk, oco(desk, "2", "2.1")) == refused
    assert held(desk) == before, "all of it or nothing"
    assert check(desk, oco(desk, "2")) == ""
    assert held(desk)[:3] == (2, 0, 2)


def test_an_oco_claims_once_what_it_may_sell() -> None:
    desk = RiskDesk()
    desk.receive(account(BTC="2"))
    assert check(desk, oco(desk, "2.1")) == "INSUFFICIENT_CAPITAL: 2.1 BTC at binance, available 2"
    assert check(desk, oco(desk, "2")) == ""
    assert desk.checker.desk.available("binance", "BTC") == 0


def test_a_buying_oco_claims_its_dearer_leg() -> None:
    desk = RiskDesk(price_band="0.1")
    desk.receive(account(USDT="1000"))
    assert check(desk, oco(desk, "2", side=Side.BUY)) == ""
    dear = 2 * Decimal(105) * Decimal("1.1") * Decimal("1.001")
    assert desk.checker.desk.available("binance", "USDT") == 1000 - dear


def test_of_an_oto_both_orders_count() -> None:
    desk = RiskDesk(max_position={BTC: "2"})
    assert check(desk, oto(desk, "2", "2.1"), ListKind.OTO).startswith("MAX_POSITION: 2.1")
    assert check(desk, oto(desk, "2", "2"), ListKind.OTO) == ""
    assert held(desk)[:3] == (2, 2, 2)


def test_the_second_order_of_an_oto_may_sell_what_the_first_buys() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="1000", BTC="0.1"))
    assert check(desk, oto(desk, "2", "2"), ListKind.OTO) == ""
    assert desk.checker.desk.available("binance", "BTC") == Decimal("0.098")  # the fee is 0.1 %
    assert check(desk, oto(desk, "2", "2.2"), ListKind.OTO).startswith("INSUFFICIENT_CAPITAL: 0.202 BTC")


def test_each_order_of_a_list_is_an_open_order() -> None:
    desk = RiskDesk(max_open_orders=1)
    assert check(desk, oco(desk)) == "MAX_OPEN_ORDERS: 1 open, limit 1"
    assert held(desk)[0] == 0


@pytest.mark.parametrize(
    ("stop", "price", "reason"),
    [
        ("95", "85.5", ""),
        ("95", "85.49", "PRICE_BAND: sell at 85.49, at least 85.5"),
        ("95", None, ""),
        ("95.001", None, "INVALID_PRICE: triggered at 95.001, which is not a multiple of 0.01"),
        ("0", None, "INVALID_PRICE: '0' to be triggered at"),
        ("x", None, "INVALID_PRICE: 'x' to be triggered at"),
    ],
)
def test_a_triggered_order_is_measured_by_where_it_is_triggered(stop: str, price: str | None, reason: str) -> None:
    desk = RiskDesk()
    first, other = oco(desk)
    kind = OrderType.STOP if price is None else OrderType.STOP_LIMIT
    other = msgspec.structs.replace(other, type=kind, stop_price=stop, price=price)
    assert check(desk, [first, other]) == reason


def test_what_an_oco_holds_falls_with_the_leg_that_is_left() -> None:
    desk = RiskDesk()
    first, other = oco(desk)
    before = held(desk)
    assert check(desk, [first, other]) == ""
    for leg in (first, other):
        desk.update("ACCEPTED", spec=leg)
    desk.update("PARTIALLY_FILLED", "0.5", spec=first)
    assert held(desk)[2] == 2
    desk.update("EXPIRED", spec=other)
    assert held(desk)[:3] == (1, 0, Decimal("1.5"))
    desk.update("CANCELED", "0.5", spec=first)
    assert held(desk)[:4] == before[:4]


def test_a_new_life_counts_an_oco_as_the_life_before() -> None:
    desk = RiskDesk()
    updates = [OrderUpdated(leg, OrderState.ACCEPTED, "0", None, "", "v", NOW) for leg in oco(desk)]
    desk.receive(Started(), DeskSnapshot(updates, {}, True))
    assert held(desk)[:3] == (2, 0, 2)


def test_a_list_is_denied_late_while_rebuilding_and_without_a_router() -> None:
    unready = RiskDesk(ready=False)
    assert check(unready, oco(unready)) == "REBUILDING: no snapshot of the desk yet"
    desk = RiskDesk()
    orders = oco(desk)
    assert check(desk, orders) == ""
    [(_, approved)] = desk.ctx.told
    desk.receive(Undelivered("router", approved, "gone"))
    assert [message for _, message in desk.ctx.told[1:]] == [
        OrderDenied(order.client_order_id, "ROUTER_UNAVAILABLE: gone", "risk_checker") for order in orders
    ]
    desk.ctx.time += S + 1
    assert check(desk, oco(desk)) == "DEADLINE: passed before the check"


def test_while_the_desk_is_halted_no_list_goes_and_nothing_is_held_for_it() -> None:
    desk = RiskDesk()
    desk.receive(ControlsChanged("by jo", {}, 1))
    before = held(desk)
    assert check(desk, oco(desk)) == "HALTED: by jo"
    assert check(desk, oto(desk), ListKind.OTO) == "HALTED: by jo"
    assert held(desk) == before
    desk.receive(ControlsChanged("", {}, 1))
    assert check(desk, oco(desk)) == ""
