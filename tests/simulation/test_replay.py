"""A replayed capture against an independent reader of its files, and a plain client that follows the venue's rule."""

import asyncio
import json
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.capture import Capture
from actors.simulation.server import serve
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from tests.simulation.client import Client, Socket, signature

CAPTURES = Path(os.environ.get("OUTCRY_CAPTURES", Path(__file__).parents[2] / ".." / "shared" / "data" / "captures"))
PREFIX = CAPTURES / "BINANCE"
SYMBOLS = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")
START = 1_700_000_000_000_000_000

pytestmark = pytest.mark.skipif(not (CAPTURES / "BINANCE.ws.1.0").exists(), reason=f"no captures in {CAPTURES}")

Book = dict[str, dict[str, str]]


def captured_frames() -> list[dict[str, Any]]:
    lines = (CAPTURES / "BINANCE.ws.1.0").read_text().splitlines()
    return [json.loads(line.split(": ", 1)[1]) for line in lines if line[:1].isdigit()]


def captured_books() -> dict[str, Book]:
    """Snapshots with every diff applied, read from the files and nothing else."""
    books: dict[str, Book] = {}
    last: dict[str, int] = {}
    for line in (CAPTURES / "BINANCE.http.0.0").read_text().splitlines():
        if "/depth?" in line:
            symbol = line.split("symbol=")[1].split("&")[0]
            snapshot = json.loads(line.split(": ", 1)[1])
            books[symbol] = {side: dict(snapshot[side]) for side in ("bids", "asks")}
            last[symbol] = snapshot["lastUpdateId"]
    for frame in captured_frames():
        diff = frame["data"]
        if diff.get("e") == "depthUpdate" and diff["u"] > last[diff["s"]]:
            apply(books[diff["s"]], diff)
    return books


def apply(book: Book, diff: dict[str, Any]) -> None:
    for side, rows in (("bids", diff["b"]), ("asks", diff["a"])):
        for price, quantity in rows:
            if Decimal(quantity):
                book[side][price] = quantity
            else:
                book[side].pop(price, None)


class SyncedBook:
    """The venue's rule: buffer, snapshot, drop what is older, apply, count gaps."""

    def __init__(self) -> None:
        self.buffer: list[dict[str, Any]] = []
        self.book: Book | None = None
        self.last = 0
        self.gaps = 0

    def on_diff(self, diff: dict[str, Any]) -> None:
        if self.book is None:
            self.buffer.append(diff)
        elif diff["u"] > self.last:
            self.gaps += diff["U"] > self.last + 1
            apply(self.book, diff)
            self.last = diff["u"]

    def on_snapshot(self, snapshot: dict[str, Any]) -> bool:
        """False when it is older than the first diff, and another one is needed."""
        if self.buffer and snapshot["lastUpdateId"] < self.buffer[0]["U"] - 1:
            return False
        self.book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
        self.last = snapshot["lastUpdateId"]
        for diff in self.buffer:
            self.on_diff(diff)
        return True


async def read_until_finished(client: Client, socket: Socket, books: dict[str, SyncedBook], total: int) -> int:
    frames = 0
    while frames < total:
        message = await socket.receive()
        frames += 1
        if message["data"].get("e") == "depthUpdate":
            books[message["data"]["s"]].on_diff(message["data"])
    return frames


@pytest.mark.slow
@pytest.mark.parametrize(("speed", "snapshot_after_s"), [(20.0, 0.0), (20.0, 0.9), (0.0, 0.0), (0.0, 0.5)])
async def test_a_client_that_follows_the_rule_ends_with_the_captured_books(
    speed: float, snapshot_after_s: float
) -> None:
    streams = sorted({frame["stream"] for frame in captured_frames()})
    server = await serve(FakeBinance(time.time_ns(), replay=Capture.load(PREFIX), speed=speed))
    async with Client(server.port) as client:
        socket = await client.socket("/stream?streams=" + "/".join(streams))
        books = {symbol: SyncedBook() for symbol in SYMBOLS}
        reading = asyncio.create_task(read_until_finished(client, socket, books, len(captured_frames())))
        await asyncio.wait([reading], timeout=snapshot_after_s)
        for symbol, book in books.items():
            while not book.on_snapshot(await client.get(f"/api/v3/depth?symbol={symbol}&limit=5000")):
                pass
        await asyncio.wait_for(reading, 120)
        state = await client.get("/fake/state")
        served = {symbol: await client.get(f"/api/v3/depth?symbol={symbol}&limit=5000") for symbol in SYMBOLS}
    await server.close()
    expected = captured_books()
    assert state["replay"] == {"finished": True, "played": 265, "total": 265}
    assert {symbol: book.book for symbol, book in books.items()} == expected
    assert {symbol: book.gaps for symbol, book in books.items()} == dict.fromkeys(SYMBOLS, 0)
    for symbol in SYMBOLS:
        assert {side: dict(served[symbol][side]) for side in ("bids", "asks")} == expected[symbol]


def replayed_venue(speed: float = 1.0) -> FakeBinance:
    return FakeBinance(START, replay=Capture.load(PREFIX), speed=speed)


def play(venue: FakeBinance, until: int) -> list[bytes]:
    sent: list[bytes] = []
    while (due := venue.next_due()) is not None and due <= until:
        venue.advance(due)
        sent += [payload for _, payload in venue.take_outbox() if isinstance(payload, bytes)]
    return sent


