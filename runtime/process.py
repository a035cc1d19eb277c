"""Hosts in plain processes of this machine: no Ray, the same streams, the same supervision."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import msgspec

from runtime.clock import WallClock
from runtime.host.life import live
from runtime.links import NetworkIo
from runtime.memory import resident_bytes
from runtime.spec import HostEnded, HostSpec
from runtime.transport.network import UnixNetwork


class ProcessLauncher:
    """Starts `python -m runtime.process` for each host and waits for its end.

    A host outlives the launcher (another may adopt it), but not the process `owner_pid`, to whom the run belongs.
    """

    def __init__(self, owner_pid: int) -> None:
        self._owner_pid = owner_pid
        self._processes: dict[tuple[str, int], asyncio.subprocess.Process] = {}
        self._adopted: dict[tuple[str, int], int] = {}
        self._watches: set[asyncio.Task[None]] = set()

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        self._watch(self._run(spec, notify))

    def adopt(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        self._adopted[host, incarnation] = pid
        self._watch(self._wait_for(host, incarnation, pid, notify))

    def kill(self, host: str, incarnation: int) -> None:
        pid = self._pid(host, incarnation)
        if pid is not None:
            _kill(pid)

    def resident_bytes(self, host: str, incarnation: int) -> int:
        pid = self._pid(host, incarnation)
        return 0 if pid is None else resident_bytes(pid)

    def _pid(self, host: str, incarnation: int) -> int | None:
        process = self._processes.get((host, incarnation))
        return process.pid if process is not None else self._adopted.get((host, incarnation))

    def _watch(self, coroutine: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)  # type: ignore[call-overload]
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "runtime.process", str(self._owner_pid), stdin=asyncio.subprocess.PIPE
        )
        self._processes[spec.name, spec.incarnation] = process
        if process.stdin is not None:
            process.stdin.write(msgspec.msgpack.encode(spec))
            process.stdin.close()
        code = await process.wait()
        del self._processes[spec.name, spec.incarnation]
        notify(HostEnded(spec.name, spec.incarnation, _reason(code)))

    async def _wait_for(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        await _gone(pid)
        notify(HostEnded(host, incarnation, "its process is gone"))


async def _gone(pid: int) -> None:
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


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reason(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return "stopped" if code == 0 else f"exit code {code}"


async def _live(spec: HostSpec, owner_pid: int) -> None:
    clock = WallClock()
    owner = asyncio.ensure_future(_gone(owner_pid))
    life = asyncio.ensure_future(
        live(
            spec,
            clock=clock,
            network=UnixNetwork(),
            io=NetworkIo(clock),
            launcher=ProcessLauncher(owner_pid),
            owns_process=True,
        )
    )
    await asyncio.wait([owner, life], return_when=asyncio.FIRST_COMPLETED)
    owner.cancel()
    if not life.done():
        os._exit(1)
    life.result()


def main() -> None:
    """Become the host whose `HostSpec` (MessagePack) comes on standard input; the argument is the owner's pid."""
    import uvloop

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=HostSpec)
    uvloop.run(_live(spec, int(sys.argv[1])))


if __name__ == "__main__":
    main()
