"""Hosts under a virtual clock: many in one process, no sockets, hours in seconds, the same run from the same seed."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from runtime.clock import NS_PER_S
from runtime.errors import Bug
from runtime.host.life import live
from runtime.links.contract import Io
from runtime.spares import Warmth
from runtime.spec import HostEnded, HostSpec
from runtime.transport.network import MemoryNetwork

Result = TypeVar("Result")


class _JumpingSelector(selectors.BaseSelector):
    """Never waits: what the loop would sleep is added to its clock."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Bug("nothing is left to happen, and somebody still waits")
        self.now_s += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time passes only when nothing else is left to do."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class VirtualClock:
    def __init__(self, loop: VirtualLoop, start: int) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> int:
        return self._start + round(self._loop.time() * NS_PER_S)


class VirtualLauncher:
    """Starts hosts as tasks of the running loop; `kill` cancels one."""

    def __init__(self, clock: VirtualClock, network: MemoryNetwork, io: Callable[[], Io]) -> None:
        self._clock = clock
        self._network = network
        self._io = io
        self._lives: dict[tuple[str, int], asyncio.Task[None]] = {}

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        life = live(spec, clock=self._clock, network=self._network, io=self._io(), launcher=self)
        task = asyncio.get_running_loop().create_task(life)
        self._lives[spec.name, spec.incarnation] = task
        task.add_done_callback(lambda done: notify(HostEnded(spec.name, spec.incarnation, _reason(done))))

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        task = self._lives.get((host, incarnation))
        if task is not None:
            task.add_done_callback(lambda done: notify(HostEnded(host, incarnation, _reason(done))))

    def kill(self, host: str, incarnation: int) -> None:
        task = self._lives.pop((host, incarnation), None)
        if task is not None:
            task.cancel()

    def resident_bytes(self, host: str, incarnation: int) -> int:
        """All hosts share one process: of none is it known."""
        return 0

    def keep_spares(self, count: int, warmth: Warmth) -> None:
        """A task starts at once; there is nothing to keep warm."""

    def spares(self) -> int:
        return 0


def _reason(task: asyncio.Task[None]) -> str:
    if task.cancelled():
        return "killed"
    error = task.exception()
    return "stopped" if error is None else repr(error)


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, Result]]) -> Result:
    """Run `main(loop)` to its end on a virtual loop of its own."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        try:
            return loop.run_until_complete(main(loop))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(1))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
