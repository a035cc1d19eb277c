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
    """Owns the database while it lives.

    The rows of a record depend on all records before it, so those that the database has already are read once more,
    without writing. A step that fails with `Unavailable` may be tried again and repeats nothing; after `Corrupt` this
    one is of no more use.
    """

    def __init__(self, journal: Path, database: Database) -> None:
        """Opens the database, so it raises what `step` raises."""
        self._journal = journal
        self._database = database
        stored = database.open()
        try:
            self._written = None if stored is None else Position.parse(stored)
        except ValueError as error:
            raise Corrupt(f"the store's position in the journal is damaged: {stored}") from error
        self._projection = Projection()
        self._past = Follower(journal)
        self._replayed = 0
        self._until = 0 if self._written is None else self._written.sequence
        self._present = Follower(journal, self._written)
        self._unwritten: tuple[list[Row], Position] | None = None

    @property
    def sequence(self) -> int:
        """The last record that is in the database."""
        return 0 if self._written is None else self._written.sequence

    def lag_bytes(self) -> int:
        return self._present.lag_bytes()

    def step(self) -> bool:
        """Do a little; False when there is nothing left to do for now. Raises `Unavailable` or `Corrupt`."""
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
        self._written, self._unwritten = position, None
        return True

    def close(self) -> None:
        self._past.close()
        self._present.close()
        self._database.close()

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
