"""From `kill -9` of a connector to the first new quote at the strategy, beside Ray's own restart of the same actor.

Quotes come every few milliseconds; a new one was read from the venue after the old process was gone. Ray's actor does
the same work with picows: two links, then a Ray call to the strategy for each quote; nothing else of a connector.
Outcry's backoff, a random part of a tenth of a second, is taken off the value and printed beside it.
"""

import asyncio
import contextlib
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from rich.console import Console
from rich.table import Table

from actors import operate
from actors.strategy import Quote, Strategy
from runtime.errors import Unavailable
from runtime.pidfd import gone
from runtime.rundir import RunRecord
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import QUOTES, SYMBOL
from scripts.benchmarks.ours import INSTRUMENT, STRATEGY, VENUE, Separate
from scripts.benchmarks.processes import Child
from scripts.benchmarks.reference_links import OrderLink
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median

TIMEOUT_S = 300.0
BAR = 0.2
POLL_S = 0.002
QUOTE_EVERY_S = 0.005
STARTING_EVERY_S = 0.1
"""While a desk starts: it has enough to do."""
PATIENT = {"heartbeats_missed": 300}
"""Whoever is killed is known by its end; on a busy machine nobody else is to be replaced meanwhile."""
CONNECTOR = f"connector.{VENUE}"
Found = TypeVar("Found")
Flow = Callable[[], contextlib.AbstractAsyncContextManager[None]]
"""While it is entered quotes come as from a busy market."""


class Quotes:
    """A file with one line for each quote: when it was read from the venue (wall clock), when it came (monotonic)."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "quotes"
        self._looked_at = 0
        """So many bytes, whole lines, are not looked at again: whoever asks asks for later moments only."""

    def note(self, read: int) -> None:
        came = time.monotonic_ns()
        with self._file.open("a") as file:
            file.write(f"{read} {came}\n")

    async def first_after(self, moment: int) -> int:
        """When the first came that was read after that moment, which is none before that of the last time."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for line in self._new_lines():
                    read, came = map(int, line.split())
                    if read > moment:
                        return came
                    self._looked_at += len(line)
                await asyncio.sleep(POLL_S)

    def _new_lines(self) -> list[bytes]:
        """Those that are whole."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._looked_at)
            return [line for line in file.readlines() if line.endswith(b"\n")]


class QuoteStrategy(Strategy):
    def on_start(self) -> None:
        self._quotes = Quotes(Path(self._parameters["results"]))

    def on_quote(self, quote: Quote) -> None:
        self._quotes.note(quote.ts_recv)


@contextlib.asynccontextmanager
async def quoting(exchange: Child, every_s: float) -> AsyncIterator[None]:
    """While it is entered the exchange sends quotes as a market does, all the time."""

    async def quote() -> None:
        async with aiohttp.ClientSession(exchange.ready["rest_url"]) as session:
            while True:
                async with session.post("/bench/quote", json={}) as response:
                    response.raise_for_status()
                await asyncio.sleep(every_s)

    task = asyncio.ensure_future(quote())
    try:
        yield
    finally:
        task.cancel()


class QuoteDesk(Separate):
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
            "restart": {"period_s": 0.1, **PATIENT},
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
        await with_exchange(folder, cluster_address, partial(_outcry, kills)),
        await with_exchange(folder, cluster_address, partial(restart_by_ray, kills)),
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


async def with_exchange(
    folder: Path,
    cluster_address: str,
    run: Callable[[Surroundings, Flow], Awaitable[Found]],
    every_s: float = QUOTE_EVERY_S,
) -> Found:
    """What `run` returns; some quotes come all the while, and one every `every_s` while it has entered its flow."""
    results = Path(tempfile.mkdtemp(prefix="k", dir=folder))
    exchange = await Child.start("scripts.benchmarks.exchange")
    try:
        async with quoting(exchange, STARTING_EVERY_S):
            given = Surroundings(**exchange.ready, cluster_address=cluster_address, results=results)
            return await run(given, lambda: quoting(exchange, every_s))
    finally:
        await exchange.stop()


async def _outcry(kills: int, surroundings: Surroundings, flow: Flow) -> Recoveries:
    desk = QuoteDesk()
    found = Recoveries()
    quotes = Quotes(surroundings.results)
    try:
        await desk.start(surroundings)
        await quotes.first_after(0)
        record = desk.record()
        for _ in range(kills):
            pid = await ready(record)
            async with flow():
                found.whole.append(await _kill(pid, quotes))
            found.backoffs.append(_last_backoff_ms(record))
    finally:
        await desk.stop()
    return found


async def _kill(pid: int, quotes: Quotes) -> float:
    """Milliseconds from the kill to the first new quote."""
    await quotes.first_after(time.time_ns())
    killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    return (await quotes.first_after(time.time_ns()) - killed) / 1e6


async def ready(record: RunRecord, spares: int = 1) -> int:
    """The connector's pid, when everybody is well and so many spares wait."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                status = await asyncio.to_thread(operate.ask, record)
            except Unavailable:
                continue
            if status.spares >= spares and all(actor.state.value == "READY" for actor in status.actors.values()):
                await asyncio.sleep(1)
                return status.actors[CONNECTOR].pid
            await asyncio.sleep(0.05)


def _last_backoff_ms(record: RunRecord) -> float:
    lines = Path(record.folder, "logs", "supervisor.jsonl").read_text().split("\n")[:-1]
    ends = [line for line in map(json.loads, lines) if line["event"] == "host_ended" and line["name"] == CONNECTOR]
    return float(ends[-1]["delay_ms"])


async def restart_by_ray(kills: int, surroundings: Surroundings, flow: Flow) -> Recoveries:
    import ray

    found = Recoveries()
    quotes = Quotes(surroundings.results)
    name = f"strategy-{surroundings.results.name}"
    strategy: Any = ray.remote(num_cpus=0)(_RayStrategy).options(name=name).remote(str(surroundings.results))
    connector: Any = (
        ray.remote(num_cpus=0, max_restarts=-1)(_RayConnector)
        .options(max_task_retries=-1)
        .remote(name, surroundings.stream_url)
    )
    try:
        await quotes.first_after(0)
        for _ in range(kills):
            await asyncio.sleep(1)
            pid = await connector.pid.remote()
            async with flow():
                found.whole.append(await _kill(pid, quotes))
            found.backoffs.append(0.0)
    finally:
        ray.kill(connector)
        ray.kill(strategy)
    return found


class _RayStrategy:
    def __init__(self, results: str) -> None:
        self._quotes = Quotes(Path(results))

    def on_quote(self, read: int) -> None:
        self._quotes.note(read)


class _RayConnector:
    """Connects whenever it begins to live, as nobody tells it to after Ray has restarted it."""

    def __init__(self, strategy: str, stream_url: str) -> None:
        import ray

        self._on_quote: Any = ray.get_actor(strategy).on_quote.remote
        self._stream_url = stream_url
        threading.Thread(target=lambda: uvloop.run(self._connect()), daemon=True).start()

    async def _connect(self) -> None:
        await ws_connect(OrderLink, f"{self._stream_url}/ws-api/v3")
        await ws_connect(lambda: _QuoteLink(self._on_quote), f"{self._stream_url}/stream?streams={QUOTES}")
        await asyncio.Event().wait()

    def pid(self) -> int:
        return os.getpid()


class _QuoteLink(WSListener):
    def __init__(self, on_quote: Callable[[int], Any]) -> None:
        self._on_quote = on_quote

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        read = time.time_ns()
        if frame.msg_type == WSMsgType.TEXT and SYMBOL.encode() in frame.get_payload_as_bytes():
            self._on_quote(read)
