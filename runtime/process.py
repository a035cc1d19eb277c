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
from runtime.pidfd import gone
from runtime.spares import Spares, Warmth, get_warm
from runtime.spec import HostEnded, HostSpec
from runtime.transport.network import UnixNetwork


class ProcessLauncher:
    """Starts `python -m runtime.process` for each host and waits for its end.

    A host outlives the launcher (another may adopt it), but not the process `owner_pid`, to whom the run belongs.
    """

    def __init__(self, owner_pid: int) -> None:
        self._owner_pid = owner_pid
        self._processes: dict[tuple[str, int], asyncio.subprocess.Process] = {}
        self._spares = Spares(self._start_spare, lambda spare: _kill(spare.pid))
        self._adopted: dict[tuple[str, int], int] = {}
        self._watches: set[asyncio.Task[None]] = set()

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        self._watch(self._run(spec, notify))

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
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

    def keep_spares(self, count: int, warmth: Warmth) -> None:
        self._spares.keep(count, warmth)

    def spares(self) -> int:
        return len(self._spares)

    def _watch(self, coroutine: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)  # type: ignore[call-overload]
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        process = self._spares.take() or await self._start()
        self._processes[spec.name, spec.incarnation] = process
        if process.stdin is not None:
            process.stdin.write(_framed(msgspec.msgpack.encode(spec)))
            process.stdin.close()
        code = await process.wait()
        del self._processes[spec.name, spec.incarnation]
        notify(HostEnded(spec.name, spec.incarnation, _reason(code)))

    async def _start(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runtime.process", str(self._owner_pid), *arguments),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=pass_fds,
        )

    async def _start_spare(self, warmth: Warmth) -> asyncio.subprocess.Process | None:
        """It ends when its standard input does, so none outlives the launcher."""
        readable, writable = os.pipe()
        try:
            process = await self._start("--spare", str(writable), pass_fds=(writable,))
        except OSError:
            os.close(readable)
            return None
        finally:
            os.close(writable)
        if process.stdin is not None:
            process.stdin.write(_framed(msgspec.msgpack.encode(warmth)))
        is_warm = await _says_so(readable)
        return process if is_warm else None

    async def _wait_for(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        await gone(pid)
        notify(HostEnded(host, incarnation, "its process is gone"))


async def _says_so(readable: int) -> bool:
    """Whether something is written there before the other end is closed."""
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(readable, heard.set)
    try:
        await heard.wait()
        return bool(os.read(readable, 1))
    finally:
        loop.remove_reader(readable)
        os.close(readable)


def _framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


def _read_frame() -> bytes:
    """From standard input; ends this process when nothing more comes: whoever started it is gone."""
    length = sys.stdin.buffer.read(4)
    payload = sys.stdin.buffer.read(int.from_bytes(length, "big"))
    if not payload:
        sys.exit(0)
    return payload


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
    owner = asyncio.ensure_future(gone(owner_pid))
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
    """Become the host whose `HostSpec` comes on standard input; the argument is the owner's pid.

    With `--spare N` get warm first, as the `Warmth` says that comes there before, and then say so on descriptor N.
    """
    import uvloop

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.argv[2:]:
        descriptor = int(sys.argv[3])
        get_warm(msgspec.msgpack.decode(_read_frame(), type=Warmth))
        os.write(descriptor, b"w")
        os.close(descriptor)
    spec = msgspec.msgpack.decode(_read_frame(), type=HostSpec)
    uvloop.run(_live(spec, int(sys.argv[1])))


if __name__ == "__main__":
    main()
