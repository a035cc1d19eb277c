"""A fake Binance in a thread of the test that writes down every request which reached it on a socket."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET
from actors.simulation.binance.limits import Window
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.faults import Fault
from actors.simulation.http_reply import HttpReply
from actors.simulation.server import serve
from runtime.clock import WallClock
from tests.desk.truth import Truth

Answer = TypeVar("Answer")

SYMBOLS = ("BTCUSDT", "ETHUSDT")
START_S = 120.0


class Request(msgspec.Struct, frozen=True):
    """One frame of a session that trades."""

    ts: int
    """When it arrived, nanoseconds since the epoch."""
    session: str
    method: str
    client_order_id: str


class Connect(msgspec.Struct, frozen=True):
    """Somebody has asked for a socket."""

    ts: int
    refused: int
    """HTTP status; 0 if it was opened."""


class WatchedBinance(FakeBinance):
    """What it answers is its own business; this is what came."""

    def __init__(self, start: int, **parts: Any) -> None:
        super().__init__(start, **parts)
        self.requests: list[Request] = []
        self.connects: list[Connect] = []

    def connect(self, host: str, path: str, now: int) -> str | HttpReply:
        opened = super().connect(host, path, now)
        self.connects.append(Connect(now, opened.status if isinstance(opened, HttpReply) else 0))
        return opened

    def receive(self, session: str, text: str, now: int) -> None:
        request = json.loads(text)
        if session.startswith("ws-api"):
            parameters = request.get("params") or {}
            key = parameters.get("newClientOrderId") or parameters.get("origClientOrderId") or ""
            self.requests.append(Request(now, session, request["method"], key))
        super().receive(session, text, now)


class VenueThread:
    """Everything is asked of the venue on its own loop."""

    def __init__(self, venue: WatchedBinance, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self.port = port
        self._venue = venue
        self._loop = loop

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        async def answer() -> Answer:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(START_S)

    def requests(self, method: str = "order.place") -> list[Request]:
        return self._ask(lambda: [request for request in self._venue.requests if request.method == method])

    def connects(self) -> list[Connect]:
        return self._ask(lambda: list(self._venue.connects))

    def limit_connects(self, window_s: int) -> None:
        """Three hundred within so long instead of five minutes."""
        self._ask(lambda: setattr(self._venue, "_connections", Window(window_s)))

    def fault(self, *faults: Fault) -> None:
        self._ask(lambda: self._venue.faults.add(*faults, now=WallClock().now()))

    def calm(self) -> None:
        self._ask(lambda: self._venue.faults.clear(WallClock().now()))

    def faults_fired(self) -> int:
        report: Any = self._ask(lambda: self._venue.faults.report(WallClock().now()))
        return sum(fault["fired"] for fault in report["faults"])

    def truth(self) -> Truth:
        now = WallClock().now()
        reply = self._ask(lambda: self._venue.http("GET", "127.0.0.1", "/fake/ledger", "", {}, "", now))
        return Truth.of_venue(json.loads(reply.body))

    def settings(self, folder: Path, **others: Any) -> dict[str, Any]:
        """Of a venue in the configuration of a desk; the demo account's keys are written into `folder`."""
        (folder / "key").write_text(DEMO_KEY)
        (folder / "secret").write_text(DEMO_SECRET)
        return {
            "kind": "binance",
            "symbols": list(SYMBOLS),
            "credentials": {"key": f"file:{folder / 'key'}", "secret": f"file:{folder / 'secret'}"},
            "rest_url": f"http://127.0.0.1:{self.port}",
            "stream_url": f"ws://127.0.0.1:{self.port}",
            "trade_url": f"ws://127.0.0.1:{self.port}/ws-api/v3",
            **others,
        }


@contextmanager
def venue_thread(symbols: Sequence[str] = SYMBOLS, rate: float = 40.0, seed: int = 7) -> Iterator[VenueThread]:
    """Orders are limited only by what the desk does: a test that is killed often retries often."""
    ready: list[VenueThread] = []
    listening, over = threading.Event(), asyncio.Event()

    async def main() -> None:
        start = WallClock().now()
        venue = WatchedBinance(
            start, seed=seed, symbols=symbols, rate=rate, weight_limit=1_000_000, order_limit=1_000_000
        )
        server = await serve(venue)
        ready.append(VenueThread(venue, asyncio.get_running_loop(), server.port))
        listening.set()
        await over.wait()
        await server.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="venue")
    thread.start()
    try:
        assert listening.wait(START_S)
        yield ready[0]
    finally:
        ready[0]._loop.call_soon_threadsafe(over.set)
        thread.join(START_S)
