"""Market data of the protocol: addresses, what events become, what garbage costs, what comes on demand."""

from typing import Any

import msgspec
import pytest

from actors.messages import BookInvalidated, Kline, Liquidation, MarkPrice, Quote, Trade
from actors.model.order import Side
from actors.settings import VenueSettings
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import BadFrame, OpenLink, Resynchronised, SendFrame
from actors.venues.registry import make_protocol
from runtime.actor import HttpAnswered, HttpRequest
from tests.venues_usdm.recording import SYMBOLS, frames, needs_recording

NOW = 1_700_000_000_000_000_000


def a_venue(*symbols: str, per_link: int = 200) -> BinanceUsdm:
    settings = VenueSettings(kind="binance-usdm", symbols=list(symbols or ("BTCUSDT",)))
    return BinanceUsdm("usdm", settings, None, per_link)


def stream(name: str, **data: Any) -> bytes:
    return msgspec.json.encode({"stream": name, "data": data})


def update(previous: int, first: int, last: int, **sides: list[list[str]]) -> bytes:
    ids = {"pu": previous, "U": first, "u": last}
    return stream("btcusdt@depth@100ms", e="depthUpdate", E=1, T=1, s="BTCUSDT", **ids, **({"b": [], "a": []} | sides))


def snapshot(last_id: int) -> HttpAnswered:
    body = {"lastUpdateId": last_id, "bids": [["100.0", "1"]], "asks": [["101.0", "1"]]}
    return HttpAnswered("depth:BTCUSDT", 200, {}, msgspec.json.encode(body), NOW)


def test_the_registry_knows_it_and_its_addresses() -> None:
    settings = VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"])
    assert isinstance(make_protocol("usdm", settings), BinanceUsdm)
    assert settings.rest_url == "https://fapi.binance.com"
    assert settings.trade_url == "wss://ws-fapi.binance.com/ws-fapi/v1"


def test_books_and_everything_else_are_asked_for_at_their_own_addresses() -> None:
    opened = [output for output in a_venue("BTCUSDT", "ETHUSDT").start(NOW) if isinstance(output, OpenLink)]
    base = "wss://fstream.binance.com"
    assert {output.link: output.url for output in opened} == {
        "public-0": f"{base}/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms/"
        "ethusdt@bookTicker/ethusdt@depth@100ms",
        "market-0": f"{base}/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice@1s/btcusdt@forceOrder/"
        "ethusdt@aggTrade/ethusdt@markPrice@1s/ethusdt@forceOrder",
    }


def test_streams_are_spread_below_the_venues_cap() -> None:
    venue = a_venue(*(f"S{number}USDT" for number in range(250)))
    opened = [output for output in venue.start(NOW) if isinstance(output, OpenLink)]
    assert [output.link for output in opened] == [
        "public-0", "public-1", "public-2", "market-0", "market-1", "market-2", "market-3",
    ]  # fmt: skip
    assert max(output.url.count("@") for output in opened if output.link.startswith("market")) <= 2 * 200


EVENTS = [
    (
        stream("btcusdt@bookTicker", e="bookTicker", u=1, s="BTCUSDT", b="1.0", B="2", a="1.1", A="3", T=5, E=6),
        Quote("usdm", "BTCUSDT", "1.0", "2", "1.1", "3", 5_000_000, NOW, False, 1),
    ),
    (
        stream("btcusdt@aggTrade", e="aggTrade", E=6, a=7, s="BTCUSDT", p="1.0", q="2", f=1, l=2, T=5, m=True),
        Trade("usdm", "BTCUSDT", "7", "1.0", "2", Side.SELL, 5_000_000, NOW),
    ),
    (
        stream("btcusdt@markPrice@1s", e="markPriceUpdate", E=6, s="BTCUSDT", p="1.0", i="1.1", r="-0.0001", T=9),
        MarkPrice("usdm", "BTCUSDT", "1.0", "1.1", "-0.0001", 9_000_000, 6_000_000, NOW),
    ),
    (
        stream("btcusdt@markPrice@1s", e="markPriceUpdate", E=6, s="BTCUSDT", p="1.0", i="1.1", r="", T=0),
        MarkPrice("usdm", "BTCUSDT", "1.0", "1.1", "", 0, 6_000_000, NOW),
    ),
    (
        stream("btcusdt@forceOrder", e="forceOrder", E=6, o={"s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC",
               "q": "2", "p": "1.0", "ap": "1.1", "X": "FILLED", "l": "2", "z": "2", "T": 5}),
        Liquidation("usdm", "BTCUSDT", Side.SELL, "1.0", "1.1", "2", 5_000_000, NOW),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "event"), EVENTS)
def test_an_event_becomes_the_desks_message(payload: bytes, event: object) -> None:
    assert a_venue().on_frame("public-0", payload, NOW) == [event]


@needs_recording
def test_every_recorded_frame_is_understood() -> None:
    venue = a_venue(*SYMBOLS)
    for symbol in SYMBOLS:
        venue.follow("kline_1m", symbol, NOW)
    outputs = [
        output
        for frame in frames()
        for output in venue.on_frame("public-0", msgspec.json.encode(frame), NOW)
    ]  # fmt: skip
    assert [output for output in outputs if isinstance(output, BadFrame)] == []
    kinds = (Quote, Trade, Kline)
    assert [sum(isinstance(output, kind) for output in outputs) for kind in kinds] == [613, 91, 67]


def test_a_gap_makes_the_book_invalid_and_asks_for_another_snapshot() -> None:
    venue = a_venue()
    (asked,) = venue.on_frame("public-0", update(90, 95, 100), NOW)
    assert isinstance(asked, HttpRequest)
    assert asked.url == "https://fapi.binance.com/fapi/v1/depth?limit=1000&symbol=BTCUSDT"
    venue.on_http(snapshot(97), NOW)
    venue.on_frame("public-0", update(100, 103, 105), NOW)
    lost = venue.on_frame("public-0", update(106, 108, 110), NOW)
    assert [type(output) for output in lost[:2]] == [BookInvalidated, Resynchronised]
    assert isinstance(venue.book("BTCUSDT"), BookInvalidated)


GARBAGE = [
    (b"\x00", True),
    (b"{", True),
    (b'{"stream":"btcusdt@depth@100ms","data":{}}', False),
    (b'{"stream":"btcusdt@depth@100ms","data":{"E":1,"U":1,"u":2,"b":[],"a":[]}}', False),
    (b'{"stream":"btcusdt@aggTrade","data":{"a":1,"p":"1","q":"x","T":1,"m":true}}', False),
    (b'{"stream":"nosuch@aggTrade","data":{}}', False),
]


@pytest.mark.parametrize(("payload", "drops"), GARBAGE)
def test_garbage_is_counted_and_costs_no_more_than_it_must(payload: bytes, drops: bool) -> None:
    bad = [output for output in a_venue().on_frame("public-0", payload, NOW) if isinstance(output, BadFrame)]
    assert [output.drop_link for output in bad] == [drops]


def test_a_kline_comes_while_somebody_reads_it() -> None:
    venue = a_venue()
    assert venue.follow("kline_1m", "BTCUSDT", NOW) == []
    asked, *_ = venue.on_link_up("market-0", NOW)
    assert asked == SendFrame("market-0", b'{"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1}')
    (ended,) = venue.unfollow("kline_1m", "BTCUSDT", NOW)
    assert ended == SendFrame("market-0", b'{"method":"UNSUBSCRIBE","params":["btcusdt@kline_1m"],"id":2}')
    assert venue.on_frame("market-0", stream("btcusdt@kline_1m", e="kline"), NOW) == []
