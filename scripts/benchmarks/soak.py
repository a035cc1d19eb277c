"""A long run at a steady 10,000 events a second: latency and memory of its first minute beside those of its last."""

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.measure import FULL, Round
from scripts.benchmarks.memory import pss
from scripts.benchmarks.ours import Separate
from scripts.benchmarks.processes import Child
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import percentile

RATE = 10_000
SLICE_S = 5.0
"""The exchange and the probe are asked in slices, so that neither has to remember much."""
WINDOW_S = 60.0


class Window(msgspec.Struct):
    """A minute, or all there was if that was less."""

    latencies_us: list[float]
    memory_mb: float = 0.0


class Soak(msgspec.Struct):
    first: Window
    last: Window
    sent: int
    lost: int
    """Of a quote or trade only the newest counts, so a slow reader loses some; each is counted."""


class _Desk(Separate):
    """With a Ray of its own, so that all its processes descend from one."""

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        return {**super()._configuration(surroundings), "name": "soak", "cluster": {}}

    def memory_mb(self) -> float:
        if self._process is None:
            return 0.0
        root = psutil.Process(self._process.pid)
        total = 0.0
        for member in (root, *root.children(recursive=True)):
            with contextlib.suppress(OSError, ValueError):  # gone since it was listed
                total += pss(member.pid)
        return total


async def measure(seconds: float, folder: Path) -> Soak:
    results = Path(tempfile.mkdtemp(prefix="k", dir=folder))
    exchange = await Child.start("scripts.benchmarks.exchange")
    desk = _Desk()
    try:
        async with aiohttp.ClientSession(exchange.ready["rest_url"]) as session:
            await desk.start(Surroundings(**exchange.ready, cluster_address="", results=results))
            phases = Round(session, results)
            await phases.warm_up(FULL)
            return await _run(seconds, desk, phases)
    finally:
        await desk.stop()
        await exchange.stop()


async def _run(seconds: float, desk: _Desk, phases: Round) -> Soak:
    slice_s = min(SLICE_S, seconds)
    kept = max(1, round(WINDOW_S / slice_s))
    first = Window([])
    last: list[list[float]] = []
    sent = lost = taken = 0
    deadline = time.monotonic() + seconds
    while not taken or time.monotonic() < deadline:
        told, arrivals = await phases.feed(int(RATE * slice_s), RATE)
        latencies = [
            (at - int(trade_id)) / 1e3 for trade_id, at in zip(arrivals.trade_ids, arrivals.times, strict=True)
        ]
        sent += told.count
        lost += told.count - len(latencies)
        taken += 1
        if taken <= kept:
            first.latencies_us += latencies
            first.memory_mb = desk.memory_mb()
        last = [*last, latencies][-kept:]
    everything = [latency for latencies in last for latency in latencies]
    return Soak(first, Window(everything, desk.memory_mb()), sent, lost)


def rows(soak: Soak) -> list[Row]:
    found = [alone("soak.sent", float(soak.sent), "msg"), alone("soak.lost", float(soak.lost), "msg")]
    found.append(alone("soak.loss", 100 * soak.lost / soak.sent, "%"))
    for name in ("p50", "p99", "p999"):
        before, after = (_quantile(window, name) for window in (soak.first, soak.last))
        reference = alone(f"soak.first_minute_{name}", before, "us")
        found += [reference, compared(f"soak.last_minute_{name}", after, "us", reference, None)]
    reference = alone("soak.first_minute_memory", soak.first.memory_mb, "MB")
    return [*found, reference, compared("soak.last_minute_memory", soak.last.memory_mb, "MB", reference, None)]


def print_rows(console: Console, soak: Soak) -> None:
    title = f"Soak: {soak.sent:,} events at {RATE:,} a second, {soak.lost:,} lost"
    table = Table("", "p50 µs", "p99 µs", "p99.9 µs", "memory MB", title=title)
    for name, window in (("first minute", soak.first), ("last minute", soak.last)):
        quantiles = (f"{_quantile(window, quantile):,.0f}" for quantile in ("p50", "p99", "p999"))
        table.add_row(name, *quantiles, f"{window.memory_mb:,.0f}")
    console.print(table)


def _quantile(window: Window, name: str) -> float:
    return percentile(sorted(window.latencies_us), {"p50": 50, "p99": 99, "p999": 99.9}[name])
