"""LinkEvents that remembers what it was told, and waits for it."""

import asyncio
from collections.abc import Callable

WAIT_S = 60


class RecordedEvents:
    """`events` holds "up", payloads (bytes), "turn" and the reason of `link_down` as ("down", reason)."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.times: list[int] = []
        self.deliveries = 0
        self.on_frame: Callable[[bytes], None] = lambda payload: None
        self._news = asyncio.Event()

    def link_up(self) -> None:
        self._add("up")

    def frames(self, payloads: list[bytes], ts_recv: int) -> None:
        self.deliveries += 1
        for payload in payloads:
            self.times.append(ts_recv)
            self._add(payload)
            self.on_frame(payload)

    def turn_over(self) -> None:
        self._add("turn")

    def link_down(self, reason: str) -> None:
        self._add(("down", reason))

    @property
    def received(self) -> list[bytes]:
        return [event for event in self.events if isinstance(event, bytes)]

    async def until(self, *expected: object) -> None:
        """Wait until every one of these events has been told."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not all(event in self.events for event in expected):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{expected} not within {WAIT_S} s, but {self.events[-20:]}") from None

    async def until_down(self) -> str:
        async with asyncio.timeout(WAIT_S):
            while True:
                for event in self.events:
                    if isinstance(event, tuple):
                        return str(event[1])
                self._news.clear()
                await self._news.wait()

    def _add(self, event: object) -> None:
        self.events.append(event)
        self._news.set()
