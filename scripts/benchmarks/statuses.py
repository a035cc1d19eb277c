"""Waiting for a run to be as a measurement needs it."""

import asyncio
from collections.abc import Callable

from actors import operate
from actors.status import Status
from runtime.errors import Unavailable
from runtime.rundir import find_runs

POLL_S = 0.2


async def until_status(pid: int, holds: Callable[[Status], bool], timeout_s: float) -> Status:
    """The first status of the run of that process of which that is true; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            for record in find_runs():
                if record.pid == pid:
                    try:
                        status = await asyncio.to_thread(operate.ask, record)
                    except Unavailable:
                        continue
                    if holds(status):
                        return status
            await asyncio.sleep(POLL_S)
