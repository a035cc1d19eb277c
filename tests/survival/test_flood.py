"""Ten times the market data that a strategy can take: it is conflated and counted, memory stays flat, orders go on.

OUTCRY_FLOOD_S is how long the first flood lasts, 20 s by default.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from actors.strategy import Strategy, Trade
from runtime.memory import resident_bytes
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.exchange import OrderLatencies
from scripts.benchmarks.measure import ANSWER_S
from scripts.benchmarks.ours import INSTRUMENT, STRATEGY, VENUE, Separate
from scripts.benchmarks.processes import Child
from scripts.benchmarks.statistics import percentile
from tests.desk.runs import PATIENT, START_S, Run, Status, outcry_run

FLOOD_S = int(os.environ.get("OUTCRY_FLOOD_S", "20"))
TAKES_S = 0.01
"""What the slow strategy needs for a trade: it takes a hundred a second."""
LOW, HIGH = 50, 1_000
"""Trades a second."""
ORDERS_PER_S = 25
"""At either load."""
REPEATED_S = 8
TRIES = 8
FLAT_BYTES = 24 << 20
"""What a process may grow by while the flood goes on: a queue of all of it would show in an hour only, so counts are
looked at as well."""
SLUGGARD = "sluggard"
ORDER_WAY = ("order_manager", "risk_checker", "router", f"strategy.{STRATEGY}")

pytestmark = pytest.mark.slow


class Sluggard(Strategy):
    """Waits over every trade."""

    def on_trade(self, trade: Trade) -> None:
        time.sleep(TAKES_S)


def configuration(surroundings: Surroundings) -> dict[str, Any]:
    """The benchmark's desk in plain processes, with a slow strategy beside the fast one."""
    document = Separate()._configuration(surroundings)
    document["cluster"] = {"backend": "processes"}
    document["restart"] = PATIENT
    document["strategies"][SLUGGARD] = {
        "class": f"{__name__}:{Sluggard.__name__}",
        "instruments": [INSTRUMENT],
    }
    return document


class Flooded:
    def __init__(self, session: aiohttp.ClientSession, run: Run) -> None:
        self.run = run
        self._session = session
        self._phase = 0

    async def orders(self, rate: int, seconds: int, patience_s: float = ANSWER_S) -> OrderLatencies:
        """So many trades a second, of which 25 cause an order of the fast strategy."""
        self._phase += 1
        every = rate // ORDERS_PER_S
        body = {
            "phase": str(self._phase),
            "count": ORDERS_PER_S * seconds,
            "rate": rate,
            "every": every,
            "patience_s": patience_s,
        }
        timeout = aiohttp.ClientTimeout(total=seconds + START_S)
        async with self._session.post("/bench/orders", json=body, timeout=timeout) as answer:
            return msgspec.json.decode(await answer.read(), type=OrderLatencies)

    async def until_it_answers(self) -> None:
        async with asyncio.timeout(START_S):
            while True:
                async with self._session.get("/bench/state") as answer:
                    state = await answer.json()
                if state["market"] and state["orders"] and len((await self.orders(LOW, 1, 2.0)).latencies_ns) > 0:
                    return
                await asyncio.sleep(0.1)

    async def memory(self) -> dict[str, int]:
        status = await asyncio.to_thread(self.run.status)
        return {name: resident_bytes(actor["pid"]) for name, actor in status["actors"].items()}


@asynccontextmanager
async def flooded(results: Path) -> AsyncIterator[Flooded]:
    exchange = await Child.start("scripts.benchmarks.exchange")
    try:
        surroundings = Surroundings(**exchange.ready, cluster_address="", results=results)
        with outcry_run(configuration(surroundings), "--quiet") as run:
            async with aiohttp.ClientSession(exchange.ready["rest_url"]) as session:
                desk = Flooded(session, run)
                await desk.until_it_answers()
                yield desk
    finally:
        await exchange.stop()


async def memory_meanwhile(desk: Flooded, phase: "asyncio.Task[OrderLatencies]") -> list[dict[str, int]]:
    seen = []
    while not phase.done():
        await asyncio.wait([phase], timeout=1.0)
        seen.append(await desk.memory())
    return seen


def has_caught_up(status: Status) -> bool:
    depth: int = status["actors"][f"strategy.{SLUGGARD}"]["mailbox"]["depth"]
    return depth == 0


def p99(orders: OrderLatencies) -> float:
    return percentile(sorted(orders.latencies_ns), 99)


async def test_a_flood_is_conflated_and_orders_go_on(tmp_path: Path) -> None:
    async with flooded(tmp_path) as desk:
        await desk.orders(HIGH, 2)
        before = (await asyncio.to_thread(desk.run.status))["actors"]
        phase = asyncio.create_task(desk.orders(HIGH, FLOOD_S))
        memory = await memory_meanwhile(desk, phase)
        high = phase.result()
        after = (await asyncio.to_thread(desk.run.until, has_caught_up))["actors"]
        ratios: list[float] = []
        while len(ratios) < TRIES and min(ratios, default=2.0) >= 2.0:
            low = await desk.orders(LOW, REPEATED_S)
            ratios.append(p99(await desk.orders(HIGH, REPEATED_S)) / p99(low))
        restarts = {actor["restarts"] for actor in (await asyncio.to_thread(desk.run.status))["actors"].values()}
    assert len(high.latencies_ns) == high.triggers == ORDERS_PER_S * FLOOD_S
    slow, connector = f"strategy.{SLUGGARD}", f"connector.{VENUE}"
    dropped = sum(after[name]["mailbox"]["dropped"] - before[name]["mailbox"]["dropped"] for name in (slow, connector))
    taken = after[slow]["mailbox"]["handled"] - before[slow]["mailbox"]["handled"]
    assert taken < 2 * FLOOD_S / TAKES_S
    assert dropped > HIGH * FLOOD_S // 2
    assert {name: after[name]["mailbox"]["dropped"] for name in ORDER_WAY} == dict.fromkeys(ORDER_WAY, 0)
    quarter = len(memory) // 4
    grown = {name: memory[-1][name] - memory[quarter][name] for name in memory[-1]}
    assert max(grown.values()) < FLAT_BYTES, grown
    assert restarts == {0}
    assert min(ratios) < 2.0, ratios
    print(json.dumps(ratios))
