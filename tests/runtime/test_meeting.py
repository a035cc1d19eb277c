"""Who subscribes can be told something, before the supervisor's directory with its new life has come."""

import asyncio
from typing import Any

from runtime.actor import Context, Report, Started, Subscribed
from runtime.address import Address, StreamKind
from runtime.transport.network import MemoryNetwork
from tests.runtime.hosts import host
from tests.runtime.toys import Number

LIVES = 3


class Teller:
    """Tells each new subscriber a number."""

    def receive(self, message: Any, ctx: Context) -> None:
        if isinstance(message, Subscribed) and message.patterns:
            ctx.tell(message.subscriber, Number(7))

    def report(self) -> Report:
        return Report()


class Listener:
    def __init__(self) -> None:
        self.told: asyncio.Queue[int] = asyncio.Queue()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                ctx.subscribe("teller", "topic")
            case Number(value):
                self.told.put_nowait(value)
            case _:
                pass

    def report(self) -> Report:
        return Report()


async def test_each_new_life_of_a_subscriber_is_told_although_the_directory_does_not_know_it() -> None:
    network = MemoryNetwork()
    near, far = host("near", network), host("far", network)
    try:
        for one in (near, far):
            await one.listen()
        near.start("teller", 1, Teller())
        far.directory.add(Address("teller", 1, StreamKind.UNIX, "near", "near"))
        for life in range(1, LIVES + 1):
            listener = Listener()
            far.start("listener", life, listener)
            async with asyncio.timeout(60):
                assert await listener.told.get() == 7
            far.remove("listener")
            near.replace_directory(life, [])
    finally:
        await near.close()
        await far.close()
