"""What one actor reads of the market, and from whom: a symbol is read wherever it is published, each event once."""

from collections.abc import Iterable, Mapping, Sequence

from actors import names
from actors.arbitration import Arbiter
from actors.handover import Handover
from actors.messages import FeedsMoved, MarketEvent
from actors.settings import VenueSettings
from actors.shards import Publishers
from runtime.actor import Context
from runtime.clock import NS_PER_S
from runtime.message import Message

LINGER_NS = 5 * NS_PER_S
"""What the new publisher may still repeat after the old one was left is older than that."""

Key = tuple[str, str]
"""(venue, symbol)."""


class MarketFeeds:
    """Made for each life of its actor; `venues` are those of the whole desk.

    It is the actor's `Merger` for publishers of what comes from more than one, for a while or for good.
    """

    def __init__(self, venues: Mapping[str, VenueSettings]) -> None:
        self._publishers = Publishers(venues)
        self._read: dict[Key, dict[str, None]] = {}
        """Kinds."""
        self._ctx: Context
        self._arbiter: Arbiter | None = None
        self._several: set[Key] = set()
        """What goes through the arbiter."""
        self._handovers: dict[Key, Handover] = {}
        self._ends: dict[Key, int] = {}
        """When what has one publisher again goes through the arbiter no longer."""
        self._merged: set[str] = set()
        """Publishers."""

    @property
    def arbiter(self) -> Arbiter | None:
        """None before anything was published by more than one."""
        return self._arbiter

    # ---- subscribing

    def read(self, venue: str, symbols: Sequence[str], kinds: Iterable[str], ctx: Context) -> None:
        kinds = tuple(kinds)
        for publisher, share in self._shares(venue, symbols, kinds, ctx).items():
            ctx.subscribe(publisher, *_topics(venue, share, kinds))

    def read_venue(self, venue: str, symbols: Sequence[str], ctx: Context) -> None:
        """Its state and its account, and the quotes of these symbols."""
        patterns = {names.connector(venue): [f"venue.{venue}"]}
        for publisher, share in self._shares(venue, symbols, ("quote",), ctx).items():
            patterns.setdefault(publisher, []).extend(_topics(venue, share, ("quote",)))
        for publisher, wanted in patterns.items():
            ctx.subscribe(publisher, *wanted)

    def _shares(self, venue: str, symbols: Sequence[str], kinds: Sequence[str], ctx: Context) -> dict[str, list[str]]:
        """Publisher → what of these it publishes. What comes from more than one is arbitrated from now on."""
        self._ctx = ctx
        for symbol in symbols:
            self._read.setdefault((venue, symbol), {}).update(dict.fromkeys(kinds))
            publishers = self._publishers.of(venue, symbol)
            if len(publishers) > 1:
                self._several.add((venue, symbol))
                self._merge(publishers)
        return dict(self._publishers.by_publisher(venue, symbols))

    def leave(self, venue: str, symbols: Sequence[str], kinds: Iterable[str], ctx: Context) -> None:
        kinds = tuple(kinds)
        for symbol in symbols:
            read = self._read.get((venue, symbol), {})
            for kind in kinds:
                read.pop(kind, None)
            if not read:
                self._forget((venue, symbol))
        for publisher, share in self._publishers.by_publisher(venue, symbols):
            ctx.unsubscribe(publisher, *_topics(venue, share, kinds))

    def counters(self) -> dict[str, int]:
        """Of what is published by more than one: what came again, and trades that none of them brought."""
        if self.arbiter is None:
            return {}
        counts = self.arbiter.counts()
        return {"repeated": counts.repeated, "missed": counts.gaps}

    def on_venues(self, venues: Mapping[str, VenueSettings]) -> None:
        """There are others now, or some are gone: nobody reads those any longer."""
        self._publishers.on_venues(venues)
        for key in [key for key in self._read if key[0] not in venues]:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        for of_symbols in (self._read, self._handovers, self._ends):
            of_symbols.pop(key, None)
        self._several.discard(key)

    def of(self, instrument: str) -> tuple[str, ...]:
        """Who publishes it, e.g. `binance.BTCUSDT`; who will keep it comes first."""
        venue, _, symbol = instrument.partition(".")
        return self._publishers.of(venue, symbol)

    # ---- moving

    def on_moved(self, moved: FeedsMoved, ctx: Context) -> None:
        """Read from whoever publishes it now, and from nobody else."""
        self._ctx = ctx
        joined: dict[str, list[str]] = {}
        left: dict[str, list[str]] = {}
        for symbol, publishers in moved.publishers.items():
            key = (moved.venue, symbol)
            before = self._publishers.of(*key)
            self._publishers.move(*key, publishers)
            if publishers == before or key not in self._read:
                continue
            topics = _topics(moved.venue, [symbol], self._read[key])
            self._hand_over(key, before, publishers, topics)
            for publisher in publishers:
                if publisher not in before:
                    joined.setdefault(publisher, []).extend(topics)
            for publisher in before:
                if publisher not in publishers:
                    left.setdefault(publisher, []).extend(topics)
        for publisher, patterns in joined.items():
            ctx.watch(publisher)
            ctx.subscribe(publisher, *patterns)
        for publisher, patterns in left.items():
            ctx.unsubscribe(publisher, *patterns)

    def _hand_over(self, key: Key, before: tuple[str, ...], publishers: tuple[str, ...], topics: list[str]) -> None:
        ctx = self._ctx
        now = ctx.now()
        self._merge((*before, *publishers))
        self._ends.pop(key, None)
        if key not in self._several:
            self._several.add(key)
            assert self._arbiter is not None
            self._handovers[key] = Handover(before, topics, now, self._arbiter)
            for topic in topics:
                if topic.startswith("book."):
                    for publisher in before:
                        ctx.refresh(publisher, topic)
        if len(publishers) == 1:
            self._ends[key] = now + LINGER_NS

    def _merge(self, publishers: Iterable[str]) -> None:
        ctx = self._ctx
        self._arbiter = self._arbiter or Arbiter(ctx.refresh)
        if new := set(publishers) - self._merged:
            self._merged |= new
            ctx.merge(self, *sorted(new))

    # ---- Merger

    def take(self, source: str, event: Message, now: int) -> Sequence[Message]:
        if not isinstance(event, MarketEvent) or self._arbiter is None:
            return (event,)
        key = (event.venue, event.symbol)
        if key not in self._several:
            return (event,)
        handover = self._handovers.get(key) if self._handovers else None
        return (handover or self._arbiter).take(source, event, now)

    def gone(self, source: str, reason: str, now: int, kept: Sequence[str] = ()) -> Sequence[Message]:
        passed: list[Message] = []
        for key, handover in list(self._handovers.items()):
            topics = _topics(key[0], [key[1]], self._read[key])
            if source in handover.known and not set(topics) <= set(kept):
                passed += self._open(key, now)
        return passed if self._arbiter is None else [*passed, *self._arbiter.gone(source, reason, now, kept)]

    def shed(self, topic: str) -> None:
        if self._arbiter is not None:
            self._arbiter.shed(topic)

    @property
    def due(self) -> int:
        due = self._arbiter.due if self._arbiter is not None else 0
        if not self._handovers and not self._ends:
            return due
        times = (*self._ends.values(), *(handover.opens for handover in self._handovers.values()))
        return min(times) if not due else min(due, *times)

    def release(self, now: int) -> Sequence[Message]:
        passed: list[Message] = []
        for key in [key for key, handover in self._handovers.items() if now >= handover.opens]:
            passed += self._open(key, now)
        if self._arbiter is not None:
            passed += self._arbiter.release(now)
        for key in [key for key, end in self._ends.items() if now >= end]:
            self._end(key)
        return passed

    def _open(self, key: Key, now: int) -> list[MarketEvent]:
        return self._handovers.pop(key).open(now)

    def _end(self, key: Key) -> None:
        """It has one publisher, who has come further than what has passed."""
        del self._ends[key]
        self._several.discard(key)
        assert self._arbiter is not None
        self._arbiter.forget(*key)
        if not self._several:
            merged, self._merged = self._merged, set()
            self._ctx.merge(None, *sorted(merged))


def _topics(venue: str, symbols: Iterable[str], kinds: Iterable[str]) -> list[str]:
    return [f"{kind}.{venue}.{symbol}" for symbol in symbols for kind in kinds]
