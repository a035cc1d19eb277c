"""The true book of one symbol at every moment, from the venue's own account of it.

Knows nothing of how anybody else keeps a book. Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md,
"How to manage a local order book correctly": the quantity of a level is absolute, zero removes it, and after an update
the id of the book is that update's last id.
"""

from bisect import bisect_right
from decimal import Decimal
from hashlib import sha256

import msgspec

Levels = list[tuple[str, str]]
"""(price, quantity), best first."""


class TrueBook(msgspec.Struct, frozen=True):
    bids: Levels
    asks: Levels


def digest(bids: Levels, asks: Levels) -> str:
    return sha256(repr((list(bids), list(asks))).encode()).hexdigest()


class Update(msgspec.Struct, frozen=True):
    """Changes `first_id` to `last_id`, in the venue's words."""

    first_id: int
    last_id: int
    bids: Levels
    asks: Levels


class Oracle:
    """Is told every update in its order, without a gap, by somebody who cannot have missed one."""

    def __init__(self, last_id: int, bids: Levels, asks: Levels) -> None:
        self._start = Update(last_id, last_id, list(bids), list(asks))
        self._updates: list[Update] = []
        self._ends: list[int] = []
        self._witnessed: dict[int, TrueBook] = {}
        self._at = last_id
        self._bids: dict[Decimal, tuple[str, str]] = {}
        self._asks: dict[Decimal, tuple[str, str]] = {}
        self._rewind()

    @property
    def last_id(self) -> int:
        return self._ends[-1] if self._ends else self._start.last_id

    def update(self, update: Update) -> None:
        assert update.first_id == self.last_id + 1, f"{update.first_id} after {self.last_id}"
        assert update.last_id >= update.first_id
        self._updates.append(update)
        self._ends.append(update.last_id)

    def witness(self, last_id: int, bids: Levels, asks: Levels) -> None:
        """A whole book that the venue gave out: the truth of that moment, also of one in the midst of an update."""
        self._witnessed[last_id] = TrueBook(list(bids), list(asks))

    def book_at(self, sequence: int) -> TrueBook | None:
        """None for a sequence at which the venue has told nobody its book."""
        if sequence == self._start.last_id or self._is_end(sequence):
            self._go_to(sequence)
            return TrueBook(_best_first(self._bids, True), _best_first(self._asks, False))
        return self._witnessed.get(sequence)

    def _is_end(self, sequence: int) -> bool:
        at = bisect_right(self._ends, sequence)
        return at > 0 and self._ends[at - 1] == sequence

    def _go_to(self, sequence: int) -> None:
        if sequence < self._at:
            self._rewind()
        for update in self._updates[bisect_right(self._ends, self._at) : bisect_right(self._ends, sequence)]:
            _set(self._bids, update.bids)
            _set(self._asks, update.asks)
        self._at = sequence

    def _rewind(self) -> None:
        self._at = self._start.last_id
        self._bids.clear()
        self._asks.clear()
        _set(self._bids, self._start.bids)
        _set(self._asks, self._start.asks)


def _set(side: dict[Decimal, tuple[str, str]], levels: Levels) -> None:
    for price, quantity in levels:
        if Decimal(quantity) == 0:
            side.pop(Decimal(price), None)
        else:
            side[Decimal(price)] = (price, quantity)


def _best_first(side: dict[Decimal, tuple[str, str]], descending: bool) -> Levels:
    return [side[price] for price in sorted(side, reverse=descending)]
