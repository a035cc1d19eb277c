"""The store in a PostgreSQL schema of its own: `SET search_path TO <schema>` and query it like any other tables."""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from actors.credentials import Secret
from actors.store.database import META, Dialect, Found, complete, foreign, look_at
from actors.store.schema import SCHEMA_VERSION, ColumnType, Row, Table, Value
from runtime.errors import ConfigError, Corrupt, Unavailable

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
"""The server gives up a statement after so long."""
LOCK_TIMEOUT_MS = 1_000
"""It waits for somebody else's lock so long; then the step is tried again."""
OPTIONS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
    f"-c lock_timeout={LOCK_TIMEOUT_MS}",
    "-c client_min_messages=warning",
)
TAKE_LOCK = b"SELECT pg_advisory_lock(hashtextextended('outcry ' || %s, 0))"
"""The server gives it back when the connection ends, however that happens."""
POSTGRESQL = Dialect(
    placeholder="%s",
    types={
        ColumnType.TEXT: 'TEXT COLLATE "C"',
        ColumnType.INTEGER: "BIGINT",
        ColumnType.NUMBER: "NUMERIC",
        ColumnType.JSON: "JSON",
    },
    reads={ColumnType.NUMBER: "{}::text", ColumnType.JSON: "{}::text"},
)
"""JSON, not JSONB, which refuses some texts that a venue may send; `reasons::jsonb` to search in it."""
NOT_OURS_ANY_MORE = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    errors.DatatypeMismatch,
    errors.DataCorrupted,
    errors.IndexCorrupted,
)
"""What the server says when tables were dropped, changed or damaged."""


class PostgresqlDatabase:
    """Its calls may take as long as the server does: make them in the background, and `interrupt` when it is enough.

    A lock of the server's keeps a second writer out of the schema. What is put aside is the schema `<schema>_old`.
    """

    blocks = True

    def __init__(self, dsn: Secret, schema: str) -> None:
        """Raises `ConfigError`, which never repeats the text, if it is no connection string."""
        try:
            parts = conninfo_to_dict(dsn.reveal())
        except psycopg.ProgrammingError:
            raise ConfigError(
                "is no connection string of PostgreSQL; it looks like postgresql://user:password@host:5432/database"
            ) from None
        if password := parts.get("password"):
            Secret(str(password))
        self.schema = schema
        self.label = f"postgresql {parts.get('host') or 'localhost'}/{parts.get('dbname') or ''} schema {schema}"
        self._conninfo = Secret(
            make_conninfo(
                dsn.reveal(),
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="outcry store",
                options=" ".join([str(parts.get("options") or ""), f'-c search_path="{schema}"', *OPTIONS]),
            )
        )
        self._connection: psycopg.Connection | None = None

    def open(self) -> str | None:
        self.close()
        with self._errors():
            connection = psycopg.connect(self._conninfo.reveal(), autocommit=True)
            self._connection = connection
            try:
                connection.execute(TAKE_LOCK, (self.schema,))
            except errors.LockNotAvailable:
                reason = "another desk writes there; give each its own store.schema"
                raise Unavailable(f"store {self.label}: {reason}") from None
            with connection.transaction():
                return self._prepare(connection)

    def is_there(self) -> bool:
        connection = self._connection
        if connection is None or connection.closed:
            return False
        with self._errors():
            return complete(self._tables(connection))

    def write(self, rows: Sequence[Row], position: str) -> None:
        connection = self._open_connection()
        with self._errors(), connection.transaction(), connection.cursor() as cursor:
            ordered = sorted(rows, key=lambda row: row.table.name)
            for _, group in groupby(ordered, key=lambda row: row.table.name):
                same = list(group)
                cursor.executemany(POSTGRESQL.put_row(same[0].table), [_storable(row.values) for row in same])
            cursor.execute(POSTGRESQL.put_meta(), ("position", position))

    def rows(self, table: Table) -> list[tuple[Value, ...]]:
        with self._errors():
            return self._open_connection().execute(POSTGRESQL.select(table)).fetchall()

    def discard(self) -> None:
        if self._connection is None or self._connection.closed:
            with self._errors():
                self._connection = psycopg.connect(self._conninfo.reveal(), autocommit=True)
        connection = self._open_connection()
        with self._errors(), connection.transaction():
            if self._exists(connection):
                connection.execute(f'DROP SCHEMA IF EXISTS "{self.schema}_old" CASCADE')
                connection.execute(f'ALTER SCHEMA "{self.schema}" RENAME TO "{self.schema}_old"')
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None:
        """By cutting the connection: a server that does not answer would not answer a request to cancel either."""
        connection = self._connection
        with contextlib.suppress(OSError, psycopg.Error):
            if connection is not None:
                with socket.socket(fileno=os.dup(connection.fileno())) as shared:
                    shared.shutdown(socket.SHUT_RDWR)

    def _prepare(self, connection: psycopg.Connection) -> str | None:
        if not self._exists(connection):
            connection.execute(f'CREATE SCHEMA "{self.schema}"')
        tables = self._tables(connection)
        version = _text(connection, POSTGRESQL.get_meta(), "schema_version") if META in tables else None
        match look_at(tables, version):
            case Found.STORE:
                return _text(connection, POSTGRESQL.get_meta(), "position")
            case Found.FOREIGN:
                raise foreign(self.label, "store.schema")
            case Found.OTHER_STORE | Found.NOTHING:
                for statement in (*POSTGRESQL.drop_all(), *POSTGRESQL.create_all()):
                    connection.execute(statement)
                connection.execute(POSTGRESQL.put_meta(), ("schema_version", str(SCHEMA_VERSION)))
                return None

    def _exists(self, connection: psycopg.Connection) -> bool:
        return _text(connection, "SELECT nspname FROM pg_namespace WHERE nspname = %s", self.schema) is not None

    def _tables(self, connection: psycopg.Connection) -> set[str]:
        query = "SELECT tablename::text FROM pg_tables WHERE schemaname = %s"
        return {str(name) for (name,) in connection.execute(query, (self.schema,)).fetchall()}

    def _open_connection(self) -> psycopg.Connection:
        if self._connection is None:
            raise Unavailable(f"store {self.label} is not open")
        return self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What another structure would cure is `Corrupt`, everything else passes."""
        try:
            yield
        except NOT_OURS_ANY_MORE as error:
            raise Corrupt(f"store {self.label}: {_first_line(error)}") from error
        except psycopg.Error as error:
            raise Unavailable(f"store {self.label}: {_first_line(error)}") from error


def _text(connection: psycopg.Connection, query: str, value: str) -> str | None:
    """The one text that a query answers, if it answers anything."""
    row = connection.execute(query.encode(), (value,)).fetchone()
    return None if row is None else str(row[0])


def _storable(values: Sequence[Value]) -> list[Value]:
    """PostgreSQL knows no NUL character."""
    return [value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for value in values]


def _first_line(error: psycopg.Error) -> str:
    """Without the statement and the position in it."""
    return str(error).partition("\n")[0].strip() or type(error).__name__
