"""From a `HostSpec` to a running host and back: the same under Ray, in a plain process and under a virtual clock."""

import asyncio
from random import Random

from runtime.clock import Clock
from runtime.host.agent import HostAgent
from runtime.host.host import Host, load
from runtime.links.contract import Io
from runtime.spec import HostSpec, Launcher
from runtime.telemetry.logs import open_log
from runtime.transport.network import Network


async def live(spec: HostSpec, *, clock: Clock, network: Network, io: Io, launcher: Launcher) -> None:
    """Returns when the host has been stopped in order and everything that it told has been written."""
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
        await stopped.wait()
    finally:
        await host.close()
