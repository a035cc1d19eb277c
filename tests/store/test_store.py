"""The store follows the journal: nothing twice, nothing missed, whatever happens to it. In either kind of database."""

from pathlib import Path

import pytest

from actors.store.schema import DECISIONS, FILLS, ORDERS, POSITIONS, STRATEGY_POSITIONS
from runtime.journal import Position
from runtime.journal.layout import segment_name
from tests.store.backing import Backing, built_anew, rows_of
from tests.store.desk import START, some_records, write
from tests.store.driven import DrivenStore

DATA = some_records(200)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_an_order_its_fills_its_decision_and_the_positions_are_rows(journal: Path, backing: Backing) -> None:
    data = some_records(1, seed=3)
    write(journal, data)
    rows = built_anew(journal, backing.database())
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


def test_following_in_steps_gives_the_rows_that_building_anew_gives(journal: Path, backing: Backing) -> None:
    store = DrivenStore(journal, backing)
    for end in range(0, len(DATA), 97):
        write(journal, DATA[end : end + 97])
        store.run()
        assert store.state["sequence"] == min(end + 97, len(DATA))
        assert store.state["lag_bytes"] == 0
    assert store.counters == {"records": len(DATA), "errors": 0, "rebuilds": 0}
    store.assert_equal_to_one_built_anew()


def test_a_restarted_store_goes_on_where_it_was(journal: Path, backing: Backing) -> None:
    write(journal, DATA[:300])
    DrivenStore(journal, backing).stop()
    write(journal, DATA[300:])
    again = DrivenStore(journal, backing)
    assert again.counters["records"] == len(DATA) - 300
    again.assert_equal_to_one_built_anew()


def test_a_store_without_a_journal_waits_for_it(journal: Path, backing: Backing) -> None:
    store = DrivenStore(journal, backing)
    assert store.state["problem"] == ""
    assert store.wait_ns == 200_000_000
    write(journal, DATA[:10])
    store.run()
    assert store.state["sequence"] == 10
    store.stop()


def test_the_last_records_are_stored_before_it_stops(journal: Path, backing: Backing) -> None:
    store = DrivenStore(journal, backing)
    write(journal, DATA)
    store.stop()
    assert len(rows_of(backing.database())["orders"]) == 200


def test_a_locked_database_delays_the_store_and_nothing_is_missed(journal: Path, backing: Backing) -> None:
    write(journal, DATA[:100])
    store = DrivenStore(journal, backing)
    with backing.locked():
        write(journal, DATA[100:])
        for _ in range(2):
            store.run()
            assert "lock" in store.state["problem"]
            assert store.state["sequence"] == 100
            assert store.wait_ns == 1_000_000_000
    store.run()
    assert store.state["problem"] == ""
    assert store.counters == {"records": len(DATA), "errors": 2, "rebuilds": 0}
    store.assert_equal_to_one_built_anew()


def test_a_store_that_is_stopped_while_the_database_is_locked_stores_the_rest_in_its_next_life(
    journal: Path, backing: Backing
) -> None:
    write(journal, DATA[:100])
    store = DrivenStore(journal, backing)
    with backing.locked():
        write(journal, DATA[100:])
        store.stop()
        assert store.store.is_finished()
    DrivenStore(journal, backing).assert_equal_to_one_built_anew()


def test_a_deleted_database_is_built_anew_also_while_there_is_no_news(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    store = DrivenStore(journal, backing)
    for _ in range(2):
        backing.delete()
        store.run()
        assert store.state["sequence"] == len(DATA)
    store.assert_equal_to_one_built_anew()


def test_a_dropped_table_is_noticed_and_everything_is_built_anew(journal: Path, backing: Backing) -> None:
    write(journal, DATA[:300])
    store = DrivenStore(journal, backing)
    for table in ("fills", "positions"):
        backing.execute(f"DROP TABLE {table}")
        store.run()
    write(journal, DATA[300:])
    store.assert_equal_to_one_built_anew()


def test_a_table_dropped_while_no_store_ran_is_noticed_too(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    DrivenStore(journal, backing).stop()
    backing.execute("DROP TABLE fills")
    DrivenStore(journal, backing).assert_equal_to_one_built_anew()


def test_a_database_of_another_schema_version_is_built_anew(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    DrivenStore(journal, backing).stop()
    backing.execute(
        "UPDATE store_meta SET value = '0' WHERE key = 'schema_version'", "ALTER TABLE orders ADD COLUMN old TEXT"
    )
    DrivenStore(journal, backing).assert_equal_to_one_built_anew()


def test_tables_of_somebody_else_are_left_alone(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    DrivenStore(journal, backing).stop()
    backing.execute("DROP TABLE store_meta", "DELETE FROM orders")
    store = DrivenStore(journal, backing)
    assert "holds tables that are not a store's; name another place in store." in store.state["problem"]
    assert store.counters == {"records": 0, "errors": 1, "rebuilds": 0}
    store.stop()
    backing.delete()
    DrivenStore(journal, backing).assert_equal_to_one_built_anew()


def test_a_database_of_another_journal_is_put_aside(journal: Path, backing: Backing, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, DATA[:50])
    assert built_anew(other, backing.database())["orders"]
    write(journal, some_records(100, seed=2))
    store = DrivenStore(journal, backing)
    assert store.counters["rebuilds"] == 1
    store.assert_equal_to_one_built_anew()
    assert rows_of(backing.aside()) == built_anew(other, backing.elsewhere())


def test_a_damaged_position_leads_to_building_anew(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    DrivenStore(journal, backing).stop()
    backing.execute("UPDATE store_meta SET value = 'nonsense' WHERE key = 'position'")
    store = DrivenStore(journal, backing)
    assert store.counters["rebuilds"] == 1
    store.assert_equal_to_one_built_anew()


def test_a_store_that_is_ahead_of_its_journal_is_built_anew(journal: Path, backing: Backing) -> None:
    write(journal, DATA[:60], segment_bytes=1 << 20)
    store = DrivenStore(journal, backing)
    path = journal / segment_name(1)
    path.write_bytes(path.read_bytes()[:-10])
    write(journal, DATA[60:90])
    store.run()
    assert store.counters["rebuilds"] == 1
    store.assert_equal_to_one_built_anew()


def test_a_journal_that_has_gone_does_not_take_the_store_with_it(journal: Path, backing: Backing) -> None:
    write(journal, DATA)
    DrivenStore(journal, backing).stop()
    kept = rows_of(backing.database())
    for file in journal.iterdir():
        file.unlink()
    store = DrivenStore(journal, backing)
    assert "is empty, the store has" in store.state["problem"]
    store.stop()
    assert rows_of(backing.database()) == kept


def test_a_damaged_journal_is_reported_and_stored_up_to_the_damage(journal: Path, backing: Backing) -> None:
    write(journal, DATA[:60], segment_bytes=1 << 20)
    path = journal / segment_name(1)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    store = DrivenStore(journal, backing)
    for _ in range(2):
        assert "record 60 does not match its digest" in store.state["problem"]
        assert store.state["sequence"] == 59
        assert store.counters["rebuilds"] == 1
        assert store.wait_ns == 10_000_000_000
        store.run()
    store.stop()
    kept = backing.database()
    assert Position.parse(str(kept.open())).sequence == 59
    kept.close()
