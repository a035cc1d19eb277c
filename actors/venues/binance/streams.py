"""What Binance Spot's streams are called and what their events mean: the desk's kinds ↔ stream names, JSON → messages.

Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md, "Detailed Stream information".
"""

from collections.abc import Callable
from functools import partial

from actors.messages import AggregateTrade, BookLevels, Kline, MiniTicker, Quote, Ticker, Trade
from actors.model.order import Side
from actors.venues.binance.frames import frame_decoder
from actors.venues.binance.payloads import (
    AggregateTick,
    BookTicker,
    KlineTick,
    MiniTickerTick,
    PartialDepth,
    TickerTick,
    TradeTick,
)
from actors.venues.contract import Output
from runtime.clock import NS_PER_MS

QUOTE, TRADE, BOOK = "quote", "trade", "book"
BUY, SELL = Side.BUY, Side.SELL
"""To look up a member of an enum takes longer than to make a trade (70 ns)."""

INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")

STREAMS = {
    QUOTE: "bookTicker",
    TRADE: "trade",
    BOOK: "depth@100ms",
    "aggtrade": "aggTrade",
    "ticker": "ticker",
    "miniticker": "miniTicker",
    **{f"kline_{interval}": f"kline_{interval}" for interval in INTERVALS},
    **{f"depth{levels}": f"depth{levels}@100ms" for levels in (5, 10, 20)},
}
"""Kind → what follows `<symbol>@` in the name of the stream."""

Handler = Callable[[bytes, int], list[Output]]
"""(frame, ts_recv) → events; raises `msgspec.MsgspecError` or `ValueError` for what is no such event."""


def stream_name(symbol: str, suffix: str) -> str:
    return f"{symbol.lower()}@{suffix}"


class StreamReader:
    """Normalises everything but book updates. `venue` is the desk's name for it.

    The prices of quotes and trades are left as they are: whoever publishes them looks at those in any case.
    """

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self.last_trades: dict[str, int] = {}
        """Symbol → id of the last one: where to go on when the stream is lost."""
        self._decode_quote = frame_decoder(BookTicker)
        self._decode_trade = frame_decoder(TradeTick)
        self._decode_aggregate = frame_decoder(AggregateTick)
        self._decode_ticker = frame_decoder(TickerTick)
        self._decode_mini = frame_decoder(MiniTickerTick)
        self._decode_kline = frame_decoder(KlineTick)
        self._decode_levels = frame_decoder(PartialDepth)
        self._handlers: dict[str, Callable[[str, bytes, int], list[Output]]] = {
            QUOTE: self._on_quote,
            TRADE: self._on_trade,
            "aggtrade": self._on_aggregate,
            "ticker": self._on_ticker,
            "miniticker": self._on_mini,
        }

    def handler(self, kind: str, symbol: str) -> Handler:
        if kind.startswith("kline_"):
            return partial(self._on_kline, symbol)
        if kind.startswith("depth"):
            return partial(self._on_levels, symbol, int(kind.removeprefix("depth")))
        return partial(self._handlers[kind], symbol)

    def _on_quote(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_quote(frame).data
        bid, bid_quantity, ask, ask_quantity = tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity
        if not (bid_quantity.replace(".", "", 1).isdecimal() and ask_quantity.replace(".", "", 1).isdecimal()):
            raise not_numbers(bid_quantity, ask_quantity)
        return [Quote(self._venue, symbol, bid, bid_quantity, ask, ask_quantity, 0, ts_recv, False, tick.update_id)]

    def _on_trade(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_trade(frame).data
        price, quantity = tick.price, tick.quantity
        if not quantity.replace(".", "", 1).isdecimal():
            raise not_numbers(quantity)
        self.last_trades[symbol] = tick.id
        aggressor = SELL if tick.buyer_is_maker else BUY
        return [Trade(self._venue, symbol, str(tick.id), price, quantity, aggressor, tick.time * NS_PER_MS, ts_recv)]

    def _on_aggregate(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_aggregate(frame).data
        check_numbers(tick.price, tick.quantity)
        return [
            AggregateTrade(
                self._venue,
                symbol,
                str(tick.id),
                tick.price,
                tick.quantity,
                SELL if tick.buyer_is_maker else BUY,
                str(tick.first_id),
                str(tick.last_id),
                tick.time * NS_PER_MS,
                ts_recv,
            )
        ]

    def _on_ticker(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_ticker(frame).data
        check_numbers(tick.last, tick.bid, tick.ask, tick.open, tick.high, tick.low, tick.volume)
        return [
            Ticker(
                venue=self._venue,
                symbol=symbol,
                last=tick.last,
                last_quantity=tick.last_quantity,
                bid=tick.bid,
                bid_quantity=tick.bid_quantity,
                ask=tick.ask,
                ask_quantity=tick.ask_quantity,
                open=tick.open,
                high=tick.high,
                low=tick.low,
                volume=tick.volume,
                quote_volume=tick.quote_volume,
                average=tick.average,
                change=tick.change,
                change_percent=tick.change_percent,
                trades=tick.trades,
                ts_venue=tick.time * NS_PER_MS,
                ts_recv=ts_recv,
            )
        ]

    def _on_mini(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_mini(frame).data
        check_numbers(tick.last, tick.open, tick.high, tick.low, tick.volume, tick.quote_volume)
        return [
            MiniTicker(
                self._venue,
                symbol,
                tick.last,
                tick.open,
                tick.high,
                tick.low,
                tick.volume,
                tick.quote_volume,
                tick.time * NS_PER_MS,
                ts_recv,
            )
        ]

    def _on_kline(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        event = self._decode_kline(frame).data
        bar = event.bar
        check_numbers(bar.open, bar.high, bar.low, bar.close, bar.volume)
        return [
            Kline(
                venue=self._venue,
                symbol=symbol,
                interval=bar.interval,
                start=bar.start * NS_PER_MS,
                end=(bar.end + 1) * NS_PER_MS,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
                quote_volume=bar.quote_volume,
                trades=bar.trades,
                taker_buy_volume=bar.taker_buy_volume,
                taker_buy_quote_volume=bar.taker_buy_quote_volume,
                closed=bar.closed,
                ts_venue=event.time * NS_PER_MS,
                ts_recv=ts_recv,
            )
        ]

    def _on_levels(self, symbol: str, levels: int, frame: bytes, ts_recv: int) -> list[Output]:
        book = self._decode_levels(frame).data
        for price, quantity in (*book.bids, *book.asks):
            check_numbers(price, quantity)
        return [BookLevels(self._venue, symbol, levels, book.last_id, book.bids, book.asks, 0, ts_recv)]


def ignored(frame: bytes, ts_recv: int) -> list[Output]:
    """What still comes of a stream that was ended."""
    return []


def check_numbers(*numbers: str) -> None:
    for number in numbers:
        if not number.replace(".", "", 1).isdecimal():
            raise not_numbers(*numbers)


def not_numbers(*numbers: str) -> ValueError:
    return ValueError(f"not numbers: {', '.join(numbers)[:80]!r}")
