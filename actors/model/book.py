"""The order book of one instrument, full depth, as its venue's updates leave it.

A side is a list of integer keys, sorted with the best price last, and a dict from key to the venue's own (price,
quantity) strings. A change of a known level costs two dict look-ups, a new or removed level a bisection as well; both
happen mostly near the best price, which is the cheap end of the list.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal, DecimalException
from hashlib import sha256
from typing import Protocol

Level = tuple[str, str]
"""(price, quantity)."""

DECIMALS = 18
"""A price may have so many decimals at most."""
REMEMBERED_PRICES = 50_000

_EXACT = Context(prec=100)


class Snapshot(Protocol):
    """Shape of `BookSnapshot`."""

    @property
    def sequence(self) -> int: ...
    @property
    def bids(self) -> Sequence[Level]: ...
    @property
    def asks(self) -> Sequence[Level]: ...


class Delta(Snapshot, Protocol):
    """Shape of `BookDelta`."""

    @property
    def previous(self) -> int: ...


class _Keys(dict[str, int]):
    """price → integer that sorts as the price does, better ones greater; a price seen before is one look-up."""

    def __init__(self, sign: int) -> None:
        super().__init__()
        self._sign = sign

    def __missing__(self, price: str) -> int:
        if not (price.isascii() and price.removeprefix("-").replace(".", "", 1).isdecimal()):
            raise ValueError(f"not a price: {price[:40]!r}")
        try:
            scaled = _EXACT.scaleb(Decimal(price), DECIMALS)
            key = int(scaled) * self._sign
        except (DecimalException, ValueError, OverflowError) as error:
            raise ValueError(f"not a price: {price[:40]!r}") from error
        if key != scaled * self._sign:
            raise ValueError(f"a price with more than {DECIMALS} decimals: {price[:60]!r}")
        if len(self) >= REMEMBERED_PRICES:
            self.clear()
        self[price] = key
        return key


class BookSide:
    """Levels of one side. `sign` is 1 for bids and -1 for asks, so that the best key is always the greatest."""

    __slots__ = ("_keys", "_levels", "_order")

    def __init__(self, sign: int) -> None:
        self._keys = _Keys(sign)
        self._order: list[int] = []
        self._levels: dict[int, Level] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Level]:
        """All levels, best first."""
        levels = self._levels
        return (levels[key] for key in reversed(self._order))

    def best(self) -> Level | None:
        return self._levels[self._order[-1]] if self._order else None

    def top(self, count: int) -> list[Level]:
        """The best `count` levels, best first."""
        levels = self._levels
        return [levels[key] for key in self._order[: -count - 1 : -1]]

    def quantity(self, price: str) -> str | None:
        """The quantity at a price, None where there is no such level."""
        level = self._levels.get(self._keys[price])
        return level[1] if level else None

    def replace(self, levels: Sequence[Level]) -> None:
        keys = self._keys
        self._levels = {keys[level[0]]: level for level in levels if level[1].strip("0.")}
        self._order = sorted(self._levels)

    def change(self, changes: Sequence[Level]) -> None:
        """Set absolute quantities; zero removes a level, also one that is not there."""
        keys, order, levels = self._keys, self._order, self._levels
        for level in changes:
            key = keys[level[0]]
            if level[1].strip("0."):
                if key not in levels:
                    insort(order, key)
                levels[key] = level
            elif levels.pop(key, None) is not None:
                del order[bisect_left(order, key)]

    def best_key(self) -> int | None:
        return self._order[-1] if self._order else None

    def clear(self) -> None:
        self._order = []
        self._levels = {}


class OrderBook:
    """Bids and asks after update `sequence`, or invalid: then nobody may trade on it until a snapshot comes.

    A delta that does not continue exactly where the book stands makes it invalid. A price that is not a
    number raises `ValueError` and makes it invalid as well; quantities are kept as they were written.
    """

    __slots__ = ("asks", "bids", "reason", "sequence")

    def __init__(self) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)
        self.sequence = 0
        self.reason = "NO_SNAPSHOT: nothing received yet"
        """Why it is invalid; "" while it is valid."""

    @property
    def is_valid(self) -> bool:
        return not self.reason

    @property
    def is_crossed(self) -> bool:
        """Best bid at or above best ask: a book that matches orders never shows that."""
        bid, ask = self.bids.best_key(), self.asks.best_key()
        return bid is not None and ask is not None and bid + ask >= 0

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        self.invalidate("NO_SNAPSHOT: the last one was malformed")
        self.bids.replace(snapshot.bids)
        self.asks.replace(snapshot.asks)
        self.sequence = snapshot.sequence
        self.reason = ""

    def apply_delta(self, delta: Delta) -> bool:
        """Whether the book is valid afterwards."""
        if self.reason:
            return False
        if delta.previous != self.sequence:
            self.invalidate(f"GAP: update continues {delta.previous}, book stands at {self.sequence}")
            return False
        try:
            self.bids.change(delta.bids)
            self.asks.change(delta.asks)
        except ValueError:
            self.invalidate("MALFORMED: an update with a number that is none")
            raise
        self.sequence = delta.sequence
        return True

    def invalidate(self, reason: str) -> None:
        """Forget all levels; `reason` says why."""
        self.reason = reason
        self.bids.clear()
        self.asks.clear()

    def digest(self) -> str:
        """SHA-256, in hex, of one line "price:quantity\\n" for each bid, best first, and then for each ask."""
        lines = [f"{price}:{quantity}\n" for side in (self.bids, self.asks) for price, quantity in side]
        return sha256("".join(lines).encode()).hexdigest()
