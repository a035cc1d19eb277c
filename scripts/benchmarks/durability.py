"""What each durability of the journal costs an order: the same desk on plain processes, frame to order at the venue.

All processes are on this machine, so what `machine` costs here is the way to the follower and back without a wire.
"""

from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.measure import Plan
from scripts.benchmarks.measure import measure as measure_one
from scripts.benchmarks.ours import Separate
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median

TITLES = {
    "process": "`process`: survives the end of the process",
    "power": "`power`: forced to the disk",
    "machine": "`machine`: acknowledged by a follower",
}
METRICS = ("order_p50", "order_p99")


class Durable(Separate):
    """A desk whose intents survive that much."""

    flood_count = 20_000

    def __init__(self, durability: str) -> None:
        super().__init__()
        self._durability = durability

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        document = super()._configuration(surroundings)
        document["journal"]["durability"] = self._durability
        return document | {"cluster": {"backend": "processes"}}


async def measure(plan: Plan, folder: Path) -> list[Row]:
    """Medians of interleaved rounds, some twenty seconds for each of three."""
    plan = replace(plan, paced_s=0.1)
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in TITLES}
    for _ in range(plan.rounds):
        for name, values in taken.items():
            values.append((await measure_one(Durable(name), plan, folder, "")).values)
    return [row for metric in METRICS for row in _rows(metric, taken)]


def _rows(metric: str, taken: dict[str, list[dict[str, float]]]) -> list[Row]:
    found = {name: median([values[metric] for values in rounds]) for name, rounds in taken.items()}
    process = alone(f"durability_{metric}.process", found.pop("process"), "us")
    others = [compared(f"durability_{metric}.{name}", value, "us", process, None) for name, value in found.items()]
    return [process, *others]


def print_rows(console: Console, rows: list[Row]) -> None:
    table = Table("", "order p50, us", "of `process`", "order p99, us", title="Order path by durability, processes")
    values = {row.name: row for row in rows}
    for name, title in TITLES.items():
        p50, p99 = (values[f"durability_{metric}.{name}"] for metric in METRICS)
        table.add_row(title, f"{p50.value:,.0f}", "" if p50.ratio is None else f"{p50.ratio:.2f}", f"{p99.value:,.0f}")
    console.print(table)
