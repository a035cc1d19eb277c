"""The store follows the journal: nothing twice, nothing missed, whatever happens to it."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from actors.store import Store
from actors.store.actor import FollowJournal
from actors.store.catch_up import CatchUp
from actors.store.schema import DECISIONS, FILLS, ORDERS, POSITIONS, STRATEGY_POSITIONS, TABLES, Value
from actors.store.sqlite import SqliteDatabase
from runtime.actor import Started, Stopping
from runtime.journal import Position
from runtime.journal.layout import segment_name
from tests.store.desk import START, some_records, write
from tests.support.context import RecordingContext

Rows = dict[str, list[tuple[Value, ...]]]
DATA = some_records(200)


def rows_of(path: Path) -> Rows:
    database = SqliteDatabase(path)
    database.open()
    rows = {table.name: database.rows(table) for table in TABLES}
    database.close()
    return rows


def built_anew(journal: Path, path: Path) -> Rows:
    catch_up = CatchUp(journal, SqliteDatabase(path))
    while catch_up.step():
        pass
    catch_up.close()
    return rows_of(path)


class Desk:
    """A store that is driven by hand: `run` lets its timer fire until it has nothing left to do."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal"
        self.path = folder / "store.sqlite"
        self.ctx = RecordingContext("store")
        self.store = Store(self.journal, self.path)

    def run(self) -> None:
        self.store.receive(Started() if not self.ctx.timers else FollowJournal(), self.ctx)
        while self.ctx.timers[-1].due == self.ctx.time:
            self.store.receive(FollowJournal(), self.ctx)

    def stop(self) -> None:
        self.store.receive(Stopping(), self.ctx)

    @property
    def state(self) -> dict[str, object]:
        return self.store.report().state

    @property
    def counters(self) -> dict[str, int]:
        return self.store.report().counters


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_order_its_fills_its_decision_and_the_positions_are_rows(tmp_path: Path) -> None:
    data = some_records(1, seed=3)
    write(tmp_path / "journal", data)
    rows = built_anew(tmp_path / "journal", tmp_path / "store.sqlite")
    order_id = "0" * 32
    fill = ("binance", "BTCUSDT", "t0.0", order_id)
    assert len(data) == 8
    assert rows[ORDERS.name] == [
        (
            order_id,
            "momentum",
            "binance",
            "BTCUSDT",
            "BUY",
            "LIMIT",
            "GTC",
            0,
            "0.30",
            "100.10",
            "FILLED",
            "0.30",
            "100.10",
            "v0",
            "",
            START + 1,
            START + 7,
        )
    ]
    assert [row[:4] for row in rows[FILLS.name]] == [(*fill[:2], f"t0.{part}", order_id) for part in range(3)]
    assert rows[FILLS.name][0] == (
        *fill, 6, "v0", "momentum", "BUY", "100.10", "0.10", "0.01", "BNB", 1, START, START, START + 5
    )  # fmt: skip
    assert rows[DECISIONS.name] == [
        (3, order_id, "binance", "connector.binance", '["binance: 1.0 fee","other: down"]', START)
    ]
    holding = ("0.30", "100.10", "0", '{"BNB":"0.03"}', START + 7)
    assert rows[POSITIONS.name] == [("binance", "BTCUSDT", *holding)]
    assert rows[STRATEGY_POSITIONS.name] == [("momentum", "binance", "BTCUSDT", *holding)]


def test_following_in_steps_gives_the_rows_that_building_anew_gives(desk: Desk, tmp_path: Path) -> None:
    for end in range(0, len(DATA), 97):
        write(desk.journal, DATA[end : end + 97])
        desk.run()
        assert desk.state["sequence"] == min(end + 97, len(DATA))
        assert desk.state["lag_bytes"] == 0
    desk.stop()
    followed = rows_of(desk.path)
    assert len(followed["orders"]) == 200
    assert followed == built_anew(desk.journal, tmp_path / "anew.sqlite")
    assert desk.counters == {"records": len(DATA), "errors": 0, "rebuilds": 0}


def test_a_restarted_store_goes_on_where_it_was(desk: Desk, tmp_path: Path) -> None:
    write(desk.journal, DATA[:300])
    desk.run()
    desk.stop()
    write(desk.journal, DATA[300:])
    again = Desk(tmp_path)
    again.run()
    again.stop()
    assert again.counters["records"] == len(DATA) - 300
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_store_without_a_journal_waits_for_it(desk: Desk) -> None:
    desk.run()
    assert desk.state["problem"] == ""
    assert desk.ctx.timers[-1].due == desk.ctx.time + 200_000_000
    write(desk.journal, DATA[:10])
    desk.run()
    assert desk.state["sequence"] == 10
    desk.stop()


