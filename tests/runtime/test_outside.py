"""Who asks from outside gets the present answer, however slow the supervisor was, and stops what a new one leads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runtime.actor import Context, Report
from runtime.clock import WallClock
from runtime.errors import Unavailable
from runtime.host.host import Host
from runtime.links import NetworkIo
from runtime.outside import Outside
from runtime.protocol import SUPERVISOR, ActorRow, AskTable, StopRun, TableTold
from runtime.spec import HostSpec
from runtime.supervision.table import Child, ChildState
from runtime.telemetry.logs import silent_log
from runtime.transport.network import UnixNetwork
from tests.runtime.toys import CODEC


class Slow:
    """Answers all questions at once when it is not busy any more; each answer has its number where spares are told."""

    def __init__(self) -> None:
        self.is_busy = False
        self.asked: list[Any] = []
        self.answers = 0
        self.state = ChildState.READY

    def receive(self, message: Any, ctx: Context) -> None:
        if isinstance(message, StopRun):
            self.state = ChildState.STOPPED
        if isinstance(message, AskTable):
            self.asked.append(message.reply_to)
            while self.asked and not self.is_busy:
                self.answers += 1
                ctx.tell(self.asked.pop(0), TableTold(self.rows(), False, self.answers))

    def rows(self) -> list[ActorRow]:
        return [Child(name, name, state=self.state).row(0, "") for name in (SUPERVISOR, "worker")]

    def report(self) -> Report:
        return Report()


@contextlib.asynccontextmanager
async def supervised(folder: Path, supervisor: Slow) -> AsyncIterator[None]:
    clock = WallClock()
    endpoint = f"{folder}/{SUPERVISOR}"
    host = Host(
        HostSpec(SUPERVISOR, 1, endpoint, endpoint, [], "", "", "", ""),
        random=Random(0),
        log=silent_log(),
        codec=CODEC,
        clock=clock,
        network=UnixNetwork(),
        io=NetworkIo(clock),
    )
    await host.listen()
    host.start(SUPERVISOR, 1, supervisor)
    try:
        yield
    finally:
        await host.close()


def outside(folder: Path) -> Outside:
    clock = WallClock()
    return Outside(
        f"{folder}/{SUPERVISOR}",
        f"{folder}/outside",
        codec=CODEC,
        clock=clock,
        network=UnixNetwork(),
        io=NetworkIo(clock),
    )


async def test_answers_that_came_too_late_are_no_answers_to_later_questions(tmp_path: Path) -> None:
    slow = Slow()
    async with supervised(tmp_path, slow), outside(tmp_path) as caller:
        await caller.connected()
        slow.is_busy = True
        for _ in range(5):
            with pytest.raises(Unavailable, match="has not answered"):
                await caller.table(0.01)
        async with asyncio.timeout(60):
            while len(slow.asked) < 5:
                await asyncio.sleep(0.01)
        slow.is_busy = False
        await caller.table(60)
        async with asyncio.timeout(60):
            while (await caller.table(60)).spares != slow.answers:
                await asyncio.sleep(0.01)


async def test_a_supervisor_that_did_not_hear_of_the_stop_is_told_again(tmp_path: Path) -> None:
    async with outside(tmp_path) as caller:
        stopping = asyncio.ensure_future(caller.stop_hosts("the test is over", 60))
        with pytest.raises(Unavailable):
            await caller.table(0.5)
        async with supervised(tmp_path, Slow()):
            table = await stopping
    assert [row.state for row in table.rows] == ["STOPPED", "STOPPED"]
