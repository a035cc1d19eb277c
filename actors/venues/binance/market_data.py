"""Binance Spot's market data: combined streams of trades, best bid and ask, and book updates, spread over links."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from actors.messages import Quote, Trade
from actors.model.order import Side
from actors.venues.binance.books import Books
from actors.venues.binance.payloads import BookTicker, StreamFrame, TradeTick
from actors.venues.contract import BadFrame, OpenLink, Output, SendFrame
from runtime.clock import NS_PER_MS
from runtime.message import Lane

STREAMS = ("bookTicker", "trade", "depth@100ms")
STREAMS_PER_LINK = 300
"""The venue allows 1024 on one connection; fewer keep the address short and one lost link small."""

SHUTDOWN = "!serverShutdown"
PROBE = b'{"method":"GET_PROPERTY","params":["combined"],"id":1}'
"""Answered at once: a link of quiet symbols shows that it is alive."""


class MarketData:
    """`link` names are `feed-0`, `feed-1`, …; all streams of a symbol come over the same one."""

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        stream_url: str,
        books: Books,
        streams_per_link: int = STREAMS_PER_LINK,
    ) -> None:
        self._venue = venue
        self._books = books
        self._decode_frame = msgspec.json.Decoder(StreamFrame).decode
        self._decode_quote = msgspec.json.Decoder(BookTicker).decode
        self._decode_trade = msgspec.json.Decoder(TradeTick).decode
        self._streams: dict[str, Callable[[msgspec.Raw, int], list[Output]]] = {}
        self._depth_symbols: dict[str, str] = {}
        self.links: dict[str, str] = {}
        """Name → address."""
        self._up: set[str] = set()
        per_link = max(1, streams_per_link // len(STREAMS))
        for first in range(0, len(symbols), per_link):
            self._add_link(f"feed-{first // per_link}", symbols[first : first + per_link], stream_url)

    def _add_link(self, link: str, symbols: Sequence[str], stream_url: str) -> None:
        names: list[str] = []
        for symbol in symbols:
            quotes, trades, depth = (f"{symbol.lower()}@{stream}" for stream in STREAMS)
            names += [quotes, trades, depth]
            self._streams[quotes] = partial(self._on_quote, symbol)
            self._streams[trades] = partial(self._on_trade, symbol)
            self._streams[depth] = partial(self._books.on_update, symbol)
            self._depth_symbols[depth] = symbol
            self._books.add(symbol, link)
        self.links[link] = f"{stream_url}/stream?streams={'/'.join(names)}"

    def open(self) -> list[Output]:
        return [OpenLink(link, url, Lane.FEED) for link, url in self.links.items()]

    def on_link_up(self, link: str) -> None:
        self._up.add(link)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        self._up.discard(link)
        return self._books.on_link_down(link, reason, now)

    def probe(self) -> list[Output]:
        return [SendFrame(link, PROBE) for link in sorted(self._up)]

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        stream = ""
        try:
            frame = self._decode_frame(payload)
            stream = frame.stream
            handle = self._streams.get(stream)
            if handle is not None:
                return handle(frame.data, ts_recv)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return self._garbage(link, stream, payload, f"{type(error).__name__}: {error}", ts_recv)
        if stream == SHUTDOWN:
            return [OpenLink(link, self.links[link], Lane.FEED)]
        if not stream and frame.id is not None:
            return []
        return [BadFrame(link, payload, f"unknown stream {stream[:60]!r}", drop_link=False)]

    def _garbage(self, link: str, stream: str, payload: bytes, reason: str, now: int) -> list[Output]:
        """A bad event of a book costs that book; a frame that is not even one casts doubt on its whole link."""
        bad = BadFrame(link, payload, reason, drop_link=not stream)
        symbol = self._depth_symbols.get(stream)
        return [*self._books.invalidate(symbol, f"MALFORMED: {reason}", now), bad] if symbol else [bad]

    def _on_quote(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        tick = self._decode_quote(data)
        bid, bid_quantity, ask, ask_quantity = tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity
        _check_numbers(bid + bid_quantity + ask + ask_quantity)
        return [Quote(self._venue, symbol, bid, bid_quantity, ask, ask_quantity, 0, ts_recv)]

    def _on_trade(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        tick = self._decode_trade(data)
        _check_numbers(tick.price + tick.quantity)
        aggressor = Side.SELL if tick.buyer_is_maker else Side.BUY
        return [
            Trade(
                self._venue,
                symbol,
                str(tick.id),
                tick.price,
                tick.quantity,
                aggressor,
                tick.time * NS_PER_MS,
                ts_recv,
            )
        ]


def _check_numbers(digits: str) -> None:
    if not digits.replace(".", "").isdecimal():
        raise ValueError(f"not numbers: {digits[:80]!r}")
