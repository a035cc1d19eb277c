"""What a database has to do for the store, and the SQL that all of them share."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from actors.store.schema import SCHEMA_VERSION, TABLES, ColumnType, Row, Table, Value
from runtime.errors import Unavailable

META = "store_meta"
"""Key and value: `schema_version`, and `position` in the journal."""


class Database(Protocol):
    """One writer. Every method may raise `Unavailable` (try again later) or `Corrupt` (`discard` helps)."""

    @property
    def label(self) -> str:
        """Where it is, for people; no secret."""
        ...

    @property
    def blocks(self) -> bool:
        """True if a call may wait for a server, so that it has to be made in the background."""
        ...

    def open(self) -> str | None:
        """Connect, again if need be, and return the stored position.

        Makes the tables, anew if they are of another version or not all there. Refuses, as `Unavailable`, to touch
        tables of the same names that are not a store's.
        """
        ...

    def is_there(self) -> bool:
        """False when what was opened is gone, the connection or some of the tables: `open` it again."""
        ...

    def write(self, rows: Sequence[Row], position: str) -> None:
        """All rows and the position in one transaction."""
        ...

    def rows(self, table: Table) -> list[tuple[Value, ...]]:
        """All rows of a table, ordered by its key."""
        ...

    def discard(self) -> None:
        """Put everything aside and close; `open` begins with an empty database."""
        ...

    def close(self) -> None: ...

    def interrupt(self) -> None:
        """From another thread: the call that is under way shall end, as `Unavailable`."""
        ...


class Found(Enum):
    """What a place for a store holds."""

    NOTHING = "nothing"
    STORE = "store"
    OTHER_STORE = "other store"
    """Of another version, or tables are missing."""
    FOREIGN = "foreign"
    """Tables of somebody else."""


def look_at(tables: Set[str], version: str | None) -> Found:
    if META in tables:
        return Found.STORE if complete(tables) and version == str(SCHEMA_VERSION) else Found.OTHER_STORE
    return Found.FOREIGN if any(table.name in tables for table in TABLES) else Found.NOTHING


def complete(tables: Set[str]) -> bool:
    return tables >= {META, *(table.name for table in TABLES)}


def foreign(label: str, setting: str) -> Unavailable:
    return Unavailable(f"store {label}: holds tables that are not a store's; name another place in {setting}")


@dataclass(frozen=True)
class Dialect:
    """How one database writes what differs between them."""

    placeholder: str
    types: dict[ColumnType, str]
    reads: dict[ColumnType, str] = field(default_factory=dict)
    """How to read a column of this type as the value that was written; `{}` is the column."""

    def create(self, table: Table) -> str:
        columns = [f"{name} {self.types[kind]}" for name, kind in table.columns.items()]
        return f"CREATE TABLE {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)}))"

    def create_meta(self) -> str:
        return f"CREATE TABLE {META} (key TEXT PRIMARY KEY, value TEXT NOT NULL)"

    def create_all(self) -> list[str]:
        return [self.create_meta(), *(self.create(table) for table in TABLES)]

    def drop_all(self) -> list[str]:
        return [f"DROP TABLE IF EXISTS {name}" for name in (*(table.name for table in TABLES), META)]

    def put(self, name: str, columns: Sequence[str], key: Sequence[str]) -> str:
        """Insert, or replace what is not the key."""
        marks = ", ".join([self.placeholder] * len(columns))
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
        return (
            f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        )

    def put_row(self, table: Table) -> str:
        return self.put(table.name, list(table.columns), table.key)

    def put_meta(self) -> str:
        return self.put(META, ("key", "value"), ("key",))

    def get_meta(self) -> str:
        return f"SELECT value FROM {META} WHERE key = {self.placeholder}"

    def select(self, table: Table) -> str:
        columns = [self.reads.get(kind, "{}").format(name) for name, kind in table.columns.items()]
        key = [f"{table.name}.{name}" for name in table.key]
        return f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {', '.join(key)}"
