"""An unmodified client library, on the venue's production addresses, against the fake futures venue."""

import time
from pathlib import Path

import pytest

from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from tests.third_party.runner import run_client

NAMES = ["binance.com", "*.binance.com", "localhost"]

pytestmark = pytest.mark.slow


async def test_python_binance_trades_futures(tmp_path: Path) -> None:
    venue = FakeBinanceUsdm(time.time_ns(), rate=50.0)
    report = await run_client("python-binance==1.0.37", "python_binance_futures_client.py", venue, NAMES, tmp_path)
    assert report["levels"] >= 20
    assert report | {"levels": 20} == {
        "streams": ["btcusdt@aggTrade", "btcusdt@markPrice@1s"],
        "order": "NEW",
        "events": ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"],
        "stop": "NEW",
        "opened": ["NEW"],
        "canceled": "CANCELED",
        "position": "0.01",
        "assets": ["USDT"],
        "levels": 20,
    }
