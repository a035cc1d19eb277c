"""One book out of several sources that each keep it in step with the venue.

An update holds every level that changed after `previous` up to `sequence`, with the quantity it then had. So it leads
any book between the two to `sequence`, also one that another source brought there: levels that changed before that are
set to what they are already. What ends at or before the book's sequence is known; what begins after it cannot be used.

A source *carries* the book on when it stands at the book's sequence or before it: its next updates reach it. While one
does, that another lost its book is no news. When none does, the book is INVALID until a snapshot comes, and those that
have gone further than the book are asked for one.
"""

from collections.abc import Callable, Sequence
from enum import Enum

import msgspec

from actors.messages import BookDelta, BookInvalidated, BookSnapshot, MarketEvent

NOTHING: tuple[MarketEvent, ...] = ()


class State(Enum):
    UNKNOWN = "UNKNOWN"
    """Nothing has passed yet."""
    VALID = "VALID"
    POLLED = "POLLED"
    """The best levels only, asked for while no source has the stream; no update continues it."""
    INVALID = "INVALID"


class BookLine:
    """`ask(source)` is called when a source is to tell its whole book again."""

    def __init__(self, venue: str, symbol: str, ask: Callable[[str], None]) -> None:
        self.repeated = 0
        self.gaps = 0
        self.due = 0
        self._venue = venue
        self._symbol = symbol
        self._ask = ask
        self._state = State.UNKNOWN
        self._sequence = 0
        self._stands: dict[str, int] = {}
        """Source → the sequence up to which it has told its book; only those that have one."""
        self._polling: dict[str, int] = {}
        """The same of those that ask for the best levels."""
        self._asked: set[str] = set()

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        if type(event) is BookDelta:
            return self._on_delta(source, event, now)
        if isinstance(event, BookSnapshot):
            return self._on_snapshot(source, event)
        assert isinstance(event, BookInvalidated)
        return self._on_invalidated(source, event)

    def _on_delta(self, source: str, delta: BookDelta, now: int) -> Sequence[MarketEvent]:
        stood, reached = self._sequence, delta.sequence
        self._stands[source] = reached
        if self._state is not State.VALID:
            self._want(source)
            return NOTHING
        if reached <= stood:
            self.repeated += 1
            return NOTHING
        if delta.previous <= stood:
            self._sequence = reached
            return (delta if delta.previous == stood else msgspec.structs.replace(delta, previous=stood),)
        return self._lose(f"GAP: update of {source} continues {delta.previous}, book stands at {stood}", now)

    def _on_snapshot(self, source: str, snapshot: BookSnapshot) -> Sequence[MarketEvent]:
        if snapshot.degraded:
            return self._on_polled(source, snapshot)
        self._polling.pop(source, None)
        self._asked.discard(source)
        self._stands[source] = snapshot.sequence
        if self._state is State.VALID and snapshot.sequence <= self._sequence:
            self.repeated += 1
            return NOTHING
        self._state, self._sequence = State.VALID, snapshot.sequence
        return (snapshot,)

    def _on_polled(self, source: str, snapshot: BookSnapshot) -> Sequence[MarketEvent]:
        self._stands.pop(source, None)
        self._polling[source] = snapshot.sequence
        known = self._state is State.POLLED and snapshot.sequence <= self._sequence
        if known or (self._state is State.VALID and self._is_carried()):
            self.repeated += 1
            return NOTHING
        self._state, self._sequence = State.POLLED, snapshot.sequence
        self._want_all()
        return (snapshot,)

    def _on_invalidated(self, source: str, event: BookInvalidated) -> Sequence[MarketEvent]:
        self._leave(source)
        if self._is_in_order() or self._state is State.INVALID:
            return NOTHING
        return self._invalid(event)

    def gone(self, source: str, reason: str, now: int) -> Sequence[MarketEvent]:
        self._leave(source)
        if self._is_in_order() or self._state in (State.INVALID, State.UNKNOWN):
            return NOTHING
        return self._lose(f"SOURCE_DOWN: {source}: {reason}", now)

    def shed(self) -> None:
        """All sources are asked by whoever shed it."""
        self._state = State.INVALID
        self._asked.update(self._stands)

    def release(self, now: int) -> Sequence[MarketEvent]:
        return NOTHING

    def _leave(self, source: str) -> None:
        self._stands.pop(source, None)
        self._polling.pop(source, None)
        self._asked.discard(source)

    def _is_in_order(self) -> bool:
        match self._state:
            case State.VALID:
                return self._is_carried()
            case State.POLLED:
                return bool(self._polling)
            case _:
                return False

    def _is_carried(self) -> bool:
        return any(stands <= self._sequence for stands in self._stands.values())

    def _lose(self, reason: str, now: int) -> Sequence[MarketEvent]:
        if self._is_in_order():
            return NOTHING
        return self._invalid(BookInvalidated(self._venue, self._symbol, reason, now))

    def _invalid(self, event: BookInvalidated) -> Sequence[MarketEvent]:
        self._state = State.INVALID
        self._want_all()
        return (event,)

    def _want_all(self) -> None:
        for source in self._stands:
            self._want(source)

    def _want(self, source: str) -> None:
        """Once, until it has answered or ended."""
        if source not in self._asked:
            self._asked.add(source)
            self._ask(source)
