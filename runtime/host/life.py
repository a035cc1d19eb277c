"""From a `HostSpec` to a running host and back: the same under Ray, in a plain process and under a virtual clock."""

import asyncio
import gc
from collections.abc import Callable
from random import Random
from typing import Any

from runtime.clock import Clock
from runtime.host.agent import HostAgent
from runtime.host.host import Host, load
from runtime.links.contract import Io
from runtime.spec import HostSpec, Launcher
from runtime.telemetry.logs import open_log
from runtime.transport.network import Network


async def live(
    spec: HostSpec,
    *,
    clock: Clock,
    network: Network,
    io: Io,
    launcher: Launcher,
    owns_process: bool = False,
    on_begun: Callable[[Host], object] | None = None,
) -> None:
    """Returns when the host has been stopped in order and everything that it told has been written.

    Raises `Unavailable` when a journal cannot be made durable: the host then ends, and nothing of that turn has left.

    In a process of its own what is there at the start stays, so the garbage collector need never look at it again:
    a full collection of a Ray worker takes some 20 ms, in which nothing else happens.
    """
    log = open_log(spec.log_folder, spec.name, spec.incarnation)
    host = Host(
        spec,
        codec=load(spec.messages),
        clock=clock,
        network=network,
        io=io,
        random=Random(f"{spec.seed} {spec.name} {spec.incarnation}"),
        log=log,
    )
    await host.listen()
    stopped = asyncio.Event()
    agent = HostAgent(host, load(spec.build), launcher, stopped.set)
    try:
        host.start(f"host.{spec.name}", spec.incarnation, agent)
        if on_begun is not None:
            on_begun(host)
        if owns_process:
            gc.freeze()
        await _first(stopped, host.halted)
    finally:
        await host.close()


async def _first(stopped: asyncio.Event, halted: asyncio.Future[None]) -> None:
    waiting: asyncio.Future[Any] = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((waiting, halted), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if halted.done():
        halted.result()
