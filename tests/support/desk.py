"""A whole desk in one process under a virtual clock, trading at a fake venue in memory: minutes in seconds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from actors.gateway.requests import PROTOCOL, Answer, Call, MoveSymbol, SetShards
from actors.messages import CODEC
from actors.names import GATEWAY
from actors.plan import RunSettings, supervisor_spec
from actors.settings import Configuration, Simulation, VenueSettings
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.memory import MemoryIo, MemoryVenue
from runtime.clock import NS_PER_S
from runtime.outside import Outside
from runtime.protocol import SUPERVISOR, ActorRow
from runtime.spec import HostEnded, HostSpec
from runtime.transport.network import MemoryNetwork
from runtime.virtual import VirtualClock, VirtualLauncher, VirtualLoop, run_virtually

Result = TypeVar("Result")

EPOCH = 1_700_000_000_000_000_000
"""When every virtual run begins, nanoseconds since the epoch."""
HOST = "binance.memory"
PLACING = ('"order.place"', '"order.cancelReplace"', '"order.amend.keepPriority"', '"orderList.place.')
"""Methods after which something is at the venue that was not there before."""
POLL_S = 0.02
STOP_TIMEOUT_S = 60.0
COMMAND_S = 15.0
"""Of the virtual time."""


class _Launcher(VirtualLauncher):
    """Knows which life of each host is the present one."""

    def __init__(self, clock: VirtualClock, network: MemoryNetwork, io: Callable[[], MemoryIo]) -> None:
        super().__init__(clock, network, io)
        self.present: dict[str, int] = {}

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        self.present[spec.name] = spec.incarnation
        super().launch(spec, notify)


class _Venue(FakeBinance):
    """Tells when an order, a list of them or a change of one arrives."""

    def __init__(self, start: int, settings: VenueSettings, simulate: Simulation) -> None:
        super().__init__(start, simulate.seed, settings.symbols, simulate.rate)
        self.order_arrived = asyncio.Event()

    def receive(self, session: str, text: str, now: int) -> None:
        super().receive(session, text, now)
        if any(method in text for method in PLACING):
            self.order_arrived.set()


class VirtualDesk:
    """One running desk and its venue. Used inside `trade_virtually` only."""

    def __init__(self, outside: Outside, launcher: _Launcher, venue: _Venue, memory: MemoryVenue) -> None:
        self._outside = outside
        self._launcher = launcher
        self._venue = venue
        self.links = memory

    async def rows(self) -> dict[str, ActorRow]:
        """What the supervisor knows of each actor."""
        return {row.name: row for row in (await self._outside.table(STOP_TIMEOUT_S)).rows}

    async def command(self, command: SetShards | MoveSymbol) -> Answer:
        """What an operator is answered; raises `Unavailable` if the gateway says nothing, which has died over it."""
        gateway = (await self.rows())[GATEWAY].address
        assert gateway is not None
        call = Call(PROTOCOL, "jo@desk", "test", False, command)
        answer = await self._outside.ask(gateway, msgspec.msgpack.encode(call), COMMAND_S)
        return msgspec.msgpack.decode(answer, type=Answer)

    def kill(self, actor: str) -> None:
        """End the host that holds it, at once and without its help, as `kill -9` does."""
        for host in list(self._launcher.present):
            if actor in host.split("+"):
                self._launcher.kill(host, self._launcher.present[host])

    async def until(self, seconds: float) -> None:
        """Returns when so much virtual time has passed since the beginning of the run."""
        await asyncio.sleep(max(seconds - (self.links.clock.now() - EPOCH) / NS_PER_S, 0.0))

    async def order(self) -> None:
        """Returns when the next order has reached the venue."""
        self._venue.order_arrived.clear()
        await self._venue.order_arrived.wait()

    def ledger(self) -> dict[str, Any]:
        """The venue's own truth."""
        now = self.links.clock.now()
        reply = self._venue.http("GET", HOST, "/fake/ledger", "", {}, "", now)
        ledger: dict[str, Any] = msgspec.json.decode(reply.body)
        return ledger

    async def stop(self) -> dict[str, ActorRow]:
        """Stop everything but the supervisor in order; returns the last rows."""
        self._outside.stop_run("the test is over")
        async with asyncio.timeout(STOP_TIMEOUT_S):
            while True:
                rows = await self.rows()
                if all(row.state == "STOPPED" or row.name == SUPERVISOR for row in rows.values()):
                    return rows
                await asyncio.sleep(POLL_S)


def trade_virtually(
    configuration: Configuration,
    folder: Path,
    scenario: Callable[[VirtualDesk], Coroutine[Any, Any, Result]],
    *,
    latency_ns: int = 0,
) -> Result:
    """Run `scenario` beside a desk whose venue `binance` is made from its `simulate` and reached in memory.

    `latency_ns` is the way from the desk to the venue. The journal is `folder`/journal; its records are the same for
    every run with the same arguments.
    """

    async def main(loop: VirtualLoop) -> Result:
        clock = VirtualClock(loop, EPOCH)
        async with _running(at_memory(configuration), folder, clock, latency_ns) as desk:
            return await scenario(desk)

    return run_virtually(main)


def at_memory(configuration: Configuration) -> Configuration:
    """With the address of the venue in memory."""
    venue = configuration.venues["binance"].model_copy(
        update={
            "rest_url": f"http://{HOST}",
            "stream_url": f"ws://{HOST}",
            "trade_url": f"ws://{HOST}/ws-api/v3",
        }
    )
    return configuration.model_copy(update={"venues": {"binance": venue}})


@contextlib.asynccontextmanager
async def _running(
    configuration: Configuration, folder: Path, clock: VirtualClock, latency_ns: int
) -> AsyncIterator[VirtualDesk]:
    settings = configuration.venues["binance"]
    assert settings.simulate is not None
    venue = _Venue(clock.now(), settings, settings.simulate)
    memory = MemoryVenue(venue, clock, latency_ns)
    network = MemoryNetwork()
    launcher = _Launcher(clock, network, lambda: MemoryIo({HOST: memory}))
    run = RunSettings.of(configuration, folder)
    over = asyncio.Event()
    stopping = False

    def start_supervisor(incarnation: int) -> None:
        def ended(_: HostEnded) -> None:
            if stopping:
                over.set()
            else:
                start_supervisor(incarnation + 1)

        launcher.launch(supervisor_spec(configuration, run, incarnation), ended)

    start_supervisor(1)
    address, here = f"{folder}/{SUPERVISOR}.sock", f"{folder}/test.sock"
    io = MemoryIo({})
    async with Outside(address, here, codec=CODEC, clock=clock, network=network, io=io) as outside:
        await outside.connected()
        desk = VirtualDesk(outside, launcher, venue, memory)
        try:
            yield desk
        finally:
            await desk.stop()
            stopping = True
            outside.stop_supervisor()
            await asyncio.wait_for(over.wait(), STOP_TIMEOUT_S)
            memory.close()
