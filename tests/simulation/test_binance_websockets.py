"""The fake venue's streams and WebSocket API, over real sockets."""

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp

from tests.simulation.client import Client, Socket

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


async def test_raw_and_combined_streams_carry_the_same_event(client: Client) -> None:
    raw = await client.socket("/ws/btcusdt@trade")
    combined = await client.socket("/stream?streams=btcusdt@trade/ethusdt@trade")
    _, order = await client.order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001")
    event = await raw.receive()
    assert (event["e"], event["t"], event["q"], event["m"]) == (
        "trade",
        order["fills"][0]["tradeId"],
        "0.00100000",
        True,
    )
    assert await combined.receive() == {"stream": "btcusdt@trade", "data": event}


async def test_subscriptions_change_while_the_socket_is_open(client: Client) -> None:
    socket = await client.socket("/ws")
    await socket.send({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker", "btcusdt@aggTrade"], "id": 1})
    assert await socket.receive() == {"result": None, "id": 1}
    await socket.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 2})
    assert await socket.receive() == {"result": None, "id": 2}
    await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 3})
    assert await socket.receive() == {"result": ["btcusdt@bookTicker"], "id": 3}
    await socket.send({"method": "SET_PROPERTY", "params": ["combined", True], "id": 4})
    assert await socket.receive() == {"result": None, "id": 4}
    await client.order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001")
    assert (await socket.receive())["stream"] == "btcusdt@bookTicker"


async def test_a_stream_client_that_talks_too_much_is_cut_off(client: Client) -> None:
    socket = await client.socket("/ws")
    for number in range(12):
        await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
    closed = None
    while closed is None:
        message = await socket.raw.receive(timeout=60)
        closed = message if message.type is not aiohttp.WSMsgType.TEXT else None
    assert closed.type is aiohttp.WSMsgType.CLOSE


async def test_garbage_on_a_stream_is_answered_and_the_socket_lives(client: Client) -> None:
    socket = await client.socket("/ws")
    await socket.raw.send_str("{")
    assert (await socket.receive())["code"] == 3
    await socket.send({"method": "SHOUT", "id": 1})
    assert (await socket.receive())["error"]["code"] == 2


async def test_diffs_chain_and_agree_with_the_snapshot(client: Client) -> None:
    socket = await client.socket("/ws/btcusdt@depth@100ms")
    snapshot = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
    book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
    last, synced = snapshot["lastUpdateId"], 0
    for price in ("60000", "60001", "70000"):
        await client.order(**LIMIT | {"price": price})
        event = await socket.receive()
        while event["u"] <= last:
            event = await socket.receive()
        assert event["U"] <= last + 1 if not synced else event["U"] == last + 1
        last, synced = event["u"], synced + 1
        for side, rows in (("bids", event["b"]), ("asks", event["a"])):
            for level, quantity in rows:
                book[side][level] = quantity
    after = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
    assert after["lastUpdateId"] == last
    for side in ("bids", "asks"):
        assert {p: q for p, q in book[side].items() if Decimal(q)} == dict(after[side])


