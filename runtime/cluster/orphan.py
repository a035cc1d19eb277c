"""What becomes of a run on a cluster whose `outcry run` was killed: detached actors outlive who started them.

Nothing goes on for long without somebody who could stop it. The supervisor is on the machine of the process that the
run belongs to, sees it end, and stops everything in order. If it is gone too, each host ends itself
(`HostSpec.alone_ns`).
"""

import asyncio
import os
from collections.abc import Callable
from threading import Timer

from runtime.host.host import Host
from runtime.outside import Inside
from runtime.pidfd import gone
from runtime.rundir import find_runs, process_started
from runtime.spec import Home

STOP_S = 30.0
NEEDED_S = 5.0
"""So often a spare on a cluster is told that it is still needed ..."""
UNNEEDED_S = 30.0
"""... and when it was not for so long it ends: on another machine it cannot see whether its run is over."""
UNTOLD_S = 60.0
"""A process that was told so long after its start neither what to be nor that it is a spare: who started it is gone."""
LINGER_S = 5.0
"""Who has launched a host ends its process sooner than that, once it is over."""


async def end_with_owner(host: Host) -> None:
    """On the supervisor's host, for as long as it lives."""
    await _end_of(host.spec.home)
    host.log.error("run_orphaned", owner=host.spec.home.owner)
    await Inside(host).stop_hosts("the process that it belongs to is gone", STOP_S)
    find_runs()
    os._exit(0)


async def end_unused(home: Home, needed_at: Callable[[], float]) -> None:
    """In a spare, for as long as it is one; `needed_at` is when its keeper last told so, by the clock of the loop."""
    owner_gone = asyncio.ensure_future(_end_of(home))
    loop = asyncio.get_running_loop()
    while not owner_gone.done():
        left = needed_at() + UNNEEDED_S - loop.time()
        if home.machine and left <= 0:
            break
        await asyncio.wait((owner_gone,), timeout=left if home.machine else None)
    os._exit(0)


def end_untold(is_told: Callable[[], bool]) -> None:
    """From the start of a process on; in a thread, because no loop may run yet."""

    def look() -> None:
        if not is_told():
            os._exit(0)

    timer = Timer(UNTOLD_S, look)
    timer.daemon = True
    timer.start()


def end_soon() -> None:
    """Of a process whose host is over: if nobody else ends it, it does so itself."""
    asyncio.get_running_loop().call_later(LINGER_S, os._exit, 0)


async def _end_of(home: Home) -> None:
    """Returns when the owner is gone; never if it is not to be seen from here, as from another container."""
    if not home.owner or process_started(home.owner) != home.owner_began:
        await asyncio.Event().wait()
    await gone(home.owner)