def test_frames_are_played_verbatim_in_their_order() -> None:
    venue = replayed_venue()
    venue.connect(
        "stream.binance.com:9443", "/stream?streams=nknusdt@depth@100ms/nknusdt@aggTrade/lrcbtc@bookTicker", START
    )
    sent = [msgspec.json.decode(payload) for payload in play(venue, START + 60 * NS_PER_S)]
    wanted = {"nknusdt@depth@100ms", "nknusdt@aggTrade", "lrcbtc@bookTicker"}
    assert sent == [frame for frame in captured_frames() if frame["stream"] in wanted]


def test_nothing_is_played_before_somebody_listens() -> None:
    venue = replayed_venue()
    assert venue.connect("ws-api.binance.com", "/ws-api/v3", START) == "ws-api-1"
    play(venue, START + 10 * NS_PER_S)
    state = msgspec.json.decode(venue.http("GET", "", "/fake/state", "", {}, "", START + 10 * NS_PER_S).body)
    assert state["replay"]["played"] == 0


def test_a_replay_without_a_speed_holds_for_the_first_snapshot_and_then_plays_on() -> None:
    venue = replayed_venue(speed=0)
    venue.connect("stream.binance.com", "/stream?streams=nknusdt@depth@100ms", START)
    first = play(venue, START + NS_PER_S // 2)
    assert [msgspec.json.decode(payload)["data"]["u"] for payload in first] == [499869752]
    venue.http("GET", "", "/api/v3/depth", "symbol=NKNUSDT", {}, "", START + NS_PER_S // 2)
    assert len(play(venue, START + NS_PER_S // 2)) == 149


def test_a_replay_without_a_speed_does_not_wait_for_ever() -> None:
    venue = replayed_venue(speed=0)
    venue.connect("stream.binance.com", "/stream?streams=nknusdt@depth@100ms", START)
    assert len(play(venue, START + NS_PER_S)) == 150


def test_the_captured_exchange_info_is_served_in_the_current_shape() -> None:
    venue = replayed_venue()
    body = msgspec.json.decode(venue.http("GET", "", "/api/v3/exchangeInfo", "", {}, "", START).body)
    assert len(body["symbols"]) == 1695
    symbol = next(symbol for symbol in body["symbols"] if symbol["symbol"] == "NKNUSDT")
    assert symbol["permissionSets"] == [["SPOT", "MARGIN"]]
    assert next(item for item in symbol["filters"] if item["filterType"] == "NOTIONAL")["minNotional"] == "10.00000000"
    tick = next(item for item in symbol["filters"] if item["filterType"] == "PRICE_FILTER")["tickSize"]
    assert tick == "0.00010000"


def place(venue: FakeBinance, now: int, **params: object) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in ({"timestamp": now // 1_000_000} | params).items())
    signed = f"{query}&signature={signature(query)}"
    reply = venue.http("POST", "", "/api/v3/order", signed, {"X-MBX-APIKEY": "demo-key"}, "", now)
    body: dict[str, Any] = msgspec.json.decode(reply.body)
    return body


def test_a_marketable_order_fills_at_captured_prices_with_the_captured_quantity() -> None:
    venue = replayed_venue()
    book = msgspec.json.decode(venue.http("GET", "", "/api/v3/depth", "symbol=NKNUSDT&limit=5", {}, "", START).body)
    first, second = ((Decimal(price), Decimal(quantity)) for price, quantity in book["asks"][:2])
    order = place(venue, START, symbol="NKNUSDT", side="BUY", type="MARKET", quantity=int(first[1]) + 1)
    fills = [(Decimal(fill["price"]), Decimal(fill["qty"])) for fill in order["fills"]]
    assert fills == [first, (second[0], Decimal(1))]


def test_a_resting_order_fills_when_the_replayed_price_comes_through_it() -> None:
    venue = replayed_venue()
    venue.connect("stream.binance.com", "/stream?streams=nknusdt@depth@100ms", START)
    order = place(
        venue, START, symbol="NKNUSDT", side="SELL", type="LIMIT", timeInForce="GTC", quantity=100, price="0.3524"
    )
    play(venue, START + 60 * NS_PER_S)
    ledger = msgspec.json.decode(venue.http("GET", "", "/fake/ledger", "", {}, "", START + 60 * NS_PER_S).body)
    crossed = any(
        Decimal(price) >= Decimal("0.3524") and Decimal(quantity)
        for frame in captured_frames()
        if frame["stream"] == "nknusdt@depth@100ms"
        for price, quantity in frame["data"]["b"]
    )
    assert order["status"] == "NEW"
    assert crossed
    assert ledger["orders"][order["clientOrderId"]][0]["status"] == "FILLED"
    assert {(fill["price"], fill["maker"]) for fill in ledger["fills"]} == {("0.3524", True)}


def test_an_order_for_a_symbol_without_captured_market_data_is_rejected() -> None:
    refused = place(replayed_venue(), START, symbol="BTCUSDT", side="BUY", type="MARKET", quantity=1)
    assert refused == {"code": -2010, "msg": "Market is closed."}


def test_a_capture_that_is_missing_or_broken_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no files"):
        Capture.load(tmp_path / "NOTHING")
    (tmp_path / "HALF.ws").write_text('1.0: {"stream":"x","data":{}}\n')
    with pytest.raises(ConfigError, match="no exchangeInfo"):
        FakeBinance(START, replay=Capture.load(tmp_path / "HALF"))


def test_a_recording_of_another_venue_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="BINANCE_FUTURES is not a recording of Binance spot"):
        FakeBinance(START, replay=Capture.load(CAPTURES / "BINANCE_FUTURES"))
    with pytest.raises(ConfigError, match="OKX has no exchangeInfo"):
        FakeBinance(START, replay=Capture.load(CAPTURES / "OKX"))
