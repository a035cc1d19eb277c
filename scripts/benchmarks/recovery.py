"""From `kill -9` of a connector to the first new quote at the strategy, beside Ray's own restart of the same actor.

The exchange sends one quote on each new market link, so the quote that comes after a kill came over a new link. Ray's
actor does the same work with picows: two links, then one Ray call to the strategy; nothing else of a connector.
Outcry's backoff, a random part of a tenth of a second, is taken off the value and printed beside it.
"""

import asyncio
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from rich.console import Console
from rich.table import Table

from actors import operate
from actors.strategy import Quote, Strategy
from runtime.errors import Unavailable
from runtime.rundir import RunRecord, find_runs
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import QUOTES, SYMBOL
from scripts.benchmarks.ours import INSTRUMENT, STRATEGY, VENUE, Separate
from scripts.benchmarks.processes import Child
from scripts.benchmarks.reference_links import OrderLink
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median

TIMEOUT_S = 60.0
BAR = 0.2
POLL_S = 0.002
CONNECTOR = f"connector.{VENUE}"


class Quotes:
    """A file with one line for each quote: when it came, by the machine's monotonic clock."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "quotes"

    def note(self) -> None:
        now = time.monotonic_ns()
        with self._file.open("a") as file:
            file.write(f"{now}\n")

    async def first_after(self, moment: int) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                with_times = self._file.read_text().split() if self._file.exists() else []
                later = [int(text) for text in with_times if int(text) > moment]
                if later:
                    return later[0]
                await asyncio.sleep(POLL_S)


class QuoteStrategy(Strategy):
    def on_start(self) -> None:
        self._quotes = Quotes(Path(self._parameters["results"]))

    def on_quote(self, quote: Quote) -> None:
        self._quotes.note()


class _Desk(Separate):
    """Killed again and again, so the desk must not lose patience: each death counts as the first."""

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        configuration = super()._configuration(surroundings)
        strategy = {
            "class": f"{__name__}:{QuoteStrategy.__name__}",
            "instruments": [INSTRUMENT],
            "parameters": {"results": str(surroundings.results)},
        }
        return {
            **configuration,
            "name": "recovery",
            "strategies": {STRATEGY: strategy},
            "restart": {"period_s": 0.1},
        }


class Recoveries:
    """Milliseconds, of each kill."""

    def __init__(self) -> None:
        self.whole: list[float] = []
        self.backoffs: list[float] = []

    @property
    def without_backoff(self) -> list[float]:
        return [whole - backoff for whole, backoff in zip(self.whole, self.backoffs, strict=True)]


async def measure(kills: int, folder: Path, cluster_address: str) -> tuple[Recoveries, Recoveries]:
    """(Outcry, Ray): each kills its connector so often."""
    return (
        await _with_exchange(folder, cluster_address, lambda given: _outcry(kills, given)),
        await _with_exchange(folder, cluster_address, lambda given: _ray(kills, given)),
    )


def rows(ours: Recoveries, rays: Recoveries) -> list[Row]:
    reference = alone("recovery.ray_restart", median(rays.whole), "ms")
    with_backoff = alone("recovery.kill_to_quote_with_backoff", median(ours.whole), "ms")
    value = median(ours.without_backoff)
    return [reference, compared("recovery.kill_to_quote", value, "ms", reference, BAR), with_backoff]


def print_rows(console: Console, ours: Recoveries, rays: Recoveries) -> None:
    table = Table("", "median", "worst", "kills", title="From kill -9 of the connector to the next quote, ms")
    for title, values in (
        ("Outcry, without its backoff", ours.without_backoff),
        ("Outcry, with it", ours.whole),
        ("Ray's restart of the same actor", rays.whole),
    ):
        table.add_row(title, f"{median(values):,.0f}", f"{max(values):,.0f}", str(len(values)))
    console.print(table)


async def _with_exchange(folder: Path, cluster_address: str, run: Callable[[Surroundings], Any]) -> Recoveries:
    results = Path(tempfile.mkdtemp(prefix="k", dir=folder))
    exchange = await Child.start("scripts.benchmarks.exchange")
    try:
        recoveries: Recoveries = await run(
            Surroundings(**exchange.ready, cluster_address=cluster_address, results=results)
        )
        return recoveries
    finally:
        await exchange.stop()


async def _outcry(kills: int, surroundings: Surroundings) -> Recoveries:
    desk = _Desk()
    found = Recoveries()
    quotes = Quotes(surroundings.results)
    try:
        before = {record.folder for record in find_runs()}
        await desk.start(surroundings)
        await quotes.first_after(0)
        (record,) = (record for record in find_runs() if record.folder not in before)
        for _ in range(kills):
            pid = await _ready(record)
            killed = time.monotonic_ns()
            os.kill(pid, signal.SIGKILL)
            found.whole.append((await quotes.first_after(killed) - killed) / 1e6)
            found.backoffs.append(_last_backoff_ms(record))
    finally:
        await desk.stop()
    return found


async def _ready(record: RunRecord) -> int:
    """The connector's pid, when everybody is well and a spare waits."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                status = await asyncio.to_thread(operate.ask, record)
            except Unavailable:
                continue
            if status.spares and all(actor.state.value == "READY" for actor in status.actors.values()):
                await asyncio.sleep(1)
                return status.actors[CONNECTOR].pid
            await asyncio.sleep(0.05)


