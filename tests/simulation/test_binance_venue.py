"""The fake venue without sockets: pure calls, a clock made of numbers."""

from itertools import count, pairwise
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.simulation.binance.rest import HttpReply
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.outbox import Payload
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from tests.simulation.client import signature

START = 1_700_000_000_000_000_000
ALL = "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@kline_1s/ethbtc@depth/ethbtc@depth20@100ms"


def opened(venue: FakeBinance, path: str, now: int = START) -> str:
    session = venue.connect("stream.binance.com:9443", path, now)
    assert isinstance(session, str)
    return session


def run(venue: FakeBinance, until: int) -> list[tuple[str, Payload]]:
    sent: list[tuple[str, Payload]] = []
    while (due := venue.next_due()) is not None and due <= until:
        venue.advance(due)
        sent += venue.take_outbox()
    return sent


def get(venue: FakeBinance, path: str, query: str = "", now: int = START) -> HttpReply:
    return venue.http("GET", "api.binance.com", path, query, {}, "", now)


def events(sent: list[tuple[str, Payload]]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(payload) for _, payload in sent if isinstance(payload, bytes)]


def test_the_same_seed_gives_the_same_frames_and_another_one_others() -> None:
    def frames(seed: int) -> list[tuple[str, Payload]]:
        venue = FakeBinance(START, seed=seed, rate=50)
        opened(venue, f"/stream?streams={ALL}")
        return run(venue, START + 3 * NS_PER_S)

    assert len(frames(1)) > 100
    assert frames(1) == frames(1)
    assert frames(1) != frames(2)


def test_diffs_of_both_speeds_chain_without_gaps() -> None:
    venue = FakeBinance(START, rate=100)
    opened(venue, "/stream?streams=btcusdt@depth@100ms/btcusdt@depth")
    sent = events(run(venue, START + 5 * NS_PER_S))
    for stream, least in (("btcusdt@depth@100ms", 45), ("btcusdt@depth", 5)):
        diffs = [event["data"] for event in sent if event["stream"] == stream]
        assert len(diffs) >= least
        assert all(later["U"] == earlier["u"] + 1 for earlier, later in pairwise(diffs))


def test_the_book_keeps_twenty_levels_on_each_side_and_is_never_crossed() -> None:
    venue = FakeBinance(START, rate=200, symbols=("BTCUSDT", "ETHBTC"))
    for second in range(1, 11):
        now = START + second * NS_PER_S
        run(venue, now)
        for symbol in ("BTCUSDT", "ETHBTC"):
            book = msgspec.json.decode(get(venue, "/api/v3/depth", f"symbol={symbol}", now).body)
            assert min(len(book["bids"]), len(book["asks"])) >= 20
            assert float(book["bids"][0][0]) < float(book["asks"][0][0])


