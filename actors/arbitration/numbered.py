"""Events that the venue numbers one by one, as trades: each once, in their sequence, and no hole that can be filled.

An event whose number is not the next waits for another source that may still bring what is missing, because it has not
come so far itself, but never longer than `HOLD_NS`. A hole that stays is counted: the venue left numbers out, or every
source missed them.
"""

from collections.abc import Sequence

from actors.messages import AggregateTrade, MarketEvent, Trade
from runtime.clock import NS_PER_MS, NS_PER_S

HOLD_NS = 100 * NS_PER_MS
"""Longer than one source lags behind another while both are well."""
HELD = 10_000
"""So many events wait at most."""
ANEW_NS = 5 * NS_PER_S
"""A lower number from so much later is not told again: the venue counts from the beginning."""

NOTHING: tuple[MarketEvent, ...] = ()


class NumberedLine:
    def __init__(self) -> None:
        self.repeated = 0
        self.gaps = 0
        self.due = 0
        self._last = -1
        """Number of the last one that passed; -1 before the first."""
        self._ts_venue = 0
        """The newest that passed."""
        self._reached: dict[str, int] = {}
        """Source → number of its last event."""
        self._late: set[str] = set()
        """Waited for in vain, until they have caught up."""
        self._held: dict[int, tuple[MarketEvent, int]] = {}
        """Number → event and when it may wait no longer."""

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        assert isinstance(event, Trade | AggregateTrade)
        try:
            number, last = int(event.trade_id), self._last
        except ValueError:
            return (event,)
        if number < last and event.ts_venue > self._ts_venue + ANEW_NS:
            self._begin_anew()
            last = -1
        self._reached[source] = number
        if number >= last and source in self._late:
            self._late.discard(source)
        if (number == last + 1 or last == -1) and not self._held:
            self._last, self._ts_venue = number, event.ts_venue
            return (event,)
        if number <= last or number in self._held:
            self.repeated += 1
        else:
            self._held[number] = event, now + HOLD_NS
        return self._let_go() if self._held else NOTHING

    def gone(self, source: str, reason: str, now: int) -> Sequence[MarketEvent]:
        self._reached.pop(source, None)
        self._late.discard(source)
        return self._let_go() if self._held else NOTHING

    def shed(self) -> None:
        """What the reader lost of these is lost, and counted where it was."""

    def release(self, now: int) -> Sequence[MarketEvent]:
        passed: list[MarketEvent] = []
        while self.due and self.due <= now:
            first = min(self._held)
            self._late.update(source for source, reached in self._reached.items() if reached < first - 1)
            passed += self._let_go()
        return passed

    def _let_go(self) -> list[MarketEvent]:
        """Everything held that waits for nobody any more."""
        passed: list[MarketEvent] = []
        held = self._held
        for number in sorted(held):
            if number > self._last + 1 and len(held) < HELD and self._is_awaited(number):
                break
            event = held.pop(number)[0]
            assert isinstance(event, Trade | AggregateTrade)
            self.gaps += number - self._last - 1
            self._last, self._ts_venue = number, event.ts_venue
            passed.append(event)
        self.due = min((due for _, due in held.values()), default=0)
        return passed

    def _is_awaited(self, number: int) -> bool:
        """Somebody may still bring what is missing before it: it has not told anything as late as that."""
        late = self._late
        return any(reached < number - 1 and source not in late for source, reached in self._reached.items())

    def _begin_anew(self) -> None:
        self._last = -1
        self._ts_venue = 0
        self._reached.clear()
        self._late.clear()
        self._held.clear()
        self.due = 0
