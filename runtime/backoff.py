"""How long to wait before trying again: exponential, capped, with full jitter."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Backoff:
    """Delays are spread evenly over [0, min(max_ns, min_ns·2^attempt)]: many who failed together return one by one.

    `min_ns` bounds the first delay, `max_ns` every delay. Source: "Exponential Backoff And Jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    min_ns: int
    max_ns: int

    def __post_init__(self) -> None:
        if not 0 < self.min_ns <= self.max_ns:
            raise ValueError(f"backoff wants 0 < min_ns <= max_ns, not {self.min_ns} and {self.max_ns}")

    def ceiling(self, attempt: int) -> int:
        """The longest delay before attempt `attempt` (0 is the first retry)."""
        doublings = min(attempt, self.max_ns.bit_length())
        return min(self.max_ns, self.min_ns << doublings)

    def delay(self, attempt: int, random: Random) -> int:
        """Nanoseconds to wait before retry number `attempt`, counted from 0."""
        return random.randint(0, self.ceiling(attempt))
