"""Rows of the benchmark: medians, ratios, and which side of a bar is the good one."""

import pytest

from scripts.benchmarks.measure import Figures
from scripts.benchmarks.report import METRICS, Row, rows
from scripts.benchmarks.statistics import median, percentile


def figures(feed_rate: float, order_p50: float) -> Figures:
    values = {metric.name: 100.0 for metric in METRICS} | {"feed_rate": feed_rate, "order_p50": order_p50}
    return Figures(values, dict.fromkeys(values, 10), late=0, lost=0, unanswered=0)


ROUNDS = {
    "one_process": [figures(1000.0, 100.0)],
    "two_processes": [figures(400.0, 200.0)],
    "ray_calls": [figures(10.0, 1500.0)],
    "separate": [figures(490.0, 700.0), figures(500.0, 500.0), figures(510.0, 100.0)],
}


def row(name: str, against: str) -> Row:
    return next(row for row in rows(ROUNDS) if (row.name, row.against) == (name, against))


def test_a_throughput_bar_holds_at_or_above_its_ratio() -> None:
    assert row("feed_rate.separate", "feed_rate.ray_calls") == Row(
        name="feed_rate.separate",
        value=500.0,
        unit="msg/s",
        against="feed_rate.ray_calls",
        ratio=50.0,
        bar=50.0,
        holds=True,
    )


def test_a_latency_bar_holds_at_or_below_its_ratio() -> None:
    measured = row("order_p50.separate", "order_p50.two_processes")
    assert (measured.ratio, measured.bar, measured.holds) == (2.5, 3.0, True)


def test_a_missed_bar_does_not_hold() -> None:
    slow = {**ROUNDS, "separate": [figures(499.0, 601.0)]}
    assert [row.holds for row in rows(slow) if row.bar is not None] == [False, False]


def test_the_floor_is_compared_with_nothing_and_references_with_the_floor() -> None:
    by_contender = {
        contender: [row.against for row in rows(ROUNDS) if row.name == f"feed_rate.{contender}"] for contender in ROUNDS
    }
    assert by_contender == {
        "one_process": [None],
        "two_processes": ["feed_rate.one_process"],
        "ray_calls": ["feed_rate.one_process"],
        "separate": ["feed_rate.one_process", "feed_rate.two_processes", "feed_rate.ray_calls"],
    }


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 99, 7), ([1, 2, 3, 4], 50, 2), (list(range(1, 101)), 99, 99), (list(range(1, 1001)), 99, 990)],
)
def test_percentiles_are_of_the_nearest_rank(values: list[float], percent: int, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_the_median_is_a_measured_value() -> None:
    assert median([5, 1, 9, 3]) == 3
