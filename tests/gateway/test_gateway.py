"""The gateway as values in, values out: what it tells whom, in which order, and what it answers."""

from typing import Any

import msgspec

from actors import names
from actors.gateway.actor import FORGET_NS, LOOK_NS, PATIENCE_NS, ForgetDue, Gateway
from actors.gateway.requests import (
    PROTOCOL,
    Answer,
    Call,
    Cancel,
    Flatten,
    Follow,
    GetOrders,
    GetQuotes,
    Problem,
    Submit,
)
from actors.messages import (
    CancelOrder,
    DeskSnapshot,
    FillRecorded,
    Holding,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
    OrderUpdated,
    SubmitOrder,
)
from actors.model.order import OrderSpec
from actors.model.order_state import OrderState
from actors.settings import Configuration
from runtime.actor import Started, Undelivered
from runtime.address import Address, StreamKind
from runtime.protocol import Answered, Asked
from tests.orders.desk import NOW, fill, spec
from tests.support.context import RecordingContext

CLIENT = Address("asker", 1, StreamKind.UNIX, "/client.sock")
CONFIGURATION = Configuration.model_validate(
    {
        "venues": {
            "binance": {
                "kind": "binance",
                "symbols": ["BTCUSDT"],
                "credentials": {"key": "demo", "secret": "demo"},
            }
        }
    }
)
HELD = Holding("binance", "BTCUSDT", "3", "100", "0", {})


class Desk:
    """A gateway, and a test that plays everybody else."""

    def __init__(self) -> None:
        self.ctx = RecordingContext(names.GATEWAY, time=NOW)
        self.gateway = Gateway(CONFIGURATION)
        self.receive(Started())

    def receive(self, *messages: object) -> None:
        for message in messages:
            self.gateway.receive(message, self.ctx)

    def ask(self, request: Any, number: int = 1) -> None:
        call = Call(PROTOCOL, "jo@desk", "notebook", False, request)
        self.receive(Asked(CLIENT, number, msgspec.msgpack.encode(call)))

    def told(self) -> list[Any]:
        """To the order manager since the last look."""
        messages = self.ctx.told_to(names.ORDER_MANAGER)
        self.ctx.told = [one for one in self.ctx.told if one[0] != names.ORDER_MANAGER]
        return messages

    def record(self, problem: str = "") -> OperatorActed:
        (acted,) = self.told()
        assert isinstance(acted, OperatorActed)
        self.receive(OperatorRecorded(acted.request, problem, "", {}))
        return acted

    def answers(self) -> list[Answer]:
        return [
            msgspec.msgpack.decode(message.payload, type=Answer)
            for _, message in self.ctx.told
            if isinstance(message, Answered)
        ]

    def pass_time(self, duration_ns: int) -> None:
        self.ctx.time += duration_ns
        self.receive(*self.ctx.due())


def told_of(order: OrderSpec, state: OrderState, filled: str = "0") -> OrderUpdated:
    return OrderUpdated(order, state, filled, None, "", "", NOW)


def test_an_order_is_not_sent_before_the_order_manager_has_written_down_who_wants_it() -> None:
    desk = Desk()
    desk.ask(Submit("BUY", "binance.BTCUSDT", "1", "100"))
    assert desk.ctx.subscriptions == [(names.ORDER_MANAGER, ("orders.*", "fills.*"))]
    assert desk.told() == []
    desk.receive(DeskSnapshot([], {}, False))
    acted = desk.record()
    assert (acted.who, acted.client, acted.action) == ("jo@desk", "notebook", OperatorAction.SUBMIT)
    (submitted,) = desk.told()
    assert isinstance(submitted, SubmitOrder)
    assert submitted.order.client_order_id == acted.arguments["client_order_id"]
    assert desk.answers() == []
    desk.receive(told_of(submitted.order, OrderState.SENT), told_of(submitted.order, OrderState.ACCEPTED))
    assert [answer.value["state"] for answer in desk.answers()] == ["ACCEPTED"]


def test_what_the_journal_does_not_take_is_not_done() -> None:
    desk = Desk()
    desk.ask(Submit("BUY", "binance.BTCUSDT", "1", "100"))
    desk.receive(DeskSnapshot([], {}, False))
    desk.record("JOURNAL_UNAVAILABLE: disk full")
    assert desk.told() == []
    assert desk.answers() == [Answer(None, Problem.REFUSED, "JOURNAL_UNAVAILABLE: disk full")]


def test_an_order_manager_that_is_silent_is_not_waited_for_for_ever() -> None:
    desk = Desk()
    desk.ask(GetOrders())
    desk.pass_time(PATIENCE_NS - 1)
    assert desk.answers() == []
    desk.pass_time(1)
    assert [answer.problem for answer in desk.answers()] == [Problem.UNAVAILABLE]


