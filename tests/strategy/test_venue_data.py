"""A strategy that wants more of a venue: tickers, klines, the past."""

from typing import Any

import pytest

from actors.messages import (
    AggregateTrade,
    BookLevels,
    BookSnapshot,
    ForcedCause,
    HistoryFailed,
    HistoryPage,
    Kline,
    Liquidation,
    MarkPrice,
    MiniTicker,
    PositionForceClosed,
    PositionsReported,
    QueryHistory,
    Ticker,
    VenueDown,
    VenueUp,
)
from actors.strategy import InstrumentBook, Side, Strategy
from runtime.actor import Undelivered
from tests.strategy.desk import BTC, EMPTY, TestDesk

KLINE = Kline("binance", "BTCUSDT", "1m", 0, 60, "1", "1", "1", "1", "1", "1", 1, "1", "1", True, 60, 61)
TICKER = Ticker("binance", "BTCUSDT", "1", "1", "1", "1", "2", "1", "1", "1", "1", "1", "1", "1", "0", "0", 1, 60, 61)


class Curious(Strategy):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_start(self) -> None:
        self.klines(BTC, "1m")
        self.seen.append(self.history(BTC, "kline_1m", 0, 60))

    def on_ticker(self, ticker: Ticker) -> None:
        self.seen.append(ticker)

    def on_kline(self, kline: Kline) -> None:
        self.seen.append(kline)

    def on_history(self, answer: HistoryPage | HistoryFailed) -> None:
        self.seen.append(answer)


def test_it_is_subscribed_and_gets_what_it_asked_for() -> None:
    strategy = Curious()
    desk = TestDesk(strategy)
    assert ("connector.binance", ("ticker.binance.BTCUSDT",)) in desk.ctx.subscriptions
    assert ("connector.binance", ("kline_1m.binance.BTCUSDT",)) in desk.ctx.subscriptions
    (query,) = desk.ctx.told_to("connector.binance")
    assert query == QueryHistory(desk.ctx.name, "3.1", "kline_1m", "BTCUSDT", 0, 60)
    page = HistoryPage(desk.ctx.name, "3.1", "binance", "kline_1m", "BTCUSDT", [KLINE], [], [], True)
    for message in (TICKER, KLINE, page):
        desk.receive(message)
    assert strategy.seen == ["3.1", TICKER, KLINE, page]


def test_a_query_that_does_not_reach_the_connector_fails() -> None:
    strategy = Curious()
    desk = TestDesk(strategy)
    (query,) = desk.ctx.told_to("connector.binance")
    desk.receive(Undelivered("connector.binance", query, "nobody there"))
    assert strategy.seen[1:] == [HistoryFailed(desk.ctx.name, "3.1", "UNDELIVERED: nobody there")]


LEVELS = BookLevels("binance", "BTCUSDT", 5, 1, [("1", "1")], [("2", "1")], 60, 61)
TOLD = [
    (MarkPrice("binance", "BTCUSDT", "1", "1", "0.0001", 99, 60, 61), "mark.binance.BTCUSDT"),
    (Liquidation("binance", "BTCUSDT", Side.SELL, "1", "1", "2", 60, 61), "liquidation.binance.BTCUSDT"),
    (AggregateTrade("binance", "BTCUSDT", "7", "1", "1", Side.BUY, "7", "8", 60, 61), "aggtrade.binance.BTCUSDT"),
    (MiniTicker("binance", "BTCUSDT", "1", "1", "1", "1", "1", "1", 60, 61), "miniticker.binance.BTCUSDT"),
    (LEVELS, "depth5.binance.BTCUSDT"),
    (VenueUp("binance", "connector.binance", 60, "ORDERS: LINK_DOWN: cut"), "venue.binance"),
    (VenueDown("binance", "cut", 60), "venue.binance"),
    (PositionsReported("binance", [], True, "", 61), "venue.binance"),
    (
        PositionForceClosed("binance", "BTCUSDT", ForcedCause.LIQUIDATION, Side.SELL, "1", "1", "autoclose-1", 60, 61),
        "venue.binance",
    ),
]  # fmt: skip


class Listener(Strategy):
    """Hears everything that a venue publishes besides quotes, trades and books."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_start(self) -> None:
        self.levels(BTC, 5)

    def on_mark_price(self, mark: MarkPrice) -> None:
        self.seen.append(mark)

    def on_liquidation(self, liquidation: Liquidation) -> None:
        self.seen.append(liquidation)

    def on_aggregate_trade(self, trade: AggregateTrade) -> None:
        self.seen.append(trade)

    def on_mini_ticker(self, ticker: MiniTicker) -> None:
        self.seen.append(ticker)

    def on_levels(self, levels: BookLevels) -> None:
        self.seen.append(levels)

    def on_venue(self, state: VenueUp | VenueDown) -> None:
        self.seen.append(state)

    def on_positions(self, positions: PositionsReported) -> None:
        self.seen.append(positions)

    def on_force_closed(self, closed: PositionForceClosed) -> None:
        self.seen.append(closed)


@pytest.mark.parametrize(("event", "topic"), TOLD)
def test_each_event_of_a_venue_has_a_hook_that_subscribes_to_it(event: Any, topic: str) -> None:
    strategy = Listener()
    desk = TestDesk(strategy)
    assert ("connector.binance", (topic,)) in desk.ctx.subscriptions
    desk.receive(event)
    assert strategy.seen == [event]
    assert desk.actor.report().counters["unexpected"] == 0


def test_nothing_is_subscribed_to_that_is_not_overridden() -> None:
    desk = TestDesk(Strategy())
    assert [topics for publisher, topics in desk.ctx.subscriptions if publisher == "connector.binance"] == [
        ("venue.binance",)
    ]


def test_the_state_of_a_venue_is_known_when_it_starts() -> None:
    strategy = Listener()
    desk = TestDesk(strategy, snapshot=None)
    desk.receive(TOLD[5][0])
    assert strategy.seen == []
    desk.receive(EMPTY)
    assert strategy.venues == {"binance": TOLD[5][0]}


def test_a_book_says_whether_it_is_degraded() -> None:
    class Reader(Strategy):
        def on_book(self, book: InstrumentBook) -> None:
            seen.append(book.is_degraded)

    seen: list[bool] = []
    desk = TestDesk(Reader())
    for degraded in (False, True, False):
        desk.receive(BookSnapshot("binance", "BTCUSDT", 1, [("1", "1")], [("2", "1")], 0, 61, degraded))
    assert seen == [False, True, False]


def test_history_needs_a_venue() -> None:
    class Lost(Strategy):
        def on_start(self) -> None:
            self.history("BTCUSDT", "aggtrade", 0, 1)

    with pytest.raises(ValueError, match="history needs a venue"):
        TestDesk(Lost())
