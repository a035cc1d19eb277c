"""Time as an argument: integer nanoseconds since the epoch, read in one place."""

import time
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000


class Clock(Protocol):
    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...


class WallClock:
    """The machine's clock: wall time at start, advanced by the monotonic clock, so it never runs backwards."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        return time.monotonic_ns() + self._offset
