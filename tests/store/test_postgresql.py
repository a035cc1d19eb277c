"""What only happens to a server: it is killed, frozen, slow, refuses, or is shared; the real one, on loopback."""

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from actors.credentials import Secret
from actors.messages import OrderDenied
from actors.orders import records
from actors.orders.records import Record
from actors.store.catch_up import CatchUp
from actors.store.postgresql import PostgresqlDatabase
from actors.store.schema import ORDERS, Row
from runtime.errors import ConfigError, Unavailable
from runtime.telemetry.redaction import redact_text
from tests.store.backing import PostgresqlBacking, SqliteBacking, built_anew, rows_of
from tests.store.desk import START, life_of_an_order, some_records, write
from tests.store.driven import DrivenStore
from tests.store.server import Server

DATA = some_records(200)
MANY = 20
"""Looks while the slow server needs its time, which is far longer than twenty of them take."""
SLOW = """CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def thawed(server: Server) -> Iterator[Server]:
    yield server
    server.thaw()


@pytest.mark.slow
def test_a_killed_server_is_caught_up_with_when_it_is_back(
    journal: Path, postgresql: PostgresqlBacking, server: Server
) -> None:
    write(journal, DATA[:200])
    store = DrivenStore(journal, postgresql)
    for begin in (200, 400):
        server.kill()
        write(journal, DATA[begin : begin + 200])
        store.run()
        assert store.state["problem"].startswith("store postgresql 127.0.0.1/")
        assert store.state["sequence"] == begin
        assert store.state["lag_bytes"] > 10_000
        server.start()
        store.until_it_is_well()
    assert store.counters["records"] == 600
    assert store.counters["rebuilds"] == 0
    store.assert_equal_to_one_built_anew()


def test_a_server_that_is_not_there_at_the_start_is_waited_for(
    journal: Path, postgresql: PostgresqlBacking, server: Server
) -> None:
    write(journal, DATA)
    with socket.socket() as nobody:  # it has the port, and listens to nobody
        nobody.bind(("127.0.0.1", 0))
        nowhere = nobody.getsockname()[1]
        refused = DrivenStore(journal, PostgresqlBacking(postgresql.dsn.replace(str(server.port), str(nowhere))))
    assert "onnection refused" in refused.state["problem"]
    assert "not-asked-for" not in refused.state["problem"]
    assert refused.wait_ns == 1_000_000_000
    refused.stop()
    assert refused.store.is_finished()
    DrivenStore(journal, postgresql).assert_equal_to_one_built_anew()


@pytest.mark.slow
def test_a_frozen_server_is_given_up_and_found_again(
    journal: Path, postgresql: PostgresqlBacking, thawed: Server
) -> None:
    write(journal, DATA[:100])
    store = DrivenStore(journal, postgresql, patience_ns=300_000_000)
    store.until_it_is_well()
    thawed.freeze()
    write(journal, DATA[100:])
    store.run()
    assert "connection" in store.state["problem"]
    assert store.state["sequence"] == 100
    thawed.thaw()
    store.until_it_is_well()
    store.assert_equal_to_one_built_anew()


@pytest.mark.slow
def test_a_slow_server_delays_nobody_but_the_store(journal: Path, postgresql: PostgresqlBacking) -> None:
    store = DrivenStore(journal, postgresql)
    postgresql.execute(SLOW, "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow()")
    write(journal, DATA)
    store.run()
    assert store.state["sequence"] == len(DATA)
    assert store.most_receives > MANY, "it waited for the server while it could have heard others"
    store.assert_equal_to_one_built_anew()


def test_a_connection_lost_before_the_answer_to_a_commit_stores_nothing_twice(
    journal: Path, postgresql: PostgresqlBacking
) -> None:
    write(journal, DATA)

    class LosesAnswers(PostgresqlDatabase):
        def write(self, rows: Sequence[Row], position: str) -> None:
            super().write(rows, position)
            self.close()
            raise Unavailable("the connection is lost")

    database = LosesAnswers(Secret(postgresql.dsn), "desk-1")
    catch_up = CatchUp(journal, database)
    lost, more = 0, True
    while more:
        try:
            more = catch_up.step()
        except Unavailable:
            lost += 1
    assert lost > 3
    assert (catch_up.sequence, catch_up.stored) == (len(DATA), len(DATA))
    catch_up.close()
    assert rows_of(database) == built_anew(journal, postgresql.elsewhere())


def test_a_second_desk_is_kept_out_of_a_schema(journal: Path, postgresql: PostgresqlBacking, tmp_path: Path) -> None:
    write(journal, DATA[:100])
    first = DrivenStore(journal, postgresql)
    write(tmp_path / "other", some_records(10, seed=2))
    second = DrivenStore(tmp_path / "other", postgresql)
    assert second.state["problem"].endswith("another desk writes there; give each its own store.schema")
    second.stop()
    first.assert_equal_to_one_built_anew()


def test_a_user_without_the_right_to_make_a_schema_is_told(
    journal: Path, postgresql: PostgresqlBacking, server: Server
) -> None:
    postgresql.execute("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    store = DrivenStore(journal, PostgresqlBacking(postgresql.dsn.replace("desk:", "reader:")))
    assert "permission denied for database" in store.state["problem"]
    assert store.wait_ns == 1_000_000_000
    store.stop()
    postgresql.execute("DROP ROLE reader")


def test_a_reason_with_a_nul_character_can_be_stored(journal: Path, postgresql: PostgresqlBacking) -> None:
    submit = life_of_an_order(1, Random(1))[0]
    denied = OrderDenied(f"{1:032x}", "bad\0reason", "risk_checker")
    write(journal, [records.encode(Record(START, 1, event)) for event in (submit, denied)])
    rows = built_anew(journal, postgresql.database())
    assert rows[ORDERS.name][0][14] == "bad\N{REPLACEMENT CHARACTER}reason"


def test_the_tables_can_be_queried_as_numbers_and_json(journal: Path, postgresql: PostgresqlBacking) -> None:
    write(journal, DATA)
    rows = built_anew(journal, postgresql.database())
    with postgresql.connected() as connection:
        (fees,) = connection.execute("SELECT sum(fee) FROM fills WHERE fee_asset = 'BNB'").fetchone() or ()
        (why,) = connection.execute("SELECT reasons->>1 FROM decisions LIMIT 1").fetchone() or ()
    assert str(fees) == format(len(rows["fills"]) * 1 / 100, ".2f")
    assert why == "other: down"


def test_no_secret_is_shown(postgresql: PostgresqlBacking) -> None:
    database = postgresql.database()
    assert "not-asked-for" not in repr(vars(database))
    assert "not-asked-for" not in database.label
    assert redact_text("the password is not-asked-for") == "the password is ***"


def test_a_bad_connection_string_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        PostgresqlDatabase(Secret("postgres//desk:hunter2222@host"), "desk")
    assert str(caught.value) == (
        "is no connection string of PostgreSQL; it looks like postgresql://user:password@host:5432/database"
    )


def test_rows_are_the_same_in_both_kinds_of_database(journal: Path, postgresql: PostgresqlBacking) -> None:
    write(journal, DATA)
    in_file = SqliteBacking(journal.parent)
    assert built_anew(journal, postgresql.database()) == built_anew(journal, in_file.database())
    assert rows_of(postgresql.database()) == rows_of(in_file.database())
