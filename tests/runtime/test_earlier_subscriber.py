"""A subscriber that was cut off and comes back does not take the place of the life that has followed it."""

import asyncio
from typing import Any

from runtime.actor import Context, Report, Started
from runtime.address import Address, StreamKind
from runtime.host.host import Host
from runtime.transport.network import MemoryNetwork
from tests.runtime.hosts import host
from tests.runtime.toys import Latest, Number

MORE = 20


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


async def publish_until_heard(near: Host, listener: Listener) -> None:
    """Returns when it has heard so many more."""
    cell = near.cell("publisher")
    assert cell is not None
    before = len(listener.heard)
    async with asyncio.timeout(60):
        while len(listener.heard) < before + MORE:
            near.tell(cell, "publisher", Number(len(listener.heard)))
            near.end_turn()
            await asyncio.sleep(0.01)


async def test_the_later_life_hears_on_when_the_earlier_one_subscribes_again() -> None:
    network = MemoryNetwork()
    near, far, lost = host("near", network), host("far", network), host("lost", network)
    later, earlier = Listener(), Listener()
    try:
        for one in (near, far, lost):
            await one.listen()
        near.start("publisher", 1, Publisher())
        for one, life, listener in ((far, 2, later), (lost, 1, earlier)):
            one.directory.add(Address("publisher", 1, StreamKind.UNIX, "near", "near"))
            one.start("listener", life, listener)
            await publish_until_heard(near, later)
        assert earlier.heard == []
        await lost.close()
        await publish_until_heard(near, later)
    finally:
        for one in (near, far, lost):
            await one.close()
