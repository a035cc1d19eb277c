"""Staying below what a counterpart allows in a span of time: a weighted token bucket with lanes."""

from collections import deque
from collections.abc import Sequence

SLOTS = 64
"""A 64th of the window is how exactly times are kept, and how far the counterpart's clock may be off."""


class TokenBucket:
    """`limit` tokens; each that is taken comes back one whole window later, or, `aligned`, when the window is over.

    So no span of `window_ns` ever sees more than `limit`, wherever the counterpart's own windows begin (a bucket that
    refills steadily can spend nearly twice its limit within one of them). Aligned is for windows that are known to
    begin at multiples of `window_ns` since the epoch: then none of those does.

    A lane may drain the bucket only to what is reserved for the lanes before it: lane `i` takes while at most
    `shares[i]` of the limit are out. A cost above the share of its lane goes when nothing is out at all.
    """

    __slots__ = ("_aligned", "_out", "_shares", "_slot_ns", "_taken", "limit", "window_ns")

    def __init__(self, limit: int, window_ns: int, shares: Sequence[float] = (1.0,), *, aligned: bool = False) -> None:
        """Shares descend: lane 0 goes before all others."""
        self.limit = limit
        self.window_ns = window_ns
        self._aligned = aligned
        self._shares = tuple(shares)
        self._slot_ns = max(window_ns // SLOTS, 1)
        self._taken: deque[tuple[int, int]] = deque()
        """(comes back at, tokens), oldest first."""
        self._out = 0

    @property
    def last_used(self) -> int:
        """Tokens that were out when it was last asked for some."""
        return self._out

    def used(self, now: int) -> int:
        """Tokens that are out."""
        taken = self._taken
        while taken and taken[0][0] <= now:
            self._out -= taken.popleft()[1]
        return self._out

    def delay(self, cost: int, lane: int, now: int) -> int:
        """Nanoseconds until `cost` may be taken if nobody else takes any; 0 if it may now."""
        out = self.used(now)
        excess = out + cost - int(self.limit * self._shares[lane])
        if excess <= 0 or out == 0:
            return 0
        for due, tokens in self._taken:
            out -= tokens
            excess -= tokens
            if excess <= 0 or out == 0:
                return due - now
        raise AssertionError("what is out is the sum of what was taken")

    def take(self, cost: int, lane: int, now: int) -> int:
        """0 and the tokens are taken, or how many nanoseconds to wait before asking again."""
        delay = self.delay(cost, lane, now)
        if delay == 0:
            self.spend(cost, now)
        return delay

    def spend(self, cost: int, now: int, lane: int = 0) -> None:
        """Take what cannot wait; here it makes no difference for which lane."""
        if cost <= 0:
            return
        due = self._due(now)
        if self._taken and due <= self._taken[-1][0]:
            due, tokens = self._taken.pop()
            self._taken.append((due, tokens + cost))
        else:
            self._taken.append((due, cost))
        self._out += cost

    def _due(self, now: int) -> int:
        """When what is taken now comes back."""
        slot_ns = self._slot_ns
        if self._aligned:
            return ((now + slot_ns) // self.window_ns + 1) * self.window_ns + slot_ns
        return -(-(now + self.window_ns) // slot_ns) * slot_ns

    def learn(self, used: int, now: int) -> None:
        """What the counterpart has counted in its present window: what others took there is missing here too."""
        self.spend(used - self.used(now), now)

    def give_back(self, tokens: int, now: int) -> None:
        """The counterpart counts so many no longer."""
        left = min(tokens, self.used(now))
        self._out -= left
        while left:
            due, taken = self._taken.popleft()
            if taken > left:
                self._taken.appendleft((due, taken - left))
            left -= min(taken, left)
