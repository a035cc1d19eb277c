"""Twenty connectors in three hosts at one fake venue that counts all of them together, as one address."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.simulation.binance.refusal import Refusal
from actors.simulation.faults import Ban, Fault, LinkRole
from actors.simulation.http_reply import HttpReply
from actors.simulation.server import serve
from runtime.clock import WallClock
from tests.survival.venue import START_S, VenueThread, WatchedBinance

VENUES = [f"v{number:02}" for number in range(20)]
TRADING = VENUES[0]
HOSTS = 3
GROUPS = [[f"connector.{name}" for name in VENUES[index::HOSTS]] for index in range(HOSTS)]


class CountingBinance(WatchedBinance):
    """Every answer over HTTP and when it was given."""

    def __init__(self, start: int, **parts: Any) -> None:
        super().__init__(start, **parts)
        self.answers: list[tuple[int, int]] = []
        self.slowed = 0
        """How often somebody was told to slow down, over whichever link."""
        limits: Any = self._api._limits
        charge, count_orders = limits.charge, limits.count_orders
        limits.charge, limits.count_orders = self.counting(charge), self.counting(count_orders)

    def counting(self, carry_out: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def counted(amount: int, now: int) -> None:
            try:
                carry_out(amount, now)
            except Refusal as refusal:
                self.slowed += refusal.status in (418, 429)
                raise

        return counted

    def http(
        self, method: str, host: str, path: str, query: str, headers: Mapping[str, str], body: str, now: int
    ) -> HttpReply:
        reply = super().http(method, host, path, query, headers, body, now)
        if not path.startswith("/fake/"):
            self.answers.append((time.time_ns(), reply.status))
        return reply


class CountingThread(VenueThread):
    _venue: CountingBinance

    def slowed(self) -> int:
        """How often somebody was told that he asks or orders too much."""
        return self._ask(lambda: self._venue.slowed)

    def arrived(self, after: int, before: int) -> list[Any]:
        """Requests of any kind, and attempts to connect, that came between these times."""
        answers = [(ts, f"HTTP {status}") for ts, status in self._ask(lambda: list(self._venue.answers))]
        frames = [(each.ts, each.method) for each in self._ask(lambda: list(self._venue.requests))]
        connects = [(each.ts, "connect") for each in self.connects()]
        return [each for each in (*answers, *frames, *connects) if after < each[0] < before]

    def ban(self, seconds: int) -> None:
        """From now on, and for so long, everything that is asked is answered 418."""
        faults: list[Fault] = [
            Ban(link=link, count=None, for_ms=seconds * 1000, retry_after_s=seconds)
            for link in (LinkRole.REST, LinkRole.WS_API)
        ]
        self.fault(*faults)

    def banned_at(self) -> int:
        """When somebody was told first; 0 before."""
        log: Any = self._ask(lambda: self._venue.faults.report(WallClock().now())["log"])
        return min((entry["time"] for entry in log), default=0)


@contextmanager
def counting_venue(host: str, weight_limit: int, enter: Callable[[], None]) -> Iterator[CountingThread]:
    """`enter` takes the thread of the venue to its machine."""
    ready: list[CountingThread] = []
    listening, over = threading.Event(), asyncio.Event()

    async def main() -> None:
        venue = CountingBinance(
            WallClock().now(), seed=7, symbols=("BTCUSDT", "ETHUSDT"), rate=5.0, weight_limit=weight_limit
        )
        server = await serve(venue, host)
        ready.append(CountingThread(venue, asyncio.get_running_loop(), server.port))
        listening.set()
        await over.wait()
        await server.close()

    def there() -> None:
        enter()
        asyncio.run(main())

    thread = threading.Thread(target=there, name="venue")
    thread.start()
    try:
        assert listening.wait(START_S)
        yield ready[0]
    finally:
        ready[0]._loop.call_soon_threadsafe(over.set)
        thread.join(START_S)


def configuration(venue: CountingThread, folder: Path, addresses: Sequence[str]) -> dict[str, Any]:
    """`addresses` of the venue, as each of the connectors has it."""
    demo = venue.settings(folder)
    venues = {}
    for number, name in enumerate(VENUES):
        at = f"{addresses[number]}:{venue.port}"
        urls = {"rest_url": f"http://{at}", "stream_url": f"ws://{at}", "trade_url": f"ws://{at}/ws-api/v3"}
        venues[name] = {**demo, **urls, "fallback_after_s": None}
        if name != TRADING:
            del venues[name]["credentials"]
    return {
        "restart": {"spares": 0, "backoff_min_s": 0.02, "intensity": 1000},
        "venues": venues,
        "strategies": {
            "maker": {
                "class": "tests.desk.trader:Trader",
                "instruments": [f"{TRADING}.BTCUSDT"],
                "parameters": {"quantity": {f"{TRADING}.BTCUSDT": "0.002"}, "until_file": str(folder / "end")},
            }
        },
        "orders": {"reconcile_every_s": 1.0},
        "colocate": GROUPS,
    }