def test_a_candle_is_sent_closed_when_its_time_is_over() -> None:
    venue = FakeBinance(START, rate=100)
    opened(venue, "/ws/btcusdt@kline_1s")
    candles = [event["k"] for event in events(run(venue, START + 3 * NS_PER_S))]
    closed = [candle for candle in candles if candle["x"]]
    assert [candle["t"] for candle in closed] == [START // 1_000_000 + 1000 * second for second in range(3)]


def test_a_frozen_venue_goes_on_from_now_instead_of_catching_up() -> None:
    venue = FakeBinance(START, rate=100)
    opened(venue, "/ws/btcusdt@trade")
    venue.advance(START + 3_600 * NS_PER_S)
    assert all(event["T"] >= START // 1_000_000 + 3_598_000 for event in events(venue.take_outbox()))


def test_usage_is_told_in_headers() -> None:
    venue = FakeBinance(START, rate=0)
    assert get(venue, "/api/v3/depth", "symbol=BTCUSDT&limit=5000").headers["X-MBX-USED-WEIGHT-1M"] == "250"
    order = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=60000&timestamp={START // 1_000_000}"
    for placed in ("1", "2"):
        query = f"{order}&signature={signature(order)}"
        key = {"x-mbx-apikey": "demo-key"}
        reply = venue.http("POST", "api.binance.com", "/api/v3/order", query, key, "", START)
        assert (reply.headers["X-MBX-ORDER-COUNT-10S"], reply.headers["X-MBX-USED-WEIGHT-1M"]) == (placed, "250")


def test_who_asks_too_much_is_limited_and_then_banned() -> None:
    venue = FakeBinance(START, rate=0, weight_limit=100)
    for _ in range(20):
        assert get(venue, "/api/v3/depth", "symbol=BTCUSDT").status == 200
    limited = get(venue, "/api/v3/ping")
    assert (limited.status, msgspec.json.decode(limited.body)["code"]) == (429, -1003)
    assert limited.headers["Retry-After"] == "40"
    for _ in range(10):
        banned = get(venue, "/api/v3/ping")
    assert (banned.status, banned.headers["Retry-After"]) == (418, "120")
    assert get(venue, "/api/v3/ping", now=START + 121 * NS_PER_S).status == 200


def test_unfilled_orders_are_counted_and_limited() -> None:
    venue = FakeBinance(START, rate=0, order_limit=2)

    def place(kind: str) -> tuple[int, int]:
        order = f"symbol=BTCUSDT&side=BUY&quantity=1&timestamp={START // 1_000_000}&{kind}"
        body = f"{order}&signature={signature(order)}"
        reply = venue.http("POST", "api.binance.com", "/api/v3/order", "", {"X-MBX-APIKEY": "demo-key"}, body, START)
        return reply.status, msgspec.json.decode(reply.body).get("code", 0)

    resting = "type=LIMIT&timeInForce=GTC&price=60000"
    assert [place("type=MARKET") for _ in range(5)] == [(200, 0)] * 5
    assert [place(resting) for _ in range(3)] == [(200, 0), (200, 0), (429, -1015)]


def test_paths_and_hosts_that_are_not_the_venues_are_refused() -> None:
    venue = FakeBinance(START, rate=0)
    for host, path in (("fstream.binance.com", "/ws"), ("stream.binance.com", "/socket"), ("x", "/api/v3/ping")):
        refused = venue.connect(host, path, START)
        assert isinstance(refused, HttpReply)
        assert refused.status == 404
    assert get(venue, "/api/v3/nothing").status == 404
    assert venue.http("POST", "api.binance.com", "/api/v3/userDataStream", "", {}, "", START).status == 410


def test_connections_are_limited() -> None:
    venue = FakeBinance(START, rate=0)
    for _ in range(300):
        opened(venue, "/ws")
    refused = venue.connect("stream.binance.com", "/ws", START)
    assert isinstance(refused, HttpReply)
    assert refused.status == 429


def test_a_symbol_that_is_not_listed_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="does not list DOGEUSDT; it lists BTCUSDT"):
        FakeBinance(START, symbols=("DOGEUSDT",))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
METHODS = [
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "SET_PROPERTY",
    "depth",
    "order.place",
    "klines",
    "session.logon",
    "orderList.place.oco",
    "orderList.cancel",
    "order.amend.keepPriority",
    "userDataStream.subscribe",
]
requests = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values,
        "method": st.sampled_from(METHODS) | json_values,
        "params": st.dictionaries(
            st.sampled_from(["symbol", "limit", "interval", "timestamp", "apiKey", "signature"]),
            json_values | st.sampled_from(["BTCUSDT", "1m", "demo-key"]),
        )
        | json_values,
    },
)
FUZZED = FakeBinance(START, rate=0, weight_limit=10**9)
SECONDS = count()
FUZZED_SESSIONS = (opened(FUZZED, "/ws"), opened(FUZZED, "/ws-api/v3"))


@given(st.text(max_size=30) | requests.map(lambda request: msgspec.json.encode(request).decode()))
def test_whatever_is_sent_gets_an_answer_and_never_an_exception(text: str) -> None:
    for session in FUZZED_SESSIONS:
        FUZZED.receive(session, text, START + next(SECONDS) * NS_PER_S)
        [(_, payload)] = FUZZED.take_outbox()
        assert payload is not None


@given(
    st.sampled_from(["depth", "klines", "order", "account", "ticker/24hr", "exchangeInfo", "aggTrades", "myTrades"]),
    st.dictionaries(
        st.sampled_from(["symbol", "symbols", "limit", "interval", "startTime", "timestamp", "signature"]),
        st.text(max_size=8) | st.sampled_from(["BTCUSDT", "1m", "-1", "0", "99999999999999999999", '["BTCUSDT"]']),
    ),
)
def test_whatever_is_asked_gets_an_answer_and_never_an_exception(path: str, query: dict[str, str]) -> None:
    reply = FUZZED.http("GET", "", f"/api/v3/{path}", urlencode(query), {"X-MBX-APIKEY": "demo-key"}, "", START)
    assert reply.status in (200, 400, 401)
    msgspec.json.decode(reply.body)
