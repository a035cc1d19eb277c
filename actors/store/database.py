"""What a database has to do for the store, and the SQL that all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.store.schema import TABLES, ColumnType, Row, Table, Value

META = "store_meta"
"""Key and value: `schema_version`, and `position` in the journal."""


class Database(Protocol):
    """One writer. Every method may raise `Unavailable` (try again later) or `Corrupt` (`discard` helps)."""

    def open(self) -> str | None:
        """Connect and make the tables, anew if they are of another version; returns the stored position."""
        ...

    def is_there(self) -> bool:
        """False when the database that was opened is gone, so that writing to it would be in vain."""
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


@dataclass(frozen=True)
class Dialect:
    """How one database writes what differs between them."""

    placeholder: str
    types: dict[ColumnType, str]

    def create(self, table: Table) -> str:
        columns = [f"{name} {self.types[kind]}" for name, kind in table.columns.items()]
        return f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)}))"

    def create_meta(self) -> str:
        return f"CREATE TABLE IF NOT EXISTS {META} (key TEXT PRIMARY KEY, value TEXT NOT NULL)"

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
        return f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
