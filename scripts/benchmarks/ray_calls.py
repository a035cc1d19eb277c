"""What Outcry does not do: connector and strategy as Ray actors, one Ray call per message, fire and forget.

The connector is an async actor on uvloop, the strategy a sync actor: only for those Ray keeps the order of calls.
`RayCalls` makes them as every tutorial does; `RayCallsWithoutReply` saves Ray the object that nobody looks at.
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
    returns = 1
    """Objects that Ray keeps for each call."""

    def __init__(self) -> None:
        self._actors: list[Any] = []

    async def start(self, surroundings: Surroundings) -> None:
        import ray

        remote: Any = ray.remote(num_cpus=0)
        strategy = remote(Strategy).remote(str(surroundings.results))
        connector = remote(Connector).remote(strategy, self.returns)
        self._actors = [strategy, connector]
        await strategy.send_orders_to.remote(connector, self.returns)
        await connector.open.remote(surroundings.stream_url)

    async def stop(self) -> None:
        import ray

        for actor in self._actors:
            ray.kill(actor)


class RayCallsWithoutReply(RayCalls):
    name = "ray_calls_without_reply"
    title = "Ray, no reply"
    returns = 0


class Connector:
    def __init__(self, strategy: Any, returns: int) -> None:
        self._on_trade = strategy.on_trade.options(num_returns=returns)
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
        self._on_buy: Any = None

    def send_orders_to(self, connector: Any, returns: int) -> None:
        self._on_buy = connector.buy.options(num_returns=returns)

    def on_trade(self, encoded: bytes) -> None:
        self._probe.on_trade(self._decode(encoded))

    def _buy(self, price: str) -> None:
        self._on_buy.remote(price)
