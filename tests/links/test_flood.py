"""A flood on a link does not keep its actor from its commands, and nothing of it is lost or out of order."""

import asyncio
import time
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from runtime.actor import Context, FramesReceived, LinkDown, Report, Started
from runtime.address import Address, StreamKind
from runtime.clock import WallClock
from runtime.links import NetworkIo
from runtime.message import Lane
from runtime.transport.network import MemoryNetwork
from tests.runtime.hosts import host
from tests.runtime.toys import Number

FRAMES = 40_000
FRAME_WORK_NS = 20_000
"""What the actor takes for each: the flood is nearly a second of work."""
EVERY_S = 0.005
MOST = 4_000
"""Frames before a command, at a turn of a millisecond or fifty frames; an idle machine has a hundred."""


class Slow:
    """Works on each frame, and notes how many came before each command since it was told."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.payloads: list[bytes] = []
        self.before: list[int] = []
        self.over = asyncio.Event()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                ctx.open_link("flood", self._url, Lane.FEED)
            case FramesReceived(_, payloads):
                for _ in payloads:
                    end = time.perf_counter_ns() + FRAME_WORK_NS
                    while time.perf_counter_ns() < end:
                        pass
                self.payloads += payloads
                if self.payloads[-1] == b"%d" % (FRAMES - 1):
                    self.over.set()
            case Number(told):
                self.before.append(len(self.payloads) - told)
            case LinkDown(_, reason):
                self.payloads.append(reason.encode())
                self.over.set()
            case _:
                pass

    def report(self) -> Report:
        return Report()


class Flood(WSListener):
    """Writes everything at once."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        for number in range(FRAMES):
            transport.send(WSMsgType.TEXT, b"%d" % number)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


def accept(request: WSUpgradeRequest) -> WSListener:
    return Flood()


class Silent:
    def receive(self, message: Any, ctx: Context) -> None: ...

    def report(self) -> Report:
        return Report()


async def test_commands_are_looked_at_between_the_frames_of_a_flood() -> None:
    server = await ws_create_server(accept, "127.0.0.1", 0)
    network = MemoryNetwork()
    flooded, asking = host("flooded", network, io=NetworkIo(WallClock())), host("asking", network)
    slow = Slow(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    try:
        for one in (flooded, asking):
            await one.listen()
        flooded.start("slow", 1, slow)
        asking.start("asker", 1, Silent())
        cell = asking.cell("asker")
        assert cell is not None
        async with asyncio.timeout(60):
            while not slow.over.is_set():
                asking.tell(cell, Address("slow", 1, StreamKind.UNIX, "flooded"), Number(len(slow.payloads)))
                asking.end_turn()
                await asyncio.sleep(EVERY_S)
    finally:
        await flooded.close()
        await asking.close()
        server.close()
    assert slow.payloads == [b"%d" % number for number in range(FRAMES)]
    assert len(slow.before) > 20
    assert max(slow.before) < MOST, sorted(slow.before)[-10:]