def _last_backoff_ms(record: RunRecord) -> float:
    lines = Path(record.folder, "logs", "supervisor.jsonl").read_text().splitlines()
    ends = [line for line in map(json.loads, lines) if line["event"] == "host_ended" and line["name"] == CONNECTOR]
    return float(ends[-1]["delay_ms"])


async def _ray(kills: int, surroundings: Surroundings) -> Recoveries:
    import ray

    found = Recoveries()
    quotes = Quotes(surroundings.results)
    strategy = ray.remote(num_cpus=0)(_RayStrategy).remote(str(surroundings.results))
    connector = (
        ray.remote(num_cpus=0, max_restarts=-1)(_RayConnector)
        .options(max_task_retries=-1)
        .remote(strategy, surroundings.stream_url)
    )
    try:
        await quotes.first_after(0)
        for _ in range(kills):
            await asyncio.sleep(1)
            pid = await connector.pid.remote()
            killed = time.monotonic_ns()
            os.kill(pid, signal.SIGKILL)
            found.whole.append((await quotes.first_after(killed) - killed) / 1e6)
            found.backoffs.append(0.0)
    finally:
        ray.kill(connector)
        ray.kill(strategy)
    return found


class _RayStrategy:
    def __init__(self, results: str) -> None:
        self._quotes = Quotes(Path(results))

    def on_quote(self, payload: bytes) -> None:
        self._quotes.note()


class _RayConnector:
    """Connects whenever it begins to live, as nobody tells it to after Ray has restarted it."""

    def __init__(self, strategy: Any, stream_url: str) -> None:
        self._on_quote = strategy.on_quote.remote
        self._stream_url = stream_url
        threading.Thread(target=lambda: uvloop.run(self._connect()), daemon=True).start()

    async def _connect(self) -> None:
        await ws_connect(OrderLink, f"{self._stream_url}/ws-api/v3")
        await ws_connect(lambda: _QuoteLink(self._on_quote), f"{self._stream_url}/stream?streams={QUOTES}")
        await asyncio.Event().wait()

    def pid(self) -> int:
        return os.getpid()


class _QuoteLink(WSListener):
    def __init__(self, on_quote: Callable[[bytes], Any]) -> None:
        self._on_quote = on_quote

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT and SYMBOL.encode() in frame.get_payload_as_bytes():
            self._on_quote(frame.get_payload_as_bytes())
