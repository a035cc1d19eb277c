"""One stream out of several: each market event passes once, from whichever source brings it first.

Sources are named, come and go at any time, and each tells the events of a topic in the venue's own sequence. There may
be any number of them; a source need not carry every topic. What an event is known by is the rule of its kind, a `Line`
for each topic. Guarantees, as long as the venue's numbers rise: nothing passes twice, nothing older than what has
passed follows it, a book that passes as valid is the venue's book of that sequence, and a gap that no source fills is
counted, never hidden.

Pure: no I/O and no timer. Whoever uses it calls `release` at `due`, when that is not 0.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec

from actors.arbitration.books import BookLine
from actors.arbitration.latest import LatestLine
from actors.arbitration.numbered import NumberedLine
from actors.arbitration.unnumbered import UnnumberedLine
from actors.messages import (
    AggregateTrade,
    BookDelta,
    BookInvalidated,
    BookLevels,
    BookSnapshot,
    Kline,
    MarketEvent,
    MarkPrice,
    MiniTicker,
    Quote,
    Ticker,
    Trade,
)


class Line(Protocol):
    """What the sources have said on one topic."""

    repeated: int
    """Events that had passed already."""
    gaps: int
    """Events that no source brought."""

    @property
    def due(self) -> int:
        """When something that is held may wait no longer; 0 while nothing is."""
        ...

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]: ...
    def gone(self, source: str, reason: str, now: int) -> Sequence[MarketEvent]: ...
    def shed(self) -> None: ...
    def release(self, now: int) -> Sequence[MarketEvent]: ...


class Counts(msgspec.Struct, frozen=True):
    repeated: int
    gaps: int


class Arbiter:
    """`ask(source, topic)` is called when only a fresh state from that source can heal a topic."""

    def __init__(self, ask: Callable[[str, str], None]) -> None:
        self._ask = ask
        self._lines: dict[str, Line] = {}
        self._holding: dict[str, Line] = {}
        """Those that wait for something."""

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        """What passes now that `source` has told `event`: mostly this event or nothing."""
        topic = event.topic
        line = self._lines.get(topic)
        if line is None:
            line = self._lines[topic] = self._line(event, topic)
        passed = line.take(source, event, now)
        if line.due or self._holding:
            self._note(topic, line)
        return passed

    def gone(self, source: str, reason: str, now: int, kept: Sequence[str] = ()) -> list[MarketEvent]:
        """This life of a source is over, or it is read no more but for topics that match one of `kept`.

        What it tells later begins from nothing.
        """
        passed: list[MarketEvent] = []
        for topic, line in self._lines.items():
            if not any(fnmatchcase(topic, pattern) for pattern in kept):
                passed += line.gone(source, reason, now)
                self._note(topic, line)
        return passed

    def shed(self, topic: str) -> None:
        """The reader lost events that had passed: it begins anew with the next whole state of the topic."""
        line = self._lines.get(topic)
        if line is not None:
            line.shed()

    def forget(self, venue: str, symbol: str) -> None:
        """Nothing of it is told by more than one any longer; what comes later begins from nothing."""
        for topic in [topic for topic in self._lines if topic.endswith(f".{venue}.{symbol}")]:
            del self._lines[topic]
            self._holding.pop(topic, None)

    @property
    def due(self) -> int:
        """When `release` is to be called; 0 while nothing is held."""
        return min(line.due for line in self._holding.values()) if self._holding else 0

    def release(self, now: int) -> list[MarketEvent]:
        """What has been held for long enough."""
        passed: list[MarketEvent] = []
        for topic, line in list(self._holding.items()):
            passed += line.release(now)
            self._note(topic, line)
        return passed

    def _note(self, topic: str, line: Line) -> None:
        if line.due:
            self._holding[topic] = line
        else:
            self._holding.pop(topic, None)

    def counts(self) -> Counts:
        lines = self._lines.values()
        return Counts(sum(line.repeated for line in lines), sum(line.gaps for line in lines))

    def _line(self, event: MarketEvent, topic: str) -> Line:
        match event:
            case BookSnapshot() | BookDelta() | BookInvalidated():
                return BookLine(event.venue, event.symbol, lambda source: self._ask(source, topic))
            case Trade() | AggregateTrade() if event.trade_id.isdecimal():
                return NumberedLine()
            case Quote() | BookLevels() | Ticker() | MiniTicker() | MarkPrice() | Kline():
                return LatestLine()
            case _:
                return UnnumberedLine()
