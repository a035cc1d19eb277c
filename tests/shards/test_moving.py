"""Symbols go to other connectors while all trade: nothing is lost and nothing comes twice, whoever dies meanwhile."""

import os
import signal
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from actors.desk import CommandRefused, connect
from runtime.errors import Unavailable
from tests.desk.runs import Run, Status, outcry_run
from tests.operating.desks import actions
from tests.shards.desks import BUSY_S, connectors, end, goes_on
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
                kill_while_it_moves(run, shards, killed)
                run.until(lambda status: all(actor["state"] == "READY" for actor in status["actors"].values()), BUSY_S)
                with connect(frames="plain", client="test") as desk:
                    assert len(desk.set_shards("binance", shards)["shards"]) == shards
                run.until(lambda status: not is_moving(status), BUSY_S)
                assert len(connectors(goes_on(run))) == shards
            end(run, venue, tmp_path)
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, SYMBOLS)
    assert record.lives == 1


def kill_while_it_moves(run: Run, shards: int, name: str) -> None:
    """Ask for so many shards and kill this one in the midst of it; again from before if it was over when we looked."""
    while True:
        asked = Asked(shards)
        asked.start()
        status = run.until(partial(over_or_moving, asked, name), BUSY_S)
        if pid := pid_in_a_move(status, name):
            os.kill(pid, signal.SIGKILL)
            asked.join()
            return
        asked.join()
        with connect(frames="plain", client="test") as desk:
            desk.set_shards("binance", shards - 1)


class Asked(threading.Thread):
    """Somebody asks for so many shards, and what he is told does not matter."""

    def __init__(self, shards: int) -> None:
        super().__init__(name="asking")
        self._shards = shards

    def run(self) -> None:
        with connect(frames="plain", client="other") as desk, suppress(CommandRefused, Unavailable):
            desk.set_shards("binance", self._shards)


def over_or_moving(asked: Asked, name: str, status: Status) -> bool:
    return pid_in_a_move(status, name) > 0 or not asked.is_alive()


def pid_in_a_move(status: Status, name: str) -> int:
    """0 if nothing moves just now, or there is no such actor."""
    pid: int = status["actors"].get(name, {}).get("pid", 0)
    return pid if is_moving(status) else 0


def is_moving(status: Status) -> bool:
    return bool(status["venues"]["binance"]["moving"])
