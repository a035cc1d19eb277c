"""Runs the actors of a host: one message at a time, the upper lanes of all first, a millisecond at a stretch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from runtime.clock import NS_PER_MS, Clock
from runtime.host.cell import Cell
from runtime.message import Lane

WORK_NS = 1 * NS_PER_MS
MESSAGES_PER_LOOK = 8
"""The clock is looked at after so many."""


class Scheduler:
    """An exception of a handler goes to `on_failure`, the end of a stretch that it began itself to `turn_over`."""

    def __init__(
        self, clock: Clock, on_failure: Callable[[Cell, Exception], None], turn_over: Callable[[], None]
    ) -> None:
        self.running = False
        """Within a handler: what is accepted now is queued."""
        self._now = clock.now
        self._on_failure = on_failure
        self._turn_over = turn_over
        self._loop = asyncio.get_running_loop()
        self._ready: dict[Cell, None] = {}
        self._continuing = False
        self._tasks: set[asyncio.Future[None]] = set()

    def forget(self, cell: Cell) -> None:
        """Its life is over: nothing that waits in its mailbox is handled."""
        self._ready.pop(cell, None)

    def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def accept(self, cell: Cell, lane: Lane, message: object) -> bool:
        """Run a message now if nothing is before it, else queue it; False when its lane is full."""
        if self.running or cell.busy or len(cell.mailbox):
            return self.queue(cell, lane, message)
        self.running = True
        try:
            self._run(cell, message)
            if self._ready:
                self._drain()
        finally:
            self.running = False
        return True

    def accept_all(self, cell: Cell, lane: Lane, messages: Sequence[object]) -> int:
        """`accept` for several in a row; returns how many were taken before the time or this life was over.

        What they cause in other actors of this host is handled in between, as if each had come alone.
        """
        if self.running or cell.busy or len(cell.mailbox):
            for message in messages:
                self.queue(cell, lane, message)
            return len(messages)
        receive, context, ready, now = cell.receive, cell.context, self._ready, self._now
        deadline = now() + WORK_NS
        handled = 0
        self.running = True
        try:
            for message in messages:
                handled += 1
                pending = receive(message, context)
                if ready or pending is not None:
                    if pending is not None:
                        self._await(cell, pending)
                    self._drain()
                    if not cell.alive:
                        break
                    if cell.busy or len(cell.mailbox):
                        for rest in messages[handled:]:
                            self.queue(cell, lane, rest)
                        return len(messages)
                if not handled % MESSAGES_PER_LOOK and now() > deadline:
                    break
        except Exception as error:
            self._on_failure(cell, error)
        finally:
            self.running = False
            cell.mailbox.handled += handled
        return handled

    def queue(self, cell: Cell, lane: Lane, message: object) -> bool:
        if not cell.mailbox.put(lane, message, self._now()):
            return False
        if not cell.busy:
            self._ready[cell] = None
            if not self.running:
                self._continue_soon()
        return True

    def _run(self, cell: Cell, message: object) -> None:
        cell.mailbox.handled += 1
        try:
            pending = cell.receive(message, cell.context)
        except Exception as error:
            self._on_failure(cell, error)
            return
        if pending is not None:
            self._await(cell, pending)

    def _await(self, cell: Cell, pending: Awaitable[None]) -> None:
        cell.busy = True
        self._ready.pop(cell, None)
        task = asyncio.ensure_future(self._finish(cell, pending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, cell: Cell, pending: Awaitable[None]) -> None:
        try:
            await pending
        except Exception as error:
            self._on_failure(cell, error)
        finally:
            cell.busy = False
        if cell.alive and len(cell.mailbox):
            self._ready[cell] = None
        self._continue()

    def _drain(self) -> None:
        """Take messages, the upper lanes of all cells first, until nothing is left or the time is over."""
        begun = self._now()
        count = 0
        while self._ready:
            chosen, chosen_lane = None, None
            for cell in self._ready:
                lane = cell.mailbox.top_lane()
                if lane is not None and (chosen_lane is None or lane < chosen_lane):
                    chosen, chosen_lane = cell, lane
            if chosen is None or chosen_lane is None:
                self._ready.clear()
                return
            message = chosen.mailbox.take(chosen_lane)
            del self._ready[chosen]
            if len(chosen.mailbox):
                self._ready[chosen] = None
            elif chosen.when_drained:
                for resume in chosen.when_drained:
                    self._loop.call_soon(resume)
                chosen.when_drained.clear()
            self._run(chosen, message)
            count += 1
            if count % MESSAGES_PER_LOOK == 0 and self._now() - begun > WORK_NS:
                self._continue_soon()
                return

    def _continue_soon(self) -> None:
        if not self._continuing:
            self._continuing = True
            self._loop.call_soon(self._continue)

    def _continue(self) -> None:
        self._continuing = False
        if not self.running:
            self.running = True
            try:
                self._drain()
            finally:
                self.running = False
        self._turn_over()
