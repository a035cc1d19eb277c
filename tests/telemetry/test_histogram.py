"""Histograms: at most 1 % off, mergeable, plain on the wire."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.telemetry.histogram import Histogram

VALUES = st.lists(st.integers(0, 10**15), min_size=1, max_size=200)


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def test_small_values_are_exact() -> None:
    histogram = of(list(range(1, 101)))
    assert histogram.percentiles(50, 99, 99.9, 100) == [50, 99, 100, 100]
    assert histogram.count == 100
    assert histogram.total == 5050


def test_an_empty_histogram_has_no_percentiles() -> None:
    assert Histogram().percentile(50) is None
    assert Histogram().count == 0


def test_a_negative_duration_counts_as_zero() -> None:
    assert of([-5]).percentile(50) == 0


@given(values=VALUES, percent=st.sampled_from([1, 25, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_at_most_one_percent_off(values: list[int], percent: float) -> None:
    rank = max(1, -int(-len(values) * percent // 100))
    true = sorted(values)[rank - 1]
    found = of(values).percentile(percent)
    assert found is not None
    assert abs(found - true) <= true / 100


@given(a=VALUES, b=VALUES)
def test_merging_is_the_same_as_recording_everything_in_one(a: list[int], b: list[int]) -> None:
    merged = of(a)
    merged.merge(Histogram.from_plain(of(b).to_plain()))
    assert merged.to_plain() == of(a + b).to_plain()


def test_counts_below_a_bound() -> None:
    assert of([1, 2, 3, 100, 1000, 5000]).at_most(2, 100, 10_000) == [2, 4, 6]
