"""A connector's market data on its topics, and what a new subscriber begins with."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from actors.connector.validation import Validator
from actors.messages import (
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    EventQuarantined,
    MarketEvent,
    Quote,
    Trade,
)
from runtime.actor import Context
from runtime.message import Overflow

Books = Callable[[str], BookSnapshot | BookInvalidated | None]
"""symbol → the present book."""

KEPT = 16
"""Quarantined events."""


class Topics(dict[str, str]):
    """Symbol → topic of one kind."""

    def __init__(self, kind: str, venue: str, symbols: Iterable[str]) -> None:
        super().__init__((symbol, f"{kind}.{venue}.{symbol}") for symbol in symbols)
        self._prefix = f"{kind}.{venue}."

    def __missing__(self, symbol: str) -> str:
        topic = self[symbol] = self._prefix + symbol
        return topic


class MarketPublisher:
    """Topics are `<kind>.<venue>.<symbol>`; how old an event was is measured as `feed_venue`.

    Its age is by two clocks: what the skew between them makes negative counts as zero. Of what one read of the socket
    brought the first is measured.
    """

    def __init__(self, venue: str, symbols: Iterable[str]) -> None:
        self._venue = venue
        self._quote_topics = Topics("quote", venue, symbols)
        self._trade_topics = Topics("trade", venue, symbols)
        self._book_topics = Topics("book", venue, symbols)
        self._last: dict[str, MarketEvent] = {}
        """The last one of each topic, where it is the whole truth about it."""
        validator = Validator()
        self._check_quote, self._check_trade, self._check = validator.quote, validator.trade, validator.other
        self._ranges = validator.ranges
        self.quarantined: Counter[str] = Counter()
        """By the rule that was broken."""
        self.kept: deque[EventQuarantined] = deque(maxlen=KEPT)
        """The last few of them."""
        self._built: set[str] = set()
        self._measured = 0
        """`ts_recv` of the last event that was measured."""
        self.resyncs = 0
        """Books built anew; the first of each symbol is not counted."""

    def publish_quote(self, quote: Quote, ctx: Context) -> None:
        seen = self._ranges[quote.symbol]
        try:
            is_usual = seen.low <= float(quote.bid) < float(quote.ask) <= seen.high
        except ValueError:
            is_usual = False
        if not (is_usual and quote.ts_recv < seen.ends > quote.ts_venue):
            reason = self._check_quote(quote)
            if reason:
                self._quarantine(quote, quote.ts_recv, reason, ctx)
                return
        topic = self._quote_topics[quote.symbol]
        self._last[topic] = quote
        ctx.publish(topic, quote)

    def publish_trade(self, trade: Trade, ctx: Context) -> None:
        seen = self._ranges[trade.symbol]
        try:
            is_usual = seen.low <= float(trade.price) <= seen.high
        except ValueError:
            is_usual = False
        if not (is_usual and trade.ts_recv < seen.ends > trade.ts_venue):
            reason = self._check_trade(trade)
            if reason:
                self._quarantine(trade, trade.ts_recv, reason, ctx)
                return
        ctx.publish(self._trade_topics[trade.symbol], trade)
        if trade.ts_recv != self._measured:
            self._measure(trade, ctx)

    def publish_delta(self, delta: BookDelta, ctx: Context) -> None:
        ctx.publish(self._book_topics[delta.symbol], delta)
        if delta.ts_recv != self._measured:
            self._measure(delta, ctx)

    def _measure(self, event: Trade | BookDelta, ctx: Context) -> None:
        self._measured = event.ts_recv
        delay_ns = event.ts_recv - event.ts_venue
        ctx.measure("feed_venue", self._venue, delay_ns if delay_ns > 0 else 0)

    def publish_snapshot(self, snapshot: BookSnapshot, ctx: Context) -> None:
        """Of a book that was just built."""
        if not snapshot.degraded:
            if snapshot.symbol in self._built:
                self.resyncs += 1
            self._built.add(snapshot.symbol)
        self.publish_book(snapshot, ctx)

    def publish_book(self, event: BookSnapshot | BookInvalidated, ctx: Context) -> None:
        ctx.publish(self._book_topics[event.symbol], event)

    def publish_event(self, event: MarketEvent, ctx: Context) -> None:
        """Of any other kind."""
        reason = self._check(event)
        if reason:
            self._quarantine(event, ctx.now(), reason, ctx)
            return
        topic = event.topic
        if event.overflow is Overflow.LATEST:
            self._last[topic] = event
        ctx.publish(topic, event)

    def _quarantine(self, event: MarketEvent, ts_recv: int, reason: str, ctx: Context) -> None:
        text = msgspec.json.encode(event).decode()
        quarantined = EventQuarantined(self._venue, event.symbol, reason, text, ts_recv)
        self.quarantined[reason] += 1
        self.kept.append(quarantined)
        ctx.publish(quarantined.topic, quarantined)

    def begin(self, patterns: Sequence[str], books: Books, ctx: Context) -> None:
        """Publish the present state of every topic that matches."""
        for symbol, topic in self._book_topics.items():
            if any(fnmatchcase(topic, pattern) for pattern in patterns):
                self._publish_present(books(symbol), ctx)
        for topic, event in self._last.items():
            if any(fnmatchcase(topic, pattern) for pattern in patterns):
                ctx.publish(topic, event)

    def forget(self, kind: str, symbol: str) -> None:
        """Its stream has ended: what it last said grows old."""
        self._last.pop(f"{kind}.{self._venue}.{symbol}", None)
        if kind == "book":
            self._book_topics.pop(symbol, None)

    def expect(self, kind: str, symbol: str) -> None:
        """Its stream begins."""
        if kind == "book":
            self._book_topics[symbol]

    def refresh(self, topic: str, books: Books, ctx: Context) -> None:
        """Publish a book again whose chain was broken for somebody."""
        for symbol, book_topic in self._book_topics.items():
            if book_topic == topic:
                self._publish_present(books(symbol), ctx)

    def _publish_present(self, book: BookSnapshot | BookInvalidated | None, ctx: Context) -> None:
        if book is not None:
            self.publish_book(book, ctx)
