"""Binance's streams: each kind as its documentation prints it, subscribed and ended while the link is open."""

from typing import Any

import msgspec
import pytest

from actors.messages import AggregateTrade, BookInvalidated, BookLevels, BookSnapshot, Kline, MiniTicker, Ticker
from actors.model.order import Side
from actors.venues.binance.streams import INTERVALS
from actors.venues.contract import BadFrame, Capability, OpenLink, Output, SendFrame, WakeUp
from runtime.actor import HttpRequest
from tests.venues.binance_spot import NOW, S, a_venue, depth, of, stream, up, update
from tests.venues.captures import frames, needs_captures

MS = 1_000_000

AGGREGATE = {"e": "aggTrade", "E": 1672515782136, "s": "BTCUSDT", "a": 12345, "p": "0.001", "q": "100"}
AGGREGATE |= {"f": 100, "l": 105, "T": 1672515782136, "m": True, "M": True}
MINI = {"e": "24hrMiniTicker", "E": 1672515782136, "s": "BTCUSDT", "c": "0.0025", "o": "0.0010", "h": "0.0025"}
MINI |= {"l": "0.0010", "v": "10000", "q": "18"}
TICKER = {"e": "24hrTicker", "E": 1672515782136, "s": "BTCUSDT", "p": "-0.0015", "P": "250.00", "w": "0.0018"}
TICKER |= {"x": "0.0009", "c": "0.0025", "Q": "10", "b": "0.0024", "B": "10", "a": "0.0026", "A": "100"}
TICKER |= {"o": "0.0010", "h": "0.0025", "l": "0.0010", "v": "10000", "q": "18", "O": 0, "C": 86400000}
TICKER |= {"F": 0, "L": 18150, "n": 18151}
KLINE_BAR = {"t": 1672515780000, "T": 1672515839999, "s": "BTCUSDT", "i": "1m", "f": 100, "L": 200, "o": "0.0010"}
KLINE_BAR |= {"c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100, "x": False, "q": "1.0000"}
KLINE_BAR |= {"V": "500", "Q": "0.500", "B": "123456"}
KLINE = {"e": "kline", "E": 1672515782136, "s": "BTCUSDT", "k": KLINE_BAR}
LEVELS = {"lastUpdateId": 160, "bids": [["0.0024", "10"]], "asks": [["0.0026", "100"]]}


def a_venue_up(**options: Any) -> Any:
    venue = a_venue(**options)
    up(venue)
    return venue


def sent(outputs: list[Output]) -> list[tuple[str, str, list[str]]]:
    """(socket, method, streams) of each subscription message."""
    return [
        (frame.link, body["method"], body["params"])
        for frame in of(SendFrame, outputs)
        for body in [msgspec.json.decode(frame.payload)]
        if body["method"] in ("SUBSCRIBE", "UNSUBSCRIBE")
    ]


@pytest.mark.parametrize(
    ("kind", "name", "data", "event"),
    [
        (
            "aggtrade",
            "btcusdt@aggTrade",
            AGGREGATE,
            AggregateTrade(
                "binance", "BTCUSDT", "12345", "0.001", "100", Side.SELL, "100", "105", 1672515782136 * MS, NOW
            ),
        ),
        (
            "miniticker",
            "btcusdt@miniTicker",
            MINI,
            MiniTicker(
                "binance",
                "BTCUSDT",
                "0.0025",
                "0.0010",
                "0.0025",
                "0.0010",
                "10000",
                "18",
                1672515782136 * MS,
                NOW,
            ),
        ),
        (
            "ticker",
            "btcusdt@ticker",
            TICKER,
            Ticker(
                venue="binance",
                symbol="BTCUSDT",
                last="0.0025",
                last_quantity="10",
                bid="0.0024",
                bid_quantity="10",
                ask="0.0026",
                ask_quantity="100",
                open="0.0010",
                high="0.0025",
                low="0.0010",
                volume="10000",
                quote_volume="18",
                average="0.0018",
                change="-0.0015",
                change_percent="250.00",
                trades=18151,
                ts_venue=1672515782136 * MS,
                ts_recv=NOW,
            ),
        ),
        (
            "kline_1m",
            "btcusdt@kline_1m",
            KLINE,
            Kline(
                venue="binance",
                symbol="BTCUSDT",
                interval="1m",
                start=1672515780000 * MS,
                end=1672515840000 * MS,
                open="0.0010",
                high="0.0025",
                low="0.0015",
                close="0.0020",
                volume="1000",
                quote_volume="1.0000",
                trades=100,
                taker_buy_volume="500",
                taker_buy_quote_volume="0.500",
                closed=False,
                ts_venue=1672515782136 * MS,
                ts_recv=NOW,
            ),
        ),
        (
            "depth10",
            "btcusdt@depth10@100ms",
            LEVELS,
            BookLevels("binance", "BTCUSDT", 10, 160, [("0.0024", "10")], [("0.0026", "100")], 0, NOW),
        ),
    ],
)
def test_each_kind_is_subscribed_and_normalised(kind: str, name: str, data: dict[str, Any], event: Any) -> None:
    venue = a_venue_up()
    assert sent(venue.follow(kind, "BTCUSDT", NOW)) == [("feed-0", "SUBSCRIBE", [name])]
    assert venue.on_frame("feed-0", stream(name, **data), NOW) == [event]
    assert event.topic == f"{kind}.binance.BTCUSDT"
    for field in ("p", "c", "k", "bids"):
        if field in data:
            (bad,) = venue.on_frame("feed-0", stream(name, **{**data, field: 7}), NOW)
            assert isinstance(bad, BadFrame)
            assert not bad.drop_link


@pytest.mark.parametrize("interval", INTERVALS)
def test_klines_of_all_intervals(interval: str) -> None:
    outputs = a_venue_up().follow(f"kline_{interval}", "BTCUSDT", NOW)
    assert sent(outputs) == [("feed-0", "SUBSCRIBE", [f"btcusdt@kline_{interval}"])]


def test_what_always_comes_and_what_is_not_known_are_not_subscribed() -> None:
    venue = a_venue_up()
    for kind in ("quote", "trade", "book", "funding"):
        assert venue.follow(kind, "BTCUSDT", NOW) == []
        assert venue.unfollow(kind, "BTCUSDT", NOW) == []


def test_an_ended_stream_is_unsubscribed_and_what_still_comes_of_it_is_ignored() -> None:
    venue = a_venue_up()
    venue.follow("ticker", "BTCUSDT", NOW)
    outputs = venue.unfollow("ticker", "BTCUSDT", NOW)
    assert sent(outputs) == [("feed-0", "UNSUBSCRIBE", ["btcusdt@ticker"])]
    assert venue.on_frame("feed-0", stream("btcusdt@ticker", **TICKER), NOW) == []
    assert venue.on_frame("feed-0", b'{"result":null,"id":2}', NOW) == []


def test_no_more_than_four_messages_a_second_and_the_last_wish_holds() -> None:
    venue = a_venue_up()
    outputs = []
    for number in range(9):
        act = venue.follow if number % 2 == 0 else venue.unfollow
        outputs += act("ticker", "BTCUSDT", NOW)
    methods = [method for _, method, _ in sent(outputs)]
    assert methods == ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE"]
    (wake_up,) = of(WakeUp, outputs)
    later = venue.on_wake_up(wake_up.tag, NOW + wake_up.delay_ns)
    assert sent(later) == [("feed-0", "SUBSCRIBE", ["btcusdt@ticker"])]


def test_streams_beyond_the_cap_of_a_link_get_a_new_one() -> None:
    venue = a_venue_up(per_link=4)
    assert sent(venue.follow("ticker", "BTCUSDT", NOW)) == [("feed-0", "SUBSCRIBE", ["btcusdt@ticker"])]
    outputs = venue.follow("miniticker", "BTCUSDT", NOW)
    assert [link.link for link in of(OpenLink, outputs)] == ["feed-1"]
    assert of(OpenLink, outputs)[0].url == "wss://stream.binance.com:9443/stream"
    assert sent(outputs) == []
    assert sent(venue.on_link_up("feed-1", NOW)) == [("feed-1", "SUBSCRIBE", ["btcusdt@miniTicker"])]
    venue.unfollow("ticker", "BTCUSDT", NOW)
    assert sent(venue.follow("aggtrade", "BTCUSDT", NOW)) == [("feed-0", "SUBSCRIBE", ["btcusdt@aggTrade"])]


def test_after_a_reconnect_everything_wanted_is_subscribed_again_in_one_message() -> None:
    venue = a_venue_up()
    venue.follow("ticker", "BTCUSDT", NOW)
    venue.follow("kline_1m", "BTCUSDT", NOW)
    venue.on_link_down("feed-0", "reset", NOW)
    assert sent(venue.follow("aggtrade", "BTCUSDT", NOW)) == []
    assert sent(venue.on_link_up("feed-0", NOW + 2 * S)) == [
        ("feed-0", "SUBSCRIBE", ["btcusdt@aggTrade", "btcusdt@kline_1m", "btcusdt@ticker"])
    ]


def test_a_subscription_without_an_answer_is_made_again_and_a_refused_one_is_reported() -> None:
    venue = a_venue_up()
    venue.follow("ticker", "BTCUSDT", NOW)
    assert sent(venue.on_wake_up("probe", NOW + 9 * S)) == []
    assert sent(venue.on_wake_up("probe", NOW + 11 * S)) == [("feed-0", "SUBSCRIBE", ["btcusdt@ticker"])]
    (bad,) = venue.on_frame("feed-0", b'{"code":2,"msg":"Invalid request","id":2}', NOW + 12 * S)
    assert isinstance(bad, BadFrame)
    assert bad.reason == "refused btcusdt@ticker: 2 Invalid request"
    assert sent(venue.on_wake_up("probe", NOW + 60 * S)) == []


def test_a_book_of_a_further_symbol_comes_and_goes_even_while_its_snapshot_is_on_its_way() -> None:
    venue = a_venue_up()
    venue.follow("book", "ETHUSDT", NOW)
    assert isinstance(venue.book("ETHUSDT"), BookInvalidated)
    (request,) = venue.on_frame("feed-0", update(10, 12, [["1", "1"]], [["2", "1"]], "ETHUSDT"), NOW)
    assert isinstance(request, HttpRequest)
    venue.unfollow("book", "ETHUSDT", NOW)
    assert venue.on_http(depth(12, [["1", "1"]], [["2", "1"]], "ETHUSDT"), NOW) == []
    assert venue.book("ETHUSDT") is None
    venue.follow("book", "ETHUSDT", NOW)
    venue.on_frame("feed-0", update(13, 14, [], [], "ETHUSDT"), NOW)
    (snapshot,) = venue.on_http(depth(13, [["1", "1"]], [["2", "1"]], "ETHUSDT"), NOW)
    assert isinstance(snapshot, BookSnapshot)
    assert snapshot.sequence == 14


@needs_captures
def test_captured_klines_are_normalised_without_a_bad_frame() -> None:
    payloads = [payload for _, payload in frames() if b"@kline_1m" in payload]
    symbols = sorted({msgspec.json.decode(payload)["data"]["s"] for payload in payloads})
    venue = a_venue_up(symbols=tuple(symbols))
    for symbol in symbols:
        venue.follow("kline_1m", symbol, NOW)
    events = [event for payload in payloads for event in venue.on_frame("feed-0", payload, NOW)]
    assert {type(event) for event in events} == {Kline}
    assert len(events) == len(payloads) == 2
    assert all(event.end - event.start == 60 * S for event in events)


def test_what_the_venue_can_do_is_told() -> None:
    assert Capability.ORDER_LISTS in a_venue().capabilities
    assert Capability.REDUCE_ONLY not in a_venue().capabilities
