"""Recorded Binance traffic through a whole desk: every book ends as the recording says, reconstructed here anew."""

import hashlib
import json
import os
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.desk.runs import PATIENT, POLL_S, ROOT, free_port, outcry_run, venue_truth
from tests.desk.truth import Truth

CAPTURES = Path(os.environ.get("OUTCRY_CAPTURES") or ROOT.parent / "shared" / "data" / "captures")
CONFIGURATION = ROOT / "configs" / "replay-binance.yaml"
SYMBOLS = ["BLZETH", "LRCBTC", "NKNUSDT", "RUNEEUR"]
REPLAY_S = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CAPTURES / "BINANCE.ws.1.0").exists(), reason=f"no captures in {CAPTURES} (set OUTCRY_CAPTURES)"
    ),
]


def recorded_books() -> dict[str, dict[str, object]]:
    """Symbol → sequence and digest of its book after the last recorded update.

    The venue's rule: the snapshot, then every update that ends after it; a quantity is absolute, zero removes.
    https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#how-to-manage-a-local-order-book-correctly
    """
    snapshots: dict[str, Any] = {}
    for line in (CAPTURES / "BINANCE.http.0.0").read_text().splitlines():
        url, _, answer = line.partition(" -> ")
        if "/api/v3/depth?" in url:
            snapshots[parse_qs(urlsplit(url).query)["symbol"][0]] = json.loads(answer.split(": ", 1)[1])
    updates: dict[str, list[Any]] = {symbol: [] for symbol in snapshots}
    for line in (CAPTURES / "BINANCE.ws.1.0").read_text().splitlines():
        if "@depth" in line and not line.startswith("wss:"):
            update = json.loads(line.split(": ", 1)[1])["data"]
            updates[update["s"]].append(update)
    return {symbol: _book(snapshots[symbol], updates[symbol]) for symbol in snapshots}


def _book(snapshot: Any, updates: list[Any]) -> dict[str, object]:
    sequence = snapshot["lastUpdateId"]
    sides = [dict(snapshot[side]) for side in ("bids", "asks")]
    for update in updates:
        if update["u"] <= sequence:
            continue
        sequence = update["u"]
        for levels, changes in zip(sides, (update["b"], update["a"]), strict=True):
            for price, quantity in changes:
                if Decimal(quantity):
                    levels[price] = quantity
                else:
                    levels.pop(price, None)
    lines = [
        f"{price}:{levels[price]}\n"
        for levels, descending in zip(sides, (True, False), strict=True)
        for price in sorted(levels, key=Decimal, reverse=descending)
    ]
    return {"sequence": sequence, "digest": hashlib.sha256("".join(lines).encode()).hexdigest()}


def until_played(port: int) -> None:
    deadline = time.monotonic() + REPLAY_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/fake/state", timeout=10) as answer:
                if json.load(answer)["replay"]["finished"]:
                    return
        except OSError:
            pass  # it is still starting
        time.sleep(POLL_S)
    raise AssertionError(f"the recording is not over after {REPLAY_S} s")


@pytest.mark.parametrize("speed", ["10", "1"])
def test_a_recording_leaves_every_book_as_recorded_and_orders_fill(speed: str) -> None:
    document = yaml.safe_load(CONFIGURATION.read_text())
    port = free_port()
    document["venues"]["binance"]["simulate"]["port"] = port
    document["cluster"] = {"backend": "processes"}
    document["restart"] = PATIENT
    with outcry_run(document, "--quiet", "--capture", str(CAPTURES), "--speed", speed) as run:
        until_played(port)
        run.until(lambda status: not set(status["orders"]) - {"FILLED", "EXPIRED", "REJECTED", "DENIED"})
        truth = venue_truth(port)
        summary = run.stop()
        journal = Truth.of_journal(run.journal)
    venue = summary["venues"]["binance"]
    assert (venue["gaps"], venue["resyncs"], venue["reconnects"]) == (0, 0, 0)
    expected = recorded_books()
    assert sorted(expected) == SYMBOLS
    assert summary["books"] == {f"binance.{symbol}": book for symbol, book in expected.items()}
    assert summary["fills"] > 0
    assert summary["fills"] == len(truth.fills)
    assert journal == truth
