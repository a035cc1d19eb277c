"""Who reads which topics of a venue: what nobody read before is asked of the venue, what nobody reads is ended."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

LINGER_NS = 30_000_000_000
"""A reader that is back within so long, after a restart say, finds its streams open."""

ALWAYS = ("quote", "trade", "book")
"""Kinds that every venue sends of its configured symbols, read or not."""

Feed = tuple[str, str]
"""(kind, symbol)."""


class AudienceDue(msgspec.Struct, frozen=True):
    """To the connector itself: time to end what nobody came back for."""


class Audience:
    """A pattern names its kinds; `*` as symbol means the configured ones. `*` as kind asks for nothing new."""

    def __init__(self, venue: str, symbols: Sequence[str]) -> None:
        self._venue = venue
        self._symbols = frozenset(symbols)
        self.patterns: dict[str, tuple[str, ...]] = {}
        """By reader: what it subscribed to."""
        self._read: dict[str, set[Feed]] = {}
        """By reader: what of it is not sent anyway."""
        self._followed: set[Feed] = set()
        self._left: dict[Feed, int] = {}
        """Nobody reads it since."""

    def follow(self, reader: str, patterns: Sequence[str], now: int) -> list[Feed]:
        """`reader` reads what matches, and nothing else any longer; returns what nobody read before."""
        self.patterns[reader] = tuple(patterns)
        if not self.patterns[reader]:
            del self.patterns[reader]
        self._read[reader] = {feed for pattern in patterns for feed in self._feeds(pattern)}
        if not self._read[reader]:
            del self._read[reader]
        read = set().union(*self._read.values())
        for feed in self._followed:
            if feed in read:
                self._left.pop(feed, None)
            else:
                self._left.setdefault(feed, now)
        new = sorted(read - self._followed)
        self._followed.update(new)
        return new

    def of(self, symbols: Sequence[str]) -> None:
        """What is always sent is of these symbols now."""
        self._symbols = frozenset(symbols)

    def readers(self, symbol: str) -> list[str]:
        """Who reads anything of it by name."""
        end = f".{self._venue}.{symbol}"
        return sorted(name for name, patterns in self.patterns.items() if any(each.endswith(end) for each in patterns))

    def take_left(self, now: int) -> list[Feed]:
        """What nobody has read for so long that it ends."""
        ended = sorted(feed for feed, since in self._left.items() if now - since >= LINGER_NS)
        for feed in ended:
            del self._left[feed]
            self._followed.discard(feed)
        return ended

    @property
    def anything_left(self) -> bool:
        return bool(self._left)

    def _feeds(self, pattern: str) -> Iterator[Feed]:
        kind, _, rest = pattern.partition(".")
        venue, _, symbol = rest.partition(".")
        if "*" in kind or not symbol or not fnmatchcase(self._venue, venue):
            return
        symbols = [known for known in self._symbols if fnmatchcase(known, symbol)] if "*" in symbol else [symbol]
        for wanted in symbols:
            if kind not in ALWAYS or wanted not in self._symbols:
                yield kind, wanted
