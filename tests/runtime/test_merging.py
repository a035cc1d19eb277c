"""Streams of two publishers made one before the mailbox: real hosts in memory, a merger that keeps what it is asked."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from runtime.actor import Context, Report, Started
from runtime.clock import NS_PER_MS
from runtime.host.host import Host
from runtime.message import Lane, Message, Overflow
from runtime.transport.network import MemoryNetwork
from runtime.transport.wire import Codec
from tests.runtime.hosts import host
from tests.runtime.toys import CODEC


class Count(Message, frozen=True, array_like=True, tag=True):
    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST
    value: int
    word: str = "count"

    @property
    def topic(self) -> str:
        return self.word


class Publisher:
    def receive(self, message: Any, ctx: Context) -> None:
        if isinstance(message, Started):
            self.ctx = ctx

    def report(self) -> Report:
        return Report()


class Higher:
    """Passes what is higher than all before; a hundred is held until it is due."""

    def __init__(self) -> None:
        self.highest = 0
        self.due = 0
        self.held: list[Message] = []
        self.left: list[tuple[str, str, Sequence[str]]] = []
        self.taken: list[str] = []

    def take(self, source: str, event: Any, now: int) -> Sequence[Message]:
        self.taken.append(source)
        if event.value == 100:
            self.held.append(event)
            self.due = now + 20 * NS_PER_MS
            return ()
        if event.value <= self.highest:
            return ()
        self.highest = event.value
        return (event,)

    def gone(self, source: str, reason: str, now: int, kept: Sequence[str] = ()) -> Sequence[Message]:
        self.left.append((source, reason, kept))
        return (Count(-1),) if not kept else ()

    def shed(self, topic: str) -> None: ...

    def release(self, now: int) -> Sequence[Message]:
        assert now >= self.due
        self.due = 0
        held, self.held = self.held, []
        return held


class Reader:
    def __init__(self, merger: Higher) -> None:
        self.merger = merger
        self.read: list[int] = []

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                self.ctx = ctx
                ctx.merge(self.merger, "one", "two")
                for publisher in ("one", "two", "other"):
                    ctx.subscribe(publisher, "count", "word")
            case Count(value):
                self.read.append(value)
            case _:
                pass

    def report(self) -> Report:
        return Report()


class World:
    """`two` is with the reader, `one` and `other` are elsewhere."""

    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.merger = Higher()
        self.reader = Reader(self.merger)
        self.publishers = {name: Publisher() for name in ("one", "two", "other")}

    async def start(self) -> None:
        self.here, self.there = self._host("here"), self._host("there")
        await self.here.listen()
        await self.there.listen()
        self.here.start("two", 1, self.publishers["two"])
        for name in ("one", "other"):
            self.there.start(name, 1, self.publishers[name])
        self.here.start("reader", 1, self.reader)
        self.tell_where(1)
        await until(lambda: all(self.hears(name) for name in self.publishers))

    def _host(self, name: str) -> Host:
        return host(name, self.network, codec=Codec([*CODEC.types, Count]))

    def tell_where(self, version: int, without: str = "") -> None:
        addresses = [
            host.spec.address(name, 1)
            for host, names in ((self.here, ("two", "reader")), (self.there, ("one", "other")))
            for name in names
            if name != without
        ]
        self.here.replace_directory(version, addresses)

    def hears(self, name: str) -> bool:
        host = self.here if name == "two" else self.there
        cell = host.cell(name)
        return cell is not None and bool(cell.outlets.of("count"))

    def publish(self, name: str, *values: int) -> None:
        for value in values:
            self.publishers[name].ctx.publish("count", Count(value))
        (self.here if name == "two" else self.there).end_turn()

    async def close(self) -> None:
        await self.here.close()
        await self.there.close()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.001)


@pytest.fixture
async def world() -> Any:
    made = World()
    await made.start()
    yield made
    await made.close()


async def test_of_two_publishers_one_stream_is_made_and_others_are_not_touched(world: World) -> None:
    world.publish("one", 1, 2)
    await until(lambda: world.reader.read == [1, 2])
    world.publish("two", 1, 2, 3)
    await until(lambda: world.reader.read == [1, 2, 3])
    world.publish("other", 2)
    await until(lambda: world.reader.read == [1, 2, 3, 2])
    assert world.merger.taken == ["one"] * 2 + ["two"] * 3


async def test_what_is_held_is_released_in_time(world: World) -> None:
    world.publish("one", 100)
    await until(lambda: world.reader.read == [100])


async def test_a_merger_is_told_of_a_life_that_is_over_and_of_topics_that_are_left(world: World) -> None:
    world.reader.ctx.unsubscribe("two", "word")
    assert world.merger.left == [("two", "not subscribed to any more", ("count",))]
    world.tell_where(2, without="one")
    assert world.merger.left[1:] == [("one", "life 1 is over", ())]
    await until(lambda: world.reader.read == [-1])
    world.publish("two", 5)
    await until(lambda: world.reader.read == [-1, 5])
