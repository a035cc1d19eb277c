"""What takes part in the benchmark: something that connects to an exchange and runs the probe as its strategy."""

from pathlib import Path
from typing import Protocol

import msgspec


class Surroundings(msgspec.Struct, frozen=True):
    rest_url: str
    stream_url: str
    """Of the exchange, without a path."""
    cluster_address: str
    """host:port of the Ray that runs; "" if there is none."""
    results: Path
    """Where the probe writes; short enough for unix sockets."""


class Contender(Protocol):
    """Started afresh in each round and alone on the machine while it is measured.

    It keeps one market link and one order link to its exchange, hands every trade to a `Probe`, and carries the probe's
    orders to the venue. Everything is measured by the exchange and the probe.
    """

    name: str
    title: str
    flood_count: int
    """Trades of one flood: enough for a tenth of a second at least."""

    async def start(self, surroundings: Surroundings) -> None:
        """Return when everything has been started; links may still be coming up."""
        ...

    async def stop(self) -> None:
        """End everything that `start` began, also if `start` failed half-way."""
        ...
