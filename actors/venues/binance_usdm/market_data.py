"""Binance USD-M futures' market data: two kinds of combined streams on addresses of their own, spread over links.

The venue serves the book under `/public` and everything else under `/market`; a stream asked for at the other address
is silent. Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
Important-WebSocket-Change-Notice (old addresses ended on 2026-04-23).
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from actors.messages import Liquidation, MarkPrice, Quote, Trade
from actors.model.order import Side
from actors.venues.binance.books import Books
from actors.venues.binance.payloads import StreamFrame
from actors.venues.binance.streams import INTERVALS, StreamReader
from actors.venues.binance_usdm.payloads import AggregateTrade, ForceOrder, FuturesBookTicker, MarkPriceUpdate
from actors.venues.contract import BadFrame, OpenLink, Output, SendFrame
from runtime.clock import NS_PER_MS
from runtime.message import Lane

PUBLIC = ("bookTicker", "depth@100ms")
MARKET = ("aggTrade", "markPrice@1s", "forceOrder")
STREAMS_PER_LINK = 200
"""The venue's text says 200, an older one 1024."""

ON_DEMAND = {
    "miniticker": "miniTicker",
    **{f"kline_{interval}": f"kline_{interval}" for interval in INTERVALS if interval not in ("1s",)},
}
"""Kind → stream, under `/market`, of what comes only while somebody reads it."""

PROBE = b'{"method":"LIST_SUBSCRIPTIONS","id":1}'
"""Answered at once: the venue's own pings come every three minutes only."""

Handler = Callable[[msgspec.Raw, int], list[Output]]


class FuturesMarketData:
    """`link` names are `public-0`, `public-1`, … with books and quotes, and `market-0`, … with trades and the rest."""

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
        self._decode_quote = msgspec.json.Decoder(FuturesBookTicker).decode
        self._decode_trade = msgspec.json.Decoder(AggregateTrade).decode
        self._decode_mark_price = msgspec.json.Decoder(MarkPriceUpdate).decode
        self._decode_force_order = msgspec.json.Decoder(ForceOrder).decode
        self._handlers: dict[str, Callable[[str, msgspec.Raw, int], list[Output]]] = {
            "bookTicker": self._on_quote,
            "depth@100ms": self._books.on_update,
            "aggTrade": self._on_trade,
            "markPrice@1s": self._on_mark_price,
            "forceOrder": self._on_force_order,
        }
        self._streams: dict[str, Handler] = {}
        self._depth_symbols: dict[str, str] = {}
        self._link_of: dict[str, str] = {}
        """Symbol → link of its streams under `/market`."""
        self.links: dict[str, str] = {}
        """Name → address."""
        self._up: set[str] = set()
        self._reader = StreamReader(venue)
        self._followed: dict[str, str] = {}
        """Stream on demand → its link."""
        for group, kinds in (("public", PUBLIC), ("market", MARKET)):
            per_link = max(1, streams_per_link // len(kinds))
            for first in range(0, len(symbols), per_link):
                link, chosen = f"{group}-{first // per_link}", symbols[first : first + per_link]
                self.links[link] = f"{stream_url}/{group}/stream?streams={self._listen(link, chosen, kinds)}"

    def _listen(self, link: str, symbols: Sequence[str], kinds: Sequence[str]) -> str:
        names: list[str] = []
        for symbol in symbols:
            for kind in kinds:
                name = f"{symbol.lower()}@{kind}"
                names.append(name)
                self._streams[name] = partial(self._handlers[kind], symbol)
                if kind == "aggTrade":
                    self._link_of[symbol] = link
                elif kind == "depth@100ms":
                    self._depth_symbols[name] = symbol
                    self._books.add(symbol, link)
        return "/".join(names)

    # ---- what is wanted ------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return [OpenLink(link, url, Lane.FEED) for link, url in self.links.items()]

    def follow(self, kind: str, symbol: str) -> list[Output]:
        """What is asked for while its link is down is asked for again when it is up."""
        stream = f"{symbol.lower()}@{ON_DEMAND.get(kind, '')}"
        link = self._link_of.get(symbol)
        if kind not in ON_DEMAND or link is None or stream in self._followed:
            return []
        self._followed[stream] = link
        self._streams[stream] = self._reader.handler(kind, symbol)
        return [_request(link, "SUBSCRIBE", [stream])] if link in self._up else []

    def unfollow(self, kind: str, symbol: str) -> list[Output]:
        stream = f"{symbol.lower()}@{ON_DEMAND.get(kind, '')}"
        link = self._followed.pop(stream, None)
        if link is None:
            return []
        self._streams[stream] = _ignore
        return [_request(link, "UNSUBSCRIBE", [stream])] if link in self._up else []

    # ---- links ---------------------------------------------------------------------------------------------------

    def on_link_up(self, link: str) -> list[Output]:
        self._up.add(link)
        wanted = [stream for stream, carrier in self._followed.items() if carrier == link]
        return [_request(link, "SUBSCRIBE", wanted)] if wanted else []

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
        if not stream and frame.id is not None:
            return []
        if stream.endswith("serverShutdown"):
            return [OpenLink(link, self.links[link], Lane.FEED)]
        return [BadFrame(link, payload, f"unknown stream {stream[:60]!r}", drop_link=False)]

    def _garbage(self, link: str, stream: str, payload: bytes, reason: str, now: int) -> list[Output]:
        """A bad event of a book costs that book; a frame that is not even one casts doubt on its whole link."""
        bad = BadFrame(link, payload, reason, drop_link=not stream)
        symbol = self._depth_symbols.get(stream)
        return [*self._books.invalidate(symbol, f"MALFORMED: {reason}", now), bad] if symbol else [bad]

    def _on_quote(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        tick = self._decode_quote(data)
        bid, bid_quantity, ask, ask_quantity = tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity
        _check_numbers(bid, bid_quantity, ask, ask_quantity)
        return [Quote(self._venue, symbol, bid, bid_quantity, ask, ask_quantity, tick.time * NS_PER_MS, ts_recv)]

    def _on_trade(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        tick = self._decode_trade(data)
        _check_numbers(tick.price, tick.quantity)
        aggressor = Side.SELL if tick.buyer_is_maker else Side.BUY
        ts_venue = tick.time * NS_PER_MS
        return [Trade(self._venue, symbol, str(tick.id), tick.price, tick.quantity, aggressor, ts_venue, ts_recv)]

    def _on_mark_price(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        update = self._decode_mark_price(data)
        _check_numbers(update.mark_price, update.funding_rate.lstrip("-") or "0")
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

    def _on_force_order(self, symbol: str, data: msgspec.Raw, ts_recv: int) -> list[Output]:
        order = self._decode_force_order(data).order
        _check_numbers(order.price, order.average_price, order.quantity)
        ts_venue = order.time * NS_PER_MS
        return [
            Liquidation(
                self._venue, symbol, order.side, order.price, order.average_price, order.quantity, ts_venue, ts_recv
            )
        ]


def _check_numbers(*texts: str) -> None:
    if not "".join(texts).replace(".", "").isdecimal():
        raise ValueError(f"not numbers: {' '.join(texts)[:80]!r}")


def _request(link: str, method: str, streams: Sequence[str]) -> SendFrame:
    return SendFrame(link, msgspec.json.encode({"method": method, "params": streams, "id": 2}))


def _ignore(data: msgspec.Raw, ts_recv: int) -> list[Output]:
    """What was on its way when it was ended."""
    return []
