"""A connector's market data on its topics, and what a new subscriber begins with."""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from actors.messages import BookDelta, BookInvalidated, BookSnapshot, Quote, Trade
from runtime.actor import Context

Books = Callable[[str], BookSnapshot | BookInvalidated | None]
"""symbol → the present book."""


class MarketPublisher:
    """Topics are `quote.<venue>.<symbol>`, `trade.…` and `book.…`; how old an event was is measured as `feed_venue`."""

    def __init__(self, venue: str, symbols: Iterable[str]) -> None:
        self._venue = venue
        self._quote_topics = {symbol: f"quote.{venue}.{symbol}" for symbol in symbols}
        self._trade_topics = {symbol: f"trade.{venue}.{symbol}" for symbol in symbols}
        self._book_topics = {symbol: f"book.{venue}.{symbol}" for symbol in symbols}
        self._quotes: dict[str, Quote] = {}
        """The last one of each topic."""
        self._built: set[str] = set()
        self.resyncs = 0
        """Books built anew; the first of each symbol is not counted."""

    def publish_quote(self, quote: Quote, ctx: Context) -> None:
        topic = self._quote_topics[quote.symbol]
        self._quotes[topic] = quote
        ctx.publish(topic, quote)

    def publish_trade(self, trade: Trade, ctx: Context) -> None:
        ctx.publish(self._trade_topics[trade.symbol], trade)
        self._measure(trade.ts_recv - trade.ts_venue, ctx)

    def publish_delta(self, delta: BookDelta, ctx: Context) -> None:
        ctx.publish(self._book_topics[delta.symbol], delta)
        self._measure(delta.ts_recv - delta.ts_venue, ctx)

    def publish_snapshot(self, snapshot: BookSnapshot, ctx: Context) -> None:
        """Of a book that was just built."""
        if snapshot.symbol in self._built:
            self.resyncs += 1
        self._built.add(snapshot.symbol)
        self.publish_book(snapshot, ctx)

    def publish_book(self, event: BookSnapshot | BookInvalidated, ctx: Context) -> None:
        ctx.publish(self._book_topics[event.symbol], event)

    def begin(self, patterns: Sequence[str], books: Books, ctx: Context) -> None:
        """Publish the present state of every topic that matches."""
        for symbol, topic in self._book_topics.items():
            if any(fnmatchcase(topic, pattern) for pattern in patterns):
                self._publish_present(books(symbol), ctx)
        for topic, quote in self._quotes.items():
            if any(fnmatchcase(topic, pattern) for pattern in patterns):
                ctx.publish(topic, quote)

    def refresh(self, topic: str, books: Books, ctx: Context) -> None:
        """Publish a book again whose chain was broken for somebody."""
        for symbol, book_topic in self._book_topics.items():
            if book_topic == topic:
                self._publish_present(books(symbol), ctx)

    def _publish_present(self, book: BookSnapshot | BookInvalidated | None, ctx: Context) -> None:
        if book is not None:
            self.publish_book(book, ctx)

    def _measure(self, delay_ns: int, ctx: Context) -> None:
        """By two clocks: what the skew between them makes negative counts as zero."""
        ctx.measure("feed_venue", self._venue, delay_ns if delay_ns > 0 else 0)
