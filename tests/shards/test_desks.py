"""A desk whose venue is shared out over several connectors, in real processes."""

from pathlib import Path
from typing import Any

import pytest

from tests.desk.runs import Run, Status, outcry_run
from tests.desk.truth import Truth
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
