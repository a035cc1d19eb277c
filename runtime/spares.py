"""Warm spare hosts: processes that have imported everything and wait to be told which host they are to become.

A process takes a good second to start, and most of that is imports. A spare becomes a host within milliseconds.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Generic, Protocol, TypeVar

import msgspec

from runtime.pidfd import gone

RETRY_S = 5.0
"""So long after a spare did not come up, or died while it waited, no other is started."""


class Warmth(msgspec.Struct, frozen=True, array_like=True):
    """What a spare does before it waits. No secret is in it."""

    load: str = ""
    """`module:function`, called with `settings`: imports what hosts need and leaves nothing else behind."""
    settings: str = ""


def get_warm(warmth: Warmth) -> None:
    """In the spare itself. What cannot be imported here is reported by the host that needs it, not by a spare."""
    if warmth.load:
        module, _, function = warmth.load.partition(":")
        with contextlib.suppress(Exception):
            getattr(import_module(module), function)(warmth.settings)


class Spare(Protocol):
    @property
    def pid(self) -> int: ...


Kept = TypeVar("Kept", bound=Spare)


class Spares(Generic[Kept]):
    """Keeps so many spares as wanted, started one after the other in the background; each is handed out once."""

    def __init__(
        self,
        start: Callable[[Warmth], Awaitable[Kept | None]],
        end: Callable[[Kept], None],
        until_gone: Callable[[Kept], Awaitable[None]] | None = None,
    ) -> None:
        """`start` returns when the spare is warm, None if it cannot be started; `end` kills one.

        `until_gone` returns when its process is no more; by default that of its pid on this machine.
        """
        self._until_gone = until_gone or (lambda spare: gone(spare.pid))
        self._start = start
        self._end = end
        self._ready: list[Kept] = []
        self._wanted = 0
        self._warmth = Warmth()
        self._not_before = 0.0
        self._starting: asyncio.Task[None] | None = None
        self._watches: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Those that could become a host now."""
        return len(self._ready)

    def keep(self, count: int, warmth: Warmth) -> None:
        """From now on so many; may be said as often as one likes. Those that are too many are ended."""
        self._wanted = count
        self._warmth = warmth
        while len(self._ready) > count:
            self._end(self._ready.pop())
        loop = asyncio.get_running_loop()
        is_starting = self._starting is not None and not self._starting.done()
        if len(self._ready) < count and not is_starting and loop.time() >= self._not_before:
            self._starting = loop.create_task(self._top_up())

    def take(self) -> Kept | None:
        """One that is warm, for good; None if none is. The next is started when `keep` is called again."""
        return self._ready.pop(0) if self._ready else None

    async def _top_up(self) -> None:
        while len(self._ready) < self._wanted:
            spare = await self._start(self._warmth)
            if spare is None:
                self._wait()
                return
            if len(self._ready) < self._wanted:
                self._ready.append(spare)
                self._watch(spare)
            else:
                self._end(spare)

    def _watch(self, spare: Kept) -> None:
        task = asyncio.get_running_loop().create_task(self._forget_when_gone(spare))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _forget_when_gone(self, spare: Kept) -> None:
        await self._until_gone(spare)
        if spare in self._ready:
            self._ready.remove(spare)
            self._wait()

    def _wait(self) -> None:
        self._not_before = asyncio.get_running_loop().time() + RETRY_S
