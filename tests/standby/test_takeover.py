"""A connector with a hot standby, in real processes, killed while the market goes on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.operate import table
from runtime.rundir import RunRecord
from tests.desk.runs import Run, Status, outcry_run
from tests.shards.market import Witness
from tests.standby.watcher import Record
from tests.survival.venue import VenueThread, venue_thread

pytestmark = pytest.mark.slow

PRIMARY, STANDBY = "connector.binance", "standby.binance"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
RATE = 100.0
BAR_NS = 10_000_000
"""The next message comes so soon after the death of the primary, as far as messages come as often on this machine."""
KILLS = 4
WELL_S = 300.0
"""A machine on which many others work, too, takes so long."""


def configuration(venue: VenueThread, folder: Path, **restart: Any) -> dict[str, Any]:
    return {
        "name": "standby",
        "cluster": {"backend": "processes"},
        # A link on which a busy machine is slow is not given up: each such time its connector would miss something.
        "venues": {"binance": venue.settings(folder, standby=True, fallback_after_s=600)},
        "strategies": {
            "watcher": {
                "class": "tests.standby.watcher:Watcher",
                "instruments": [f"binance.{symbol}" for symbol in SYMBOLS],
                "parameters": {"record": str(folder / "record")},
            }
        },
        # Each death counts as the first, and a busy machine is not a dead process.
        "restart": {"period_s": 0.1, "heartbeats_missed": 600, "lease_s": 60, **restart},
    }


@contextmanager
def watched(folder: Path, **restart: Any) -> Iterator[tuple[Run, Witness]]:
    with venue_thread(SYMBOLS, rate=RATE) as venue:
        witness = Witness(venue.port, SYMBOLS)
        try:
            with outcry_run(configuration(venue, folder, **restart), "--quiet") as run:
                run.until(both_well, WELL_S)
                yield run, witness
        finally:
            witness.close()


def both_well(status: Status) -> bool:
    """Both have heard of the market for a while, the strategy too, and a spare waits."""
    actors = status["actors"]
    return (
        all(actor["state"] == "READY" for actor in actors.values())
        and set(status["venues"].get("binance", {}).get("books", {}).values()) == {"SYNCED"}
        and actors[STANDBY]["mailbox"]["handled"] > 200
        and actors["strategy.watcher"]["mailbox"]["handled"] > 200
        and status["spares"] > 0
    )


def kill(run: Run, *actors: str) -> int:
    """`kill -9`; returns the moment."""
    status = run.until(lambda status: all(status["actors"][actor]["pid"] for actor in actors))
    pids = [status["actors"][actor]["pid"] for actor in actors]
    moment = time.monotonic_ns()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return moment


def counters(run: Run, actor: str) -> dict[str, int]:
    (file,) = (run.folder / "outcry" / "runs").glob("*.json")
    found: dict[str, int] = {}

    def is_told(_: Status) -> bool:
        told = table(msgspec.json.decode(file.read_bytes(), type=RunRecord))
        found.update(next(row.counters for row in told.rows if row.name == actor))
        return True

    run.until(is_told)
    return found


def until_back(run: Run, lives: int, *actors: str) -> None:
    run.until(
        lambda status: both_well(status) and all(status["actors"][actor]["incarnation"] >= lives for actor in actors),
        WELL_S,
    )


def assert_nothing_lost_or_doubled(record: Record, witness: Witness) -> None:
    """Every trade once and in its sequence, no quote older than the one before, no book but a true one."""
    for symbol in SYMBOLS:
        heard = record.trades[symbol]
        told = [number for number in witness.trades[symbol] if heard[0] <= number <= heard[-1]]
        assert heard == told, f"{symbol}: {sorted(set(told) ^ set(heard))} or doubled"
        quotes = record.quotes[symbol]
        assert quotes == sorted(set(quotes)), symbol
        sequences = [sequence for sequence, _ in record.books[symbol]]
        assert sequences == sorted(set(sequences)), symbol
        known = 0
        for sequence, of_it in record.books[symbol]:
            true = witness.book_at(symbol, sequence)
            known += true is not None
            assert true in (None, of_it), f"{symbol} at {sequence}"
        assert known > len(sequences) / 2, symbol


def test_neither_death_is_noticed_by_the_strategy(tmp_path: Path) -> None:
    moments = []
    with watched(tmp_path) as (run, witness):
        status = run.status()
        assert list(status["venues"]) == ["binance"], "what the standby counts is its own"
        assert status["actors"][STANDBY]["pid"] != status["actors"][PRIMARY]["pid"]
        assert STANDBY in run.command("tree")
        for life in range(KILLS):
            moments.append(kill(run, PRIMARY))
            until_back(run, life + 2, PRIMARY)
        kill(run, STANDBY)
        until_back(run, 2, STANDBY)
        restarts = {name: actor["restarts"] for name, actor in run.status()["actors"].items() if actor["restarts"]}
        assert restarts == {PRIMARY: KILLS, STANDBY: 1}, "nobody else went, so that one of the two was always there"
        counted = counters(run, "strategy.watcher")
        run.stop()
    record = Record(tmp_path / "record")
    assert_nothing_lost_or_doubled(record, witness)
    assert record.lost == [], "one of them had the book all the time"
    assert counted["repeated"] > 1000
    assert counted["missed"] == 0
    gaps = [record.after(moment) for moment in moments]
    ordinary = sorted(later - earlier for earlier, later in pairwise(record.arrivals))
    assert min(gaps) < max(BAR_NS, ordinary[-len(ordinary) // 20]), [gap / 1e6 for gap in gaps]


def test_a_frozen_primary_is_made_up_for_and_the_death_of_both_is_healed(tmp_path: Path) -> None:
    file = tmp_path / "record"
    with watched(tmp_path, heartbeat_s=0.5, heartbeats_missed=120) as (run, witness):
        primary = run.status()["actors"][PRIMARY]
        pid = primary["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            before = len(Record(file).trades["BTCUSDT"])
            run.until(lambda _: len(Record(file).trades["BTCUSDT"]) > before + 50)
            was_alive = run.status()["actors"][PRIMARY]["incarnation"] == primary["incarnation"]
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        before_both = run.until(both_well, WELL_S)["actors"]
        frozen = Record(file)
        kill(run, PRIMARY, STANDBY)
        for actor in (PRIMARY, STANDBY):
            until_back(run, before_both[actor]["incarnation"] + 1, actor)
        whole = len(Record(file).books["BTCUSDT"])
        run.until(lambda _: len(Record(file).books["BTCUSDT"]) > whole)
        run.stop()
    assert was_alive, "fifty trades came before it was taken for hung"
    assert_nothing_lost_or_doubled(frozen, witness)
    assert frozen.lost == []
    record = Record(file)
    assert sorted(reason.partition(":")[0] for reason in record.lost) == ["SOURCE_DOWN", "SOURCE_DOWN"]
    for symbol in SYMBOLS:
        heard = record.trades[symbol]
        assert heard == sorted(set(heard)), "what was missed is not told twice later"
        assert set(witness.trades[symbol]) >= set(heard[1:-1])
        for sequence, of_it in record.books[symbol]:
            assert witness.book_at(symbol, sequence) in (None, of_it)
