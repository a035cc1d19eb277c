"""The store in a SQLite file. Readers of the file never block it, and it never blocks them (WAL)."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from actors.store.database import META, Dialect, Found, complete, foreign, look_at
from actors.store.schema import SCHEMA_VERSION, ColumnType, Row, Table, Value
from runtime.errors import Corrupt, Unavailable

BUSY_TIMEOUT_S = 0.05
SQLITE = Dialect(
    placeholder="?",
    types={
        ColumnType.TEXT: "TEXT",
        ColumnType.INTEGER: "INTEGER",
        ColumnType.NUMBER: "TEXT",
        ColumnType.JSON: "TEXT",
    },
)
"""SQLite has no exact decimal: a NUMBER stays its decimal string; `CAST(price AS REAL)` to calculate."""


class SqliteDatabase:
    """Its calls take milliseconds. What is put aside is the file `<name>.old`."""

    blocks = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def open(self) -> str | None:
        self.close()
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._connection = connection
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._inode = self.path.stat().st_ino
            with transaction(connection):
                return self._prepare(connection)

    def is_there(self) -> bool:
        try:
            if self._connection is None or self.path.stat().st_ino != self._inode:
                return False
        except OSError:
            return False
        with self._errors():
            return complete(self._tables(self._connection))

    def write(self, rows: Sequence[Row], position: str) -> None:
        with self._errors(), transaction(self._open_connection()) as connection:
            for row in rows:
                connection.execute(SQLITE.put_row(row.table), row.values)
            connection.execute(SQLITE.put_meta(), ("position", position))

    def rows(self, table: Table) -> list[tuple[Value, ...]]:
        with self._errors():
            return self._open_connection().execute(SQLITE.select(table)).fetchall()

    def discard(self) -> None:
        with self._errors():
            self.close()
            if self.path.exists():
                self.path.replace(self.path.with_name(self.path.name + ".old"))
            for ending in ("-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None: ...

    def _prepare(self, connection: sqlite3.Connection) -> str | None:
        tables = self._tables(connection)
        version = self._meta(connection, "schema_version") if META in tables else None
        match look_at(tables, version):
            case Found.STORE:
                return self._meta(connection, "position")
            case Found.FOREIGN:
                raise foreign(self.label, "store.path")
            case Found.OTHER_STORE | Found.NOTHING:
                for statement in (*SQLITE.drop_all(), *SQLITE.create_all()):
                    connection.execute(statement)
                connection.execute(SQLITE.put_meta(), ("schema_version", str(SCHEMA_VERSION)))
                return None

    def _tables(self, connection: sqlite3.Connection) -> set[str]:
        return {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Unavailable(f"store {self.path} is not open")
        return self._connection

    def _meta(self, connection: sqlite3.Connection, key: str) -> str | None:
        found = connection.execute(SQLITE.get_meta(), (key,)).fetchone()
        return None if found is None else str(found[0])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Locked, full or unreachable passes; a file that is no database does not."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise Unavailable(f"store {self.path}: {error}") from error
        except (sqlite3.DatabaseError, OverflowError) as error:
            raise Corrupt(f"store {self.path}: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
