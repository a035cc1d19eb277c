"""Durations counted in log-linear buckets: constant cost, mergeable, at most 1 % off."""

from collections.abc import Mapping

EXACT_BELOW = 128
"""Values below have a bucket each; above, every power of two has 64."""


class Histogram:
    """Counts of non-negative integers (nanoseconds, mostly); a negative one counts as 0.

    A percentile is the middle of its bucket, so at most 1/128 (0.8 %) from the true value, however large that is.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def record(self, value: int) -> None:
        if value < EXACT_BELOW:
            bucket = value if value > 0 else 0
        else:
            shift = value.bit_length() - 7
            bucket = (shift << 6) + (value >> shift)
        try:
            self._counts[bucket] += 1
        except KeyError:
            self._counts[bucket] = 1

    def merge(self, other: "Histogram") -> None:
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count

    @property
    def count(self) -> int:
        return sum(self._counts.values())

    @property
    def total(self) -> int:
        """Sum of the recorded values, to the same precision as they are."""
        return sum(middle(bucket) * count for bucket, count in self._counts.items())

    def percentile(self, percent: float) -> int | None:
        """The value that `percent` of all values do not exceed; None if nothing was recorded."""
        return self.percentiles(percent)[0]

    def percentiles(self, *percents: float) -> list[int | None]:
        """Several at once, in the order asked for; `percents` have to rise."""
        total = self.count
        if not total:
            return [None] * len(percents)
        found: list[int | None] = []
        seen = 0
        buckets = iter(sorted(self._counts))
        bucket = 0
        for percent in percents:
            rank = max(1, -int(-total * percent // 100))
            while seen < rank:
                bucket = next(buckets)
                seen += self._counts[bucket]
            found.append(middle(bucket))
        return found

    def at_most(self, *bounds: int) -> list[int]:
        """How many values lie in buckets whose middle does not exceed each of `bounds`."""
        return [sum(count for bucket, count in self._counts.items() if middle(bucket) <= bound) for bound in bounds]

    def to_plain(self) -> dict[int, int]:
        """Bucket → count, for a message."""
        return dict(self._counts)

    @classmethod
    def from_plain(cls, counts: Mapping[int, int]) -> "Histogram":
        histogram = cls()
        histogram._counts = dict(counts)
        return histogram


def middle(bucket: int) -> int:
    if bucket < EXACT_BELOW:
        return bucket
    shift = (bucket >> 6) - 1
    return ((bucket - (shift << 6)) << shift) + (1 << shift >> 1)
