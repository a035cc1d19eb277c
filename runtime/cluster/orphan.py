"""What becomes of a run on a cluster whose `outcry run` was killed: detached actors outlive who started them.

Nothing goes on for long without somebody who could stop it. The supervisor is on the machine of the process that the
run belongs to, sees it end, and stops everything in order. If it is gone too, each host ends itself
(`HostSpec.alone_ns`).
"""

import asyncio
import os
from collections.abc import Callable
from math import inf
from threading import Thread
from time import monotonic, sleep

from runtime.host.host import Host
from runtime.outside import Inside
from runtime.pidfd import gone
from runtime.rundir import find_runs, process_started
from runtime.spec import Home

STOP_S = 30.0
NEEDED_S = 5.0
"""So often a spare is told that it is still needed ..."""
UNNEEDED_S = 60.0
"""... and a process that was not, nor was told what to be, for so long ends: who started it is gone, perhaps on another
machine, where nobody here could see it end."""
LINGER_S = 5.0
"""Who has launched a host ends its process sooner than that, once it is over."""


async def end_with_owner(host: Host) -> None:
    """On the supervisor's host, for as long as it lives."""
    await _end_of(host.spec.home)
    host.log.error("run_orphaned", owner=host.spec.home.owner)
    await Inside(host).stop_hosts("the process that it belongs to is gone", STOP_S)
    find_runs()
    os._exit(0)


async def end_unused(home: Home) -> None:
    """In a spare, for as long as it is one."""
    await _end_of(home)
    os._exit(0)


def end_unneeded(needed_at: Callable[[], float]) -> None:
    """From the start of a process until it is a host. `needed_at` is when it was last told to go on, by the monotonic
    clock; infinite once it is a host. In a thread, because no loop runs yet."""

    def watch() -> None:
        while (left := needed_at() + UNNEEDED_S - monotonic()) < inf:
            if left <= 0:
                os._exit(0)
            sleep(left)

    Thread(target=watch, name="end unneeded", daemon=True).start()


def end_soon() -> None:
    """Of a process whose host is over: if nobody else ends it, it does so itself."""
    asyncio.get_running_loop().call_later(LINGER_S, os._exit, 0)


async def _end_of(home: Home) -> None:
    """Returns when the owner is gone; never if it is not to be seen from here, as from another container."""
    if not home.owner or process_started(home.owner) != home.owner_began:
        await asyncio.Event().wait()
    await gone(home.owner)
