"""The benchmark's own market: its frames, and how they are paced."""

import asyncio
import socket
import threading
import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from actors.messages import Trade
from actors.model.order import Side
from scripts.benchmarks import market, pacing
from scripts.benchmarks.exchange import Exchange

HEADER_SIZE = 4


def test_a_frame_is_read_as_the_trade_that_was_written() -> None:
    frame = market.trade_frame(12345, "95.00100000", market.TRIGGER)
    trade = market.read_trade(frame[HEADER_SIZE:], 7)
    assert trade == Trade(
        "binance", "BTCUSDT", "12345", "95.00100000", "0.02000000", Side.BUY, ts_venue=trade.ts_venue, ts_recv=7
    )
    assert int.from_bytes(frame[2:HEADER_SIZE]) == len(frame) - HEADER_SIZE


def test_triggers_have_prices_of_their_own() -> None:
    prices = {market.trigger_price(number) for number in range(market.MAX_TRIGGERS)}
    assert len(prices) == 5000
    assert (min(prices), max(prices)) == ("95.00000000", "99.99900000")


def test_a_flood_waits_for_a_slow_reader_and_loses_nothing() -> None:
    sender, reader = socket.socketpair()
    sender.setblocking(False)
    frames = [bytes([number % 256]) * 1000 for number in range(2000)]
    received = bytearray()

    def read() -> None:
        while data := reader.recv(4096):
            received.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    sent = pacing.flood(sender.fileno(), frames)
    sender.close()
    thread.join(timeout=10)
    reader.close()
    assert sent.count == 2000
    assert bytes(received) == b"".join(frames)


def test_a_schedule_never_runs_ahead_of_its_rate() -> None:
    schedule = pacing.Schedule(20, 1000)
    assert list(schedule) == list(range(20))
    assert time.monotonic_ns() - schedule.began >= 19_000_000


def test_more_triggers_than_prices_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 5000"):
        asyncio.run(Exchange().orders("1", count=5001, rate=1000, every=1, patience_s=1))


def test_a_late_order_of_an_earlier_phase_answers_no_trigger_of_this_one() -> None:
    sender, reader = socket.socketpair()
    sender.setblocking(False)
    exchange = Exchange()
    link: Any = SimpleNamespace(underlying_transport=SimpleNamespace(get_extra_info=lambda _: sender))
    exchange.market_links.append(link)

    async def phase(answered: int) -> list[int]:
        asked = asyncio.ensure_future(exchange.orders("1", count=1, rate=1000, every=1, patience_s=0.2))
        await asyncio.sleep(0)
        exchange.on_order(Decimal(market.trigger_price(answered)), time.monotonic_ns())
        return (await asked).latencies_ns

    async def phases() -> list[int]:
        return [len(await phase(answered)) for answered in (0, 0, 2)]

    assert asyncio.run(phases()) == [1, 0, 1]
    sender.close()
    reader.close()
