"""The fake futures venue over real sockets, as any client sees it."""

import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.server import Server, serve
from tests.simulation.client import KEY, Client, signature

START = 1_700_000_000_000_000_000
ORDER: dict[str, object] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.010"}
LIMIT: dict[str, object] = {**ORDER, "type": "LIMIT", "timeInForce": "GTC", "price": "67000.0"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = await serve(FakeBinanceUsdm(time.time_ns(), rate=0))
    yield server
    await server.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(server.port) as client:
        yield client


async def listen_key(client: Client) -> str:
    _, body, _ = await client.request("POST", "/fapi/v1/listenKey", {"X-MBX-APIKEY": KEY})
    key: str = body["listenKey"]
    return key


async def test_the_contracts_have_their_filters_and_limits(client: Client) -> None:
    info = await client.get("/fapi/v1/exchangeInfo")
    assert [limit["limit"] for limit in info["rateLimits"]] == [2400, 300, 1200]
    symbol = info["symbols"][0]
    assert (symbol["symbol"], symbol["contractType"], symbol["marginAsset"]) == ("BTCUSDT", "PERPETUAL", "USDT")


@pytest.mark.slow
async def test_the_book_and_everything_else_are_on_addresses_of_their_own(client: Client) -> None:
    public = await client.socket("/public/stream?streams=btcusdt@depth@100ms")
    market = await client.socket("/market/stream?streams=btcusdt@markPrice@1s/btcusdt@depth@100ms")
    await client.signed("POST", "/fapi/v1/order", **LIMIT)
    updates = [(await public.receive())["data"]]
    while ["67000.0", "0.010"] not in updates[-1]["b"]:
        updates.append((await public.receive())["data"])
    assert {(each["e"], each["pu"] < each["U"] <= each["u"]) for each in updates} == {("depthUpdate", True)}
    assert (await market.receive())["data"]["e"] == "markPriceUpdate"
    assert (await market.receive())["data"]["e"] == "markPriceUpdate"


@pytest.mark.parametrize("path", ["/stream?streams=btcusdt@depth", "/ws/btcusdt@depth", "/ws-api/v3", "/private"])
async def test_retired_addresses_are_gone(client: Client, path: str) -> None:
    with pytest.raises(Exception, match="404"):
        await client.socket(path)


async def test_updates_of_two_contracts_share_their_ids_and_chain_by_the_one_before(client: Client) -> None:
    socket = await client.socket("/public/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms")
    last: dict[str, int] = {}
    for price in ("67000.0", "67001.0", "67002.0"):
        await client.signed("POST", "/fapi/v1/order", **{**LIMIT, "price": price})
        await client.signed("POST", "/fapi/v1/order", **{**LIMIT, "symbol": "ETHUSDT", "price": f"34{price[3:5]}.00"})
        for _ in range(2):
            update = (await socket.receive())["data"]
            assert last.get(update["s"], update["pu"]) == update["pu"]
            last[update["s"]] = update["u"]
    assert abs(last["BTCUSDT"] - last["ETHUSDT"]) == 1


async def test_an_acknowledgement_has_no_average_price_and_the_stream_has_the_fill(client: Client) -> None:
    events = await client.socket(f"/private/ws?listenKey={await listen_key(client)}&events=ORDER_TRADE_UPDATE")
    status, order, headers = await client.signed("POST", "/fapi/v1/order", newClientOrderId="mine", **ORDER)
    assert (status, order["status"], "avgPrice" in order, "cumQuote" in order) == (200, "NEW", False, False)
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "1")
    new, fill = (await events.receive())["o"], (await events.receive())["o"]
    assert (new["x"], new["c"]) == ("NEW", "mine")
    assert (fill["x"], fill["N"], Decimal(fill["n"]) > 0) == ("TRADE", "USDT", True)


async def test_all_events_of_a_fill_come_to_who_asks_for_no_kind(client: Client) -> None:
    events = await client.socket(f"/private/ws/{await listen_key(client)}")
    await client.signed("POST", "/fapi/v1/order", **ORDER)
    kinds = [(await events.receive())["e"] for _ in range(4)]
    assert kinds == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]


async def test_orders_go_over_the_websocket_api(client: Client) -> None:
    api = await client.socket("/ws-fapi/v1")
    placed = await api.call_signed("order.place", **LIMIT)
    assert [limit["limit"] for limit in placed["rateLimits"]] == [300, 1200, 2400]
    order_id = placed["result"]["orderId"]
    changed = await api.call_signed(
        "order.modify", symbol="BTCUSDT", orderId=order_id, side="BUY", quantity="0.020", price="66000.0"
    )
    assert (changed["result"]["price"], changed["result"]["origQty"]) == ("66000.0", "0.020")
    asked = await api.call_signed("order.status", symbol="BTCUSDT", orderId=order_id)
    assert (asked["result"]["status"], asked["result"]["avgPrice"]) == ("NEW", "0.00000")
    canceled = await api.call_signed("order.cancel", symbol="BTCUSDT", orderId=order_id)
    assert canceled["result"]["status"] == "CANCELED"
    assert (await api.call_signed("order.cancel", symbol="BTCUSDT", orderId=order_id))["error"]["code"] == -2011


