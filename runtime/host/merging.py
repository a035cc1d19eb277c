"""Streams of several publishers made one before they are in a mailbox: what does not pass takes no place there."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime.actor import Merger
from runtime.clock import NS_PER_S
from runtime.host.cell import Cell
from runtime.message import Lane, Message

if TYPE_CHECKING:
    from runtime.host.host import Host

FEED = Lane.FEED


class Merge:
    """One merger of one life of an actor, with the lives of the publishers that it hears."""

    def __init__(self, cell: Cell, merger: Merger, host: "Host") -> None:
        self.merger = merger
        self._cell = cell
        self._host = host
        self._heard: dict[str, tuple[int, tuple[str, ...]]] = {}
        """publisher → (incarnation, patterns)."""
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0

    def hears(self, publisher: str, incarnation: int, patterns: tuple[str, ...]) -> None:
        """From now on this life of it, or nothing of it: 0."""
        before, patterns_before = self._heard.get(publisher, (0, ()))
        if incarnation:
            self._heard[publisher] = incarnation, patterns
        else:
            self._heard.pop(publisher, None)
        if not before:
            return
        now = self._host.clock.now()
        if incarnation != before:
            self._queue(self.merger.gone(publisher, f"life {before} is over", now))
        elif not set(patterns_before) <= set(patterns):
            self._queue(self.merger.gone(publisher, "not subscribed to any more", now, patterns))

    def take(self, publisher: str, event: Message) -> None:
        """Of a publisher on this host."""
        for passed in self.merger.take(publisher, event, self._host.clock.now()):
            self._host.accept(self._cell, FEED, passed)
        self._see_to_release()

    def run(self, publisher: str, events: Sequence[Message]) -> None:
        """What passes is handled now or, when the time is over, queued."""
        passed = self._passing(publisher, events)
        handled = self._host.accept_all(self._cell, FEED, passed) if passed else 0
        if handled < len(passed) and self._cell.alive:
            self._queue(passed[handled:])

    def queue(self, publisher: str, events: Sequence[Message]) -> None:
        self._queue(self._passing(publisher, events))

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _passing(self, publisher: str, events: Sequence[Message]) -> list[Message]:
        take, now = self.merger.take, self._host.clock.now()
        passed: list[Message] = []
        for event in events:
            passed += take(publisher, event, now)
        self._see_to_release()
        return passed

    def _queue(self, events: Sequence[Message]) -> None:
        for event in events:
            self._host.queue(self._cell, FEED, event)

    def _see_to_release(self) -> None:
        due = self.merger.due
        if due and due != self._due:
            self.end()
            self._due = due
            delay_ns = max(due - self._host.clock.now(), 0)
            self._timer = self._host.loop.call_later(delay_ns / NS_PER_S, self._release)

    def _release(self) -> None:
        self._due = 0
        if self._cell.alive:
            self._queue(self.merger.release(self._host.clock.now()))
            self._see_to_release()
            self._host.end_turn()


class MergedReceiver:
    """A cell as the receiving end of a subscription to one of several publishers."""

    def __init__(self, cell: Cell, merge: Merge, publisher: str) -> None:
        self._cell = cell
        self._merge = merge
        self._publisher = publisher

    def run(self, events: Sequence[Message]) -> int:
        self._merge.run(self._publisher, events)
        return len(events)

    def queue(self, events: Sequence[Message]) -> int:
        self._merge.queue(self._publisher, events)
        return len(events)

    @property
    def queued(self) -> int:
        return len(self._cell.mailbox.feed)
