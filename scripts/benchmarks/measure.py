"""One contender measured once: started beside an exchange of its own, warmed up, fed, made to trade, stopped."""

import asyncio
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from scripts.benchmarks.contender import Contender, Surroundings
from scripts.benchmarks.exchange import OrderLatencies
from scripts.benchmarks.pacing import Sent
from scripts.benchmarks.probe import Arrivals, arrivals_path
from scripts.benchmarks.processes import Child
from scripts.benchmarks.statistics import percentile

READY_TIMEOUT_S = 180.0
PHASE_TIMEOUT_S = 180.0
ANSWER_S = 60.0
"""How long to wait for the orders of the last triggers ..."""
TRY_S = 2.0
"""... and while it is not known yet whether any is answered."""
_POLL_S = 0.01


class Plan(msgspec.Struct, frozen=True):
    """How much each round measures."""

    rounds: int
    warm_up: int
    """Trades at 1,000 a second, not measured; also the number of orders before the measured ones is a tenth of it."""
    paced_s: float
    triggers: int
    every: int
    """Trades at 1,000 a second from one trigger to the next."""
    flood_share: float = 1.0
    starts: int = 3
    kills: int = 5
    checks: int = 20_000
    hops: int = 2_000
    steady_s: float = 20.0
    connects: int = 200
    settle_s: float = 6.0
    """Memory is looked at so long after everybody is there."""


FULL = Plan(rounds=5, warm_up=500, paced_s=1.5, triggers=240, every=20)
QUICK = Plan(
    rounds=1,
    warm_up=50,
    paced_s=0.1,
    triggers=5,
    every=10,
    flood_share=0.05,
    starts=1,
    kills=1,
    checks=200,
    hops=50,
    steady_s=0.5,
    connects=5,
    settle_s=1.0,
)


class Figures(msgspec.Struct, frozen=True):
    """One contender, one round. Names of the values are those of `report.METRICS`."""

    values: dict[str, float]
    samples: dict[str, int]
    late: int
    """Frames that the exchange itself sent more than a millisecond after their time."""
    lost: int
    """Trades of the flood that never reached the callback."""
    unanswered: int
    """Triggers that no order answered."""
    orders_us: list[float] = []
    """Frame to order, of each that was answered."""


async def measure(contender: Contender, plan: Plan, folder: Path, cluster_address: str) -> Figures:
    """Leaves nothing running, whatever happens. `folder` has to be short: sockets of contenders live below it."""
    results = Path(tempfile.mkdtemp(prefix="r", dir=folder))
    exchange = await Child.start("scripts.benchmarks.exchange")
    try:
        async with aiohttp.ClientSession(exchange.ready["rest_url"]) as session:
            try:
                await contender.start(Surroundings(**exchange.ready, cluster_address=cluster_address, results=results))
                return await Round(session, results).run(plan, contender.flood_count)
            finally:
                await contender.stop()
    finally:
        await exchange.stop()


class Round:
    """Phases of one contender, which runs already."""

    def __init__(self, session: aiohttp.ClientSession, results: Path) -> None:
        self._session = session
        self._results = results
        self._phases = itertools.count(1)

    async def run(self, plan: Plan, flood_count: int) -> Figures:
        await self.warm_up(plan)
        values: dict[str, float] = {}
        samples: dict[str, int] = {}
        late = 0
        for name, rate in (("feed_1k", 1_000), ("feed_10k", 10_000)):
            sent, arrivals = await self.feed(int(rate * plan.paced_s), rate)
            latencies = [at - int(trade_id) for trade_id, at in zip(arrivals.trade_ids, arrivals.times, strict=True)]
            values |= _percentiles(name, latencies)
            samples |= dict.fromkeys((f"{name}_p50", f"{name}_p99"), len(latencies))
            late += sent.late
        ordered = await self.orders(plan.triggers, plan.every)
        values |= _percentiles("order", ordered.latencies_ns, (50, 90, 99))
        samples |= dict.fromkeys(("order_p50", "order_p90", "order_p99"), len(ordered.latencies_ns))
        sent, arrivals = await self.feed(int(flood_count * plan.flood_share), 0)
        values["feed_rate"] = len(arrivals.times) / (arrivals.times[-1] - sent.began) * 1e9
        samples["feed_rate"] = len(arrivals.times)
        return Figures(
            values,
            samples,
            late=late + ordered.late,
            lost=sent.count - len(arrivals.times),
            unanswered=ordered.triggers - len(ordered.latencies_ns),
            orders_us=[latency / 1e3 for latency in ordered.latencies_ns],
        )

    async def warm_up(self, plan: Plan) -> None:
        """Return once trades reach the probe and its orders the exchange, and both have done so for a while."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not await self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {READY_TIMEOUT_S:.0f} s: {await self._get('/bench/state')}")
        await self.orders(plan.warm_up // 10, 10)

    async def _answers(self) -> bool:
        state = await self._get("/bench/state")
        if not (state["market"] and state["orders"]):
            await asyncio.sleep(_POLL_S)
            return False
        ordered = await self.orders(1, 100, TRY_S)
        return len(ordered.latencies_ns) == 1

    async def feed(self, count: int, rate: int) -> tuple[Sent, Arrivals]:
        phase = str(next(self._phases))
        body = await self._post("/bench/feed", {"phase": phase, "count": count, "rate": rate})
        sent = msgspec.json.decode(body, type=Sent)
        return sent, await self._arrivals(phase)

    async def orders(self, count: int, every: int, patience_s: float = ANSWER_S) -> OrderLatencies:
        phase = str(next(self._phases))
        values = {"phase": phase, "count": count, "rate": 1_000, "every": every, "patience_s": patience_s}
        return msgspec.json.decode(await self._post("/bench/orders", values), type=OrderLatencies)

    async def _arrivals(self, phase: str) -> Arrivals:
        path = arrivals_path(self._results, phase)
        deadline = time.monotonic() + PHASE_TIMEOUT_S
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the end of phase {phase} did not reach the callback")
            await asyncio.sleep(_POLL_S)
        return msgspec.msgpack.decode(path.read_bytes(), type=Arrivals)

    async def _get(self, path: str) -> Any:
        async with self._session.get(path) as response:
            return await response.json()

    async def _post(self, path: str, values: dict[str, Any]) -> bytes:
        async with self._session.post(path, json=values) as response:
            body = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{path}: {response.status} {body.decode()}")
            return body


def _percentiles(name: str, latencies_ns: list[int], percents: tuple[int, ...] = (50, 99)) -> dict[str, float]:
    """In microseconds."""
    if not latencies_ns:
        raise RuntimeError(f"{name}: nothing arrived")
    ordered = sorted(latencies_ns)
    return {f"{name}_p{percent}": percentile(ordered, percent) / 1e3 for percent in percents}
