"""The request weight that this address has used of what the venue allows in a minute.

Counted by the venue per address and per minute of its own clock; 429 when over it, and a ban of 2 minutes to 3 days
(418) for going on. Source: github.com/binance/binance-spot-api-docs, rest-api.md, "IP Limits".
"""

from runtime.clock import NS_PER_S

WINDOW_NS = 60 * NS_PER_S
RESERVE = 0.2
"""Fraction of the limit that book snapshots leave to queries and to others at the same address."""

HEADER = "x-mbx-used-weight-1m"


class WeightBudget:
    """Times are the venue's. What is sent counts at once; what the venue reports corrects it upwards."""

    def __init__(self, limit: int = 6000) -> None:
        self.limit = limit
        self.blocked_until = 0
        """After a 429 or 418 nothing may be sent before."""
        self._window = 0
        self._used = 0

    @property
    def last_used(self) -> int:
        """In the minute that something was last used or reported in."""
        return self._used

    def used(self, now: int) -> int:
        return self._used if now // WINDOW_NS == self._window else 0

    def learn(self, used: int, now: int) -> None:
        self._used = max(self.used(now), used)
        self._window = now // WINDOW_NS

    def block(self, until: int) -> None:
        self.blocked_until = max(self.blocked_until, until)

    def spend(self, weight: int, now: int) -> int:
        """0 and the weight is spent, or how many nanoseconds to wait before asking again."""
        if now < self.blocked_until:
            return self.blocked_until - now
        used = self.used(now)
        if used and used + weight > self.limit * (1 - RESERVE):
            return WINDOW_NS - now % WINDOW_NS
        self.learn(used + weight, now)
        return 0
