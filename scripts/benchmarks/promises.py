"""Numbers that the source documents promise, each beside what was measured: compared with nothing but the promise."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.report import Row


class Promise(msgspec.Struct, frozen=True):
    number: str
    """Its row in the list of promises."""
    what: str
    measured: str
    """Name of the row that measures it."""
    at: Literal["least", "most"]
    value: float
    unit: str

    @property
    def name(self) -> str:
        return f"promised.{self.number}.{self.measured}"


PROMISES = (
    Promise("1.06", "events a second over the bus", "feed_rate.separate", "least", 10_000, "msg/s"),
    Promise("1.49", "publish to handler in one process, p99", "feed_1k_p99.colocated", "most", 1_000, "us"),
    Promise("1.49", "the same from one actor to another, p99", "feed_1k_p99.separate", "most", 1_000, "us"),
    Promise("1.50", "order submission without the network, p99", "order_p99.separate", "most", 5_000, "us"),
    Promise("1.51", "WebSocket frame to event in another actor, p99", "feed_1k_p99.separate", "most", 10_000, "us"),
    Promise("1.52", "all risk checks, p99", "risk.all_checks_p99", "most", 2_000, "us"),
    Promise("1.53", "memory of an exchange beyond an empty worker", "memory.connector", "most", 50, "MB"),
    Promise("1.54", "venues at the same time", "venues.connected", "least", 6, "venues"),
    Promise("1.55", "trades of all venues that are not recorded", "venues.loss", "most", 0, "%"),
    Promise("1.56", "events a second", "feed_rate.separate", "least", 1_000, "msg/s"),
    Promise("3.30", "opening a link, p99", "venues.connect_p99", "most", 100_000, "us"),
    Promise("3.30", "processing of a message, p99", "feed_1k_p99.separate", "most", 1_000, "us"),
    Promise("3.30", "six venues brought together in one strategy, p99", "venues.feed_p99", "most", 5_000, "us"),
    Promise("3.30", "frame to order at the venue, p99", "order_p99.separate", "most", 150_000, "us"),
    Promise("3.31", "messages a second and connection", "feed_rate.separate", "least", 1_000, "msg/s"),
    Promise("3.31", "memory of a connection", "memory.connector", "most", 100, "MB"),
    Promise("3.31", "loss, six venues", "venues.loss", "most", 0.01, "%"),
    Promise("3.31", "loss of a long run", "soak.loss", "most", 0.01, "%"),
    Promise("4.16", "updates a second and connector", "feed_rate.separate", "least", 1_000, "msg/s"),
    Promise("4.16", "memory of a connector", "memory.connector", "most", 50, "MB"),
)
"""What is missing: uptime of 3.31 takes months, 4.16 has protocols that are not there yet."""


def rows(measured: Sequence[Row]) -> list[Row]:
    """One for each promise that this run has measured; `bar` is the promised value."""
    values: Mapping[str, float] = {row.name: row.value for row in measured}
    return [_row(promise, values[promise.measured]) for promise in PROMISES if promise.measured in values]


def _row(promise: Promise, value: float) -> Row:
    holds = value >= promise.value if promise.at == "least" else value <= promise.value
    return Row(promise.name, value, promise.unit, None, None, promise.value, holds)


def print_rows(console: Console, rows: Sequence[Row]) -> None:
    if not rows:
        return
    shown = {row.name: row for row in rows}
    table = Table("", "", "promised", "measured", "holds", title="What the source documents promise")
    for promise in PROMISES:
        row = shown.get(promise.name)
        if row is not None:
            limit = f"at {promise.at} {promise.value:,g} {promise.unit}"
            measured = f"{row.value:,.4g} {row.unit}" if row.value < 100 else f"{row.value:,.0f} {row.unit}"
            table.add_row(promise.number, promise.what, limit, measured, "yes" if row.holds else "NO")
    console.print(table)
