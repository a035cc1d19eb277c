"""Actors on hosts, the same tests for every way to spread them: together, apart, and in whatever kind of process."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from runtime.clock import WallClock
from runtime.process import ProcessLauncher
from runtime.protocol import ActorRow
from runtime.transport.network import MemoryNetwork, UnixNetwork
from runtime.virtual import VirtualClock, VirtualLauncher, VirtualLoop, run_virtually
from tests.runtime.hosts import NoIo
from tests.runtime.playground import PATIENCE, Plan, Playground, playground
from tests.runtime.tls import TlsLauncher
from tests.runtime.toys import PEER, Fail, Number, Sleep

APART = {"one": ["sender"], "two": ["publisher"], "three": [PEER]}
TOGETHER = {"all": ["sender", "publisher", PEER]}
EPOCH = 1_700_000_000_000_000_000

Scenario = Callable[[Playground], Coroutine[Any, Any, None]]


def run_in_memory(scenario: Scenario, hosts: dict[str, list[str]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        clock, network = VirtualClock(loop, EPOCH), MemoryNetwork()
        launcher = VirtualLauncher(clock, network, NoIo)
        async with playground(Plan("memory", hosts), launcher, clock, network, NoIo()) as play:
            await scenario(play)

    run_virtually(main)


def run_in_processes(scenario: Scenario, hosts: dict[str, list[str]], heartbeats_missed: int = PATIENCE) -> None:
    async def main(folder: str) -> None:
        launcher = ProcessLauncher(os.getpid())
        plan = Plan(folder, hosts, heartbeats_missed=heartbeats_missed)
        async with playground(plan, launcher, WallClock(), UnixNetwork(), NoIo()) as play:
            await scenario(play)

    with tempfile.TemporaryDirectory(prefix="oc", dir="/tmp") as folder:
        asyncio.run(main(folder))


def run_on_ray(scenario: Scenario, hosts: dict[str, list[str]]) -> None:
    from runtime.cluster.hosts import RayLauncher

    async def main(folder: str) -> None:
        launcher = RayLauncher(f"toys-{folder}")
        async with playground(Plan(folder, hosts), launcher, WallClock(), UnixNetwork(), NoIo()) as play:
            await scenario(play)

    with tempfile.TemporaryDirectory(prefix="oc", dir="/tmp") as folder:
        asyncio.run(main(folder))


def run_over_tls(scenario: Scenario, hosts: dict[str, list[str]]) -> None:
    async def main(folder: str) -> None:
        launcher = TlsLauncher(folder)
        here = launcher.network("outside")
        async with playground(Plan(folder, hosts), launcher, WallClock(), here, NoIo()) as play:
            await scenario(play)

    with tempfile.TemporaryDirectory(prefix="oc", dir="/tmp") as folder:
        uvloop.run(main(folder))


Runner = Callable[[Scenario, dict[str, list[str]]], None]
RUNNERS: dict[str, Runner] = {
    "memory": run_in_memory,
    "processes": run_in_processes,
    "ray": run_on_ray,
    "tls": run_over_tls,
}


@pytest.fixture(
    params=[
        "memory",
        pytest.param("processes", marks=pytest.mark.slow),
        pytest.param("tls", marks=pytest.mark.slow),
        pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.ray]),
    ]
)
def run(request: pytest.FixtureRequest) -> Runner:
    if request.param == "ray":
        request.getfixturevalue("local_ray")
    return RUNNERS[request.param]


@pytest.fixture(params=[pytest.param(APART, id="apart"), pytest.param(TOGETHER, id="together")])
def hosts(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    spread: dict[str, list[str]] = request.param
    return spread


def test_numbers_arrive_once_and_in_order_in_every_life_of_the_receiver(
    run: Runner, hosts: dict[str, list[str]]
) -> None:
    async def scenario(play: Playground) -> None:
        await play.ready()
        rows = await play.until(lambda rows: len(rows[PEER].report.get("numbers", [])) >= 1000)
        assert rows[PEER].report["numbers"] == list(range(1000))
        play.tell(await play.address(PEER), Fail())
        rows = await play.until(lambda rows: rows[PEER].counters.get("handled", 0) >= 2000)
        assert rows[PEER].report["numbers"] == list(range(1000))
        assert rows[PEER].restarts == 1
        assert rows[PEER].reason == "RuntimeError: told to fail"
        assert rows[PEER].incarnation == 2
        rows = await play.until(
            lambda rows: len(rows["sender"].report.get("undelivered", [])) >= 2 and rows["sender"].report["downs"] != []
        )
        to_nobody, to_the_dead = sorted(rows["sender"].report["undelivered"])
        assert to_nobody == "nobody: no such actor is up"
        assert to_the_dead.startswith(f"{PEER}: ")
        assert rows["sender"].report["downs"] == [1]

    run(scenario, hosts)


def test_a_slow_subscriber_gets_the_newest_and_whole_chains_and_every_command(
    run: Runner, hosts: dict[str, list[str]]
) -> None:
    async def scenario(play: Playground) -> None:
        await play.until(
            lambda rows: (
                rows[PEER].report.get("latest_seen", 0) > 20 and len(rows[PEER].report["numbers"]) == 1000
            )  # all that the sender has to say is over
        )
        address = await play.address(PEER)
        play.tell(address, Sleep(3.0))
        for value in range(5000, 5100):
            play.tell(address, Number(value))

        def is_behind(rows: dict[str, ActorRow]) -> bool:
            if rows[PEER].dropped > 0 and rows["publisher"].report["refreshed"] > 0:
                return True
            if rows[PEER].report["numbers"][-1] == 5099:  # awake again: the publisher is slow, too
                play.tell(address, Sleep(3.0))
            return False

        await play.until(is_behind)
        rows = await play.until(lambda rows: rows[PEER].report["numbers"][-1] == 5099)
        assert rows[PEER].report["numbers"][-100:] == list(range(5000, 5100))
        published = rows["publisher"].report["value"]
        rows = await play.until(
            lambda rows: rows[PEER].report["latest"][-1] > published and rows[PEER].report["steps"][-1] > published
        )
        assert rows[PEER].report["broken_chains"] == 0
        assert rows[PEER].restarts == 0

    run(scenario, hosts)


def test_a_crash_loop_is_parked_and_hurts_nobody_else(run: Runner, hosts: dict[str, list[str]]) -> None:
    async def scenario(play: Playground) -> None:
        for life in range(1, 5):
            await play.until(
                lambda rows, life=life: rows[PEER].incarnation == life and rows[PEER].state == "READY"  # type: ignore[misc]
            )
            play.tell(await play.address(PEER), Fail())
        rows = await play.until(lambda rows: rows[PEER].state == "PARKED")
        assert rows[PEER].restarts == 4
        assert rows["publisher"].restarts == rows["sender"].restarts == 0

    run(scenario, hosts)


@pytest.mark.slow
def test_a_killed_process_is_back_and_the_others_follow_it() -> None:
    async def scenario(play: Playground) -> None:
        rows = await play.until(lambda rows: rows[PEER].report.get("latest_seen", 0) > 20)
        os.kill(rows["publisher"].pid, signal.SIGKILL)
        rows = await play.until(lambda rows: rows["publisher"].incarnation == 2 and rows["publisher"].state == "READY")
        seen = rows[PEER].report["latest_seen"]
        rows = await play.until(lambda rows: rows[PEER].report["latest_seen"] > seen + 20)
        assert rows["publisher"].restarts == 1
        assert "SIGKILL" in rows["publisher"].reason

    run_in_processes(scenario, APART)


@pytest.mark.slow
def test_a_frozen_process_is_replaced() -> None:
    async def scenario(play: Playground) -> None:
        before = await play.until(lambda rows: rows[PEER].report.get("latest_seen", 0) > 20)
        os.kill(before["publisher"].pid, signal.SIGSTOP)
        rows = await play.until(
            lambda rows: (
                rows["publisher"].incarnation > before["publisher"].incarnation and rows["publisher"].state == "READY"
            )
        )
        assert rows["publisher"].reason.startswith("silent for")

    run_in_processes(scenario, APART, heartbeats_missed=40)


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["processes", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_new_supervisor_adopts_the_living_and_restarts_who_dies_then(
    runner: str, request: pytest.FixtureRequest
) -> None:
    async def scenario(play: Playground) -> None:
        before = await play.until(
            lambda rows: rows[PEER].report.get("latest_seen", 0) > 20 and all(row.pid for row in rows.values())
        )
        os.kill(before["supervisor"].pid, signal.SIGKILL)
        rows = await play.until(
            lambda rows: rows["supervisor"].incarnation == 2 and all(row.state == "READY" for row in rows.values())
        )
        assert {name: row.pid for name, row in rows.items() if name != "supervisor"} == {
            name: row.pid for name, row in before.items() if name != "supervisor"
        }
        os.kill(rows["publisher"].pid, signal.SIGKILL)
        rows = await play.until(lambda rows: rows["publisher"].restarts == 1 and rows["publisher"].state == "READY")
        assert rows["publisher"].incarnation > before["publisher"].incarnation
        seen = rows[PEER].report["latest_seen"]
        await play.until(lambda rows: rows[PEER].report["latest_seen"] > seen + 20)

    if runner == "ray":
        request.getfixturevalue("local_ray")
    RUNNERS[runner](scenario, APART)
