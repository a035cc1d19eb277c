"""Binance's market data: streams spread over links, opened and ended while they run, handed over between sockets.

Trades, best bid and ask, and book of every configured symbol always come; most else comes while somebody reads it. An
interface may serve its streams on several addresses, each of which carries some kinds only. A socket that is about to
be cut off, by the venue's announcement or its limit of 24 hours, is replaced before:
the next one is opened, both are read for a while, each event is taken once, and only then the old one is closed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from actors.venues.binance.books import Books
from actors.venues.binance.feed_link import FeedLink
from actors.venues.binance.frames import AFTER_HEAD, UNREADABLE, StreamFrame, head_of
from actors.venues.binance.interface import SPOT, Address, Interface
from actors.venues.binance.market_fallback import MarketFallback, PollRule
from actors.venues.binance.seam import Seam
from actors.venues.binance.streams import BOOK, TRADE, Handler, StreamReader, ignored, stream_name
from actors.venues.binance_api.limits import RateLimits
from actors.venues.binance_api.link_watch import Health, LinkWatch
from actors.venues.contract import BadFrame, CloseLink, OpenLink, Output, SendFrame, WakeUp
from runtime.clock import NS_PER_S
from runtime.message import Lane

STREAMS_PER_LINK = 300
"""The venue allows 1024 on one connection; fewer keep the address short and one lost link small."""
SHUTDOWN = "!serverShutdown"

SUBSCRIBE, RENEW, HAND_OVER, SEAM = "subscribe:", "renew:", "hand-over:", "seam"
"""Tags of wake-ups; what ends with a colon is followed by the name of a link."""
LIFE_NS = 23 * 3600 * NS_PER_S + 1800 * NS_PER_S
"""After so long a socket is replaced; the venue cuts it off after 24 hours."""
OVERLAP_NS = 2 * NS_PER_S
"""Both sockets are read for so long: longer than the old one may lag behind the new one."""
SEAM_NS = 60 * NS_PER_S
"""What the new socket may still repeat after the old one is closed is older than that."""


class MarketData:
    """Links are called `feed-0`, `feed-1`, …, their later sockets `feed-0.1`, `feed-0.2`, …"""

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        stream_url: str,
        books: Books,
        streams_per_link: int = STREAMS_PER_LINK,
        interface: Interface = SPOT,
        reader: StreamReader | None = None,
    ) -> None:
        self.symbols = list(symbols)
        """Quotes, trades and book of each always come."""
        self._venue = venue
        self._url = stream_url
        self._interface = interface
        self._streams_per_link = streams_per_link
        self._books = books
        self._reader = reader or StreamReader(venue)
        self._decode_frame = msgspec.json.Decoder(StreamFrame).decode
        self._handlers: dict[bytes, Handler] = {}
        """By head of the stream's frames; one that was ended keeps a handler that ignores what still comes."""
        self._kinds: dict[str, tuple[str, str]] = {}
        """Stream → (kind, symbol)."""
        self._links: list[FeedLink] = []
        self._opened: Counter[str] = Counter()
        """Links so far, by address."""
        self._link_of: dict[str, FeedLink] = {}
        """By name of socket."""
        self._carrier: dict[str, FeedLink] = {}
        """Streams that somebody asked for, and who carries them."""
        self._seam: Seam | None = None
        """While sockets are handed over, and a little longer."""
        self._watches: dict[str, LinkWatch] = {}
        """By name of those links that carry what always comes, if anything replaces them."""
        self._seam_until = 0
        self._after_ns = 0
        self._fallback: MarketFallback | None = None
        for address in interface.addresses:
            per_link = max(1, streams_per_link // len(address.always))
            for first in range(0, len(symbols), per_link):
                link = self._add_link(address)
                for symbol in symbols[first : first + per_link]:
                    link.always += [self._add_stream(kind, symbol, link) for kind in address.always]

    def fall_back(
        self, rest_url: str, limits: RateLimits, rule: PollRule, *, after_ns: int, poll_ns: int
    ) -> MarketFallback:
        """Go on by REST when a link is down or silent for longer than `after_ns`."""
        self._after_ns = after_ns
        self._watches = {link.name: LinkWatch(after_ns) for link in self._links}
        self._fallback = MarketFallback(
            self._venue, rest_url, limits, self._books, self._handlers, self._reader.last_trades, poll_ns, rule
        )
        return self._fallback

    @property
    def fallback(self) -> MarketFallback | None:
        return self._fallback

    @property
    def links(self) -> dict[str, str]:
        """Name of the present socket → address."""
        return {link.socket: link.url for link in self._links}

    def _add_link(self, address: Address) -> FeedLink:
        link = FeedLink(f"{address.name}-{self._opened[address.name]}", self._url + address.path, address.name)
        self._opened[address.name] += 1
        self._links.append(link)
        self._link_of[link.socket] = link
        return link

    def _add_stream(self, kind: str, symbol: str, link: FeedLink) -> str:
        stream = self._stream(kind, symbol)
        self._kinds[stream] = kind, symbol
        if kind == BOOK:
            self._books.add(symbol, link.name)
            self._handlers[head_of(stream)] = partial(self._books.on_update, symbol)
        else:
            self._handlers[head_of(stream)] = self._reader.handler(kind, symbol)
        return stream

    def _stream(self, kind: str, symbol: str) -> str:
        return stream_name(symbol, self._interface.streams[kind])

    # ---- what is wanted ------------------------------------------------------------------------------------------

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        address = next((each for each in self._interface.addresses if kind in each.on_demand), None)
        if address is None:
            return []
        stream = self._stream(kind, symbol)
        if stream in self._carrier or any(stream in link.always or stream in link.added for link in self._links):
            return []
        link, outputs = self._with_room(address, 1)
        self._carrier[stream] = link
        self._add_stream(kind, symbol, link)
        link.wanted.add(stream)
        return outputs + self._subscribe(link, now)

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        stream = self._stream(kind, symbol) if kind in self._interface.streams else ""
        link = self._carrier.pop(stream, None)
        if link is None:
            return []
        link.wanted.discard(stream)
        self._handlers[head_of(stream)] = ignored
        if kind == BOOK:
            self._books.remove(symbol)
        return self._subscribe(link, now)

    def carry(self, symbols: Sequence[str], now: int) -> list[Output]:
        """What always comes is of these symbols from now on. Streams of others end, and links that have none left."""
        gone = set(self.symbols) - set(symbols)
        new = [symbol for symbol in symbols if symbol not in self.symbols]
        self.symbols = list(symbols)
        outputs: list[Output] = []
        for address in self._interface.addresses:
            for symbol in new:
                link, opening = self._with_room(address, len(address.always))
                outputs += opening
                for kind in address.always:
                    asked = self._carrier.pop(self._stream(kind, symbol), None)
                    if asked is None:
                        link.added.add(self._add_stream(kind, symbol, link))
                    else:  # it comes already, to who asked for it
                        asked.wanted.discard(self._stream(kind, symbol))
                        asked.added.add(self._stream(kind, symbol))
            for stream in {self._stream(kind, symbol) for kind in address.always for symbol in gone}:
                self._drop(stream)
        for link in list(self._links):
            outputs += self._subscribe(link, now) if link.streams else self._close(link)
        return outputs

    def carries(self, symbol: str) -> bool:
        """The venue sends all that always comes of it, as far as it has said."""
        streams = [self._stream(kind, symbol) for address in self._interface.addresses for kind in address.always]
        return all(any(link.carries(stream) for link in self._links) for stream in streams)

    def _drop(self, stream: str) -> None:
        for link in self._links:
            link.drop(stream)
        kind, symbol = self._kinds[stream]
        self._handlers[head_of(stream)] = ignored
        if kind == BOOK:
            self._books.remove(symbol)

    def _close(self, link: FeedLink) -> list[Output]:
        self._links.remove(link)
        self._watches.pop(link.name, None)
        if self._fallback is not None:
            self._fallback.forget(link.name)
        sockets = [socket for socket, of in self._link_of.items() if of is link]
        for socket in sockets:
            del self._link_of[socket]
        return [CloseLink(socket) for socket in sockets]

    def _with_room(self, address: Address, streams: int) -> tuple[FeedLink, list[Output]]:
        """A link that can take so many more, and what opens it if it is new."""
        most = max(self._streams_per_link, streams)
        for link in self._links:
            if link.address == address.name and link.streams + streams <= most:
                return link, []
        link = self._add_link(address)
        if self._fallback is not None:
            self._watches[link.name] = LinkWatch(self._after_ns)
        return link, [OpenLink(link.socket, link.url, Lane.FEED)]

    def _subscribe(self, link: FeedLink, now: int) -> list[Output]:
        outputs: list[Output] = []
        for socket, (payloads, wait) in link.messages(now).items():
            outputs += [SendFrame(socket, payload) for payload in payloads]
            if wait and not link.is_waiting:
                link.is_waiting = True
                outputs.append(WakeUp(wait, SUBSCRIBE + link.name))
        return outputs

    # ---- sockets -------------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return [OpenLink(link.socket, link.url, Lane.FEED) for link in self._links]

    def on_link_up(self, socket: str, now: int) -> list[Output]:
        link = self._link_of.get(socket)
        if link is None:
            return []
        link.on_up(socket, now)
        outputs = [*self._subscribe(link, now), WakeUp(LIFE_NS, RENEW + socket)]
        if socket == link.socket:
            outputs += self._on_up_again(link, now)
        if socket == link.next_socket:
            if not link.is_up:
                return outputs + self._hand_over(link, now)
            outputs.append(WakeUp(OVERLAP_NS, HAND_OVER + socket))
        return outputs

    def on_link_down(self, socket: str, reason: str, now: int) -> list[Output]:
        link = self._link_of.get(socket)
        if link is None:
            return []
        link.on_down(socket)
        if socket == link.next_socket:
            return []
        if link.next_is_up:
            return self._hand_over(link, now)
        if link.name in self._watches:
            self._watches[link.name].on_down(reason, now)
        if self._fallback is not None:
            self._fallback.on_link_down(link.name)
        return self._books.on_link_down(link.name, reason, now)

    # ---- when links are down -------------------------------------------------------------------------------------

    def _on_up_again(self, link: FeedLink, now: int) -> list[Output]:
        """What has been polled is polled until something is heard: so something is asked."""
        if link.name in self._watches:
            self._watches[link.name].on_up(now)
        is_polled = self._fallback is not None and self._fallback.is_polled(link.name)
        return [SendFrame(socket, self._interface.probe) for socket in link.probe(now)] if is_polled else []

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        """Time to look for links that are lost, and for those that are back. `heard` as in `FallsBack.watch`."""
        outputs: list[Output] = []
        fallback = self._fallback
        if fallback is None:
            return outputs
        for link in self._links:
            watch = self._watches.get(link.name)
            if watch is None:
                continue
            match watch.look(heard.get(link.socket, 0), now):
                case Health.UNSURE:
                    pass
                case Health.HEARD:
                    outputs += fallback.on_heard(link.name, now)
                case Health.QUIET:
                    outputs += [SendFrame(socket, self._interface.probe) for socket in link.probe(now)]
                case Health.FROZEN:
                    watch.on_frozen(now)
                    outputs.append(OpenLink(link.socket, link.url, Lane.FEED))
                case Health.LOST if not fallback.is_polled(link.name):
                    carried = [(stream, *self._kinds[stream]) for stream in link.carried]
                    books = [symbol for _, kind, symbol in carried if kind == BOOK]
                    trades = {symbol: stream for stream, kind, symbol in carried if kind == TRADE}
                    outputs += fallback.begin(link.name, watch.reason, books, trades, now)
                case Health.LOST:
                    pass
        return outputs

    def _replace(self, link: FeedLink, now: int) -> list[Output]:
        """Open the next socket; the present one goes on until that one has taken over."""
        if link.next_socket:
            return []
        socket = link.begin_next()
        self._link_of[socket] = link
        self._seam = self._seam or Seam(self._interface.numbers)
        self._seam_until = now + SEAM_NS
        return [OpenLink(socket, link.url, Lane.FEED)]

    def _hand_over(self, link: FeedLink, now: int) -> list[Output]:
        old = link.finish_next()
        if link.is_up and link.name in self._watches:
            self._watches[link.name].on_up(now)
        del self._link_of[old]
        self._seam_until = now + SEAM_NS
        return [CloseLink(old), WakeUp(SEAM_NS, SEAM)]

    def on_wake_up(self, tag: str, now: int) -> list[Output] | None:
        """None for a tag that is not of here."""
        kind, colon, name = tag.partition(":")
        match kind + colon:
            case "subscribe:":
                waiting = next((link for link in self._links if link.name == name), None)
                if waiting is None:
                    return []
                waiting.is_waiting = False
                return self._subscribe(waiting, now)
            case "renew:":
                renewed = self._link_of.get(name)
                return self._replace(renewed, now) if renewed and renewed.is_due(name, now, LIFE_NS) else []
            case "hand-over:":
                handed = self._link_of.get(name)
                return self._hand_over(handed, now) if handed and handed.next_socket == name else []
            case "poll-market" if self._fallback is not None:
                return self._fallback.on_wake_up(now)
            case "seam":
                if now >= self._seam_until:
                    self._seam = None
                return []
            case _:
                return None

    def probe(self, now: int) -> list[Output]:
        """Asks each socket something, and again what it has not answered."""
        outputs: list[Output] = []
        for link in self._links:
            outputs += [SendFrame(socket, self._interface.probe) for socket in link.probe(now)]
            outputs += self._subscribe(link, now)
        return outputs

    # ---- frames --------------------------------------------------------------------------------------------------

    def on_frames(self, socket: str, payloads: Sequence[bytes], ts_recv: int) -> tuple[list[Output], int]:
        """As `BatchReader`: those before the first that is not plainly an event of a stream, whatever the link."""
        outputs: list[Output] = []
        if self._seam is not None:
            return outputs, 0
        handlers = self._handlers
        for number, payload in enumerate(payloads):
            handle = handlers.get(payload[: payload.find(b'"', AFTER_HEAD)])
            if handle is None:
                return outputs, number
            try:
                outputs += handle(payload, ts_recv)
            except UNREADABLE as error:
                return [*outputs, *self._unreadable(socket, payload, error, ts_recv)], number + 1
        return outputs, len(payloads)

    def on_frame(self, socket: str, payload: bytes, ts_recv: int) -> list[Output]:
        stream = ""
        try:
            frame = self._decode_frame(payload)
            stream = frame.stream
            handle = self._handlers.get(head_of(stream))
            if handle is not None:
                if self._seam is not None and self._seam.repeats(self._kinds[stream][0], stream, frame.data):
                    return []
                return handle(payload, ts_recv)
        except UNREADABLE as error:
            return self._garbage(socket, stream, payload, error, ts_recv)
        link = self._link_of.get(socket)
        if stream == SHUTDOWN and link is not None:
            return self._replace(link, ts_recv)
        if not stream and frame.id is not None and link is not None:
            streams = link.on_answer(socket, frame.id)
            if frame.code is None and frame.error is None:
                return []
            reason = f"refused {', '.join(streams)[:60]}: {frame.code} {frame.msg}{frame.error or ''}"
            return [BadFrame(socket, payload, reason, drop_link=False)]
        return [BadFrame(socket, payload, f"unknown stream {stream[:60]!r}", drop_link=False)]

    def _unreadable(self, socket: str, payload: bytes, error: Exception, now: int) -> list[Output]:
        try:
            stream = self._decode_frame(payload).stream
        except UNREADABLE as worse:
            return self._garbage(socket, "", payload, worse, now)
        return self._garbage(socket, stream, payload, error, now)

    def _garbage(self, socket: str, stream: str, payload: bytes, error: Exception, now: int) -> list[Output]:
        """A bad event of a book costs that book; a frame that is not even one casts doubt on its whole link."""
        reason = f"{type(error).__name__}: {error}"
        bad = BadFrame(socket, payload, reason, drop_link=not stream)
        kind, symbol = self._kinds.get(stream, ("", ""))
        return [*self._books.invalidate(symbol, f"MALFORMED: {reason}", now), bad] if kind == BOOK else [bad]
