"""From `outcry run` to the first quote at the strategy, Ray included, beside a bare `ray.init` with one actor."""

import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.processes import Child
from scripts.benchmarks.quote_desk import QUOTE_EVERY_S, QuoteDesk, Quotes, quoting
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median

BAR = 2.0


class OwnRayDesk(QuoteDesk):
    """Starts its Ray itself, as `outcry run` does without an address."""

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        return {**super()._configuration(surroundings), "cluster": {}}


async def measure(rounds: int, folder: Path) -> tuple[list[float], list[float]]:
    """(Outcry, bare Ray), seconds, one after the other in each round."""
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(await _outcry(Path(tempfile.mkdtemp(prefix="s", dir=folder))))
        bare.append(await _bare(Path(tempfile.mkdtemp(prefix="s", dir=folder))))
    return ours, bare


def rows(ours: list[float], bare: list[float]) -> list[Row]:
    reference = alone("start.bare_ray", median(bare), "s")
    return [reference, compared("start.first_quote", median(ours), "s", reference, BAR)]


def print_rows(console: Console, ours: list[float], bare: list[float]) -> None:
    table = Table("", "median", "each", title="Start with no Ray running, s")
    for title, values in (("outcry run to the first quote", ours), ("ray.init and one actor", bare)):
        table.add_row(title, f"{median(values):.1f}", "  ".join(f"{value:.1f}" for value in values))
    console.print(table)


async def _outcry(results: Path) -> float:
    exchange = await Child.start("scripts.benchmarks.exchange")
    desk = OwnRayDesk()
    try:
        began = time.monotonic_ns()
        await desk.start(Surroundings(**exchange.ready, cluster_address="", results=results))
        async with quoting(exchange, QUOTE_EVERY_S):
            return (await Quotes(results).first_after(0) - began) / 1e9
    finally:
        await desk.stop()
        await exchange.stop()


async def _bare(folder: Path) -> float:
    began = time.monotonic_ns()
    child = await Child.start("scripts.benchmarks.bare_ray", actors="1", slim="", folder=str(folder))
    took = (time.monotonic_ns() - began) / 1e9
    await child.stop()
    return took
