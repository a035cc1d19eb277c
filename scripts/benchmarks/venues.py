"""Six venues at once into one strategy that records every trade: what was sent, what was recorded, and how late.

Each venue is an exchange of its own process with a connector of its own; all send 1,000 trades a second at the same
time, and each is traded on. A link's opening is measured beside it, by the same link that connectors use.
"""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.table import Table

from actors.strategy import Strategy, Trade
from runtime.clock import WallClock
from runtime.links import NetworkIo
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import ORDER_QUANTITY, SYMBOL
from scripts.benchmarks.measure import Plan, Round
from scripts.benchmarks.ours import STRATEGY, VENUE, Separate
from scripts.benchmarks.probe import Probe
from scripts.benchmarks.processes import Child
from scripts.benchmarks.report import Row, alone
from scripts.benchmarks.statistics import percentile

VENUES = tuple(f"{VENUE}-{number}" for number in range(1, 7))
RATE = 1_000


class Recorder(Strategy):
    """A probe for each venue. Parameter: `results`, a folder with one folder for each."""

    def on_start(self) -> None:
        results = Path(self._parameters["results"])
        self._probes = {venue: self._probe(venue, results) for venue in VENUES}

    def on_trade(self, trade: Trade) -> None:
        self._probes[trade.venue].on_trade(trade)

    def _probe(self, venue: str, results: Path) -> Probe:
        def buy(price: str) -> None:
            self.buy(f"{venue}.{SYMBOL}", ORDER_QUANTITY, price, time_in_force="IOC")

        return Probe(results / venue, buy)


class _Desk(Separate):
    """`surroundings` is of the first venue; the others follow."""

    def __init__(self, exchanges: list[Child]) -> None:
        super().__init__()
        self._exchanges = exchanges

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        common = super()._configuration(surroundings)
        venue, strategy = common["venues"][VENUE], common["strategies"][STRATEGY]
        addresses = [exchange.ready for exchange in self._exchanges]
        return {
            **common,
            "venues": {
                name: {**venue, **address, "trade_url": f"{address['stream_url']}/ws-api/v3"}
                for name, address in zip(VENUES, addresses, strict=True)
            },
            "strategies": {
                STRATEGY: {
                    **strategy,
                    "class": f"{__name__}:{Recorder.__name__}",
                    "instruments": [f"{name}.{SYMBOL}" for name in VENUES],
                }
            },
        }


class Recorded(msgspec.Struct):
    sent: list[int]
    """Of each venue, as the next two."""
    recorded: list[int]
    ordered: list[int]
    latencies_us: list[float]
    """Trade on the wire to callback, over all venues."""
    connects_us: list[float]


async def measure(plan: Plan, folder: Path, cluster_address: str) -> Recorded:
    results = Path(tempfile.mkdtemp(prefix="v", dir=folder))
    for venue in VENUES:
        (results / venue).mkdir()
    async with contextlib.AsyncExitStack() as stack:
        exchanges = []
        for _ in VENUES:
            exchanges.append(await Child.start("scripts.benchmarks.exchange"))
            stack.push_async_callback(exchanges[-1].stop)
        desk = _Desk(exchanges)
        stack.push_async_callback(desk.stop)
        await desk.start(Surroundings(**exchanges[0].ready, cluster_address=cluster_address, results=results))
        rounds = [
            Round(await stack.enter_async_context(aiohttp.ClientSession(exchange.ready["rest_url"])), results / venue)
            for venue, exchange in zip(VENUES, exchanges, strict=True)
        ]
        await asyncio.gather(*(phases.warm_up(plan) for phases in rounds))
        ordered = await asyncio.gather(*(phases.orders(plan.triggers // 10 or 1, plan.every) for phases in rounds))
        fed = await asyncio.gather(*(phases.feed(int(RATE * plan.steady_s), RATE) for phases in rounds))
        connects = await _connects(exchanges[0].ready["stream_url"], plan.connects)
    return Recorded(
        [sent.count for sent, _ in fed],
        [len(arrivals.times) for _, arrivals in fed],
        [len(latencies.latencies_ns) for latencies in ordered],
        [
            (at - int(trade_id)) / 1e3
            for _, arrivals in fed
            for trade_id, at in zip(arrivals.trade_ids, arrivals.times, strict=True)
        ],
        connects,
    )


class _Opening:
    """Events of a link of which only its opening is of interest."""

    def __init__(self) -> None:
        self.up: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def link_up(self) -> None:
        self.up.set_result(time.monotonic_ns())

    def frames(self, payloads: list[bytes], ts_recv: int) -> None: ...

    def turn_over(self) -> None: ...

    def link_down(self, reason: str) -> None:
        if not self.up.done():
            self.up.set_exception(ConnectionError(reason))


async def _connects(url: str, count: int) -> list[float]:
    """How long a connector's link takes from the decision to the end of the handshake, microseconds, each new."""
    io = NetworkIo(WallClock())
    took = []
    for _ in range(count):
        opening, began = _Opening(), time.monotonic_ns()
        link = io.open_link(f"{url}/ws", opening)
        took.append((await opening.up - began) / 1e3)
        link.close()
    await io.close()
    return took


def rows(recorded: Recorded) -> list[Row]:
    sent, kept = sum(recorded.sent), sum(recorded.recorded)
    return [
        alone("venues.connected", float(sum(count > 0 for count in recorded.ordered)), "venues"),
        alone("venues.sent", float(sent), "msg"),
        alone("venues.recorded", float(kept), "msg"),
        alone("venues.loss", 100 * (sent - kept) / sent, "%"),
        alone("venues.feed_p50", _quantile(recorded.latencies_us, 50), "us"),
        alone("venues.feed_p99", _quantile(recorded.latencies_us, 99), "us"),
        alone("venues.connect_p50", _quantile(recorded.connects_us, 50), "us"),
        alone("venues.connect_p99", _quantile(recorded.connects_us, 99), "us"),
    ]


def print_rows(console: Console, recorded: Recorded) -> None:
    table = Table("venue", "sent", "recorded", "orders", title=f"{len(VENUES)} venues at {RATE:,} trades a second each")
    for venue, *counts in zip(VENUES, recorded.sent, recorded.recorded, recorded.ordered, strict=True):
        table.add_row(venue, *(f"{count:,}" for count in counts))
    console.print(table)
    for title, values in (("trade to callback", recorded.latencies_us), ("opening a link", recorded.connects_us)):
        console.print(f"{title}: p50 {_quantile(values, 50):,.0f} µs, p99 {_quantile(values, 99):,.0f} µs")


def _quantile(values: list[float], percent: float) -> float:
    return percentile(sorted(values), percent)
