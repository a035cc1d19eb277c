"""Orders out, updates in, and what is left after somebody died."""

from decimal import Decimal

import pytest

from actors.messages import CancelOrder, DeskSnapshot, OrderUpdated, SubmitOrder
from actors.model.order import OrderSpec, OrderType, Side, Stamps, TimeInForce
from actors.model.order_state import OrderState
from actors.strategy import Quote, Strategy
from runtime.actor import ActorDown, Undelivered
from runtime.message import Message
from tests.strategy.desk import BTC, EMPTY, NOW, TestDesk, fill, position, quote, update


class Recorder(Strategy):
    def __init__(self) -> None:
        self.updates: list[OrderUpdated] = []

    def on_order(self, update: OrderUpdated) -> None:
        self.updates.append(update)


def states(desk: TestDesk) -> list[OrderState]:
    return [own.state for own in desk.actor.strategy.orders.values()]


def told(desk: TestDesk) -> list[Message]:
    return desk.ctx.told_to("order_manager")


def test_an_order_carries_the_receive_time_of_the_market_data_that_caused_it() -> None:
    class Taker(Strategy):
        def on_quote(self, quote: Quote) -> None:
            self.buy(quote.instrument, "0.5", quote.ask, time_in_force="IOC")

    desk = TestDesk(Taker())
    desk.receive(quote("99", "101", NOW - 900))
    (message,) = told(desk)
    assert isinstance(message, SubmitOrder)
    assert message.stamps == Stamps(market_recv=NOW - 900, submitted=NOW)
    order = message.order
    assert order == OrderSpec(
        order.client_order_id,
        "maker",
        "binance",
        "BTCUSDT",
        Side.BUY,
        OrderType.LIMIT,
        "0.5",
        "101",
        TimeInForce.IOC,
        False,
    )


def test_an_order_that_no_market_data_caused_says_so() -> None:
    class Starter(Strategy):
        def on_start(self) -> None:
            self.sell(BTC, 1)

        def on_quote(self, quote: Quote) -> None: ...

        def on_timer(self, name: str) -> None:
            self.sell(BTC, 2)

    desk = TestDesk(Starter())
    desk.actor.strategy.set_timer("later", 1)
    desk.receive(quote("99", "101"))
    desk.pass_time(1)
    assert [message.stamps.market_recv for message in told(desk) if isinstance(message, SubmitOrder)] == [0, 0]


def test_order_ids_tell_the_life_and_never_repeat() -> None:
    desk = TestDesk(Recorder())
    ids = [desk.actor.strategy.buy(BTC, 1) for _ in range(3)]
    assert [name[:4] for name in ids] == ["0003", "0003", "0003"]
    assert [name[-8:] for name in ids] == ["00000001", "00000002", "00000003"]
    assert {len(name) for name in ids} == {32}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.10", "0.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (3, "3"),
        ("1e-3", "0.001"),
    ],
)
def test_amounts_leave_as_plain_decimal_strings(amount: Decimal | str | int, text: str) -> None:
    desk = TestDesk(Recorder())
    desk.actor.strategy.buy(BTC, amount, amount)
    (order,) = desk.submitted()
    assert (order.quantity, order.price, order.type) == (text, text, OrderType.LIMIT)


@pytest.mark.parametrize("amount", [0.1, True, None, b"1"])
def test_an_amount_of_another_type_is_refused(amount: object) -> None:
    desk = TestDesk(Recorder())
    with pytest.raises(TypeError, match="quantity must be Decimal, str or int, not"):
        desk.actor.strategy.buy(BTC, amount)  # type: ignore[arg-type]
    assert told(desk) == []
    assert desk.actor.strategy.orders == {}


@pytest.mark.parametrize("amount", ["0", -1, "NaN", "inf", "ten", ""])
def test_an_amount_that_is_not_positive_and_finite_is_refused(amount: str | int) -> None:
    desk = TestDesk(Recorder())
    with pytest.raises(ValueError, match="price must be a"):
        desk.actor.strategy.buy(BTC, 1, amount)
    assert told(desk) == []


def test_an_instrument_that_is_not_the_strategys_is_refused_by_name() -> None:
    strategy = TestDesk(Recorder()).actor.strategy
    with pytest.raises(ValueError, match=r"'binance\.BTCUSD' is no instrument of strategy maker: binance\.BTCUSDT"):
        strategy.buy("binance.BTCUSD", 1)
    with pytest.raises(ValueError, match="no instrument"):
        strategy.position("kraken.BTCUSDT")
    with pytest.raises(ValueError, match="market data needs a venue"):
        strategy.book("BTCUSDT")


def test_a_symbol_alone_leaves_the_venue_to_the_router() -> None:
    desk = TestDesk(Recorder())
    desk.actor.strategy.sell("BTCUSDT", 1, 100)
    assert [(order.venue, order.symbol) for order in desk.submitted()] == [("", "BTCUSDT")]


def test_a_market_order_cannot_be_post_only() -> None:
    with pytest.raises(ValueError, match="post_only needs a price"):
        TestDesk(Recorder()).actor.strategy.buy(BTC, 1, post_only=True)


def test_an_own_order_is_known_from_its_submission_to_its_end() -> None:
    desk = TestDesk(Recorder())
    strategy = desk.actor.strategy
    key = strategy.buy(BTC, 1, 100)
    assert states(desk) == [OrderState.PENDING]
    (order,) = desk.submitted()
    for state in (OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.UNKNOWN):
        desk.receive(update(order, state))
        assert strategy.orders[key].state is state
    desk.receive(update(order, OrderState.EXPIRED))
    assert strategy.orders == {}


