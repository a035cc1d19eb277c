"""A strategy that wants more of a venue: tickers, klines, the past."""

from typing import Any

import pytest

from actors.messages import HistoryFailed, HistoryPage, Kline, QueryHistory, Ticker
from actors.strategy import Strategy
from runtime.actor import Undelivered
from tests.strategy.desk import BTC, TestDesk

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


def test_history_needs_a_venue() -> None:
    class Lost(Strategy):
        def on_start(self) -> None:
            self.history("BTCUSDT", "aggtrade", 0, 1)

    with pytest.raises(ValueError, match="history needs a venue"):
        TestDesk(Lost())
