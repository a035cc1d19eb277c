"""Keeping a database up to the journal, whatever happens to either: one step, then how long to wait."""

from dataclasses import dataclass
from pathlib import Path

from actors.store.catch_up import CatchUp
from actors.store.database import Database
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import Corrupt, Unavailable
from runtime.journal import Position

POLL_NS = 200 * NS_PER_MS
RETRY_NS = 1 * NS_PER_S
STUCK_NS = 10 * NS_PER_S


@dataclass(frozen=True)
class Progress:
    """After one step."""

    wait_ns: int
    """Until the next; 0 only if something was done."""
    position: Position | None
    """What is stored."""
    stored: int = 0
    """Records in this step."""
    problem: str = ""
    rebuilt: bool = False
    """Everything was put aside, because of `problem`."""


class Following:
    """A database that cannot be reached or is locked is tried again for ever; one that was deleted is filled again; one
    that is damaged or does not continue this journal is put aside and built anew, once for each reason until it has
    caught up: if it is the journal that is damaged, building anew does not help a second time.
    """

    def __init__(self, journal: Path, database: Database) -> None:
        self.database = database
        self._journal = journal
        self._catch_up: CatchUp | None = None
        self._position: Position | None = None
        self._rebuilt_for: set[str] = set()

    def step(self) -> Progress:
        """Do a little."""
        try:
            if self._catch_up is None:
                self._catch_up = CatchUp(self._journal, self.database)
            before = self._catch_up.stored
            more = self._catch_up.step()
            stored = self._catch_up.stored - before
            self._position = self._catch_up.position
        except Unavailable as error:
            return Progress(RETRY_NS, self._position, problem=str(error))
        except Corrupt as error:
            return self._rebuild(str(error))
        if not more:
            self._rebuilt_for.clear()
        return Progress(0 if more else POLL_NS, self._position, stored)

    def close(self) -> None:
        if self._catch_up is not None:
            self._catch_up.close()
            self._catch_up = None
        self.database.close()

    def _rebuild(self, reason: str) -> Progress:
        self.close()
        if reason in self._rebuilt_for:
            return Progress(STUCK_NS, self._position, problem=reason)
        try:
            self.database.discard()
        except Unavailable as error:
            return Progress(RETRY_NS, self._position, problem=f"{reason}; putting it aside: {error}")
        self._rebuilt_for.add(reason)
        self._position = None
        return Progress(0, None, problem=reason, rebuilt=True)
