"""Without its supervisor a connector trades for the time of its lease only, and then the venue empties the book."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET
from tests.desk.runs import START_S, free_port, outcry_run
from tests.desk.truth import Truth
from tests.survival.desks import DEMO, Desk, frozen, is_alive, until

CANCEL_ALL_AFTER_S = 2.0
SHORT_LEASE_S, LONG_LEASE_S = 3.0, 20.0
"""The long one is longer than a supervisor takes to start again on a machine that is very busy."""
MISSED = 50
"""Heartbeats: less than the supervisor is frozen for, more than others may need on a busy machine."""
OPEN = ("NEW", "PARTIALLY_FILLED")

pytestmark = pytest.mark.slow


class Book:
    """A fake USD-M, outside of the desk as the real one is."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ledger(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._url}/fake/ledger", timeout=START_S) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def open(self) -> list[str]:
        """Client order ids of those that work."""
        orders = self.ledger()["orders"]
        return [id for id, rows in orders.items() for row in rows if row["status"] in OPEN]

    def all(self) -> set[str]:
        return set(self.ledger()["orders"])

    def truth(self) -> Truth:
        return Truth.of_venue(self.ledger())


@contextlib.contextmanager
def usdm() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "actors.simulation.server", "binance-usdm", "--port", str(port)]
    process = subprocess.Popen([*command, "--symbols", "BTCUSDT,ETHUSDT"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        yield port
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def trading(folder: Path, lease_s: float) -> Iterator[tuple[Desk, Book]]:
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    for part, value in (("key", DEMO_KEY), ("secret", DEMO_SECRET)):
        (folder / part).write_text(value)
    with usdm() as port:
        at = f"127.0.0.1:{port}"
        venue = {
            "kind": "binance-usdm",
            "symbols": ["BTCUSDT", "ETHUSDT"],
            "credentials": {part: f"file:{folder / part}" for part in ("key", "secret")},
            "rest_url": f"http://{at}",
            "stream_url": f"ws://{at}",
            "trade_url": f"ws://{at}/ws-fapi/v1",
            "contracts": {"cancel_all_after_s": CANCEL_ALL_AFTER_S},
        }
        strategy = {
            "class": "tests.survival.clerk:Clerk",
            "instruments": ["binance.BTCUSDT"],
            "parameters": {"until_file": str(folder / "end"), "quantity": {"binance.BTCUSDT": "0.002"}},
        }
        document |= {
            "cluster": {"backend": "processes"},
            "venues": {"binance": venue},
            "strategies": {"maker": strategy},
            "restart": {"lease_s": lease_s, "heartbeats_missed": MISSED},
        }
        document["risk"]["max_open_orders"] = 200
        with outcry_run(document, "--quiet") as run:
            yield Desk(run, None, folder / "end"), Book(port)  # type: ignore[arg-type]


def until_it_is_empty_and_stays_so(book: Book) -> None:
    since = 0.0
    deadline = time.monotonic() + START_S
    while not since or time.monotonic() - since < 2 * CANCEL_ALL_AFTER_S:
        assert time.monotonic() < deadline, f"the book does not empty: {book.open()}"
        since = (since or time.monotonic()) if not book.open() else 0.0
        time.sleep(0.1)


def test_frozen_for_longer_than_its_time_the_book_is_empty_and_then_all_goes_on(tmp_path: Path) -> None:
    with trading(tmp_path, SHORT_LEASE_S) as (desk, book):
        before = desk.until_it_trades()["actors"]
        until(lambda: len(book.open()) > 1, lambda: f"no order rests: {desk.run.status()}")
        both = [before["supervisor"]["pid"], desk.run._process.pid]
        with frozen(both[0]), frozen(both[1]):
            until_it_is_empty_and_stays_so(book)
            sent = book.all()
            time.sleep(1)
            assert book.all() == sent, "it sends orders without a right to"
        after = desk.goes_on()["actors"]
        assert {name: actor["pid"] for name, actor in after.items()} == {
            name: actor["pid"] for name, actor in before.items()
        }
        until(lambda: len(book.open()) > 1, "no order rests any more")
        assert {line["venue"] for line in desk.logged("right_to_trade_lapsed")} == {"binance"}
        journal, _ = desk.end()
        assert journal == book.truth()


def test_a_supervisor_that_is_killed_and_comes_back_at_once_stops_no_trading(tmp_path: Path) -> None:
    with trading(tmp_path, LONG_LEASE_S) as (desk, book):
        before = desk.until_it_trades()["actors"]
        until(lambda: len(book.open()) > 1, lambda: f"no order rests: {desk.run.status()}")
        os.kill(before["supervisor"]["pid"], signal.SIGKILL)
        until(lambda: not is_alive(before["supervisor"]["pid"]), "it lives on")
        after = desk.goes_on()["actors"]
        assert after["supervisor"]["incarnation"] > before["supervisor"]["incarnation"]
        deadline = time.monotonic() + LONG_LEASE_S
        while time.monotonic() < deadline:
            desk.goes_on()
        assert desk.logged("right_to_trade_lapsed") == []
        journal, _ = desk.end()
        assert journal == book.truth()
