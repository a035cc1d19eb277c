"""The end of a process of this machine, told by the kernel: some 7 ms after it was killed, sooner than Ray knows."""

import asyncio
import os


async def gone(pid: int) -> None:
    """Returns when there is no such process any more."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
