"""Hosts by themselves, without a supervisor: joined by whatever network they are given."""

from random import Random
from typing import Any

from runtime.clock import WallClock
from runtime.host.host import Host
from runtime.spec import HostSpec
from runtime.telemetry.logs import silent_log
from runtime.transport.network import Network
from runtime.transport.wire import Codec
from tests.runtime.toys import CODEC


class NoIo:
    """For actors that open no links."""

    def open_link(self, url: str, events: Any) -> Any:
        raise AssertionError(url)

    def request(self, request: Any, done: Any) -> None:
        raise AssertionError(request)

    async def close(self) -> None: ...


def host(
    name: str, network: Network, *, life: int = 1, endpoint: str = "", codec: Codec = CODEC, io: Any = None
) -> Host:
    """It listens when it is told to; its endpoint is its name unless given."""
    return Host(
        HostSpec(name, life, endpoint or name, "nobody", [], "", "", "", ""),
        codec=codec,
        clock=WallClock(),
        network=network,
        io=io or NoIo(),
        random=Random(1),
        log=silent_log(),
    )
