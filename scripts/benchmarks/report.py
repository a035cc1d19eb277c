"""From figures to rows: medians over the rounds, ratios between contenders, bars, and how they are printed."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.measure import Figures
from scripts.benchmarks.statistics import median, percentile


class Metric(msgspec.Struct, frozen=True):
    name: str
    title: str
    unit: Literal["msg/s", "us"]

    @property
    def more_is_better(self) -> bool:
        return self.unit == "msg/s"


METRICS = (
    Metric("feed_rate", "feed, messages/s", "msg/s"),
    Metric("feed_1k_p50", "feed at 1,000/s, p50", "us"),
    Metric("feed_1k_p99", "feed at 1,000/s, p99", "us"),
    Metric("feed_10k_p50", "feed at 10,000/s, p50", "us"),
    Metric("feed_10k_p99", "feed at 10,000/s, p99", "us"),
    Metric("order_p50", "order at 1,000/s, p50", "us"),
    Metric("order_p90", "order at 1,000/s, p90", "us"),
    Metric("order_p99", "order at 1,000/s, p99", "us"),
)

REFERENCES = ("one_process", "two_processes", "ray_calls", "ray_calls_without_reply")

BARS = {
    ("feed_rate", "separate", "ray_calls"): 100.0,
    ("feed_rate", "separate", "two_processes"): 1.0,
    ("feed_1k_p50", "separate", "two_processes"): 1.0,
    ("feed_1k_p99", "separate", "two_processes"): 2.0,
    ("feed_10k_p50", "separate", "two_processes"): 1.3,
    ("feed_10k_p99", "separate", "two_processes"): 2.0,
    ("order_p50", "separate", "two_processes"): 1.75,
    ("order_p90", "separate", "two_processes"): 2.0,
    ("order_p50", "colocated", "one_process"): 1.4,
    ("order_p90", "colocated", "one_process"): 2.0,
}
"""(metric, contender, reference) → the ratio to reach, or not to exceed where less is better."""


class Row(msgspec.Struct, frozen=True):
    """One value beside one reference, as `--json` writes it."""

    name: str
    """<metric>.<contender>"""
    value: float
    """Median of the rounds."""
    unit: str
    against: str | None
    """Name of the row it is compared with."""
    ratio: float | None
    """`value` divided by the other's."""
    bar: float | None
    """A ratio: at least this for messages a second, at most this for everything else. Without `against`, the value."""
    holds: bool | None


def alone(name: str, value: float, unit: str) -> Row:
    """Compared with nothing."""
    return Row(name, value, unit, None, None, None, None)


def compared(name: str, value: float, unit: str, reference: Row, bar: float | None) -> Row:
    """Beside another row, of which it may be `bar` times as much at most."""
    ratio = value / reference.value
    return Row(name, value, unit, reference.name, ratio, bar, None if bar is None else ratio <= bar)


Rounds = Mapping[str, Sequence[Figures]]
"""Contender → its rounds, in the order in which contenders ran."""


def rows(rounds: Rounds) -> list[Row]:
    compared_rows = [row for metric in METRICS for contender in rounds for row in _rows_of(metric, contender, rounds)]
    return compared_rows + [alone(f"order_p999.{name}", order_p999(figures), "us") for name, figures in rounds.items()]


def order_p999(figures: Sequence[Figures]) -> float:
    """Over the orders of all rounds, because one round has too few."""
    return percentile(sorted(latency for figure in figures for latency in figure.orders_us), 99.9)


def _rows_of(metric: Metric, contender: str, rounds: Rounds) -> list[Row]:
    name = f"{metric.name}.{contender}"
    value = middle(rounds[contender], metric)
    references = [reference for reference in _compared_with(contender) if reference in rounds]
    if not references:
        return [Row(name, value, metric.unit, None, None, None, None)]
    return [_compare(metric, contender, value, reference, rounds) for reference in references]


def _compared_with(contender: str) -> tuple[str, ...]:
    """A reference is compared with the floor only."""
    match contender:
        case "one_process":
            return ()
        case "two_processes" | "ray_calls" | "ray_calls_without_reply":
            return ("one_process",)
        case _:
            return REFERENCES


def _compare(metric: Metric, contender: str, value: float, reference: str, rounds: Rounds) -> Row:
    ratio = value / middle(rounds[reference], metric)
    bar = BARS.get((metric.name, contender, reference))
    reaches: Callable[[float, float], bool] = operator.ge if metric.more_is_better else operator.le
    return Row(
        f"{metric.name}.{contender}",
        value,
        metric.unit,
        f"{metric.name}.{reference}",
        ratio,
        bar,
        None if bar is None else reaches(ratio, bar),
    )


def middle(figures: Sequence[Figures], metric: Metric) -> float:
    return median([figure.values[metric.name] for figure in figures])


def print_report(console: Console, rounds: Rounds, titles: Mapping[str, str]) -> None:
    console.print(_medians(rounds, titles))


def print_bars(console: Console, rows: Sequence[Row]) -> None:
    bars = [row for row in rows if row.bar is not None and row.against is not None]
    if bars:
        console.print(_bars(bars))


def print_rounds(console: Console, rounds: Rounds) -> None:
    """Every round's values, for whoever doubts the medians."""
    table = Table("metric", "contender", "samples", "rounds", title="Rounds")
    for metric in METRICS:
        for contender, figures in rounds.items():
            samples = sum(figure.samples[metric.name] for figure in figures)
            values = "  ".join(f"{figure.values[metric.name]:,.0f}" for figure in figures)
            table.add_row(metric.title, contender, f"{samples:,}", values)
    console.print(table)
    table = Table("contender", "lost in the flood", "triggers without an order", "late frames", title="Counted")
    for contender, figures in rounds.items():
        counts = [sum(getattr(figure, count) for figure in figures) for count in ("lost", "unanswered", "late")]
        table.add_row(contender, *(f"{count:,}" for count in counts))
    console.print(table)


def _medians(rounds: Rounds, titles: Mapping[str, str]) -> Table:
    count = len(next(iter(rounds.values())))
    table = Table("", title=f"Medians of {count} interleaved rounds; in brackets multiples of one process; times in µs")
    for contender in rounds:
        table.add_column(titles[contender], justify="right")
    for metric in METRICS:
        table.add_row(metric.title, *(_cell(metric, contender, rounds) for contender in rounds))
    table.add_row(
        "order at 1,000/s, p99.9 of all rounds", *(f"{order_p999(figures):,.0f}" for figures in rounds.values())
    )
    return table


def _cell(metric: Metric, contender: str, rounds: Rounds) -> str:
    value = middle(rounds[contender], metric)
    if "one_process" not in rounds or contender == "one_process":
        return f"{value:,.0f}"
    ratio = value / middle(rounds["one_process"], metric)
    return f"{value:,.0f} ({ratio:,.0f})" if ratio >= 100 else f"{value:,.0f} ({ratio:.2g})"


def _bars(bars: Sequence[Row]) -> Table:
    table = Table("", "against", "ratio", "bar", "holds", title="Bars")
    for row in bars:
        sign = "≥" if row.unit == "msg/s" else "≤"
        table.add_row(row.name, row.against, f"{row.ratio:.3g}", f"{sign} {row.bar:g}", "yes" if row.holds else "NO")
    return table