async def test_the_listen_key_methods_of_the_websocket_api_need_no_signature(client: Client) -> None:
    api = await client.socket("/ws-fapi/v1")
    started = await api.call("userDataStream.start", apiKey=KEY)
    assert (await api.call("userDataStream.ping", apiKey=KEY))["result"] == started["result"]
    assert (await api.call("userDataStream.stop", apiKey=KEY))["result"] == {}
    assert (await api.call("userDataStream.ping", apiKey=KEY))["error"]["code"] == -1125


def ask(venue: FakeBinanceUsdm, method: str, path: str, **params: object) -> Any:
    """A signed request at `START` without a socket in between."""
    query = urlencode({"timestamp": START // 1_000_000} | params)
    signed = f"{query}&signature={signature(query)}"
    return json.loads(venue.http(method, "", path, signed, {"X-MBX-APIKEY": KEY}, "", START).body)


def test_a_batch_answers_for_each_of_its_orders() -> None:
    venue = FakeBinanceUsdm(START, rate=0)
    batch = [{**LIMIT}, {**ORDER, "reduceOnly": True}]
    placed = ask(venue, "POST", "/fapi/v1/batchOrders", batchOrders=json.dumps(batch))
    assert [row.get("status", row.get("code")) for row in placed] == ["NEW", -2022]
    ids = json.dumps([placed[0]["orderId"], 7])
    canceled = ask(venue, "DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=ids)
    assert [row.get("status", row.get("code")) for row in canceled] == ["CANCELED", -2011]


def test_orders_beyond_the_limit_are_refused() -> None:
    venue = FakeBinanceUsdm(START, rate=0, order_limit=3)
    codes = [ask(venue, "POST", "/fapi/v1/order", **LIMIT).get("code") for _ in range(4)]
    assert codes == [None, None, None, -1015]


async def test_a_conditional_order_is_sent_to_the_algo_endpoint(client: Client) -> None:
    stop: dict[str, Any] = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
    _, refused, _ = await client.signed("POST", "/fapi/v1/order", stopPrice="60000", **stop)
    assert refused["code"] == -4120
    _, algo, _ = await client.signed("POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", triggerPrice="60000", **stop)
    assert (algo["algoStatus"], algo["orderType"]) == ("NEW", "STOP_MARKET")
    _, opened, _ = await client.signed("GET", "/fapi/v1/openAlgoOrders")
    assert [row["algoId"] for row in opened] == [algo["algoId"]]
    _, canceled, _ = await client.signed("DELETE", "/fapi/v1/algoOrder", algoId=algo["algoId"])
    assert canceled["msg"] == "success"


async def test_leverage_margin_and_position_modes_are_kept(client: Client) -> None:
    _, leverage, _ = await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    assert leverage["leverage"] == 7
    await client.signed("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    _, again, _ = await client.signed("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert again["code"] == -4046
    _, configured, _ = await client.signed("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")
    assert (configured[0]["leverage"], configured[0]["marginType"]) == (7, "ISOLATED")
    await client.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    _, mode, _ = await client.signed("GET", "/fapi/v1/positionSide/dual")
    assert mode == {"dualSidePosition": True}


async def test_a_position_has_its_price_its_profit_and_its_margin(client: Client) -> None:
    await client.signed("POST", "/fapi/v1/order", **ORDER)
    _, positions, _ = await client.signed("GET", "/fapi/v3/positionRisk")
    position = positions[0]
    mark, entry = Decimal(position["markPrice"]), Decimal(position["entryPrice"])
    assert position["positionAmt"] == "0.010"
    assert abs(Decimal(position["unRealizedProfit"]) - (mark - entry) * Decimal("0.010")) < Decimal("1e-6")
    _, account, _ = await client.signed("GET", "/fapi/v3/account")
    assert abs(Decimal(account["totalInitialMargin"]) - mark * Decimal("0.010") / 20) < Decimal("0.01")
    _, reduced, _ = await client.signed("POST", "/fapi/v1/order", **{**ORDER, "side": "SELL", "reduceOnly": "true"})
    assert reduced["status"] == "NEW"
    _, after, _ = await client.signed("GET", "/fapi/v3/positionRisk")
    assert after == []
    _, income, _ = await client.signed("GET", "/fapi/v1/income", incomeType="REALIZED_PNL")
    assert len(income) >= 1
