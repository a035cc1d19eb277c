"""What Outcry does not do: a connector that Ray restarts. Two links on picows, a Ray call for each quote, no more."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import QUOTES, SYMBOL
from scripts.benchmarks.quote_desk import Flow, Quotes, kill
from scripts.benchmarks.reference_links import OrderLink


async def restart_by_ray(kills: int, surroundings: Surroundings, flow: Flow) -> list[float]:
    """Milliseconds from each kill of the connector to the first quote at the strategy that was read after it."""
    import ray

    found = []
    quotes = Quotes(surroundings.results)
    name = f"strategy-{surroundings.results.name}"
    strategy: Any = ray.remote(num_cpus=0)(_RayStrategy).options(name=name).remote(str(surroundings.results))
    connector: Any = (
        ray.remote(num_cpus=0, max_restarts=-1)(_RayConnector)
        .options(max_task_retries=-1)
        .remote(name, surroundings.stream_url)
    )
    try:
        await quotes.first_after(0)
        for _ in range(kills):
            await asyncio.sleep(1)
            pid = await connector.pid.remote()
            async with flow():
                found.append(await kill(pid, quotes))
    finally:
        ray.kill(connector)
        ray.kill(strategy)
    return found


class _RayStrategy:
    def __init__(self, results: str) -> None:
        self._quotes = Quotes(Path(results))

    def on_quote(self, read: int) -> None:
        self._quotes.note(read)


class _RayConnector:
    """Connects whenever it begins to live, as nobody tells it to after Ray has restarted it."""

    def __init__(self, strategy: str, stream_url: str) -> None:
        import ray

        self._on_quote: Any = ray.get_actor(strategy).on_quote.remote
        self._stream_url = stream_url
        threading.Thread(target=lambda: uvloop.run(self._connect()), daemon=True).start()

    async def _connect(self) -> None:
        await ws_connect(OrderLink, f"{self._stream_url}/ws-api/v3")
        await ws_connect(lambda: _QuoteLink(self._on_quote), f"{self._stream_url}/stream?streams={QUOTES}")
        await asyncio.Event().wait()

    def pid(self) -> int:
        return os.getpid()


class _QuoteLink(WSListener):
    def __init__(self, on_quote: Callable[[int], Any]) -> None:
        self._on_quote = on_quote

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        read = time.time_ns()
        if frame.msg_type == WSMsgType.TEXT and SYMBOL.encode() in frame.get_payload_as_bytes():
            self._on_quote(read)
