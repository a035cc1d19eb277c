"""Faults of sockets, carried out on real ones: cuts, halves, silence, refused connections, answers that never come."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import Server, serve
from tests.simulation.client import KEY, Client, now_ms, signature

WSMsgType = aiohttp.WSMsgType
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = await serve(FakeBinance(time.time_ns(), rate=0), ping_interval_s=0.05, pong_timeout_s=300)
    yield server
    await server.close()


async def until_closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[WSMsgType, int | None]:
    """How it ended, and with which code: 1006 is without a close frame.

    Of a raw socket: one that answers pings would fail at a ping that came just before the end.
    """
    while True:
        message = await socket.receive(timeout=60)
        if message.type not in (WSMsgType.TEXT, WSMsgType.PING):
            return message.type, socket.close_code


async def bytes_until_end(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket as plain bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


@pytest.mark.parametrize(("code", "seen"), [(None, 1006), (1001, 1001), (1012, 1012)])
async def test_a_cut_comes_with_a_close_frame_or_without(client: Client, code: int | None, seen: int) -> None:
    socket = await client.raw_socket("/ws/btcusdt@trade")
    await client.fault(kind="cut", link="stream", close_code=code)
    await client.order(**MARKET)
    _, close_code = await until_closed(socket)
    assert close_code == seen
    again = await client.socket("/ws/btcusdt@trade")
    await client.order(**MARKET)
    assert (await again.receive())["e"] == "trade"


async def test_all_sockets_are_cut_at_once(client: Client) -> None:
    sockets = [await client.raw_socket(path) for path in ("/ws", "/stream", "/ws-api/v3")]
    await client.fault(kind="cut", at_once=True)
    ends = await asyncio.gather(*(until_closed(socket) for socket in sockets))
    assert [code for _, code in ends] == [1006] * 3


async def test_half_a_frame_is_followed_by_the_end(server: Server, client: Client) -> None:
    reader, writer = await bytes_until_end(server.port, "/ws/btcusdt@trade")
    await client.fault(kind="cut", link="stream", half_frame=True)
    await client.order(**MARKET)
    received = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    frame = received[received.index(b"\x81") :]
    assert frame[1] == 126 or frame[1] > len(frame)
    assert frame.count(b'{"e":"trade"') == 1
    assert b"}" not in frame


async def test_a_frozen_socket_answers_no_ping_and_thaws(client: Client) -> None:
    socket = await client.raw_socket("/ws/btcusdt@trade")
    await socket.ping(b"before")
    kinds = [await socket.receive(timeout=60)]
    while kinds[-1].type is not WSMsgType.PONG:
        kinds.append(await socket.receive(timeout=60))
    await client.fault(kind="freeze", link="stream", at_once=True)
    while True:  # a ping of the venue may have been on its way
        try:
            await socket.receive(timeout=0.2)
        except TimeoutError:
            break
    await socket.ping(b"frozen")
    await client.order(**MARKET)
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.2)
    assert not socket.closed
    await client.no_faults()
    message = await socket.receive(timeout=60)
    while message.type is WSMsgType.PING:
        message = await socket.receive(timeout=60)
    assert message.type is WSMsgType.TEXT
    await socket.close()


async def test_connections_are_refused_without_a_word_or_with_a_status(client: Client) -> None:
    await client.fault(kind="refuse_connect", link="stream", count=None)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.socket("/ws")
    await client.no_faults()
    await client.fault(kind="refuse_connect", link="stream", status=503)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.socket("/ws")
    assert refused.value.status == 503
    await client.socket("/ws")


async def test_an_answer_is_lost_and_the_order_is_there(client: Client) -> None:
    await client.fault(kind="lost_ack", subject="order.place")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.order(**MARKET, newClientOrderId="lost")
    assert (await client.get("/fake/ledger"))["orders"]["lost"][0]["status"] == "FILLED"


async def test_an_answer_comes_late_or_never(client: Client) -> None:
    await client.fault(kind="delay", link="rest", subject="time", delay_ms=150)
    began = time.monotonic()
    await client.get("/api/v3/time")
    assert time.monotonic() - began >= 0.15
    await client.fault(kind="freeze", link="rest", subject="order.place")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.order(**MARKET), 0.2)
    assert (await client.get("/fake/ledger"))["orders"] == {}


@pytest.mark.parametrize(
    ("kind", "status", "retry_after"),
    [("rate_limit", 429, "1"), ("ban", 418, "120"), ("server_error", 503, None), ("timeout", 504, None)],
)
async def test_refusals_have_the_venues_status_and_headers(
    client: Client, kind: str, status: int, retry_after: str | None
) -> None:
    await client.fault(kind=kind, link="rest")
    got, body, headers = await client.request("GET", "/api/v3/ping")
    assert (got, headers.get("Retry-After")) == (status, retry_after)
    assert body["code"] in (-1003, -1001, -1007)
    assert (await client.request("GET", "/api/v3/ping"))[0] == 200


async def test_ten_megabytes_arrive_in_one_frame(client: Client) -> None:
    socket = await client.socket("/ws/btcusdt@trade")
    await client.fault(kind="corrupt", link="stream", how="huge")
    await client.order(**MARKET)
    assert len(await socket.raw.receive_str(timeout=60)) == 10 * 1024 * 1024


async def test_lists_and_stops_work_over_the_wire(client: Client) -> None:
    socket = await client.socket("/ws-api/v3")
    params: dict[str, object] = {"apiKey": KEY, "timestamp": now_ms()}
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    await socket.call("userDataStream.subscribe.signature", **params, signature=signature(payload))
    placed = await socket.call_signed(
        "orderList.place.oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="70000",
        belowType="STOP_LOSS",
        belowStopPrice="60000",
    )
    assert placed["result"]["listOrderStatus"] == "EXECUTING"
    events = [await socket.receive() for _ in range(4)]
    kinds = [event["event"]["e"] for event in events]
    assert kinds == ["executionReport", "executionReport", "listStatus", "outboundAccountPosition"]
