"""A desk that notes each quote which it hears, beside an exchange that quotes, and how to know that all of it is well.

A quote counts by when it was read from the venue: one that came from before the moment in question is not of it.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from actors import operate
from actors.strategy import Quote, Strategy
from runtime.errors import Unavailable
from runtime.pidfd import gone
from runtime.rundir import RunRecord
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.ours import INSTRUMENT, STRATEGY, VENUE, Separate
from scripts.benchmarks.processes import Child

TIMEOUT_S = 300.0
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
    """Whose connector is killed again and again: it must not lose patience, each death counts as the first."""

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        configuration = super()._configuration(surroundings)
        strategy = {
            "class": f"{__name__}:{QuoteStrategy.__name__}",
            "instruments": [INSTRUMENT],
            "parameters": {"results": str(surroundings.results)},
        }
        return {
            **configuration,
            "name": "quotes",
            "strategies": {STRATEGY: strategy},
            "restart": {"period_s": 0.1, **PATIENT},
        }


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


async def kill(pid: int, quotes: Quotes) -> float:
    """Milliseconds from the kill to the first quote that is read from then on."""
    await quotes.first_after(time.time_ns())
    killed, read_after = time.monotonic_ns(), time.time_ns()
    os.kill(pid, signal.SIGKILL)
    came = await quotes.first_after(read_after)
    await gone(pid)
    return (came - killed) / 1e6


async def ready(record: RunRecord, spares: int, dead: int = 0) -> int:
    """The connector's pid, when everybody is well and so many spares wait. `dead` is one that may still be shown."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                status = await asyncio.to_thread(operate.ask, record)
            except Unavailable:
                continue
            is_well = all(actor.state.value == "READY" for actor in status.actors.values())
            if is_well and status.spares >= spares and status.actors[CONNECTOR].pid != dead:
                await asyncio.sleep(1)
                return status.actors[CONNECTOR].pid
            await asyncio.sleep(0.05)
