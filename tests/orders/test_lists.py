"""Order lists in the order manager: one intent, orders of their own, and what the venue makes of them."""

import msgspec
import pytest

from actors.messages import (
    CancelAtVenue,
    CancelOrder,
    CheckOrderList,
    ListKind,
    OrderDenied,
    OrderExpired,
    QueryOrder,
    SubmitOrderList,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.orders.ledger import Ledger
from actors.orders.records import decode, encode
from runtime.actor import ActorDown, Undelivered
from tests.orders.desk import NOW, ONE, ManagerDesk, S, accepted, canceled, fill, order_id, sent, spec

TWO = order_id(2)
STOP = msgspec.structs.replace(spec(2, side=Side.SELL), type=OrderType.STOP, price=None, stop_price="90")


def pair(*legs: OrderSpec) -> list[OrderSpec]:
    orders = legs or (spec(1, price="110", side=Side.SELL), STOP)
    return [msgspec.structs.replace(leg, list_id=ONE, exclusive=True) for leg in orders]


def oco(*legs: OrderSpec) -> SubmitOrderList:
    return SubmitOrderList(ListKind.OCO, pair(*legs), Stamps(5, 6))


def working() -> ManagerDesk:
    desk = ManagerDesk()
    desk.receive(oco(), sent(1), sent(2), accepted(1), accepted(2))
    desk.clear()
    return desk


def test_a_list_is_one_intent_in_the_journal_before_the_risk_checker_hears_of_it() -> None:
    desk = ManagerDesk()
    written = desk.seen_when_telling(lambda: len(desk.ctx.journal))
    desk.receive(oco())
    assert written == [2]  # the epoch, then the intent
    assert decode(desk.ctx.journal[1]).event == oco()
    assert decode(encode(decode(desk.ctx.journal[1]))) == decode(desk.ctx.journal[1])
    check = CheckOrderList(ListKind.OCO, pair(), Stamps(5, 6, NOW), 1, NOW + S)
    assert desk.ctx.told == [("risk_checker", check)]
    assert (desk.state(1), desk.state(2)) == ("PENDING", "PENDING")


def test_a_list_that_is_submitted_twice_is_one_list() -> None:
    desk = ManagerDesk()
    desk.receive(oco(), oco())
    assert len(desk.ctx.told_to("risk_checker")) == 1
    assert len(desk.manager.ledger.open) == 2


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        ([spec(1)], "INVALID_ORDER: a list has two orders at least, each with an id of its own"),
        ([spec(1), spec(1)], "INVALID_ORDER: a list has two orders at least, each with an id of its own"),
        ([spec(1), spec(2, symbol="ETHUSDT")], "INVALID_ORDER: the orders of a list are for one symbol of one named"),
        ([spec(1, venue=""), spec(2, venue="")], "INVALID_ORDER: the orders of a list are for one symbol of one named"),
        ([spec(1), spec(2, quantity="0")], "INVALID_QUANTITY: '0'"),
        ([spec(1), msgspec.structs.replace(STOP, stop_price="x")], "INVALID_PRICE: 'x' to be triggered at"),
    ],
)
def test_a_list_that_cannot_be_is_refused_whole(legs: list[OrderSpec], reason: str) -> None:
    desk = ManagerDesk()
    desk.receive(oco(*legs))
    assert desk.states() == ["DENIED"] * len(legs)
    assert all(update.reason.startswith(reason) for update in desk.updates())
    assert (desk.ctx.told, desk.manager.ledger.open) == ([], {})


def test_no_list_goes_while_the_journal_cannot_be_written() -> None:
    desk = ManagerDesk()
    desk.ctx.journal_broken = "disk full"
    desk.receive(oco())
    assert [update.reason for update in desk.updates()] == ["JOURNAL_UNAVAILABLE: disk full"] * 2
    assert desk.ctx.told == []


def test_a_list_without_a_risk_checker_is_denied_whole() -> None:
    desk = ManagerDesk()
    desk.receive(oco())
    desk.receive(Undelivered("risk_checker", desk.ctx.told[0][1], "gone"))
    assert (desk.state(1), desk.state(2)) == ("DENIED", "DENIED")


def test_as_one_leg_trades_the_other_ends() -> None:
    desk = working()
    desk.receive(fill("t1", "2", "110", side=Side.SELL), OrderExpired("binance", TWO, "0", "OCO_TRIGGER", NOW, NOW))
    assert (desk.state(1), desk.state(2)) == ("FILLED", "EXPIRED")
    assert desk.manager.ledger.open == {}


def test_cancelling_one_leg_ends_both_as_the_venue_does_it() -> None:
    desk = working()
    desk.receive(CancelOrder(ONE, "maker"))
    assert [one.client_order_id for one in desk.connector() if isinstance(one, CancelAtVenue)] == [ONE]
    desk.receive(canceled(number=1), canceled(number=2))
    assert (desk.state(1), desk.state(2)) == ("CANCELED", "CANCELED")


def test_legs_whose_connector_died_are_asked_about_each_for_itself() -> None:
    desk = ManagerDesk()
    desk.receive(oco(), sent(1), sent(2))
    desk.clear()
    desk.receive(ActorDown("connector.binance", 1, "killed"))
    assert (desk.state(1), desk.state(2)) == ("UNKNOWN", "UNKNOWN")
    assert [one for one in desk.connector() if isinstance(one, QueryOrder)] == [
        QueryOrder(ONE, "BTCUSDT"),
        QueryOrder(TWO, "BTCUSDT"),
    ]


def test_a_new_life_knows_the_list_and_its_links() -> None:
    desk = working()
    desk.receive(OrderDenied(order_id(9), "x", "y"))
    before = desk.manager.ledger.digest()
    replayed = Ledger()
    for record in desk.ctx.journal:
        replayed.apply(decode(record))
    assert replayed.digest() == before
    assert {(order.spec.list_id, order.spec.exclusive) for order in replayed.open.values()} == {(ONE, True)}
