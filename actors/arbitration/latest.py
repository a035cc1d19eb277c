"""Events of which only the newest counts, as quotes: none passes that is not newer than the last.

They are compared by the venue's own number, where it gives one, else by its time, else the last to come is the newest.
A lower number after `ANEW_NS` in which nothing passed shows that the venue counts from the beginning. What a source
asks for by REST because its stream is down passes only while no other source has its stream.
"""

from collections.abc import Sequence

from actors.messages import BookLevels, Kline, MarketEvent, Quote
from runtime.clock import NS_PER_S

ANEW_NS = 5 * NS_PER_S
"""Longer than any source lags behind and is not given up."""

NOTHING: tuple[MarketEvent, ...] = ()
NEVER = (-1, 0, 0)
UNKNOWN = (0, 0, 0)
Newness = tuple[int, int, int]


class LatestLine:
    def __init__(self) -> None:
        self.repeated = 0
        self.gaps = 0
        self.due = 0
        self._last = NEVER
        """Of what passed last; `NEVER` when anything may follow."""
        self._passed_at = 0
        self._streaming: set[str] = set()
        """Sources whose last event came from their stream."""

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        if isinstance(event, Quote) and event.degraded:
            return self._take_degraded(source, event)
        self._streaming.add(source)
        newness, last = _newness(event), self._last
        if newness > last or newness == UNKNOWN or (newness < last and now - self._passed_at > ANEW_NS):
            self._last, self._passed_at = newness, now
            return (event,)
        self.repeated += 1
        return NOTHING

    def _take_degraded(self, source: str, event: Quote) -> Sequence[MarketEvent]:
        self._streaming.discard(source)
        if self._streaming:
            self.repeated += 1
            return NOTHING
        self._last = NEVER
        return (event,)

    def gone(self, source: str, reason: str, now: int) -> Sequence[MarketEvent]:
        self._streaming.discard(source)
        return NOTHING

    def shed(self) -> None:
        """The same event may come again: the reader has lost it."""
        self._last = NEVER

    def release(self, now: int) -> Sequence[MarketEvent]:
        return NOTHING


def _newness(event: MarketEvent) -> Newness:
    """Greater is newer; equal is the same; all zero is not known."""
    match event:
        case Quote():
            return (event.sequence or event.ts_venue, 0, 0)
        case BookLevels():
            return (event.sequence, 0, 0)
        case Kline():
            return (event.start, 1, 0) if event.closed else (event.start, 0, event.ts_venue)
        case _:
            return (getattr(event, "ts_venue", 0), 0, 0)
