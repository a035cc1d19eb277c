"""`submit_list` as a strategy sees it."""

from decimal import Decimal
from typing import Any

import pytest

from actors.messages import SubmitOrderList
from actors.model.order import OrderType, Stamps
from actors.model.order_state import OrderState
from actors.strategy import Leg, ListKind, Side
from runtime.actor import Undelivered
from tests.strategy.desk import BTC, NOW, TestDesk, update
from tests.strategy.test_orders import Recorder, told

TAKE = Leg(side=Side.SELL, quantity=1, price="110")
STOP = Leg(side=Side.SELL, quantity="1", price=89, stop_price=Decimal("90"))
BUY = Leg(side=Side.BUY, quantity="1", price="100", post_only=True)


def lists(desk: TestDesk) -> list[SubmitOrderList]:
    return [message for message in told(desk) if isinstance(message, SubmitOrderList)]


def test_an_oco_is_one_message_with_orders_that_exclude_one_another() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    first, second = strategy.submit_list("OCO", BTC, TAKE, STOP)
    [sent] = lists(desk)
    assert (sent.kind, sent.stamps) == (ListKind.OCO, Stamps(0, NOW))
    take, stop = sent.orders
    assert (take.client_order_id, stop.client_order_id) == (first, second)
    assert (take.type, take.price, take.stop_price) == (OrderType.LIMIT, "110", None)
    assert (stop.type, stop.price, stop.stop_price) == (OrderType.STOP_LIMIT, "89", "90")
    assert [(order.list_id, order.exclusive) for order in sent.orders] == [(first, True), (first, True)]
    assert [own.state for own in strategy.orders.values()] == [OrderState.PENDING] * 2


@pytest.mark.parametrize(
    ("kind", "legs", "exclusive"),
    [("OTO", (BUY, STOP), [False, False]), ("OTOCO", (BUY, TAKE, STOP), [False, True, True])],
)
def test_what_follows_the_first_order_is_linked_to_it(kind: str, legs: tuple[Leg, ...], exclusive: list[bool]) -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    ids = strategy.submit_list(kind, BTC, *legs)
    [sent] = lists(desk)
    assert [order.exclusive for order in sent.orders] == exclusive
    assert {order.list_id for order in sent.orders} == {ids[0]}


@pytest.mark.parametrize(
    ("leg", "kind"),
    [
        ({}, OrderType.MARKET),
        ({"stop_price": 90}, OrderType.STOP),
        ({"stop_price": 90, "take_profit": True}, OrderType.TAKE_PROFIT),
        ({"price": 91, "stop_price": 90, "take_profit": True}, OrderType.TAKE_PROFIT_LIMIT),
    ],
)
def test_what_prices_a_leg_has_says_what_order_it_is(leg: dict[str, Any], kind: OrderType) -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    strategy.submit_list(ListKind.OTO, BTC, BUY, Leg(side=Side.SELL, quantity=1, **leg))
    assert lists(desk)[0].orders[1].type is kind


@pytest.mark.parametrize(
    ("kind", "instrument", "legs", "words"),
    [
        ("OCO", BTC, (TAKE,), "a list of kind OCO has 2 orders, not 1"),
        ("OTOCO", BTC, (BUY, TAKE), "a list of kind OTOCO has 3 orders, not 2"),
        ("OCO", "BTCUSDT", (TAKE, STOP), "an order list needs a venue"),
        ("OSO", BTC, (TAKE, STOP), "'OSO' is not a valid ListKind"),
        ("OCO", BTC, (TAKE, Leg(side=Side.SELL, quantity=1, price=1, take_profit=True)), "take_profit needs a stop"),
        ("OCO", BTC, (TAKE, Leg(side=Side.SELL, quantity=0, stop_price=1)), "quantity must be a positive number"),
    ],
)
def test_a_list_that_is_none_is_a_mistake(kind: str, instrument: str, legs: tuple[Leg, ...], words: str) -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    with pytest.raises(ValueError, match=words):
        strategy.submit_list(kind, instrument, *legs)
    assert (told(desk), strategy.orders) == ([], {})


def test_a_list_that_did_not_reach_the_order_manager_is_denied_whole() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    strategy.submit_list("OCO", BTC, TAKE, STOP)
    desk.receive(Undelivered("order_manager", lists(desk)[0], "nobody there"))
    assert [(seen.state, seen.reason) for seen in strategy.updates] == [
        (OrderState.DENIED, "UNDELIVERED: nobody there")
    ] * 2
    assert strategy.orders == {}


def test_each_order_of_a_list_has_a_life_of_its_own() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    first, second = strategy.submit_list("OCO", BTC, TAKE, STOP)
    [sent] = lists(desk)
    desk.receive(update(sent.orders[0], OrderState.FILLED, "1"))
    assert list(strategy.orders) == [second]
    assert first not in strategy.orders
