"""A whole desk under a virtual clock whose journal's disk is full, or whose journal is damaged."""

import contextlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from actors import names, status
from actors.doctor import diagnose
from actors.settings import Configuration
from actors.store.sqlite import SqliteDatabase
from actors.view.tree import tree_of
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.journal import Journal, verify
from runtime.journal.layout import segment_name
from runtime.protocol import ActorRow
from tests.desk.truth import Truth, records
from tests.store.backing import built_anew, rows_of
from tests.support.desk import EPOCH, VirtualDesk, trade_virtually

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
DISK_BYTES = 16 * 1024 * 1024
"""The store is on it too, with its write-ahead log of 4 MB."""
QUIET_S = 15
"""After the trading, so that everything is settled."""

pytestmark = pytest.mark.slow


def configured(journal: Path, trading_s: int) -> Configuration:
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["strategies"]["maker"]["class"] = "tests.desk.trader:Trader"
    document["strategies"]["maker"]["parameters"]["until"] = EPOCH + trading_s * NS_PER_S
    document["journal"] = {"path": str(journal)}
    return Configuration.model_validate(document)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES},mode=700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "outcry-test", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more can be written, not even into the last page of a file."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0
    return ballast


def logged(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = [line for file in (folder / "logs").iterdir() for line in file.read_text().splitlines()]
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]


def at_venue(desk: VirtualDesk) -> tuple[int, int]:
    """How many orders it has ever had, how many are open."""
    orders = [order for placed in desk.ledger()["orders"].values() for order in placed]
    return len(orders), sum(order["status"] in ("NEW", "PARTIALLY_FILLED") for order in orders)


def test_while_the_disk_is_full_orders_are_denied_and_cancels_go_and_afterwards_nothing_is_missing(
    small_disk: Path, tmp_path: Path
) -> None:
    journal = small_disk / "journal"

    async def scenario(desk: VirtualDesk) -> dict[str, ActorRow]:
        await desk.until(10)
        ballast = fill(small_disk)
        await desk.until(12)
        placed, _ = at_venue(desk)
        refused = (await desk.rows())[names.ORDER_MANAGER].counters["refused"]
        assert refused > 0
        await desk.until(25)
        assert at_venue(desk) == (placed, 0)
        full = (await desk.rows())[names.ORDER_MANAGER]
        assert full.counters["refused"] > refused
        assert full.report["journal_waiting"] > 0
        ballast.unlink()
        await desk.until(35)
        assert at_venue(desk)[0] > placed + 20
        freed = (await desk.rows())[names.ORDER_MANAGER]
        assert (freed.report["journal_waiting"], freed.report["journal_lost"]) == (0, 0)
        assert freed.counters["refused"] < full.counters["refused"] + 10
        await desk.until(40 + QUIET_S)
        rows = await desk.stop()
        assert Truth.of_journal(journal) == Truth.of_venue(desk.ledger())
        return rows

    rows = trade_virtually(configured(journal, 40), tmp_path, scenario, latency_ns=NS_PER_MS)
    assert {name for name, row in rows.items() if row.restarts} == set()
    reasons = {entry["reason"] for entry in logged(tmp_path, "order_refused")}
    assert reasons <= {
        f"JOURNAL_UNAVAILABLE: journal {journal}: {why}"
        for why in ("No space left on device", "no space left for the whole record")
    }
    assert reasons
    assert verify(journal).good
    assert rows_of(SqliteDatabase(journal / "store.sqlite")) == built_anew(
        journal, SqliteDatabase(tmp_path / "anew.sqlite")
    )


def in_segments(folder: Path, into: Path, segment_bytes: int) -> None:
    journal = Journal.open(into, segment_bytes=segment_bytes)
    for record in records(folder):
        journal.append(record)
    journal.close()


def newest(folder: Path) -> Path:
    return max(folder.glob("*.log"))


def oldest(folder: Path) -> Path:
    return folder / segment_name(1)


@pytest.mark.parametrize("which", [newest, oldest])
def test_a_journal_damaged_in_the_middle_parks_the_order_manager_at_once_and_says_where(
    tmp_path: Path, which: Callable[[Path], Path]
) -> None:
    first, journal = tmp_path / "first", tmp_path / "journal"

    async def trading(desk: VirtualDesk) -> None:
        await desk.until(8)

    trade_virtually(configured(first, 6), tmp_path, trading, latency_ns=NS_PER_MS)
    in_segments(first, journal, oldest(first).stat().st_size // 3)
    segment = which(journal)
    whole = segment.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    segment.write_bytes(damaged)
    verdict = verify(journal)
    assert verdict.damage is not None
    place = f"{segment}: offset {verdict.damage.offset}: {verdict.damage.reason}"

    async def parked(desk: VirtualDesk) -> None:
        await desk.until(20)
        rows = await desk.rows()
        manager = rows[names.ORDER_MANAGER]
        assert (manager.state, manager.reason, manager.restarts) == ("PARKED", f"Corrupt: {place}", 1)
        assert at_venue(desk) == (0, 0)
        assert rows["strategy.maker"].handled > 100
        assert all(place in shown for shown in what_is_shown(rows))
        segment.write_bytes(whole)
        await desk.until(75)
        assert (await desk.rows())[names.ORDER_MANAGER].state == "READY"
        assert at_venue(desk)[0] > 10

    trade_virtually(configured(journal, 100), tmp_path, parked, latency_ns=NS_PER_MS)


def what_is_shown(rows: dict[str, ActorRow]) -> list[str]:
    """To somebody who asks `outcry tree` and `outcry doctor`."""
    shown = Console(file=io.StringIO(), width=1000)
    shown.print(tree_of(status.of_rows(rows.values())))
    assert isinstance(shown.file, io.StringIO)
    return [shown.file.getvalue(), "\n".join(finding.what for finding in diagnose(rows.values()))]


def test_a_damaged_last_record_is_cut_and_logged_and_trading_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    async def trading(desk: VirtualDesk) -> None:
        await desk.until(8)

    trade_virtually(configured(journal, 6), tmp_path, trading, latency_ns=NS_PER_MS)
    segment = oldest(journal)
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)

    async def again(desk: VirtualDesk) -> None:
        await desk.until(10)
        manager = (await desk.rows())[names.ORDER_MANAGER]
        assert (manager.state, manager.restarts) == ("READY", 0)
        assert at_venue(desk)[0] > 10

    trade_virtually(configured(journal, 8), tmp_path, again, latency_ns=NS_PER_MS)
    (cut,) = logged(tmp_path, "journal_tail_cut")
    assert "does not match its digest" in cut["cut"]
    assert verify(journal).good
