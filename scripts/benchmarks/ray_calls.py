"""What Outcry does not do: connector and strategy as Ray actors, one Ray call per message, fire and forget.

The connector is an async actor on uvloop, the strategy a sync actor: only for those Ray keeps the order of calls.
Measured besides: a caller that wants no reply at all (`num_returns=0`) gets about a third more messages a second.
"""

from pathlib import Path
from typing import Any

import msgspec

from actors.messages import Trade
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import read_trade
from scripts.benchmarks.probe import Probe
from scripts.benchmarks.reference_links import OrderLink, connect


class RayCalls:
    name = "ray_calls"
    title = "Ray calls"
    flood_count = 10_000

    def __init__(self) -> None:
        self._actors: list[Any] = []

    async def start(self, surroundings: Surroundings) -> None:
        import ray  # only now: it reads its environment when it is imported, which the cluster sets when it starts

        remote: Any = ray.remote(num_cpus=0)
        strategy = remote(Strategy).remote(str(surroundings.results))
        connector = remote(Connector).remote(strategy)
        self._actors = [strategy, connector]
        await strategy.send_orders_to.remote(connector)
        await connector.open.remote(surroundings.stream_url)

    async def stop(self) -> None:
        import ray

        for actor in self._actors:
            ray.kill(actor)


class Connector:
    def __init__(self, strategy: Any) -> None:
        self._on_trade = strategy.on_trade
        self._encode = msgspec.msgpack.Encoder().encode
        self._link: OrderLink | None = None

    async def open(self, stream_url: str) -> None:
        self._link = await connect(stream_url, self._on_frame)

    def _on_frame(self, payload: memoryview, ts_recv: int) -> None:
        self._on_trade.remote(self._encode(read_trade(payload, ts_recv)))

    async def buy(self, price: str) -> None:
        assert self._link
        self._link.buy(price)


class Strategy:
    def __init__(self, results: str) -> None:
        self._probe = Probe(Path(results), self._buy)
        self._decode = msgspec.msgpack.Decoder(Trade).decode
        self._connector: Any = None

    def send_orders_to(self, connector: Any) -> None:
        self._connector = connector

    def on_trade(self, encoded: bytes) -> None:
        self._probe.on_trade(self._decode(encoded))

    def _buy(self, price: str) -> None:
        self._connector.buy.remote(price)
