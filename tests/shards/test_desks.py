"""A desk whose venue is shared out over several connectors, in real processes."""

from pathlib import Path

import pytest

from actors.settings import VenueSettings
from actors.shards import symbols_of
from tests.desk.runs import outcry_run
from tests.shards.desks import end, goes_on
from tests.shards.market import (
    SYMBOLS,
    assert_books_are_true,
    assert_nothing_lost_or_doubled,
    configuration,
    dozen,
)
from tests.shards.watcher import Record

pytestmark = pytest.mark.slow


def test_three_connectors_share_a_venue_and_orders_go_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dozen(monkeypatch) as (venue, witness):
        with outcry_run(configuration(venue, tmp_path, shards=3), "--quiet") as run:
            status = goes_on(run)
            before = status["venues"]["binance"]["messages"]
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


def test_a_shard_that_is_killed_comes_back_and_the_others_do_not_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dozen(monkeypatch) as (venue, witness):
        settings = VenueSettings(kind="binance", symbols=SYMBOLS, shards=3)
        its = symbols_of(settings, 1)
        others = [symbol for symbol in SYMBOLS if symbol not in its]
        with outcry_run(configuration(venue, tmp_path, shards=3), "--quiet") as run:
            goes_on(run)
            for _ in range(2):
                run.kill("connector.binance.1")
                status = goes_on(run)
            assert {name: actor["restarts"] for name, actor in status["actors"].items() if actor["restarts"]} == {
                "connector.binance.1": 2
            }
            end(run, venue, tmp_path)
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, others)
        for symbol in its:
            assert record.trades[symbol] == sorted(set(record.trades[symbol]))
            assert set(record.trades[symbol]) <= set(witness.trades[symbol])
            assert_books_are_true(record, witness, symbol)
    assert {symbol: len(reasons) for symbol, reasons in record.lost.items()} == dict.fromkeys(its, 2)
