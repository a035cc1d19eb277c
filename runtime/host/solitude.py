"""How long the supervisor of a host could not be reached."""

from runtime.clock import NS_PER_S

ANSWERED_NS = 15 * NS_PER_S
"""When no heartbeat has come back for so long they arrive: a connection that is dead or cannot be made shows sooner."""


class Solitude:
    def __init__(self, limit_ns: int) -> None:
        self._limit_ns = limit_ns
        self._since = 0
        self._last = 0

    def lasts_too_long(self, now: int) -> bool:
        """A heartbeat came back undelivered now; says whether that has been so for longer than the limit."""
        if now - self._last > ANSWERED_NS:
            self._since = now
        self._last = now
        return 0 < self._limit_ns < now - self._since
