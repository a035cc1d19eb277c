"""Unmodified client libraries, on the venue's production addresses, against the fake Binance spot venue."""

import time
from decimal import Decimal
from pathlib import Path

import pytest

from actors.simulation.binance.venue import FakeBinance
from tests.third_party.runner import run_client

NAMES = ["binance.com", "*.binance.com", "*.binance.vision", "localhost"]

pytestmark = pytest.mark.slow


async def test_python_binance_keeps_a_book_and_sees_its_fill(tmp_path: Path) -> None:
    venue = FakeBinance(time.time_ns(), rate=50.0)
    report = await run_client("python-binance==1.0.37", "python_binance_client.py", venue, NAMES, tmp_path)
    assert min(report["levels"]) >= 20
    assert report["crossed"] is False
    assert report["order"] == "FILLED"
    assert {fill["c"] for fill in report["fills"]} == {"a" * 32}
    assert sum(Decimal(fill["l"]) for fill in report["fills"]) == Decimal("0.01")
    assert {fill["N"] for fill in report["fills"]} == {"BTC"}
    assert report["opened"] == ["NEW"]
    assert report["canceled"] == "CANCELED"
    assert report["over_socket"] == "FILLED"
    assert sum(Decimal(quantity) for quantity in report["trades"]) == Decimal("0.02")
    assert report["pair"] == [True, True]
    assert report["waiting"] == ["LIMIT_MAKER", "STOP_LOSS_LIMIT", "STOP_LOSS_LIMIT"]
    assert report["replaced"] == ["SUCCESS", "SUCCESS"]
    assert report["all_canceled"] == ["ALL_DONE", "CANCELED"]


async def test_ccxt_keeps_a_book_and_sees_its_fill(tmp_path: Path) -> None:
    venue = FakeBinance(time.time_ns(), rate=50.0)
    report = await run_client("ccxt==4.5.90", "ccxt_client.py", venue, NAMES, tmp_path)
    assert report == {
        "markets": ["BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDT"],
        "last": True,
        "crossed": False,
        "order": "closed",
        "trade": [True, 0.01],
        "opened": [True],
        "canceled": "canceled",
        "stop": ["limit", "open"],
        "edited": [True, 61000.0],
        "left": [True],
    }