def test_the_last_records_are_stored_before_it_stops(desk: Desk) -> None:
    desk.run()
    write(desk.journal, DATA)
    desk.stop()
    assert len(rows_of(desk.path)["orders"]) == 200


def test_a_locked_database_delays_the_store_and_nothing_is_missed(desk: Desk, tmp_path: Path) -> None:
    write(desk.journal, DATA[:100])
    desk.run()
    locker = sqlite3.connect(desk.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    write(desk.journal, DATA[100:])
    for _ in range(2):
        desk.run()
        assert "locked" in str(desk.state["problem"])
        assert desk.state["sequence"] == 100
    locker.execute("ROLLBACK")
    locker.close()
    desk.run()
    assert desk.state["problem"] == ""
    assert desk.counters == {"records": len(DATA), "errors": 2, "rebuilds": 0}
    desk.stop()
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_deleted_database_is_built_anew(desk: Desk, tmp_path: Path) -> None:
    write(desk.journal, DATA[:300])
    desk.run()
    for file in tmp_path.glob("store.sqlite*"):
        file.unlink()
    write(desk.journal, DATA[300:])
    desk.run()
    desk.stop()
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_file_that_is_no_database_is_put_aside(desk: Desk, tmp_path: Path) -> None:
    desk.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    write(desk.journal, DATA)
    desk.run()
    desk.stop()
    assert desk.counters["rebuilds"] == 1
    assert (tmp_path / "store.sqlite.old").read_bytes().startswith(b"no database")
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_database_of_another_schema_version_is_built_anew(desk: Desk, tmp_path: Path) -> None:
    write(desk.journal, DATA)
    desk.run()
    desk.stop()
    with sqlite3.connect(desk.path) as connection:
        connection.execute("UPDATE store_meta SET value = '0' WHERE key = 'schema_version'")
        connection.execute("ALTER TABLE orders ADD COLUMN old TEXT")
    connection.close()
    assert built_anew(desk.journal, desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_database_of_another_journal_is_put_aside(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "other", DATA[:50])
    assert built_anew(tmp_path / "other", desk.path)["orders"]
    write(desk.journal, some_records(100, seed=2))
    desk.run()
    assert desk.counters["rebuilds"] == 1
    desk.stop()
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")
    assert rows_of(tmp_path / "store.sqlite.old") == built_anew(tmp_path / "other", tmp_path / "other.sqlite")


def test_a_store_that_is_ahead_of_its_journal_is_built_anew(desk: Desk, tmp_path: Path) -> None:
    write(desk.journal, DATA[:60], segment_bytes=1 << 20)
    desk.run()
    path = desk.journal / segment_name(1)
    path.write_bytes(path.read_bytes()[:-10])
    write(desk.journal, DATA[60:90])
    desk.run()
    desk.stop()
    assert desk.counters["rebuilds"] == 1
    assert rows_of(desk.path) == built_anew(desk.journal, tmp_path / "anew.sqlite")


def test_a_journal_that_has_gone_does_not_take_the_store_with_it(desk: Desk) -> None:
    write(desk.journal, DATA)
    desk.run()
    desk.stop()
    kept = rows_of(desk.path)
    for file in desk.journal.iterdir():
        file.unlink()
    desk.run()
    assert "is empty, the store has" in str(desk.state["problem"])
    desk.stop()
    assert rows_of(desk.path) == kept


def test_a_damaged_journal_is_reported_and_stored_up_to_the_damage(desk: Desk) -> None:
    write(desk.journal, DATA[:60], segment_bytes=1 << 20)
    path = desk.journal / segment_name(1)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    desk.run()
    assert "record 60 does not match its digest" in str(desk.state["problem"])
    assert desk.state["sequence"] == 59
    assert desk.counters["rebuilds"] == 1
    desk.stop()
    kept = Position.parse(str(SqliteDatabase(desk.path).open()))
    assert kept.sequence == 59


STORE = """
import sys
from pathlib import Path
from actors.store.catch_up import CatchUp
from actors.store import catch_up
from actors.store.sqlite import SqliteDatabase
catch_up.STEP_BYTES = 2000
followed = CatchUp(Path(sys.argv[1]), SqliteDatabase(Path(sys.argv[2])))
while followed.step():
    print(followed.sequence, flush=True)
"""


@pytest.mark.slow
def test_a_killed_store_catches_up_and_stores_nothing_twice(tmp_path: Path) -> None:
    journal, path = tmp_path / "journal", tmp_path / "store.sqlite"
    write(journal, DATA)
    for steps in (3, 10, 30):
        command = [sys.executable, "-c", STORE, str(journal), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as child:
            assert child.stdout is not None
            for _ in range(steps):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.stdout.read()
    assert built_anew(journal, path) == built_anew(journal, tmp_path / "anew.sqlite")
