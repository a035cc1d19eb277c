"""A live stream of quotes, orders and fills, fetched in batches: for `for`, and for `async for`."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from actors.desk.errors import StreamOver
from actors.gateway.requests import Follow, Poll
from runtime.clock import NS_PER_S, WallClock

POLL_MS = 2_000
PAUSE_NS = 20_000_000
"""At most so often a batch is fetched, whatever the market does."""
Ask = Callable[[Any], Any]
Event = dict[str, Any]


class Stream:
    """Never ends by itself. An event is a dict whose `kind` is quote, order, fill or lost.

    Quotes are conflated: of each instrument the newest since the last batch. Orders and fills come all and in order.
    Where that cannot be kept, because you did not read for a minute or the desk's gateway started again, there comes
    `{"kind": "lost", "count": how many, or None if nobody knows, "reason": …}`: look at `desk.orders()` then.
    """

    def __init__(self, ask: Ask, kinds: tuple[str, ...], instruments: tuple[str, ...]) -> None:
        self._ask = ask
        self._follow = Follow(kinds, instruments)
        self._events: deque[Event] = deque()
        self._clock = WallClock()
        self._fetched = 0
        self._after = 0
        self._name: str = ask(self._follow)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while not self._events:
            self._fetch(POLL_MS)
        return self._events.popleft()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            await asyncio.to_thread(self._fetch, POLL_MS)
        return self._events.popleft()

    def take(self, wait_s: float = 0.0) -> list[Event]:
        """All that has come, after waiting for the first one at most so long."""
        if not self._events:
            self._fetch(round(wait_s * 1000))
        events = list(self._events)
        self._events.clear()
        return events

    def _fetch(self, wait_ms: int) -> None:
        pause_ns = self._fetched + PAUSE_NS - self._clock.now()
        if 0 < pause_ns <= PAUSE_NS:
            time.sleep(pause_ns / NS_PER_S)
        try:
            batch = self._ask(Poll(self._name, self._after, wait_ms))
        except StreamOver as over:
            self._name = self._ask(self._follow)
            self._after = 0
            self._events.append({"kind": "lost", "count": None, "reason": str(over)})
            return
        self._fetched = self._clock.now()
        self._after = max(self._after, batch["after"])
        if batch["lost"]:
            self._events.append({"kind": "lost", "count": batch["lost"], "reason": "not read for too long"})
        self._events.extend(batch["events"])
