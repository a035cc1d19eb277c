"""Talking to a run from outside it: a small host with one caller that asks and waits, for tools and tests."""

import asyncio
import contextlib
from random import Random
from typing import Any

from runtime.actor import Report, Undelivered
from runtime.address import Address
from runtime.asking import Asker
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.host.host import Host
from runtime.links.contract import Io
from runtime.message import Message
from runtime.protocol import SUPERVISOR, AskTable, StopHost, StopRun, TableTold
from runtime.spec import HostSpec
from runtime.supervision.table import ChildState
from runtime.telemetry.logs import silent_log
from runtime.transport.network import Network
from runtime.transport.wire import Codec

CALLER = "outside"
RETRY_S = 0.05


class _Caller:
    """Puts all that it is told into a queue."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Message | Undelivered] = asyncio.Queue()

    def receive(self, message: Any, ctx: object) -> None:
        if isinstance(message, Message | Undelivered):
            self.heard.put_nowait(message)

    def report(self) -> Report:
        return Report()


class Outside:
    """One connection to the supervisor of a run. Used as an async context manager."""

    def __init__(self, supervisor: str, endpoint: str, *, codec: Codec, clock: Clock, network: Network, io: Io) -> None:
        """`supervisor` is where its host listens, `endpoint` where the answers are to be sent."""
        self._spec = HostSpec(CALLER, 1, endpoint, supervisor, [], "", "", "", "")
        self._parts = {"codec": codec, "clock": clock, "network": network, "io": io}
        self._caller = _Caller()
        self._host: Host | None = None
        self._asker: Asker | None = None

    async def __aenter__(self) -> "Outside":
        self._host = Host(self._spec, random=Random(0), log=silent_log(), **self._parts)  # type: ignore[arg-type]
        await self._host.listen()
        self._host.start(CALLER, 1, self._caller)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._host is not None:
            await self._host.close()

    async def table(self, timeout_s: float = 5.0) -> TableTold:
        """The supervisor's table; raises `Unavailable` when it does not answer in time.

        What came too late for those who asked before is no answer to this question.
        """
        while not self._caller.heard.empty():
            self._caller.heard.get_nowait()
        self.tell(self._supervisor(SUPERVISOR), AskTable(self._spec.address(CALLER, 1)))
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    match await self._caller.heard.get():
                        case TableTold() as table:
                            return table
                        case Undelivered(to, _, reason):
                            raise Unavailable(f"{to}: {reason}")
                        case _:
                            continue
        except TimeoutError:
            raise Unavailable(f"the supervisor has not answered for {timeout_s:g} s") from None

    async def connected(self, timeout_s: float = 20.0) -> None:
        """Returns when the supervisor answers for the first time."""
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    await self.table()
                    return
                except Unavailable:
                    await asyncio.sleep(RETRY_S)

    async def ask(self, to: Address, payload: bytes, timeout_s: float) -> bytes:
        """What an actor answers; raises as `Asker.ask`. Any number may wait at the same time."""
        if self._host is None:
            raise Unavailable("not connected")
        if self._asker is None:
            self._asker = Asker(self._host)
        return await self._asker.ask(to, payload, timeout_s)

    async def stop_hosts(self, reason: str, timeout_s: float) -> TableTold:
        """Stop everything but the supervisor's own host; returns the last table, also when that took too long."""
        self.stop_run(reason)
        table = TableTold([], True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not table.rows or any(row.state != ChildState.STOPPED.value for row in table.rows[1:]):
                    try:
                        table = await self.table(timeout_s)
                    except Unavailable:  # it died over that: its next life has to be told, too
                        self.stop_run(reason)
                    await asyncio.sleep(RETRY_S)
        return table

    def stop_run(self, reason: str) -> None:
        """Ask for an orderly stop of everything but the supervisor's own host."""
        self.tell(self._supervisor(SUPERVISOR), StopRun(reason))

    def stop_supervisor(self) -> None:
        self.tell(self._supervisor(f"host.{SUPERVISOR}"), StopHost())

    def tell(self, to: Address, message: Message) -> None:
        """To any actor whose address is known."""
        if self._host is None:
            raise Unavailable("not connected")
        caller = self._host.cell(CALLER)
        if caller is not None:
            self._host.tell(caller, to, message)
            self._host.end_turn()

    def _supervisor(self, name: str) -> Address:
        return self._spec.supervisor_address(name)


class Inside(Outside):
    """The same for who is on the supervisor's own host, for as long as that lives."""

    def __init__(self, host: Host) -> None:
        self._spec = host.spec
        self._caller = _Caller()
        self._asker = None
        self._host = host
        host.start(CALLER, 1, self._caller)
