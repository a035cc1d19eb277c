"""A venue that is not simulated is asked for its symbols; when it cannot say, nobody is accused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.configuration import load
from actors.configuration.listed import listed_symbols
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import serve
from runtime.clock import WallClock
from runtime.errors import ConfigError


@pytest.fixture
async def rest_url() -> AsyncIterator[str]:
    venue = FakeBinance(start=WallClock().now(), symbols=("BTCUSDT", "ETHUSDT"), rate=0)
    server = await serve(venue, host="127.0.0.1", port=0)
    yield f"http://127.0.0.1:{server.port}"
    await server.close()


async def test_what_the_venue_trades_is_right(rest_url: str) -> None:
    assert await asyncio.to_thread(listed_symbols, "binance", rest_url, ["BTCUSDT"]) == ["BTCUSDT"]


async def test_what_the_venue_does_not_trade_is_answered_with_what_it_does(rest_url: str) -> None:
    assert sorted(await asyncio.to_thread(listed_symbols, "binance", rest_url, ["BTCUSD"])) == ["BTCUSDT", "ETHUSDT"]


async def test_the_configuration_is_told_so(rest_url: str, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(f"venues:\n  binance:\n    kind: binance\n    rest_url: {rest_url}\n    symbols: [ETHUSDC]\n")
    with pytest.raises(ConfigError) as caught:
        await asyncio.to_thread(load, file)
    assert str(caught.value) == (
        f"{file}:5: venues.binance.symbols[0]: ETHUSDC is not traded there; did you mean 'ETHUSDT'?"
    )


def test_a_venue_that_cannot_be_reached_is_not_the_fault_of_the_configuration() -> None:
    assert listed_symbols("binance", "http://127.0.0.1:9", ["BTCUSDT"]) == ["BTCUSDT"]
