"""The two kinds of database under one face, so that one set of tests runs over both."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg

from actors.credentials import Secret
from actors.store.catch_up import CatchUp
from actors.store.database import Database
from actors.store.postgresql import PostgresqlDatabase
from actors.store.schema import TABLES, Value
from actors.store.sqlite import SqliteDatabase

Rows = dict[str, list[tuple[Value, ...]]]


class Backing(Protocol):
    """A place for a store, and what others may do to it meanwhile."""

    def database(self) -> Database:
        """A new client of the same place."""
        ...

    def elsewhere(self) -> Database:
        """Of a new, empty place."""
        ...

    def aside(self) -> Database:
        """Of what `discard` has left."""
        ...

    def execute(self, *statements: str) -> None: ...

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Another one has a transaction open that is in the way of every write."""
        ...

    def delete(self) -> None: ...


class SqliteBacking:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.sqlite"
        self._places = 0

    def database(self) -> SqliteDatabase:
        return SqliteDatabase(self.path)

    def elsewhere(self) -> SqliteDatabase:
        self._places += 1
        return SqliteDatabase(self.path.with_name(f"elsewhere-{self._places}.sqlite"))

    def aside(self) -> SqliteDatabase:
        return SqliteDatabase(self.path.with_name("store.sqlite.old"))

    def execute(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as locker:
            locker.execute("BEGIN IMMEDIATE")
            yield
            locker.execute("ROLLBACK")

    def delete(self) -> None:
        for file in self.path.parent.glob("store.sqlite*"):
            file.unlink()


class PostgresqlBacking:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._places = 0

    def database(self) -> PostgresqlDatabase:
        return self._in_schema("desk-1")

    def elsewhere(self) -> PostgresqlDatabase:
        self._places += 1
        return self._in_schema(f"elsewhere-{self._places}")

    def aside(self) -> PostgresqlDatabase:
        return self._in_schema("desk-1_old")

    def execute(self, *statements: str) -> None:
        with self.connected() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with self.connected() as connection, connection.transaction():
            connection.execute("LOCK TABLE orders, store_meta IN ACCESS EXCLUSIVE MODE")
            yield

    def delete(self) -> None:
        self.execute('DROP SCHEMA "desk-1" CASCADE')

    def connected(self) -> psycopg.Connection:
        return psycopg.connect(self.dsn, autocommit=True, options='-c search_path="desk-1"')

    def _in_schema(self, schema: str) -> PostgresqlDatabase:
        return PostgresqlDatabase(Secret(self.dsn), schema)


def rows_of(database: Database) -> Rows:
    database.open()
    rows = {table.name: database.rows(table) for table in TABLES}
    database.close()
    return rows


def built_anew(journal: Path, database: Database) -> Rows:
    catch_up = CatchUp(journal, database)
    while catch_up.step():
        pass
    catch_up.close()
    database.close()
    return rows_of(database)