def test_an_order_that_did_not_reach_the_order_manager_is_denied() -> None:
    desk = Desk()
    desk.ask(Submit("BUY", "binance.BTCUSDT", "1", "100"))
    desk.receive(DeskSnapshot([], {}, False))
    desk.record()
    (submitted,) = desk.told()
    desk.receive(Undelivered(names.ORDER_MANAGER, submitted, "no such actor is up"))
    (answer,) = desk.answers()
    assert (answer.value["state"], answer.value["reason"]) == ("DENIED", "UNDELIVERED: no such actor is up")


def test_flatten_closes_when_the_cancels_are_through_and_never_twice_what_may_still_fill() -> None:
    desk = Desk()
    desk.ask(Flatten())
    resting = spec(1)
    positions = {"a": {"binance.BTCUSDT": "1"}, "b": {"binance.BTCUSDT": "2"}}
    desk.receive(DeskSnapshot([told_of(resting, OrderState.ACCEPTED)], {}, False, (HELD,), strategies=positions))
    assert desk.record().action is OperatorAction.FLATTEN
    assert desk.told() == [CancelOrder(resting.client_order_id, "")]
    desk.receive(told_of(resting, OrderState.CANCELED))
    of_b, of_a = (message.order for message in desk.told())
    assert [(order.strategy, order.side.value, order.quantity) for order in (of_b, of_a)] == [
        ("b", "SELL", "2"),
        ("a", "SELL", "1"),
    ]
    assert of_a.reduce_only
    sold = msgspec.structs.replace(fill("t1", "1"), client_order_id=of_a.client_order_id, side=of_a.side)
    desk.receive(FillRecorded("a", sold, NOW), told_of(of_a, OrderState.FILLED, "1"))
    desk.receive(told_of(of_b, OrderState.UNKNOWN))
    desk.pass_time(11_000_000_000)
    assert desk.told() == []
    (answer,) = desk.answers()
    assert [(order["strategy"], order["state"]) for order in answer.value["orders"]] == [
        ("b", "UNKNOWN"),
        ("a", "FILLED"),
    ]
    assert [position["quantity"] for position in answer.value["positions"]] == ["2"]


def test_flatten_waits_for_what_takes_the_place_of_a_cancelled_order() -> None:
    desk = Desk()
    desk.ask(Flatten())
    old = spec(1)
    new = msgspec.structs.replace(spec(2), replaces=old.client_order_id)
    newer = msgspec.structs.replace(spec(3), replaces=new.client_order_id)
    positions = {"a": {"binance.BTCUSDT": "3"}}
    desk.receive(DeskSnapshot([told_of(old, OrderState.PENDING_UPDATE)], {}, False, (HELD,), strategies=positions))
    desk.record()
    assert desk.told() == [CancelOrder(old.client_order_id, "")]
    desk.receive(msgspec.structs.replace(told_of(old, OrderState.CANCELED), pending=new))
    assert desk.told() == [], "nobody knows yet what becomes of the new one"
    desk.receive(told_of(newer, OrderState.PENDING_CANCEL), told_of(new, OrderState.CANCELED))
    assert desk.told() == []
    desk.receive(told_of(newer, OrderState.CANCELED))
    (closing,) = desk.told()
    assert (closing.order.side.value, closing.order.quantity) == ("SELL", "3")


def test_flatten_says_what_stays_open_in_the_place_of_a_cancelled_order() -> None:
    desk = Desk()
    desk.ask(Flatten())
    old = spec(1)
    new = msgspec.structs.replace(spec(2), replaces=old.client_order_id)
    desk.receive(DeskSnapshot([told_of(old, OrderState.PENDING_UPDATE)], {}, False))
    desk.record()
    desk.receive(told_of(new, OrderState.PENDING_CANCEL), told_of(old, OrderState.CANCELED))
    desk.pass_time(6_000_000_000)
    desk.pass_time(6_000_000_000)
    (answer,) = desk.answers()
    assert answer.value["cancelled"] == 1
    assert [order["client_order_id"] for order in answer.value["open"]] == [new.client_order_id]


def test_a_cancel_of_what_is_not_open_is_refused() -> None:
    desk = Desk()
    desk.ask(Cancel("f" * 32))
    desk.receive(DeskSnapshot([], {}, False))
    assert desk.answers() == [Answer(None, Problem.REFUSED, f"{'f' * 32}: no such order is open")]


def test_what_nobody_has_looked_at_for_a_minute_is_not_subscribed_to_any_more() -> None:
    desk = Desk()
    assert desk.ctx.subscriptions == []
    desk.ask(GetQuotes())
    desk.ask(Follow(("orders",)))
    desk.receive(DeskSnapshot([], {}, False))
    assert len(desk.ctx.subscriptions) == 2
    (stream,) = desk.gateway.streams
    for _ in range((FORGET_NS + 2 * LOOK_NS) // LOOK_NS):
        desk.pass_time(LOOK_NS)
    assert desk.gateway.streams == {}
    assert desk.ctx.subscriptions == []
    assert stream == "1.1"
    assert [timer for timer in desk.ctx.timers if isinstance(timer.message, ForgetDue)] == []
