"""One symbol on its way from one connector to another, as one reader hears it at the beginning.

The reader hears both. What the new one tells waits until the old one has shown, topic by topic, how far the reader has
come: with its next event, of a book with its whole state, or by saying nothing for `QUIET_NS`. From then on the arbiter
lets each event pass once, from whichever tells it first.

Pure: no I/O and no timer.
"""

from collections.abc import Collection, Sequence

from actors.arbitration import Arbiter
from actors.messages import BookDelta, MarketEvent
from runtime.clock import NS_PER_MS

QUIET_NS = 500 * NS_PER_MS
"""Longer than one connector lags behind another. The old one is left much later."""


class Handover:
    """Over at `opens`, when `open` has to be called, or when its last topic has begun."""

    def __init__(self, known: Collection[str], topics: Collection[str], now: int, arbiter: Arbiter) -> None:
        """`known`: who has told the reader all that it has heard of these topics so far."""
        self.known = frozenset(known)
        self.opens = now + QUIET_NS
        self._arbiter = arbiter
        self._closed = set(topics)
        self._waiting: dict[str, list[tuple[str, MarketEvent]]] = {}

    def take(self, publisher: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        topic = event.topic
        if topic not in self._closed:
            return self._arbiter.take(publisher, event, now)
        if publisher not in self.known:
            self._waiting.setdefault(topic, []).append((publisher, event))
            return ()
        self._arbiter.take(publisher, event, now)
        if isinstance(event, BookDelta):
            return (event,)  # the reader can use it; the arbiter has asked for the whole book
        return [event, *self._begin(topic, now)]

    def open(self, now: int) -> list[MarketEvent]:
        """Nothing has to wait any more."""
        return [event for topic in sorted(self._closed) for event in self._begin(topic, now)]

    def _begin(self, topic: str, now: int) -> list[MarketEvent]:
        self._closed.discard(topic)
        waiting = self._waiting.pop(topic, ())
        return [passed for publisher, event in waiting for passed in self._arbiter.take(publisher, event, now)]