async def test_account_events_follow_an_order_from_new_to_filled(client: Client) -> None:
    api = await client.socket("/ws-api/v3")
    subscribed = await api.call_signed("userDataStream.subscribe.signature")
    assert (subscribed["status"], subscribed["result"]) == (200, {"subscriptionId": 0})
    answer = await api.call_signed(
        "order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001", newClientOrderId="f" * 32
    )
    assert (answer["status"], answer["result"]["status"]) == (200, "FILLED")
    assert [limit["rateLimitType"] for limit in answer["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    new, trade, position = [(await api.receive()) for _ in range(3)]
    assert {message["subscriptionId"] for message in (new, trade, position)} == {0}
    assert (new["event"]["x"], new["event"]["X"], new["event"]["t"], new["event"]["N"]) == ("NEW", "NEW", -1, None)
    fill = answer["result"]["fills"][0]
    event = trade["event"]
    assert (event["c"], event["x"], event["X"], event["t"]) == ("f" * 32, "TRADE", "FILLED", fill["tradeId"])
    assert (event["l"], event["L"], event["n"], event["N"]) == ("0.00100000", fill["price"], "0.00000100", "BTC")
    assert position["event"]["e"] == "outboundAccountPosition"
    assert [balance["a"] for balance in position["event"]["B"]] == ["BTC", "USDT"]


async def test_a_cancel_event_names_both_client_ids(client: Client) -> None:
    api = await client.socket("/ws-api/v3")
    await api.call_signed("userDataStream.subscribe.signature")
    placed = await api.call_signed("order.place", **LIMIT, price="60000", newClientOrderId="mine")
    assert placed["result"]["status"] == "NEW"
    for _ in range(2):
        await api.receive()
    canceled = await api.call_signed(
        "order.cancel", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="cancel"
    )
    assert canceled["result"]["status"] == "CANCELED"
    event = (await api.receive())["event"]
    assert (event["x"], event["c"], event["C"], event["w"]) == ("CANCELED", "cancel", "mine", False)


async def test_the_subscription_ends_with_an_event(client: Client) -> None:
    api = await client.socket("/ws-api/v3")
    await api.call_signed("userDataStream.subscribe.signature")
    twice = await api.call_signed("userDataStream.subscribe.signature")
    assert (twice["status"], twice["error"]["code"]) == (400, -2035)
    assert (await api.call("session.status"))["result"]["userDataStream"] is True
    assert (await api.call("userDataStream.unsubscribe", subscriptionId=0))["result"] == {}
    terminated = await api.receive()
    assert (terminated["subscriptionId"], terminated["event"]["e"]) == (0, "eventStreamTerminated")


async def test_the_websocket_api_answers_errors_with_the_request_id(client: Client) -> None:
    api = await client.socket("/ws-api/v3?returnRateLimits=false")
    assert await api.call("ping") == {"id": 1, "status": 200, "result": {}}
    assert (await api.call("depth", symbol="NOSUCH"))["error"] == {"code": -1121, "msg": "Invalid symbol."}
    wrong = await api.call("account.status", apiKey="demo-key", timestamp=1, signature="00")
    assert (wrong["id"], wrong["status"], wrong["error"]["code"]) == (1, 400, -1021)
    logon = await api.call_signed("session.logon")
    assert logon["error"]["code"] == -4056
    await api.raw.send_str("nonsense")
    assert (await api.receive())["error"]["code"] == -1135


async def test_queries_answer_the_same_by_socket_and_by_rest(client: Client) -> None:
    await client.order(**LIMIT, price="60000")
    await client.order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
    api = await client.socket("/ws-api/v3")
    for method, path in (
        ("openOrders.status", "/api/v3/openOrders"),
        ("allOrders", "/api/v3/allOrders"),
        ("myTrades", "/api/v3/myTrades"),
    ):
        _, by_rest, _ = await client.signed("GET", path, symbol="BTCUSDT")
        assert (await api.call_signed(method, symbol="BTCUSDT"))["result"] == by_rest
        assert by_rest


async def test_two_accounts_events_do_not_need_two_sockets_to_trade_with_themselves(client: Client) -> None:
    """Own taker against own maker: both sides are told, and money is neither made nor lost except for the fees."""
    before = await _wealth(client)
    depth = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=5")
    inside = str(Decimal(depth["bids"][0][0]) + Decimal("0.01"))
    _, maker = await client.order(**LIMIT | {"price": inside})
    assert maker["status"] == "NEW"
    _, taker = await client.order(**LIMIT | {"side": "SELL", "price": inside})
    assert taker["status"] == "FILLED"
    ledger = await client.get("/fake/ledger")
    assert sorted(fill["maker"] for fill in ledger["fills"]) == [False, True]
    after = await _wealth(client)
    assert {asset: before[asset] - after[asset] for asset in ("BTC", "USDT")} == {
        asset: Decimal(ledger["fees"][asset]) for asset in ("BTC", "USDT")
    }


async def _wealth(client: Client) -> dict[str, Decimal]:
    balances: dict[str, Any] = (await client.get("/fake/ledger"))["balances"]["demo-key"]
    return {asset: Decimal(row["free"]) + Decimal(row["locked"]) for asset, row in balances.items()}


async def test_closing_the_server_says_so_on_every_socket(client: Client, server: Any) -> None:
    stream, api = await client.socket("/stream"), await client.socket("/ws-api/v3")
    told = asyncio.gather(_first(stream), _first(api))
    await server.close()
    stream_event, api_event = await told
    assert (stream_event["stream"], stream_event["data"]["e"]) == ("!serverShutdown", "serverShutdown")
    assert api_event["event"]["e"] == "serverShutdown"


async def _first(socket: Socket) -> Any:
    event = await socket.receive()
    await socket.raw.close()
    return event