def test_a_cancel_is_sent_once_and_again_after_the_venue_refused_it() -> None:
    desk = TestDesk(Recorder())
    strategy = desk.actor.strategy
    key = strategy.buy(BTC, 1, 100)
    strategy.cancel(key)
    strategy.cancel(key)
    strategy.cancel_all()
    strategy.cancel("somebody else's")
    assert told(desk)[1:] == [CancelOrder(key, "maker")]
    assert states(desk) == [OrderState.PENDING_CANCEL]

    desk.receive(update(desk.submitted()[0], OrderState.ACCEPTED))
    strategy.cancel_all()
    assert told(desk)[2:] == [CancelOrder(key, "maker")]


def test_cancelling_an_order_that_is_done_does_nothing() -> None:
    desk = TestDesk(Recorder())
    strategy = desk.actor.strategy
    key = strategy.buy(BTC, 1, 100)
    desk.receive(update(desk.submitted()[0], OrderState.FILLED))
    strategy.cancel(key)
    assert len(told(desk)) == 1


def test_an_order_that_did_not_reach_the_order_manager_is_denied() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    strategy.buy(BTC, 1, 100)
    (message,) = told(desk)
    desk.receive(Undelivered("order_manager", message, "nobody there"))
    assert [(seen.state, seen.reason) for seen in strategy.updates] == [
        (OrderState.DENIED, "UNDELIVERED: nobody there")
    ]
    assert strategy.orders == {}
    assert desk.actor.report().counters["denied"] == 1


def test_a_cancel_that_did_not_reach_the_order_manager_is_sent_again_while_the_order_is_open() -> None:
    desk = TestDesk(Recorder())
    strategy = desk.actor.strategy
    key = strategy.buy(BTC, 1, 100)
    strategy.cancel(key)
    cancel = CancelOrder(key, "maker")
    desk.receive(Undelivered("order_manager", cancel, "nobody there"))
    desk.pass_time(1)
    assert told(desk)[1:] == [cancel, cancel]

    desk.receive(Undelivered("order_manager", cancel, "nobody there"))
    desk.receive(update(desk.submitted()[0], OrderState.CANCELED))
    desk.pass_time(1)
    assert told(desk)[1:] == [cancel, cancel]


def test_fills_move_the_position() -> None:
    desk = TestDesk(Recorder())
    strategy = desk.actor.strategy
    strategy.buy(BTC, 1, 100)
    strategy.sell(BTC, 3, 101)
    bought, sold = desk.submitted()
    desk.receive(fill(bought, "1"))
    desk.receive(fill(sold, "2.5", "t2"))
    assert position(desk) == Decimal("-1.5")
    assert strategy.positions == {BTC: Decimal("-1.5")}


def test_a_new_life_takes_over_orders_and_positions_of_the_one_before() -> None:
    order = OrderSpec("0" * 32, "maker", "binance", "BTCUSDT", Side.BUY, OrderType.LIMIT, "1", "100")
    snapshot = DeskSnapshot([update(order, OrderState.ACCEPTED)], {BTC: "-0.25"}, recovering=False)

    class Adopter(Recorder):
        def on_start(self) -> None:
            assert self.position(BTC) == Decimal("-0.25")
            self.cancel_all()

    desk = TestDesk(Adopter(), snapshot=snapshot)
    assert told(desk) == [CancelOrder("0" * 32, "maker")]


def test_after_the_order_manager_died_its_snapshot_decides_what_is_open() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    strategy.buy(BTC, 1, 100)
    strategy.buy(BTC, 1, 101)
    strategy.buy(BTC, 1, 102)
    ended, unanswered, kept = desk.submitted()
    desk.receive(update(ended, OrderState.ACCEPTED))
    desk.receive(update(kept, OrderState.ACCEPTED))
    strategy.updates.clear()

    desk.receive(ActorDown("order_manager", 1, "killed"))
    after = strategy.buy(BTC, 1, 103)
    desk.receive(DeskSnapshot([update(kept, OrderState.PARTIALLY_FILLED, "0.5")], {BTC: "0.5"}, recovering=True))

    assert [(seen.order, seen.state) for seen in strategy.updates] == [
        (ended, OrderState.UNKNOWN),
        (unanswered, OrderState.UNKNOWN),
    ]
    assert list(strategy.orders) == [kept.client_order_id, after]
    assert strategy.orders[kept.client_order_id].state is OrderState.PARTIALLY_FILLED
    assert position(desk) == Decimal("0.5")


def test_an_order_that_crosses_a_snapshot_on_its_way_stays_known() -> None:
    strategy = Recorder()
    desk = TestDesk(strategy)
    key = strategy.buy(BTC, 1, 100)
    desk.receive(EMPTY)
    assert list(strategy.orders) == [key]
    assert strategy.updates == []


def test_what_is_known_cannot_be_changed_by_the_strategy() -> None:
    strategy = TestDesk(Recorder(), parameters={"size": "1"}).actor.strategy
    for mapping in (strategy.orders, strategy.positions, strategy.parameters):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]


def test_a_number_of_the_parameters_is_exactly_what_was_written() -> None:
    strategy = TestDesk(Recorder(), parameters={"a": 0.1, "b": {BTC: "0.20"}, "c": 3}).actor.strategy
    assert strategy.number("a", 1) == Decimal("0.1")
    assert strategy.number("b", 1, BTC) == Decimal("0.20")
    assert strategy.number("b", 1, "binance.ETHUSDT") == Decimal(1)
    assert strategy.number("c", 1) == Decimal(3)
    assert strategy.number("d", "4.5") == Decimal("4.5")
