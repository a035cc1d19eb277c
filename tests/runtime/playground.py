"""Runs toy actors on real hosts under any of the three kinds of host, with a real supervisor."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec

from runtime.address import Address
from runtime.clock import NS_PER_MS, NS_PER_S, Clock
from runtime.errors import Unavailable
from runtime.links.contract import Io
from runtime.message import Message
from runtime.outside import Outside
from runtime.protocol import SUPERVISOR, ActorRow
from runtime.spares import Warmth
from runtime.spec import ActorSpec, HostEnded, HostSpec, HostWaits, Launcher
from runtime.supervision.changes import HostPlan
from runtime.supervision.policy import RestartPolicy
from runtime.supervision.supervisor import Supervisor
from runtime.transport.network import Network
from tests.runtime.toys import CODEC

ANSWER_S = 5.0
WAIT_S = 120.0
HEARTBEAT_NS = 50 * NS_PER_MS
PATIENCE = 1_200
"""Heartbeats: nobody is taken for hung because the machine is busy."""


class Plan(msgspec.Struct, frozen=True):
    """Which toys share which host."""

    folder: str
    hosts: dict[str, list[str]]
    spares: int = 0
    warm: str = ""
    heartbeats_missed: int = PATIENCE
    intensity: int = 3


def supervisor(settings: str, launcher: Launcher) -> Supervisor:
    plan = msgspec.json.decode(settings, type=Plan)
    hosts = [
        HostPlan(host_spec(plan, name, actors, "{incarnation}"), dict.fromkeys(actors, phase))
        for phase, (name, actors) in enumerate(plan.hosts.items())
    ]
    policy = RestartPolicy(
        backoff_min_ns=10 * NS_PER_MS,
        backoff_max_ns=50 * NS_PER_MS,
        intensity=plan.intensity,
        period_ns=1_000 * NS_PER_S,  # however long the lives take on a busy machine
    )
    return Supervisor(
        hosts,
        policy,
        launcher,
        heartbeat_ns=HEARTBEAT_NS,
        heartbeats_missed=plan.heartbeats_missed,
        spares=plan.spares,
        warmth=Warmth(plan.warm, settings),
    )


def host_spec(plan: Plan, name: str, actors: list[str], suffix: str) -> HostSpec:
    return HostSpec(
        name,
        1,
        f"{plan.folder}/{name}{suffix}",
        f"{plan.folder}/{SUPERVISOR}",
        [ActorSpec(actor, 1) for actor in actors],
        "tests.runtime.toys:build",
        "tests.runtime.toys:CODEC",
        msgspec.json.encode(plan).decode(),
        "",
        heartbeat_ns=HEARTBEAT_NS,
    )


class Playground:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def rows(self) -> dict[str, ActorRow]:
        """Asks again if the supervisor died over the question."""
        while True:
            try:
                return {row.name: row for row in (await self._outside.table(ANSWER_S)).rows}
            except Unavailable:
                await asyncio.sleep(0.02)

    async def waiting(self) -> int:
        """So many spares are ready."""
        while True:
            try:
                return (await self._outside.table(ANSWER_S)).spares
            except Unavailable:
                await asyncio.sleep(0.02)

    async def spares(self, count: int) -> None:
        """Returns when so many are ready."""
        last: int | None = None
        try:
            async with asyncio.timeout(WAIT_S):
                while (last := await self.waiting()) != count:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{count} spares not within {WAIT_S:g} s, last {last}") from None

    async def address(self, name: str) -> Address:
        rows = await self.until(lambda rows: rows[name].address is not None)
        address = rows[name].address
        assert address is not None
        return address

    async def until(self, holds: Callable[[dict[str, ActorRow]], bool]) -> dict[str, ActorRow]:
        rows: dict[str, ActorRow] = {}
        try:
            async with asyncio.timeout(WAIT_S):
                while not holds(rows := await self.rows()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {WAIT_S:g} s: {str(rows)[:6000]}") from None
        return rows

    async def ready(self) -> dict[str, ActorRow]:
        return await self.until(lambda rows: all(row.state == "READY" for row in rows.values()))

    def tell(self, address: Address, message: Message) -> None:
        self._outside.tell(address, message)

    def stop(self) -> None:
        self._outside.stop_run("the test is over")


@contextlib.asynccontextmanager
async def playground(
    plan: Plan, launcher: Launcher, clock: Clock, network: Network, io: Io
) -> AsyncIterator[Playground]:
    over = asyncio.Event()
    stopping = False
    lives = 0

    def start_supervisor(event: HostEnded | HostWaits | None = None) -> None:
        nonlocal lives
        if isinstance(event, HostWaits):
            return
        if stopping:
            over.set()
            return
        lives += 1
        spec = msgspec.structs.replace(
            host_spec(plan, SUPERVISOR, [], ""), incarnation=lives, actors=[ActorSpec(SUPERVISOR, lives)]
        )
        launcher.launch(spec, start_supervisor)

    start_supervisor()
    address = f"{plan.folder}/{SUPERVISOR}"
    async with Outside(address, f"{plan.folder}/outside", codec=CODEC, clock=clock, network=network, io=io) as outside:
        await outside.connected(WAIT_S)
        yield Playground(outside)
        outside.stop_run("the test is over")
        async with asyncio.timeout(WAIT_S):
            while any(row.state != "STOPPED" for row in (await outside.table()).rows[1:]):
                await asyncio.sleep(0.02)
        stopping = True
        outside.stop_supervisor()
        await asyncio.wait_for(over.wait(), WAIT_S)
