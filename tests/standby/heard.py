"""A strategy for desks under a virtual clock: trades, and keeps what it hears in this process."""

from typing import ClassVar

from actors.strategy import InstrumentBook, Quote, Trade
from tests.desk.trader import Trader


class Heard(Trader):
    trades: ClassVar[dict[str, list[int]]] = {}
    quotes: ClassVar[dict[str, list[int]]] = {}
    lost: ClassVar[list[str]] = []

    @classmethod
    def forget(cls) -> None:
        cls.trades.clear()
        cls.quotes.clear()
        cls.lost.clear()

    @classmethod
    def assert_each_once(cls, trades: int) -> None:
        """Of each symbol more trades than that, and no quote that is older than one before."""
        assert cls.lost == [], "no book was ever in doubt"
        for symbol, heard in cls.trades.items():
            assert len(heard) > trades, symbol
            assert heard == list(range(heard[0], heard[-1] + 1)), f"{symbol}: a gap, or one twice"
        for symbol, numbers in cls.quotes.items():
            assert numbers == sorted(set(numbers)), symbol
            assert numbers[0] > 0, symbol

    def on_trade(self, trade: Trade) -> None:
        self.trades.setdefault(trade.symbol, []).append(int(trade.trade_id))

    def on_quote(self, quote: Quote) -> None:
        self.quotes.setdefault(quote.symbol, []).append(quote.sequence)
        super().on_quote(quote)

    def on_book(self, book: InstrumentBook) -> None:
        if not book.is_valid:
            self.lost.append(book.reason)
