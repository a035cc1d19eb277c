"""Bringing a database up to the journal, a step at a time: idempotent, from whatever state either of them is in."""

from pathlib import Path

from actors.store.database import Database
from actors.store.projection import Projection
from actors.store.schema import Row
from runtime.errors import Corrupt, Unavailable
from runtime.journal import Follower, Position

STEP_BYTES = 128 * 1024
"""Of the journal in one step: some hundred records, some ten milliseconds."""


class CatchUp:
    """Uses the database alone while it lives, and leaves it open.

    The rows of a record depend on all records before it, so those that the database has already are read once more,
    without writing. A step that fails with `Unavailable` may be tried again and repeats nothing; after `Corrupt` this
    one is of no more use.
    """

    def __init__(self, journal: Path, database: Database) -> None:
        """Opens the database, so it raises what `step` raises."""
        self._journal = journal
        self._database = database
        self.stored = 0
        """Records written to the database by this one."""
        self._unwritten: tuple[list[Row], Position] | None
        self._begin(database.open())

    @property
    def position(self) -> Position | None:
        """After the last record that is in the database."""
        return self._written

    @property
    def sequence(self) -> int:
        return 0 if self._written is None else self._written.sequence

    def step(self) -> bool:
        """Do a little; False when there is nothing left to do for now. Raises `Unavailable` or `Corrupt`."""
        if not self._database.is_there():
            self._reopen()
        if self._replayed < self._until:
            self._replay()
            return True
        if self._unwritten is None:
            records = self._present.poll(STEP_BYTES)
            position = self._present.position
            if not records or position is None:
                return False
            rows = [row for sequence, data in records for row in self._projection.apply(sequence, data)]
            self._unwritten = newest(rows), position
        rows, position = self._unwritten
        self._database.write(rows, str(position))
        self._is_written(position)
        return True

    def close(self) -> None:
        self._past.close()
        self._present.close()

    def _begin(self, stored: str | None) -> None:
        try:
            self._written = None if stored is None else Position.parse(stored)
        except ValueError as error:
            raise Corrupt(f"the store's position in the journal is damaged: {stored}") from error
        self._projection = Projection()
        self._past = Follower(self._journal)
        self._replayed = 0
        self._until = self.sequence
        self._present = Follower(self._journal, self._written)
        self._unwritten = None

    def _reopen(self) -> None:
        """Go on where it was if only the connection was lost, also if it was lost while a transaction was ending."""
        stored = self._database.open()
        if self._unwritten is not None and stored == str(self._unwritten[1]):
            self._is_written(self._unwritten[1])
        elif stored != (None if self._written is None else str(self._written)):
            self._past.close()
            self._present.close()
            self._begin(stored)

    def _is_written(self, position: Position) -> None:
        self.stored += position.sequence - self.sequence
        self._written, self._unwritten = position, None

    def _replay(self) -> None:
        records = self._past.poll(STEP_BYTES)
        if not records and not self._replayed:
            raise Unavailable(f"journal {self._journal} is empty, the store has {self._until} records of it")
        if not records:
            raise Corrupt(f"journal {self._journal} ends with record {self._replayed}, the store has {self._until}")
        for sequence, data in records:
            if sequence <= self._until:
                self._projection.apply(sequence, data)
            self._replayed = sequence


def newest(rows: list[Row]) -> list[Row]:
    """The last of each key: the others would be overwritten in the same transaction."""
    last: dict[tuple[object, ...], Row] = {}
    for row in rows:
        last[(row.table.name, *row.values[: len(row.table.key)])] = row
    return list(last.values())
