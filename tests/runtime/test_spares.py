"""Warm spares: a killed host is followed by a process that was ready before, and none of them is left at the end."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import WallClock
from runtime.pidfd import gone
from runtime.process import ProcessLauncher
from runtime.protocol import ActorRow
from runtime.spares import Spares, Warmth
from runtime.spec import Launcher
from runtime.transport.network import UnixNetwork
from tests.runtime.hosts import NoIo
from tests.runtime.playground import Plan, Playground, playground

APART = {"one": ["sender"], "two": ["publisher"], "three": ["receiver"]}
GONE_S = 60.0
SILENT = "its spare process did not answer"

Scenario = Callable[[Playground, "Warm"], Coroutine[Any, Any, None]]


class Warm:
    """Every process that was warmed up in a run: each leaves a file with its pid."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def pids(self) -> set[int]:
        return {int(file.name.partition("-")[2]) for file in self._folder.glob("warm-*")}


def launcher_of(kind: str, folder: str) -> Launcher:
    if kind == "processes":
        return ProcessLauncher(os.getpid())
    from runtime.cluster.hosts import RayLauncher

    return RayLauncher(f"spares-{folder}")


def run(kind: str, scenario: Scenario, intensity: int = 100) -> None:
    async def main(folder: str) -> None:
        plan = Plan(folder, APART, spares=1, warm="tests.runtime.toys:warm", intensity=intensity)
        warm = Warm(folder)
        launcher = launcher_of(kind, folder)
        async with playground(plan, launcher, WallClock(), UnixNetwork(), NoIo()) as play:
            await scenario(play, warm)
        async with asyncio.timeout(GONE_S):
            for pid in warm.pids():
                await gone(pid)

    with tempfile.TemporaryDirectory(prefix="oc", dir="/tmp") as folder:
        asyncio.run(main(folder))


async def killed(play: Playground, warm: Warm) -> dict[str, ActorRow]:
    """Kill the publisher; returns when a spare has become its successor.

    One that a busy machine keeps from answering for a second is taken for frozen; then another process follows.
    """
    while True:
        await play.spares(1)
        spares = warm.pids()
        before = (await play.rows())["publisher"]
        os.kill(before.pid, signal.SIGKILL)
        rows = await play.until(
            lambda rows, life=before.incarnation: (  # type: ignore[misc]
                rows["publisher"].incarnation > life and rows["publisher"].state == "READY"
            )
        )
        if rows["publisher"].pid in spares:
            return rows
        assert rows["publisher"].reason == SILENT


@pytest.fixture(params=["processes", pytest.param("ray", marks=pytest.mark.ray)])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("local_ray")
    return str(request.param)


@pytest.mark.slow
def test_a_spare_becomes_the_successor_and_another_is_made(kind: str) -> None:
    async def scenario(play: Playground, warm: Warm) -> None:
        await play.ready()
        await play.spares(1)
        (spare,) = warm.pids()
        rows = await play.rows()
        assert spare not in {row.pid for row in rows.values()}
        rows = await killed(play, warm)
        assert kind == "ray" or (rows["publisher"].pid, rows["publisher"].restarts) == (spare, 1)
        seen = rows["receiver"].report["latest_seen"]
        await play.until(lambda rows: rows["receiver"].report["latest_seen"] > seen + 20)
        carried = rows["publisher"].pid
        rows = await killed(play, warm)
        assert rows["publisher"].pid != carried

    run(kind, scenario)


@pytest.mark.slow
def test_a_new_supervisor_adopts_a_host_that_was_a_spare_and_has_a_spare_again(kind: str) -> None:
    async def scenario(play: Playground, warm: Warm) -> None:
        await play.ready()
        await play.spares(1)
        rows = await killed(play, warm)
        carried = rows["publisher"].pid
        await play.spares(1)
        os.kill(rows["supervisor"].pid, signal.SIGKILL)
        rows = await play.until(
            lambda rows: rows["supervisor"].incarnation == 2 and all(row.state == "READY" for row in rows.values())
        )
        assert rows["publisher"].pid == carried
        rows = await killed(play, warm)
        assert rows["publisher"].pid != carried

    run(kind, scenario)


@pytest.mark.slow
def test_a_crash_loop_is_parked_whatever_spares_there_are(kind: str) -> None:
    async def scenario(play: Playground, warm: Warm) -> None:
        await play.ready()
        await play.spares(1)
        publisher = (await play.rows())["publisher"]
        while publisher.state != "PARKED":
            os.kill(publisher.pid, signal.SIGKILL)
            rows = await play.until(
                lambda rows, life=publisher.incarnation: (  # type: ignore[misc]
                    rows["publisher"].state == "PARKED"
                    or (rows["publisher"].incarnation > life and rows["publisher"].state == "READY")
                )
            )
            publisher = rows["publisher"]
        assert publisher.restarts == 4
        await play.spares(1)

    run(kind, scenario, intensity=3)


@pytest.mark.slow
def test_a_spare_that_dies_while_it_waits_is_missed_by_nobody() -> None:
    async def scenario(play: Playground, warm: Warm) -> None:
        await play.ready()
        await play.spares(1)
        (spare,) = warm.pids()
        os.kill(spare, signal.SIGKILL)
        async with asyncio.timeout(GONE_S):  # a new one may come before anybody looks
            while await play.waiting() and warm.pids() == {spare}:
                await asyncio.sleep(0.02)
        rows = await play.rows()
        os.kill(rows["publisher"].pid, signal.SIGKILL)
        rows = await play.until(lambda rows: rows["publisher"].incarnation == 2 and rows["publisher"].state == "READY")
        assert rows["publisher"].pid != spare

    run("processes", scenario)


@pytest.mark.slow
@pytest.mark.ray
def test_a_frozen_spare_is_found_out_and_killed(local_ray: object) -> None:
    async def scenario(play: Playground, warm: Warm) -> None:
        await play.ready()
        await play.spares(1)
        (spare,) = warm.pids()
        os.kill(spare, signal.SIGSTOP)
        rows = await play.rows()
        os.kill(rows["publisher"].pid, signal.SIGKILL)
        rows = await play.until(lambda rows: rows["publisher"].incarnation >= 3 and rows["publisher"].state == "READY")
        assert rows["publisher"].pid != spare
        assert rows["publisher"].reason == SILENT
        async with asyncio.timeout(GONE_S):
            await gone(spare)

    run("ray", scenario)


class Lasting:
    """A spare that is a process of its own: this one, which does not end."""

    pid = os.getpid()


async def test_a_spare_that_cannot_be_started_is_not_tried_again_at_once() -> None:
    tries = 0

    async def never(warmth: Warmth) -> Lasting | None:
        nonlocal tries
        tries += 1
        return None

    spares: Spares[Lasting] = Spares(never, lambda spare: None)
    for _ in range(5):
        spares.keep(1, Warmth())
        await asyncio.sleep(0)
    assert (tries, len(spares), spares.take()) == (1, 0, None)


async def test_each_is_handed_out_once_and_those_that_are_too_many_are_ended() -> None:
    ended: list[Lasting] = []

    async def at_once(warmth: Warmth) -> Lasting | None:
        return Lasting()

    spares = Spares(at_once, ended.append)
    spares.keep(3, Warmth())
    async with asyncio.timeout(60):
        while len(spares) < 3:
            await asyncio.sleep(0)
    first = spares.take()
    assert first is not None
    assert len(spares) == 2
    spares.keep(0, Warmth())
    assert (len(ended), len(spares), spares.take()) == (2, 0, None)
    assert first not in ended
    with contextlib.suppress(asyncio.CancelledError):
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
