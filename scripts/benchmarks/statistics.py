"""The two statistics that are reported."""

import math
from collections.abc import Sequence


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order."""
    rank = math.ceil(round(len(ordered) * percent / 100, 6))
    return ordered[max(0, rank - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value, the lower of the two in the middle of an even number: always one that was measured."""
    return percentile(sorted(values), 50)
