"""Frames that one read has brought are read together; that must make no difference, whatever is among them."""

from random import Random

import pytest

from actors.venues.contract import Output
from runtime.clock import NS_PER_MS
from tests.venues.binance_spot import NOW, a_venue, depth, stream, update

SYMBOLS = ("BTCUSDT", "ETHUSDT")
LINK = "feed-0"
BATCH = 16


def told(number: int, symbol: str) -> bytes:
    """A frame of the venue: mostly trades and quotes, now and then an update of the book."""
    name = symbol.lower()
    price = f"{100 + number % 7}.00"
    match number % 5:
        case 0:
            return update(1001 + number, 1001 + number, [["90.00", f"{number}.5"]], [], symbol)
        case 1 | 2:
            quote = {"u": number, "s": symbol, "b": price, "B": "1", "a": "200.00", "A": "2.5"}
            return stream(f"{name}@bookTicker", **quote)
        case _:
            trade = {"e": "trade", "E": 1, "s": symbol, "t": number, "p": price, "q": "0.5", "T": 1, "m": True}
            return stream(f"{name}@trade", **trade)


def harmed(payload: bytes, random: Random) -> bytes:
    at = random.randrange(len(payload))
    match random.randrange(8):
        case 0:
            return payload[:at]
        case 1:
            return payload[:at] + bytes([random.randrange(256)]) + payload[at + 1 :]
        case 2:
            return payload[:at] + payload[at + 1 :]
        case 3:
            return b" " + payload.replace(b":", b": ")
        case 4:
            return payload.replace(b"usdt@", b"usdc@", 1)
        case 5:
            return random.choice([b"", b"{}", b"[]", b"null", b'"', b'{"stream":"', b'{"result":null,"id":7}'])
        case 6:
            return payload.replace(b'":"', b'":["', 1)
        case _:
            return payload.replace(b'"data":{', b'"data":{"p":"x","b":7,')


@pytest.mark.parametrize("seed", range(20))
def test_it_makes_no_difference_whether_frames_are_read_together(seed: int) -> None:
    random = Random(seed)
    together, alone = a_venue(SYMBOLS, keys=False), a_venue(SYMBOLS, keys=False)
    for venue in (together, alone):
        venue.start(NOW)
        venue.on_link_up(LINK, NOW)
        for symbol in SYMBOLS:
            venue.on_frame(LINK, update(1000, 1000, [["90.00", "1"]], [["300.00", "1"]], symbol), NOW)
            venue.on_http(depth(1000, [["90.00", "1"]], [["300.00", "1"]], symbol), NOW)
    payloads = [told(number // 2, SYMBOLS[number % 2]) for number in range(600)]
    payloads = [harmed(each, random) if random.random() < 0.05 else each for each in payloads]
    read_together = 0
    for first in range(0, len(payloads), BATCH):
        now = NOW + first * NS_PER_MS
        batch = payloads[first : first + BATCH]
        expected = [output for payload in batch for output in alone.on_frame(LINK, payload, now)]
        outputs: list[Output] = []
        while batch:
            some, read = together.on_frames(LINK, batch, now)
            outputs += some
            batch = batch[read:]
            read_together += read
            if batch:
                outputs += together.on_frame(LINK, batch.pop(0), now)
        assert outputs == expected
    assert together.report(True) == alone.report(True)
    assert read_together > 500
