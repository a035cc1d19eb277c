"""Binance USD-M futures' market data: which streams there are, at which of two addresses, and what their events mean.

The venue serves the book under `/public` and everything else under `/market`; a stream asked for at the other address
is silent. Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
Important-WebSocket-Change-Notice (old addresses ended on 2026-04-23), and the page of each stream beside it.

A trade of the desk is one of the venue's aggregate trades: it documents no stream of single ones. `aggtrade` is the
same stream told in full.
"""

from collections.abc import Sequence

from actors.messages import AggregateTrade, BookLevels, Liquidation, MarkPrice, Quote, Ticker, Trade
from actors.venues.binance.books import Books
from actors.venues.binance.frames import frame_decoder
from actors.venues.binance.interface import Address, Interface
from actors.venues.binance.market_data import MarketData
from actors.venues.binance.seam import AggregateNumber, KlineNumber, UpdateNumber
from actors.venues.binance.streams import (
    BOOK,
    BUY,
    INTERVALS,
    QUOTE,
    SELL,
    TRADE,
    StreamReader,
    check_numbers,
    not_numbers,
)
from actors.venues.binance_usdm.payloads import (
    AggregateTick,
    ForceOrder,
    FuturesBookTicker,
    FuturesLevels,
    FuturesTicker,
    MarkPriceUpdate,
)
from actors.venues.contract import Output
from runtime.clock import NS_PER_MS

STREAMS_PER_LINK = 200
"""The venue's text says 200, an older one 1024."""

AGGREGATE = "aggtrade"
MARK, LIQUIDATION = "mark", "liquidation"
LEVELS = tuple(f"depth{levels}" for levels in (5, 10, 20))
KLINES = tuple(f"kline_{interval}" for interval in INTERVALS if interval != "1s")

STREAMS = {
    QUOTE: "bookTicker",
    BOOK: "depth@100ms",
    TRADE: "aggTrade",
    MARK: "markPrice@1s",
    LIQUIDATION: "forceOrder",
    "ticker": "ticker",
    "miniticker": "miniTicker",
    **{kind: kind for kind in KLINES},
    **{kind: f"{kind}@100ms" for kind in LEVELS},
}

PROBE = b'{"method":"LIST_SUBSCRIPTIONS","id":0}'
"""Answered at once: the venue's own pings come every three minutes only."""


