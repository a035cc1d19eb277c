"""Warm spare hosts on every node that holds hosts of the run: a successor is where its predecessor was in milliseconds.

A spare is a Ray actor that waits to become a host. It keeps its name then: Ray cannot rename an actor.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, NamedTuple

from runtime.cluster.head import ask as ask_head
from runtime.cluster.orphan import NEEDED_S
from runtime.pidfd import gone
from runtime.spares import Spares, Warmth
from runtime.spec import Home

SPARE = "spare-"
"""What the names of spares begin with."""
NODE_MARK = 6
"""So many characters of a node's id are in the names of its spares."""


class RaySpare(NamedTuple):
    name: str
    handle: Any
    pid: int
    is_here: bool
    """On the machine of whoever keeps it: elsewhere the pid is another process's."""


class NodeSpares:
    """`new(name, node)` makes an unnamed actor into a host that waits, on that node; raises ValueError for a name that
    is taken. `nodes` are those that hold hosts of the run."""

    def __init__(
        self,
        namespace: str,
        new: Callable[[str, str], Any],
        here: Callable[[], str],
        nodes: Callable[[], Iterable[str]],
        home: Home,
    ) -> None:
        self._namespace = namespace
        self._home = home
        self._new = new
        self._here = cache(here)
        self._nodes = nodes
        self._kept: dict[str, Spares[RaySpare]] = {}
        """By node."""
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Those that could become a host now, on all nodes."""
        return sum(map(len, self._kept.values()))

    def keep(self, count: int, warmth: Warmth) -> None:
        """From now on so many on each node that holds a host, the own one always, and none on any other."""
        here = self._here()
        wanted = {here, *(node for node in self._nodes() if node)}
        for node in {*wanted, *self._kept}:
            self._at(node).keep(count if node in wanted else 0, warmth)

    def take(self, node: str) -> RaySpare | None:
        """One that waits on that node, "" for the own one; None if none does."""
        return self._at(node or self._here()).take()

    def _at(self, node: str) -> Spares[RaySpare]:
        spares = self._kept.get(node)
        if spares is None:
            spares = self._kept[node] = Spares(lambda warmth: self._start(node, warmth), _end, _until_gone)
        return spares

    async def _start(self, node: str, warmth: Warmth) -> RaySpare | None:
        """One that an earlier life of the supervisor has left there, or a new one."""
        import ray

        is_here = node == self._here()
        mark = "" if is_here else f"{node[:NODE_MARK]}-"
        try:
            while True:
                number = self._numbers[node] = self._numbers.get(node, 0) + 1
                name = f"{SPARE}{mark}{number}"
                try:
                    handle = await ask_head(partial(self._new, name, node))
                except ValueError:
                    handle = await ask_head(partial(ray.get_actor, name, namespace=self._namespace))
                    if not await handle.is_spare.remote():
                        continue
                await handle.get_warm.remote(warmth.load, warmth.settings, self._home)
                return RaySpare(name, handle, (await handle.whereabouts.remote()).pid, is_here)
        except (ray.exceptions.RayError, ValueError):
            return None


async def _until_gone(spare: RaySpare) -> None:
    """Tells it now and then that it is needed."""
    ended: asyncio.Future[None] = asyncio.ensure_future(gone(spare.pid) if spare.is_here else _over(spare.handle))
    while not (await asyncio.wait((ended,), timeout=NEEDED_S))[0]:
        spare.handle.stay.remote()
    with contextlib.suppress(Exception):  # whatever Ray says of its end, it is one
        await ended


async def _over(handle: Any) -> None:
    await handle.over.remote()


def _end(spare: RaySpare) -> None:
    import ray

    ray.kill(spare.handle)
