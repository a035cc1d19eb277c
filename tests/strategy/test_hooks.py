"""Which messages reach which hook, when, and in which order."""

import asyncio
from decimal import Decimal

import pytest

from actors.messages import BookInvalidated, InstrumentsListed
from actors.model.instrument import Instrument
from actors.model.order_state import OrderState
from actors.strategy import Bar, InstrumentBook, OrderFilled, OrderUpdated, Quote, Strategy, Trade
from runtime.actor import ActorUp, Report, Started, Stopping
from runtime.address import Address, StreamKind
from tests.strategy.desk import BTC, EMPTY, NOW, TestDesk, book_delta, book_snapshot, fill, quote, trade, update


class Everything(Strategy):
    """Writes down each call of a hook."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def on_start(self) -> None:
        self.calls.append("start")

    def on_quote(self, quote: Quote) -> None:
        self.calls.append(quote)

    def on_trade(self, trade: Trade) -> None:
        self.calls.append(trade)

    def on_book(self, book: InstrumentBook) -> None:
        self.calls.append((book.instrument, book.is_valid, book.bids.top(1)))

    def on_bar(self, bar: Bar) -> None:
        self.calls.append(bar)

    def on_order(self, update: OrderUpdated) -> None:
        self.calls.append(update.state)

    def on_fill(self, fill: OrderFilled) -> None:
        self.calls.append((fill.quantity, self.position(BTC)))

    def on_timer(self, name: str) -> None:
        self.calls.append(name)

    def on_stop(self) -> None:
        self.calls.append("stop")


def test_a_strategy_is_subscribed_only_to_what_it_overrides() -> None:
    class Quiet(Strategy):
        def on_quote(self, quote: Quote) -> None: ...

    desk = TestDesk(Quiet(), instruments=(BTC, "kraken.ETHUSD"))
    assert desk.ctx.subscriptions == [
        ("order_manager", ("orders.maker", "fills.maker")),
        ("connector.binance", ("venue.binance",)),
        ("connector.kraken", ("venue.kraken",)),
        ("connector.binance", ("quote.binance.BTCUSDT",)),
        ("connector.kraken", ("quote.kraken.ETHUSD",)),
    ]


def test_a_strategy_that_overrides_everything_is_subscribed_to_everything() -> None:
    desk = TestDesk(Everything())
    assert desk.ctx.subscriptions[2:] == [
        ("connector.binance", ("quote.binance.BTCUSDT",)),
        ("connector.binance", ("trade.binance.BTCUSDT",)),
        ("connector.binance", ("book.binance.BTCUSDT",)),
    ]


def test_asking_for_bars_a_book_or_a_quote_subscribes_to_it_once() -> None:
    class Curious(Strategy):
        def on_start(self) -> None:
            self.bars(BTC, 1)
            self.bars(BTC, 60)
            assert self.quote(BTC) is None
            assert self.quote(BTC) is None
            assert not self.book(BTC).is_valid

    desk = TestDesk(Curious())
    assert desk.ctx.subscriptions[2:] == [
        ("connector.binance", ("trade.binance.BTCUSDT",)),
        ("connector.binance", ("quote.binance.BTCUSDT",)),
        ("connector.binance", ("book.binance.BTCUSDT",)),
    ]


def test_no_hook_runs_before_own_orders_and_positions_are_known() -> None:
    strategy = Everything()
    desk = TestDesk(strategy, snapshot=None)
    desk.receive(quote("99", "101"))
    desk.receive(trade("100", "1", NOW))
    desk.receive(book_snapshot(5))
    desk.receive(Stopping())
    assert strategy.calls == []

    desk.receive(EMPTY)
    assert strategy.calls == ["start"]
    assert strategy.quote(BTC) == quote("99", "101")
    assert strategy.book(BTC).sequence == 5


def test_the_rules_of_an_instrument_are_known_once_its_venue_has_listed_them() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    assert strategy.rules(BTC) is None
    rules = Instrument("binance", "BTCUSDT", "BTC", "USDT", tick_size=Decimal("0.01"))
    desk.receive(InstrumentsListed("binance", [rules]))
    assert strategy.rules(BTC) == rules


def test_market_events_are_handed_on_and_their_delay_is_measured() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    desk.receive(quote("99", "101", NOW - 7_000))
    desk.receive(trade("100", "1", NOW - 8_000))
    desk.receive(book_snapshot(5))

    assert strategy.calls == [
        "start",
        quote("99", "101", NOW - 7_000),
        trade("100", "1", NOW - 8_000),
        (BTC, True, [("99", "1")]),
    ]
    assert desk.ctx.measured == [
        ("feed_deliver", "binance", 7_000),
        ("feed_deliver", "binance", 8_000),
        ("feed_deliver", "binance", 0),
    ]


def test_of_a_flood_that_one_read_brought_the_delay_of_some_is_measured() -> None:
    desk = TestDesk(Everything())
    for _ in range(32):
        desk.receive(trade("100", "1", NOW - 8_000))
    assert desk.ctx.measured == [("feed_deliver", "binance", 8_000)] * 3


def test_a_book_that_becomes_invalid_is_shown_once_and_again_when_it_is_rebuilt() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    desk.receive(book_delta(5, 6))
    desk.receive(book_snapshot(5))
    desk.receive(book_delta(5, 6))
    desk.receive(book_delta(7, 8))
    desk.receive(book_delta(8, 9))
    desk.receive(book_snapshot(9))
    desk.receive(BookInvalidated("binance", "BTCUSDT", "LINK_DOWN: reset", NOW))

    assert strategy.calls[1:] == [
        (BTC, True, [("99", "1")]),
        (BTC, True, [("100", "2")]),
        (BTC, False, []),
        (BTC, True, [("99", "1")]),
        (BTC, False, []),
    ]


def test_own_orders_and_fills_reach_their_hooks() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    strategy.buy(BTC, "2", "100")
    (order,) = desk.submitted()
    desk.receive(update(order, OrderState.ACCEPTED))
    desk.receive(fill(order, "0.5"))
    desk.receive(fill(order, "1.5", "t2"))
    desk.receive(update(order, OrderState.FILLED, "2"))

    assert strategy.calls[1:] == [
        OrderState.ACCEPTED,
        ("0.5", Decimal("0.5")),
        ("1.5", Decimal("2.0")),
        OrderState.FILLED,
    ]
    assert strategy.orders == {}


def test_a_timer_runs_out_once() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    strategy.set_timer("look", 1.5)
    desk.pass_time(1)
    assert strategy.calls == ["start"]
    desk.pass_time(1)
    desk.pass_time(10)
    assert strategy.calls == ["start", "look"]


def test_a_timer_that_was_replaced_or_cancelled_on_its_way_is_not_called() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    strategy.set_timer("look", 1)
    strategy.set_timer("wake", 1)
    desk.ctx.time += 1_000_000_000
    on_their_way = desk.ctx.due()
    strategy.set_timer("look", 1)
    strategy.cancel_timer("wake")
    for message in on_their_way:
        desk.receive(message)
    assert strategy.calls == ["start"]
    desk.pass_time(1)
    assert strategy.calls == ["start", "look"]


def bar(start: int, end: int, numbers: tuple[str, str, str, str, str], trades: int) -> Bar:
    """`numbers` are open, high, low, close and volume."""
    opened, high, low, close, volume = map(Decimal, numbers)
    return Bar(BTC, start, end, opened, high, low, close, volume, trades)


def test_bars_come_from_trades_and_from_time() -> None:
    class Bars(Everything):
        def on_start(self) -> None:
            self.bars(BTC, 1)

    strategy = Bars()
    desk = TestDesk(strategy)
    desk.receive(trade("100", "1", NOW))
    desk.ctx.time = NOW + 1_000_000_100
    desk.receive(trade("105", "2", NOW + 1_000_000_050))
    first = bar(NOW, NOW + 1_000_000_000, ("100", "100", "100", "100", "1"), 1)
    assert strategy.calls == [
        trade("100", "1", NOW),
        first,
        trade("105", "2", NOW + 1_000_000_050),
    ]

    strategy.calls.clear()
    for _ in range(3):
        desk.pass_time(1)
    second = bar(NOW + 1_000_000_000, NOW + 2_000_000_000, ("105", "105", "105", "105", "2"), 1)
    third = bar(NOW + 2_000_000_000, NOW + 3_000_000_000, ("105", "105", "105", "105", "0"), 0)
    assert strategy.calls == [second, third]


async def test_an_async_hook_is_done_before_the_next_hook_of_the_same_message() -> None:
    class Slow(Strategy):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def on_start(self) -> None:
            self.bars(BTC, 1)

        async def on_bar(self, bar: Bar) -> None:
            self.calls.append(f"bar {bar.close} begins")
            await self.sleep(0)
            self.calls.append(f"bar {bar.close} ends")

        async def on_trade(self, trade: Trade) -> None:
            self.calls.append(f"trade {trade.price}")

    strategy = Slow()
    desk = TestDesk(strategy)
    await desk.receive_async(trade("100", "1", NOW))
    await desk.receive_async(trade("101", "1", NOW + 2_000_000_000))
    assert strategy.calls == [
        "trade 100",
        "bar 100 begins",
        "bar 100 ends",
        "bar 100 begins",
        "bar 100 ends",
        "trade 101",
    ]


async def test_sleep_lets_others_run() -> None:
    class Slow(Strategy):
        async def on_quote(self, quote: Quote) -> None:
            await self.sleep(0.001)

    desk = TestDesk(Slow())
    task = asyncio.ensure_future(desk.receive_async(quote("99", "101")))
    await asyncio.sleep(0)
    assert not task.done()
    await asyncio.wait_for(task, 60)


def test_an_exception_of_a_hook_is_not_swallowed() -> None:
    class Broken(Strategy):
        def on_quote(self, quote: Quote) -> None:
            raise RuntimeError("mine")

    desk = TestDesk(Broken())
    with pytest.raises(RuntimeError, match="mine"):
        desk.receive(quote("99", "101"))


def test_stopping_calls_on_stop() -> None:
    strategy = Everything()
    TestDesk(strategy).receive(Stopping())
    assert strategy.calls == ["start", "stop"]


def test_the_report_counts_messages_and_shows_what_the_strategy_shows() -> None:
    class Shown(Everything):
        def on_report(self) -> dict[str, object]:
            return {"mood": "calm"}

    strategy = Shown()
    desk = TestDesk(strategy)
    desk.receive(quote("99", "101"))
    desk.receive(ActorUp(Address("order_manager", 1, StreamKind.UNIX, "/tmp/om")))
    desk.receive("what is this")
    strategy.buy(BTC, "2", "100")
    desk.receive(fill(desk.submitted()[0], "2"))

    assert desk.actor.report() == Report(
        counters={
            "quotes": 1,
            "trades": 0,
            "books": 0,
            "bars": 0,
            "fills": 1,
            "denied": 0,
            "cancels_retried": 0,
            "unexpected": 1,
            "orders": 1,
        },
        state={"ready": True, "own_orders": 1, "own_positions": {BTC: "2"}, "strategy": {"mood": "calm"}},
    )


def test_a_strategy_that_is_not_ready_says_so() -> None:
    desk = TestDesk(Everything(), snapshot=None)
    assert desk.actor.report().state == {"ready": False}
    desk.receive(Started())
    assert desk.actor.report().state == {"ready": False}


def test_who_stops_is_told_nothing_of_the_market_any_more() -> None:
    strategy = Everything()
    desk = TestDesk(strategy)
    desk.receive(Stopping())
    seen = list(strategy.calls)
    desk.receive(quote("99", "101", NOW))
    desk.receive(trade("100", "1", NOW))
    desk.receive(book_snapshot(5))
    assert strategy.calls == seen
