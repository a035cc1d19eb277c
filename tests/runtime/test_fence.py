"""A host that was given up may still run and speak: nobody listens to it any more."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runtime.actor import Report, Undelivered
from runtime.host.host import Host
from runtime.transport.network import UnixNetwork
from tests.runtime.hosts import host
from tests.runtime.toys import Number


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def receive(self, message: Any, ctx: object) -> None:
        if isinstance(message, Number | Undelivered):
            self.heard.append(message)

    def report(self) -> Report:
        return Report()


class Pair:
    """A host that listens, and a life of another that tells it numbers."""

    def __init__(self, folder: Path, life: int) -> None:
        self.listener, self.ear = self._host(folder, "listener", 1), Ear()
        self.teller, self.mouth = self._host(folder, "teller", life), Ear()

    @staticmethod
    def _host(folder: Path, name: str, life: int) -> Host:
        return host(name, UnixNetwork(), life=life, endpoint=str(folder / f"{name}.{life}"))

    async def start(self) -> "Pair":
        await self.listener.listen()
        self.listener.start("ear", 1, self.ear)
        self.teller.start("mouth", 1, self.mouth)
        return self

    def tell(self, value: int) -> None:
        mouth = self.teller.cell("mouth")
        assert mouth is not None
        self.teller.tell(mouth, self.listener.spec.address("ear", 1), Number(value))
        self.teller.end_turn()

    async def until(self, heard: list[Any], count: int) -> None:
        async with asyncio.timeout(60):
            while len(heard) < count:
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        await self.teller.close()
        await self.listener.close()


async def test_what_an_earlier_life_says_on_an_open_stream_is_not_heard_any_more(tmp_path: Path) -> None:
    pair = await Pair(tmp_path, 1).start()
    pair.tell(1)
    await pair.until(pair.ear.heard, 1)
    pair.listener.fence({"teller": 2})
    pair.tell(2)
    pair.tell(3)
    value = 3
    async with asyncio.timeout(60):
        while not pair.mouth.heard:  # what it said before it was refused is lost like everything on a broken stream
            value += 1
            pair.tell(value)
            await asyncio.sleep(0.01)
    assert pair.ear.heard == [Number(1)]
    assert pair.mouth.heard[0].message.value >= 4
    assert pair.mouth.heard[0].reason == "refused: teller incarnation 1 is over"
    await pair.close()


@pytest.mark.parametrize(("life", "heard"), [(1, []), (2, [Number(7)]), (3, [Number(7)])])
async def test_a_life_is_heard_from_the_one_on_that_the_supervisor_named(
    tmp_path: Path, life: int, heard: list[Number]
) -> None:
    pair = await Pair(tmp_path, life).start()
    pair.listener.fence({"teller": 2})
    pair.tell(7)
    await pair.until(pair.ear.heard if heard else pair.mouth.heard, 1)
    assert pair.ear.heard == heard
    await pair.close()
