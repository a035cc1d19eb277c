"""Rows of the benchmark: medians, ratios, and which side of a bar is the good one."""

import pytest

from scripts.benchmarks import promises
from scripts.benchmarks.measure import Figures
from scripts.benchmarks.report import METRICS, Row, alone, compared, rows
from scripts.benchmarks.statistics import median, percentile


def figures(feed_rate: float, order_p50: float) -> Figures:
    values = {metric.name: 100.0 for metric in METRICS} | {"feed_rate": feed_rate, "order_p50": order_p50}
    orders = [float(number) for number in range(1, 1001)]
    return Figures(values, dict.fromkeys(values, 10), late=0, lost=0, unanswered=0, orders_us=orders)


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
        bar=100.0,
        holds=False,
    )
    assert row("feed_rate.separate", "feed_rate.two_processes").holds is True


def test_a_latency_bar_holds_at_or_below_its_ratio() -> None:
    measured = row("order_p50.separate", "order_p50.two_processes")
    assert (measured.ratio, measured.bar, measured.holds) == (2.5, 1.75, False)
    assert row("order_p90.separate", "order_p90.two_processes").holds is True


def test_the_last_thousandth_of_the_orders_is_taken_over_all_rounds() -> None:
    tails = {row.name: row.value for row in rows(ROUNDS) if row.name.startswith("order_p999")}
    assert tails["order_p999.separate"] == 999.0
    assert tails["order_p999.one_process"] == 999.0


def test_a_row_beside_another_holds_at_its_bar_and_not_above() -> None:
    reference = alone("start.bare_ray", 2.0, "s")
    assert compared("start.first_quote", 4.0, "s", reference, 2.0).holds is True
    assert compared("start.first_quote", 4.1, "s", reference, 2.0).holds is False
    assert compared("start.first_quote", 4.1, "s", reference, None).holds is None


def test_a_promise_is_held_or_not_by_the_row_that_measures_it() -> None:
    fast, slow = alone("order_p99.separate", 4_000.0, "us"), alone("order_p99.separate", 6_000.0, "us")
    of_fast, of_slow = ({row.name: row.holds for row in promises.rows([one])} for one in (fast, slow))
    assert of_fast == {"promised.1.50.order_p99.separate": True, "promised.3.30.order_p99.separate": True}
    assert of_slow == {"promised.1.50.order_p99.separate": False, "promised.3.30.order_p99.separate": True}
    assert promises.rows([alone("feed_rate.separate", 9_999.0, "msg/s")])[0].holds is False


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
    [
        ([7], 99, 7),
        ([1, 2, 3, 4], 50, 2),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 1001)), 99, 990),
        (list(range(1, 1001)), 99.9, 999),
    ],
)
def test_percentiles_are_of_the_nearest_rank(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_the_median_is_a_measured_value() -> None:
    assert median([5, 1, 9, 3]) == 3
