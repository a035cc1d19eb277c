"""Reference: picows and msgspec in one process, with the strategy as a plain callback. The floor of everything."""

import asyncio
from pathlib import Path

import uvloop

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import read_trade
from scripts.benchmarks.probe import Probe
from scripts.benchmarks.processes import Child, arguments, exit_with_parent, report_ready
from scripts.benchmarks.reference_links import OrderLink, connect


class OneProcess:
    name = "one_process"
    title = "one process"
    flood_count = 200_000

    def __init__(self) -> None:
        self._child: Child | None = None

    async def start(self, surroundings: Surroundings) -> None:
        stream_url, results = surroundings.stream_url, str(surroundings.results)
        self._child = await Child.start(__name__, stream_url=stream_url, results=results)

    async def stop(self) -> None:
        if self._child:
            await self._child.stop()


async def main(stream_url: str, results: str) -> None:
    orders: OrderLink

    def buy(price: str) -> None:
        orders.buy(price)

    probe = Probe(Path(results), buy)

    def on_frame(payload: memoryview, ts_recv: int) -> None:
        probe.on_trade(read_trade(payload, ts_recv))

    orders = await connect(stream_url, on_frame)
    report_ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    exit_with_parent()
    uvloop.run(main(**arguments()))
