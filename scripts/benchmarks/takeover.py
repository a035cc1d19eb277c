"""From `kill -9` of a connector to the next quote at the strategy: with a hot standby, with a warm spare, with neither.

Beside Ray's own restart of an actor that does the same. Nothing is taken off: the backoff of the supervisor is set to
a millisecond. A quote counts when it was read from the venue after the kill; those come every other millisecond.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.ours import VENUE
from scripts.benchmarks.quote_desk import PATIENT, Flow, QuoteDesk, Quotes, kill, ready, with_exchange
from scripts.benchmarks.ray_restart import restart_by_ray
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median

QUOTE_EVERY_S = 0.002
SETTLED_S = 1.0
STANDBY_BAR_MS = 10.0
SPARE_BAR = 0.2


class Way(msgspec.Struct, frozen=True):
    """How a desk goes on when its connector is dead."""

    name: str
    title: str
    standby: bool
    spares: int


WAYS = (
    Way("standby", "hot standby", True, 1),
    Way("warm_spare", "warm spare, no standby", False, 1),
    Way("new_process", "neither", False, 0),
)
RAY = "ray_restart"
NAME = "takeover"

Takeovers = dict[str, list[float]]
"""Name of the way → milliseconds of each kill."""


class TakeoverDesk(QuoteDesk):
    def __init__(self, way: Way) -> None:
        super().__init__()
        self._way = way

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        configuration = super()._configuration(surroundings)
        venue = {**configuration["venues"][VENUE], "standby": self._way.standby}
        backoff = {"period_s": 0.1, "backoff_min_s": 0.001, "backoff_max_s": 0.002}
        restart = {**backoff, "spares": self._way.spares, **PATIENT}
        # A Ray of its own for a standby: on a cluster it would wait for a second machine.
        cluster = {} if self._way.standby else configuration["cluster"]
        return {**configuration, "name": NAME, "venues": {VENUE: venue}, "restart": restart, "cluster": cluster}


async def measure(kills: int, folder: Path, cluster_address: str) -> Takeovers:
    found: Takeovers = {}
    for way in WAYS:
        found[way.name] = await with_exchange(folder, cluster_address, partial(_desk, way, kills), QUOTE_EVERY_S)
    rays = await with_exchange(folder, cluster_address, partial(restart_by_ray, kills), QUOTE_EVERY_S)
    return {**found, RAY: rays}


def rows(takeovers: Takeovers) -> list[Row]:
    reference = alone(f"takeover.{RAY}", median(takeovers[RAY]), "ms")
    values = {way.name: median(takeovers[way.name]) for way in WAYS}
    standby = values["standby"]
    return [
        reference,
        Row("takeover.standby", standby, "ms", None, None, STANDBY_BAR_MS, standby <= STANDBY_BAR_MS),
        compared("takeover.warm_spare", values["warm_spare"], "ms", reference, SPARE_BAR),
        compared("takeover.new_process", values["new_process"], "ms", reference, None),
    ]


def print_rows(console: Console, takeovers: Takeovers) -> None:
    table = Table("", "best", "median", "worst", "kills", title="From kill -9 of the connector to the next quote, ms")
    for name, title in (*((way.name, way.title) for way in WAYS), (RAY, "Ray's restart of the same actor")):
        values = takeovers[name]
        shown = (f"{value:,.1f}" for value in (min(values), median(values), max(values)))
        table.add_row(title, *shown, str(len(values)))
    console.print(table)


async def _desk(way: Way, kills: int, surroundings: Surroundings, flow: Flow) -> list[float]:
    desk, quotes = TakeoverDesk(way), Quotes(surroundings.results)
    found = []
    try:
        await desk.start(surroundings)
        await quotes.first_after(0)
        record = desk.record()
        pid = 0
        for _ in range(kills):
            pid = await ready(record, way.spares, dead=pid)
            async with flow():
                await asyncio.sleep(SETTLED_S)
                found.append(await kill(pid, quotes))
    finally:
        await desk.stop()
    return found
