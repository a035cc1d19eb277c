"""A fake venue of sixteen quiet symbols, a process of its own."""

import asyncio

from actors.simulation.binance.symbols import LISTINGS, Listing
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import serve
from runtime.clock import WallClock
from scripts.benchmarks.processes import arguments, exit_with_parent, report_ready

SYMBOLS = [f"S{number:02}USDT" for number in range(16)]


async def main(rate: float) -> None:
    for symbol in SYMBOLS:
        LISTINGS[symbol] = Listing(symbol.removesuffix("USDT"), "USDT", "0.01", "0.00001", "5", "67250.00", "0.25")
    venue = FakeBinance(WallClock().now(), 1, SYMBOLS, rate, weight_limit=1_000_000)
    server = await serve(venue)
    report_ready(port=str(server.port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    exit_with_parent()
    asyncio.run(main(float(arguments()["rate"])))
