"""A desk whose venue is shared out over several connectors, in real processes."""

from pathlib import Path
from typing import Any

import pytest

from actors.desk import connect
from tests.desk.runs import Run, Status, outcry_run
from tests.desk.truth import Truth
from tests.operating.desks import actions
from tests.shards.market import SYMBOLS, assert_nothing_lost_or_doubled, configuration, dozen
from tests.shards.watcher import Record
from tests.survival.venue import VenueThread

pytestmark = pytest.mark.slow

FINAL = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED"}


def in_step(status: Status) -> bool:
    venue = status["venues"].get("binance", {})
    return (
        status["fills"] > 0
        and venue["connected"]
        and sorted(venue["books"]) == SYMBOLS
        and set(venue["books"].values()) == {"SYNCED"}
        and all(actor["state"] == "READY" for actor in status["actors"].values())
    )


def end(run: Run, venue: VenueThread, folder: Path) -> dict[str, Any]:
    """End the trading and the run; the venue's ledger and the journal have to say the same."""
    (folder / "end").touch()
    after = run.status()["ts"] + 2_000_000_000
    run.until(lambda status: status["ts"] > after and not set(status["orders"]) - FINAL)
    summary = run.stop()
    assert Truth.of_journal(run.journal) == venue.truth()
    return summary


def test_three_connectors_share_a_venue_and_orders_go_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dozen(monkeypatch) as (venue, witness):
        with outcry_run(configuration(venue, tmp_path, shards=3), "--quiet") as run:
            status = run.until(in_step)
            before = status["venues"]["binance"]["messages"]
            run.until(lambda status: status["venues"]["binance"]["messages"] > before + 500)
            shards = [name for name in status["actors"] if name.startswith("connector")]
            assert shards == ["connector.binance", "connector.binance.1", "connector.binance.2"]
            assert sorted(status["venues"]["binance"]["links"]) == ["1:feed-0", "2:feed-0", "feed-0", "orders"]
            assert "connector.binance.2" in run.command("tree")
            summary = end(run, venue, tmp_path)
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, SYMBOLS)
        for symbol in SYMBOLS:
            book = summary["books"][f"binance.{symbol}"]
            assert witness.book_at(symbol, book["sequence"]) is not None
    assert record.lives == 1
    assert record.lost == {}
    assert summary["venues"]["binance"]["messages"] > before


def goes_on(run: Run) -> Status:
    """Returns when new fills and much new market data have come."""
    before = run.until(in_step)
    messages = before["venues"]["binance"]["messages"]
    return run.until(
        lambda status: (
            in_step(status)
            and status["fills"] > before["fills"] + 5
            and status["venues"]["binance"]["messages"] > messages + 300
        )
    )


def connectors(status: Status) -> list[str]:
    return [name for name in status["actors"] if name.startswith("connector")]


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
