"""The matching engine: price-time priority, conservation, and the rules of each kind of order."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.model.order import Side, TimeInForce
from actors.simulation.matching import (
    Canceled,
    Ended,
    EndReason,
    Event,
    LevelChanged,
    MatchingEngine,
    Order,
    Prevented,
    Rested,
    Traded,
)

LOT = Decimal("0.01")


def d(text: str) -> Decimal:
    return Decimal(text)


def engine_with(*orders: Order) -> MatchingEngine:
    engine = MatchingEngine(LOT)
    for order in orders:
        engine.submit(order)
    return engine


def trades(events: list[Event]) -> list[Traded]:
    return [event for event in events if isinstance(event, Traded)]


def test_a_limit_order_without_a_counterpart_rests() -> None:
    engine = MatchingEngine(LOT)
    assert engine.submit(Order(1, Side.BUY, d("2"), d("100"))) == [
        Rested(1, d("2")),
        LevelChanged(Side.BUY, d("100"), d("2")),
    ]


def test_a_taker_gets_the_price_of_the_maker_and_the_rest_waits() -> None:
    engine = engine_with(Order(1, Side.SELL, d("1"), d("100")))
    assert engine.submit(Order(2, Side.BUY, d("3"), d("101"))) == [
        Traded(2, 1, Side.BUY, d("100"), d("1")),
        LevelChanged(Side.SELL, d("100"), d("0")),
        Rested(2, d("2")),
        LevelChanged(Side.BUY, d("101"), d("2")),
    ]


def test_the_better_price_trades_first_and_at_one_price_the_earlier_order() -> None:
    engine = engine_with(
        Order(1, Side.SELL, d("1"), d("101")),
        Order(2, Side.SELL, d("1"), d("100")),
        Order(3, Side.SELL, d("1"), d("100")),
    )
    events = engine.submit(Order(4, Side.BUY, d("2.5"), None))
    assert [(trade.maker_id, trade.price, trade.quantity) for trade in trades(events)] == [
        (2, d("100"), d("1")),
        (3, d("100"), d("1")),
        (1, d("101"), d("0.5")),
    ]


def test_a_post_only_order_that_would_take_ends_without_trading() -> None:
    engine = engine_with(Order(1, Side.SELL, d("1"), d("100")))
    events = engine.submit(Order(2, Side.BUY, d("1"), d("100"), post_only=True))
    assert events == [Ended(2, d("1"), EndReason.WOULD_TAKE)]
    assert engine.would_take(Side.BUY, d("100"))
    assert not engine.would_take(Side.BUY, d("99.99"))


def test_an_immediate_order_takes_what_there_is_and_ends() -> None:
    engine = engine_with(Order(1, Side.SELL, d("1"), d("100")), Order(2, Side.SELL, d("5"), d("101")))
    events = engine.submit(Order(3, Side.BUY, d("4"), d("100"), TimeInForce.IOC))
    assert len(trades(events)) == 1
    assert events[-1] == Ended(3, d("3"), EndReason.IMMEDIATE_REMAINDER)
    assert engine.bids.best() is None


def test_a_fill_or_kill_order_counts_only_the_levels_within_its_price() -> None:
    engine = engine_with(Order(1, Side.SELL, d("1"), d("100")), Order(2, Side.SELL, d("5"), d("101")))
    assert engine.submit(Order(3, Side.BUY, d("2"), d("100"), TimeInForce.FOK)) == [
        Ended(3, d("2"), EndReason.NOT_FILLABLE)
    ]
    events = engine.submit(Order(4, Side.BUY, d("2"), d("101"), TimeInForce.FOK))
    assert sum(trade.quantity for trade in trades(events)) == d("2")


def test_a_market_order_ends_where_the_book_does() -> None:
    engine = engine_with(Order(1, Side.BUY, d("1"), d("100")))
    assert engine.submit(Order(2, Side.SELL, d("3"), None))[-1] == Ended(2, d("2"), EndReason.NO_LIQUIDITY)


def test_a_quote_budget_buys_whole_lots_and_never_costs_more() -> None:
    engine = engine_with(Order(1, Side.SELL, d("1"), d("100")), Order(2, Side.SELL, d("5"), d("101")))
    events = engine.submit(Order(3, Side.BUY, d("0"), None, quote_budget=d("250")))
    assert [(trade.price, trade.quantity) for trade in trades(events)] == [(d("100"), d("1")), (d("101"), d("1.48"))]
    assert sum(trade.price * trade.quantity for trade in trades(events)) == d("249.48")


def test_a_cancelled_order_is_gone_and_cancelling_again_does_nothing() -> None:
    engine = engine_with(Order(1, Side.BUY, d("1"), d("100")), Order(2, Side.BUY, d("2"), d("100")))
    assert engine.cancel(1) == [Canceled(1, d("1")), LevelChanged(Side.BUY, d("100"), d("2"))]
    assert engine.cancel(1) == []


prices = st.integers(95, 105).map(Decimal)
quantities = st.integers(1, 500).map(lambda lots: lots * LOT)
limit_orders = st.tuples(
    st.sampled_from(Side), quantities, st.one_of(prices, st.none()), st.sampled_from(TimeInForce), st.booleans()
)
cancels = st.integers(0, 30)


@given(st.lists(st.one_of(limit_orders, cancels), max_size=60))
def test_whatever_arrives_the_book_is_sound(
    actions: list[tuple[Side, Decimal, Decimal | None, TimeInForce, bool] | int],
) -> None:
    engine = MatchingEngine(LOT)
    asked: dict[int, Decimal] = {}
    accounted: dict[int, Decimal] = {}
    levels: dict[tuple[Side, Decimal], Decimal] = {}
    for number, action in enumerate(actions):
        if isinstance(action, int):
            events = engine.cancel(action)
        else:
            side, quantity, price, time_in_force, post_only = action
            opposite = engine.asks if side is Side.BUY else engine.bids
            within = sum(
                opposite.levels[other].quantity
                for other in opposite.prices()
                if price is None or (other <= price if side is Side.BUY else other >= price)
            )
            best_before = opposite.best()
            first_in_line = list(opposite.levels[best_before].orders) if best_before is not None else []
            asked[number], accounted[number] = quantity, Decimal(0)
            order = Order(number, side, quantity, price, time_in_force, post_only and price is not None)
            events = engine.submit(order)
            matched = sum((trade.quantity for trade in trades(events)), Decimal(0))
            if time_in_force is TimeInForce.FOK:
                assert matched in (0, quantity)
            if not order.post_only and time_in_force is not TimeInForce.FOK:
                assert matched == min(quantity, within)
            if trades(events):
                assert trades(events)[0].price == best_before
                assert [trade.maker_id for trade in trades(events)][: len(first_in_line)] == first_in_line[
                    : len(trades(events))
                ]
        for event in events:
            match event:
                case Traded():
                    accounted[event.taker_id] += event.quantity
                    accounted[event.maker_id] += event.quantity
                case Ended() | Canceled():
                    accounted[event.order_id] += event.remaining
                case LevelChanged():
                    levels[event.side, event.price] = event.quantity
                case Rested():
                    pass
                case Prevented():
                    raise AssertionError("these orders have no owner that could trade with itself")
        bid, ask = engine.bids.best(), engine.asks.best()
        assert bid is None or ask is None or bid < ask
    for number, quantity in asked.items():
        resting = engine.resting(number)
        assert accounted[number] + (resting.remaining if resting else 0) == quantity
    told = {key: quantity for key, quantity in levels.items() if quantity}
    held = {
        (book.side, price): book.levels[price].quantity
        for book in (engine.bids, engine.asks)
        for price in book.prices()
    }
    assert told == held
