"""Outcry itself, run by its own command: every actor in a Ray actor of its own, or the way of an order in one host.

Nothing is left out: order manager with journal, risk checker with all its checks, router, portfolio, latency monitor
and supervisor run as in every desk. Only limits are raised so far that no order is refused.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

from actors import names
from actors.strategy import Strategy, Trade
from runtime.rundir import RunRecord, find_runs
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import ORDER_QUANTITY, SYMBOL
from scripts.benchmarks.probe import Probe

STOP_TIMEOUT_S = 60.0
VENUE = "binance"
STRATEGY = "probe"
INSTRUMENT = f"{VENUE}.{SYMBOL}"
HOT_PATH = [
    names.connector(VENUE),
    names.strategy(STRATEGY),
    names.ORDER_MANAGER,
    names.RISK_CHECKER,
    names.ROUTER,
]


class ProbeStrategy(Strategy):
    """The probe as a user's strategy. Parameter: `results`, the folder it writes to."""

    def on_start(self) -> None:
        self.probe = Probe(Path(self._parameters["results"]), self._buy)

    def on_trade(self, trade: Trade) -> None:
        self.probe.on_trade(trade)

    def _buy(self, price: str) -> None:
        self.buy(INSTRUMENT, ORDER_QUANTITY, price, time_in_force="IOC")


class _Desk:
    name: str
    colocate: ClassVar[list[list[str]]]

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, surroundings: Surroundings) -> None:
        configuration = surroundings.results / "desk.yaml"
        configuration.write_text(json.dumps(self._configuration(surroundings)))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "actors.cli",
            "run",
            str(configuration),
            "--quiet",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )

    def record(self) -> RunRecord:
        """Of its run; other desks may be starting on this machine as well."""
        (record,) = (record for record in find_runs() if self._process and record.pid == self._process.pid)
        return record

    async def stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _configuration(self, surroundings: Surroundings) -> dict[str, Any]:
        """JSON is YAML."""
        return {
            "name": "bench",
            "venues": {
                VENUE: {
                    "kind": "binance",
                    "symbols": [SYMBOL],
                    "credentials": {"key": "demo", "secret": "demo"},
                    "rest_url": surroundings.rest_url,
                    "stream_url": surroundings.stream_url,
                    "trade_url": f"{surroundings.stream_url}/ws-api/v3",
                }
            },
            "strategies": {
                STRATEGY: {
                    "class": f"{__name__}:{ProbeStrategy.__name__}",
                    "instruments": [INSTRUMENT],
                    "parameters": {"results": str(surroundings.results)},
                }
            },
            "risk": {"max_open_orders": 10_000, "max_order_notional": 1_000_000, "max_exposure": 1_000_000_000},
            "journal": {"path": str(surroundings.results / "journal")},
            "cluster": {"address": surroundings.cluster_address},
            "colocate": self.colocate,
        }


class Separate(_Desk):
    name = "separate"
    title = "Outcry, separate"
    flood_count = 200_000
    colocate: ClassVar[list[list[str]]] = []


class Colocated(_Desk):
    name = "colocated"
    title = "Outcry, colocated"
    flood_count = 200_000
    colocate: ClassVar[list[list[str]]] = [HOT_PATH]
