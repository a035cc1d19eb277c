"""All checks of an order by a desk of 1,000 positions, beside one hop between two Ray actors.

The order is checked as in a desk: `CheckOrder` in, `Approved` out; the order is over before the next one. A hop is
one call of an async actor by another: from just before the call to its first line, by the machine's monotonic clock.
"""

import asyncio
import time
from decimal import Decimal
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.messages import (
    AccountReported,
    Approved,
    Balance,
    CheckOrder,
    DeskSnapshot,
    Holding,
    InstrumentsListed,
    OrderUpdated,
    Quote,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_state import OrderState
from actors.risk.checker import RiskChecker
from actors.settings import Credentials, RiskLimits, VenueSettings
from runtime.actor import Started
from runtime.telemetry.logs import silent_log
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import percentile

POSITIONS = 1_000
BAR = 0.5
VENUE = "binance"
PAUSE_S = 0.001


class _Context:
    """Takes what the checker tells, and carries nothing out."""

    name = "risk_checker"
    incarnation = 1
    random = Random(1)
    log = silent_log()

    def __init__(self) -> None:
        self.told: list[object] = []

    def now(self) -> int:
        return time.time_ns()

    def tell(self, to: object, message: object) -> None:
        self.told.append(message)

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def measure_checks(count: int) -> list[float]:
    """Microseconds of each check, ascending."""
    context: Any = _Context()
    checker = _desk(context)
    took = []
    for number in range(count):
        spec = OrderSpec(
            f"{number:032x}", "maker", VENUE, f"S{number % POSITIONS}", Side.BUY, OrderType.LIMIT, "0.1", "100"
        )
        order = CheckOrder(spec, Stamps(1, 2, 3), 1, time.time_ns() + 10**9)
        context.told.clear()
        began = time.perf_counter_ns()
        checker.receive(order, context)
        took.append((time.perf_counter_ns() - began) / 1e3)
        if not any(isinstance(message, Approved) for message in context.told):
            raise RuntimeError(f"not approved: {context.told}")
        checker.receive(OrderUpdated(spec, OrderState.CANCELED, "0", None, "", "", time.time_ns()), context)
    return sorted(took)


def _desk(context: Any) -> RiskChecker:
    symbols = [f"S{number}" for number in range(POSITIONS)]
    limits = RiskLimits(
        max_exposure=Decimal("1000000000"), max_position={f"{VENUE}.{symbol}": Decimal(100) for symbol in symbols}
    )
    credentials = Credentials(key="demo", secret="demo")
    venue = VenueSettings(kind="binance", symbols=symbols, credentials=credentials)
    checker = RiskChecker(limits, {VENUE: venue})
    now = time.time_ns()
    for message in (
        Started(),
        DeskSnapshot([], {}, False, tuple(Holding(VENUE, symbol, "1", "100", "0", {}) for symbol in symbols)),
        InstrumentsListed(VENUE, [Instrument(VENUE, symbol, symbol, "USDT") for symbol in symbols]),
        AccountReported(VENUE, [Balance("USDT", "1000000000", "0")], True, now),
        *(Quote(VENUE, symbol, "99", "5", "100", "5", now, now) for symbol in symbols),
    ):
        checker.receive(message, context)
    return checker


async def measure_hops(count: int) -> list[float]:
    """Microseconds from one Ray actor to another, ascending; needs a Ray."""
    import ray

    remote: Any = ray.remote(num_cpus=0)
    to = remote(_To).remote()
    sender = remote(_From).remote(to)
    try:
        await sender.send.remote(count // 10)
        hops: list[float] = await sender.send.remote(count)
        return sorted(hops)
    finally:
        ray.kill(sender)
        ray.kill(to)


class _To:
    async def hop(self, sent: int) -> float:
        return (time.monotonic_ns() - sent) / 1e3


class _From:
    def __init__(self, to: Any) -> None:
        self._to = to

    async def send(self, count: int) -> list[float]:
        hops = []
        for _ in range(count):
            hops.append(await self._to.hop.remote(time.monotonic_ns()))
            await asyncio.sleep(PAUSE_S)
        return hops


def rows(checks: list[float], hops: list[float]) -> list[Row]:
    hop = alone("risk.ray_hop_p50", percentile(hops, 50), "us")
    return [
        hop,
        compared("risk.all_checks_p50", percentile(checks, 50), "us", hop, BAR),
        alone("risk.all_checks_p99", percentile(checks, 99), "us"),
    ]


def print_rows(console: Console, checks: list[float], hops: list[float]) -> None:
    table = Table("", "p50", "p99", "p99.9", title=f"Risk, all checks with {POSITIONS:,} positions, µs")
    for title, values in (("all checks of an order", checks), ("one hop between two Ray actors", hops)):
        table.add_row(title, *(f"{percentile(values, percent):,.0f}" for percent in (50, 99, 99.9)))
    console.print(table)
