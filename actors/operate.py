"""Asking and stopping a run of this machine from another process, over the supervisor's own socket."""

import asyncio
import os
from pathlib import Path

from actors import status
from actors.status import Status
from actors.system import outside
from runtime.clock import WallClock
from runtime.protocol import TableTold
from runtime.rundir import RunRecord


def ask(run: RunRecord) -> Status:
    """Raises `Unavailable` when the supervisor does not answer within five seconds."""
    told = table(run)
    return status.of_rows(told.rows, name=run.name, ts=WallClock().now(), started=run.started, spares=told.spares)


def table(run: RunRecord) -> TableTold:
    """The supervisor's own table; raises as `ask`."""

    async def told() -> TableTold:
        async with outside(Path(run.socket), _endpoint(run)) as caller:
            return await caller.table()

    return asyncio.run(told())


def request_stop(run: RunRecord) -> None:
    """Returns when the supervisor has begun to stop the run."""

    async def stop() -> None:
        async with outside(Path(run.socket), _endpoint(run)) as caller:
            caller.stop_run("asked by outcry stop")
            await caller.table()

    asyncio.run(stop())


def _endpoint(run: RunRecord) -> Path:
    return Path(run.folder, f"ask-{os.getpid()}.sock")
