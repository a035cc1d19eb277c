"""The two statistics that are reported."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile of values in ascending order."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value, the lower of the two in the middle of an even number: always one that was measured."""
    return percentile(sorted(values), 50)
