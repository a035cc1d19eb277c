"""Symbols go to other connectors while all trade: nothing is lost and nothing comes twice, whoever dies meanwhile."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from actors.desk import CommandRefused, connect
from runtime.errors import Unavailable
from tests.desk.runs import Status, outcry_run
from tests.operating.desks import actions
from tests.shards.desks import connectors, end, goes_on
from tests.shards.market import SYMBOLS, assert_nothing_lost_or_doubled, configuration, dozen
from tests.shards.watcher import Record

pytestmark = pytest.mark.slow


def test_shards_come_and_go_while_all_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dozen(monkeypatch) as (venue, witness):
        with outcry_run(configuration(venue, tmp_path), "--quiet") as run:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(run.folder))
            assert connectors(goes_on(run)) == ["connector.binance"]
            with connect(frames="plain", client="test") as desk:
                shared = desk.set_shards("binance", 3)["shards"]
                assert sorted(symbol for symbols in shared.values() for symbol in symbols) == SYMBOLS
                assert [len(symbols) > 0 for symbols in shared.values()] == [True] * 3
                assert connectors(goes_on(run)) == list(shared)

                first = shared["connector.binance"][0]
                moved = desk.move_symbol(f"binance.{first}", 2)["shards"]
                assert moved["connector.binance.2"] == sorted([*shared["connector.binance.2"], first])
                goes_on(run)

                fewer = desk.set_shards("binance", 2)["shards"]
                assert list(fewer) == connectors(goes_on(run))
                assert len(fewer) == 2
            assert not [actor for actor, times in run.status()["actors"].items() if times["restarts"]]
            summary = end(run, venue, tmp_path)
            said = [arguments for _, _, action, arguments in actions(run.journal) if action == "RECONFIGURE"]
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, SYMBOLS)
        for symbol in SYMBOLS:
            book = summary["books"][f"binance.{symbol}"]
            assert witness.book_at(symbol, book["sequence"]) is not None
    assert said == [
        {"set_shards": "binance", "shards": "3"},
        {"move_symbol": f"binance.{first}", "shard": "2"},
        {"set_shards": "binance", "shards": "2"},
    ]
    assert record.lives == 1
    assert record.lost == {}


def test_who_dies_while_symbols_move_loses_nothing_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new connector, then the gateway itself, each in the midst of it."""
    with dozen(monkeypatch) as (venue, witness):
        with outcry_run(configuration(venue, tmp_path), "--quiet") as run:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(run.folder))
            goes_on(run)
            for shards, killed in ((2, "connector.binance.1"), (3, "gateway")):
                asked = Asked(shards)
                asked.start()
                run.until(lambda status, name=killed: is_moving(status) and status["actors"][name]["pid"])  # type: ignore[misc]
                run.kill(killed)
                asked.join()
                with connect(frames="plain", client="test") as desk:
                    assert len(desk.set_shards("binance", shards)["shards"]) == shards
                assert len(connectors(goes_on(run))) == shards
                assert not is_moving(run.status())
            end(run, venue, tmp_path)
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, SYMBOLS)
    assert record.lives == 1


class Asked(threading.Thread):
    """Somebody asks for so many shards, and what he is told does not matter."""

    def __init__(self, shards: int) -> None:
        super().__init__(name="asking")
        self._shards = shards

    def run(self) -> None:
        with connect(frames="plain", client="other") as desk, suppress(CommandRefused, Unavailable):
            desk.set_shards("binance", self._shards)


def is_moving(status: Status) -> bool:
    return bool(status["venues"]["binance"]["moving"])
