"""The store's actor: follows the journal on a timer, and says how far behind it is and what is wrong."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from actors.store.catch_up import CatchUp
from actors.store.database import Database
from actors.store.sqlite import SqliteDatabase
from runtime.actor import Context, Report, Started, Stopping
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import Corrupt, Unavailable

POLL_NS = 200 * NS_PER_MS
RETRY_NS = 1 * NS_PER_S
STUCK_NS = 10 * NS_PER_S


class FollowJournal(msgspec.Struct, frozen=True):
    """To itself: time for the next step."""


class Store:
    """Reads the journal as any other process could, so it is never in the way of an order.

    It reads and writes files within `receive`, in steps of some milliseconds: give it a host of its own. A database
    that is locked is tried again, one that was deleted or does not continue this journal is built anew; what was
    there before stays beside it as `<name>.old`.
    """

    def __init__(self, journal: Path, path: Path, database: Database | None = None) -> None:
        self._journal = journal
        self._path = path
        self._database = database or SqliteDatabase(path)
        self._catch_up: CatchUp | None = None
        self._sequence = 0
        self._problem = ""
        self._rebuilt_for: set[str] = set()
        self._counters: Counter[str] = Counter(records=0, errors=0, rebuilds=0)

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started() | FollowJournal():
                ctx.after(self._step(ctx), FollowJournal())
            case Stopping():
                while self._step(ctx) == 0:
                    pass
                self._close()
            case _:
                pass

    def report(self) -> Report:
        catch_up = self._catch_up
        state = {
            "path": str(self._path),
            "sequence": self._sequence,
            "lag_bytes": None if catch_up is None else catch_up.lag_bytes(),
            "problem": self._problem,
        }
        return Report(dict(self._counters), state)

    def _step(self, ctx: Context) -> int:
        """Do a little; returns after how long to do more, nanoseconds: 0 only if something was done."""
        try:
            if self._catch_up is None or not self._database.is_there():
                self._close()
                self._catch_up = CatchUp(self._journal, self._database)
            before = self._catch_up.sequence
            more = self._catch_up.step()
            self._sequence = self._catch_up.sequence
            self._counters["records"] += self._sequence - before
        except Unavailable as error:
            self._note(str(error), ctx)
            return RETRY_NS
        except Corrupt as error:
            self._note(str(error), ctx)
            return self._rebuild(str(error), ctx)
        self._problem = ""
        return 0 if more else POLL_NS

    def _rebuild(self, reason: str, ctx: Context) -> int:
        """Once for each reason: if it is the journal that is damaged, building anew does not help a second time."""
        self._close()
        if reason in self._rebuilt_for:
            return STUCK_NS
        try:
            self._database.discard()
        except Unavailable as error:
            self._note(str(error), ctx)
            return RETRY_NS
        self._rebuilt_for.add(reason)
        self._counters["rebuilds"] += 1
        ctx.log.warning("store_rebuilt", path=str(self._path), reason=reason)
        return 0

    def _note(self, problem: str, ctx: Context) -> None:
        self._counters["errors"] += 1
        if problem != self._problem:
            ctx.log.warning("store_problem", problem=problem)
        self._problem = problem

    def _close(self) -> None:
        if self._catch_up is not None:
            self._catch_up.close()
            self._catch_up = None
