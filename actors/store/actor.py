"""The store's actor: has the database follow the journal, and says how far behind it is and what is wrong."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from actors.store.background import Background
from actors.store.database import Database
from actors.store.following import Following, Progress
from runtime.actor import Context, Report, Started, Stopping, Timer
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.journal import Position, lag_bytes

LOOK_NS = 5 * NS_PER_MS
"""So often it is looked whether a step in the background is done."""
PATIENCE_NS = 40 * NS_PER_S
"""A step that takes longer is interrupted: more than what a server is given for one statement."""


class StepDue(msgspec.Struct, frozen=True):
    """To itself: time for the next step, or to look for the end of the present one."""


class Store:
    """Reads the journal as any other process could, so it is never in the way of an order.

    What blocks runs beside it, so its host keeps answering however slow the database is. What is not stored when a run
    ends is stored at the beginning of the next that has the same journal.
    """

    def __init__(self, journal: Path, database: Database, patience_ns: int = PATIENCE_NS) -> None:
        self._journal = journal
        self._database = database
        self._following = Following(journal, database)
        self._background: Background[Progress] = Background()
        self._patience_ns = patience_ns
        self._begun = 0
        self._timer: Timer | None = None
        self._ending = False
        self._finished = False
        self._position: Position | None = None
        self._problem = ""
        self._counters: Counter[str] = Counter(records=0, errors=0, rebuilds=0)

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started() | StepDue():
                self._go_on(ctx)
            case Stopping():
                self._ending = True
                if self._timer is not None:
                    self._timer.cancel()
                self._go_on(ctx)
            case _:
                pass

    def is_finished(self) -> bool:
        return self._finished

    def report(self) -> Report:
        state = {
            "path": self._database.label,
            "sequence": 0 if self._position is None else self._position.sequence,
            "lag_bytes": lag_bytes(self._journal, self._position),
            "problem": self._problem,
        }
        return Report(dict(self._counters), state)

    def _go_on(self, ctx: Context) -> None:
        progress = self._step(ctx)
        if progress is None:
            wait_ns = LOOK_NS
        else:
            self._note(progress, ctx)
            wait_ns = progress.wait_ns
            if self._ending and wait_ns:
                self._following.close()
                self._finished = True
                return
        self._timer = ctx.after(wait_ns, StepDue())

    def _step(self, ctx: Context) -> Progress | None:
        """None while it is under way."""
        if not self._database.blocks:
            return self._following.step()
        if not self._background.busy:
            self._begun = ctx.now()
            self._background.begin(self._following.step)
        elif ctx.now() - self._begun > self._patience_ns:
            self._begun = ctx.now()
            self._database.interrupt()
        return self._background.take()

    def _note(self, progress: Progress, ctx: Context) -> None:
        if progress.problem:
            self._counters["errors"] += 1
            if progress.problem != self._problem:
                ctx.log.warning("store_problem", problem=progress.problem)
        if progress.rebuilt:
            self._counters["rebuilds"] += 1
            ctx.log.warning("store_rebuilt", store=self._database.label, reason=progress.problem)
        self._problem = progress.problem
        self._counters["records"] += progress.stored
        self._position = progress.position
