"""A subscriber that was cut off and comes back does not take the place of the life that has followed it."""

import asyncio
from random import Random
from typing import Any

from runtime.actor import Context, Report, Started
from runtime.address import Address, StreamKind
from runtime.clock import WallClock
from runtime.host.host import Host
from runtime.spec import HostSpec
from runtime.telemetry.logs import silent_log
from runtime.transport.network import MemoryNetwork
from tests.runtime.playground import NoIo
from tests.runtime.toys import CODEC, Latest, Number


class Publisher:
    def receive(self, message: Any, ctx: Context) -> None:
        if isinstance(message, Number):
            ctx.publish("topic", Latest(message.value))

    def report(self) -> Report:
        return Report()


class Listener:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                ctx.subscribe("publisher", "topic")
            case Latest(value):
                self.heard.append(value)
            case _:
                pass

    def report(self) -> Report:
        return Report()


def host(name: str, network: MemoryNetwork) -> Host:
    spec = HostSpec(name, 1, name, "nobody", [], "", "", "", "")
    io: Any = NoIo()
    return Host(spec, codec=CODEC, clock=WallClock(), network=network, io=io, random=Random(1), log=silent_log())


def publish(near: Host, value: int) -> None:
    cell = near.cell("publisher")
    assert cell is not None
    near.tell(cell, "publisher", Number(value))
    near.end_turn()


async def test_the_later_life_hears_on_when_the_earlier_one_subscribes_again() -> None:
    network = MemoryNetwork()
    near, far, lost = host("near", network), host("far", network), host("lost", network)
    later, earlier = Listener(), Listener()
    try:
        for one in (near, far, lost):
            await one.listen()
        near.start("publisher", 1, Publisher())
        value = 0
        for one, life, listener in ((far, 2, later), (lost, 1, earlier)):
            one.directory.add(Address("publisher", 1, StreamKind.UNIX, "near", "near"))
            one.start("listener", life, listener)
            heard = len(later.heard)
            async with asyncio.timeout(60):
                while len(later.heard) < heard + 20:
                    value += 1
                    publish(near, value)
                    await asyncio.sleep(0.01)
        assert earlier.heard == []
        await lost.close()
        heard = len(later.heard)
        async with asyncio.timeout(60):
            while len(later.heard) < heard + 20:
                value += 1
                publish(near, value)
                await asyncio.sleep(0.01)
    finally:
        for one in (near, far, lost):
            await one.close()