class FuturesStreamReader(StreamReader):
    """`aggregates` are the symbols whose trades are also told as `AggregateTrade`."""

    def __init__(self, venue: str) -> None:
        super().__init__(venue)
        self.aggregates: set[str] = set()
        self._decode_futures_quote = frame_decoder(FuturesBookTicker)
        self._decode_futures_trade = frame_decoder(AggregateTick)
        self._decode_mark_price = frame_decoder(MarkPriceUpdate)
        self._decode_force_order = frame_decoder(ForceOrder)
        self._decode_futures_levels = frame_decoder(FuturesLevels)
        self._decode_futures_ticker = frame_decoder(FuturesTicker)
        self._handlers |= {MARK: self._on_mark_price, LIQUIDATION: self._on_force_order}

    def _on_quote(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_futures_quote(frame).data
        bid, bid_quantity, ask, ask_quantity = tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity
        if not (bid_quantity.replace(".", "", 1).isdecimal() and ask_quantity.replace(".", "", 1).isdecimal()):
            raise not_numbers(bid_quantity, ask_quantity)
        time, number = tick.time * NS_PER_MS, tick.update_id
        return [Quote(self._venue, symbol, bid, bid_quantity, ask, ask_quantity, time, ts_recv, False, number)]

    def _on_trade(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        if symbol in self.aggregates:
            return self._on_both(symbol, frame, ts_recv)
        tick = self._decode_futures_trade(frame).data
        price, quantity = tick.price, tick.quantity
        if not quantity.replace(".", "", 1).isdecimal():
            raise not_numbers(quantity)
        self.last_trades[symbol] = tick.id
        aggressor = SELL if tick.buyer_is_maker else BUY
        return [Trade(self._venue, symbol, str(tick.id), price, quantity, aggressor, tick.time * NS_PER_MS, ts_recv)]

    def _on_both(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        (told,) = self._on_aggregate(symbol, frame, ts_recv)
        assert isinstance(told, AggregateTrade)
        self.last_trades[symbol] = int(told.trade_id)
        price, quantity = told.price, told.quantity
        trade = Trade(self._venue, symbol, told.trade_id, price, quantity, told.aggressor, told.ts_venue, ts_recv)
        return [trade, told]

    def _on_mark_price(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        update = self._decode_mark_price(frame).data
        check_numbers(update.mark_price, update.funding_rate.lstrip("-") or "0")
        return [
            MarkPrice(
                self._venue,
                symbol,
                update.mark_price,
                update.index_price,
                update.funding_rate if update.next_funding else "",
                update.next_funding * NS_PER_MS,
                update.time * NS_PER_MS,
                ts_recv,
            )
        ]

    def _on_force_order(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        order = self._decode_force_order(frame).data.order
        check_numbers(order.price, order.average_price, order.quantity)
        ts_venue = order.time * NS_PER_MS
        return [
            Liquidation(
                self._venue, symbol, order.side, order.price, order.average_price, order.quantity, ts_venue, ts_recv
            )
        ]

    def _on_ticker(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        tick = self._decode_futures_ticker(frame).data
        check_numbers(tick.last, tick.open, tick.high, tick.low, tick.volume)
        return [
            Ticker(
                venue=self._venue,
                symbol=symbol,
                last=tick.last,
                last_quantity=tick.last_quantity,
                bid="",
                bid_quantity="",
                ask="",
                ask_quantity="",
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

    def _on_levels(self, symbol: str, levels: int, frame: bytes, ts_recv: int) -> list[Output]:
        book = self._decode_futures_levels(frame).data
        for price, quantity in (*book.bids, *book.asks):
            check_numbers(price, quantity)
        ts_venue = book.time * NS_PER_MS
        return [BookLevels(self._venue, symbol, levels, book.last_id, book.bids, book.asks, ts_venue, ts_recv)]


MARKET_LINKS = ("public-", "market-")
"""How the names of its links begin."""

USDM = Interface(
    (
        Address("public", "/public/stream", (QUOTE, BOOK), (QUOTE, BOOK, *LEVELS)),
        Address(
            "market",
            "/market/stream",
            (TRADE, MARK, LIQUIDATION),
            (TRADE, MARK, LIQUIDATION, "ticker", "miniticker", *KLINES),
        ),
    ),
    STREAMS,
    {
        QUOTE: UpdateNumber,
        BOOK: UpdateNumber,
        TRADE: AggregateNumber,
        **dict.fromkeys(LEVELS, UpdateNumber),
        **dict.fromkeys(KLINES, KlineNumber),
    },
    PROBE,
)


class FuturesMarketData(MarketData):
    """Trades and aggregate trades are one stream."""

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        stream_url: str,
        books: Books,
        streams_per_link: int = STREAMS_PER_LINK,
    ) -> None:
        reader = FuturesStreamReader(venue)
        super().__init__(venue, symbols, stream_url, books, streams_per_link, USDM, reader)
        self._readers: dict[str, set[str]] = {AGGREGATE: reader.aggregates, TRADE: set()}
        """Kind → symbols of which somebody asked for it."""

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        if kind not in self._readers:
            return super().follow(kind, symbol, now)
        self._readers[kind].add(symbol)
        return super().follow(TRADE, symbol, now)

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        if kind not in self._readers:
            return super().unfollow(kind, symbol, now)
        self._readers[kind].discard(symbol)
        is_read = any(symbol in readers for readers in self._readers.values())
        return [] if is_read else super().unfollow(TRADE, symbol, now)
