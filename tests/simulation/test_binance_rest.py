"""The fake venue's REST face, over real sockets."""

from decimal import Decimal
from itertools import pairwise

import pytest

from tests.simulation.client import KEY, Client, now_ms, signature

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


async def test_public_endpoints_answer_in_the_venues_shape(client: Client) -> None:
    assert await client.get("/api/v3/ping") == {}
    assert abs((await client.get("/api/v3/time"))["serverTime"] - now_ms()) < 5_000
    info = await client.get("/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT"]
    assert {item["filterType"] for item in info["symbols"][0]["filters"]} >= {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"}
    depth = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=20")
    assert len(depth["bids"]) == len(depth["asks"]) == 20
    assert Decimal(depth["bids"][0][0]) < Decimal(depth["asks"][0][0])
    ticker = await client.get("/api/v3/ticker/bookTicker?symbol=BTCUSDT")
    assert [ticker["bidPrice"], ticker["bidQty"]] == depth["bids"][0]
    prices = await client.get("/api/v3/ticker/price")
    assert [row["symbol"] for row in prices] == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC"]
    assert (await client.get("/api/v3/ticker/24hr?symbol=ETHBTC"))["count"] > 0
    assert (await client.get("/api/v3/avgPrice?symbol=BTCUSDT"))["mins"] == 5


async def test_candles_are_contiguous_and_end_now(client: Client) -> None:
    rows = await client.get("/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=50")
    assert len(rows) == 50
    assert {later[0] - earlier[0] for earlier, later in pairwise(rows)} == {300_000}
    assert rows[-1][0] <= now_ms() <= rows[-1][6] + 1_000


async def test_a_market_order_fills_with_commission_in_the_received_asset(client: Client) -> None:
    status, order = await client.order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5")
    assert status == 200
    assert order["status"] == "FILLED"
    assert sum(Decimal(fill["qty"]) for fill in order["fills"]) == Decimal("0.5")
    assert {fill["commissionAsset"] for fill in order["fills"]} == {"BTC"}
    for fill in order["fills"]:
        assert Decimal(fill["commission"]) == (Decimal(fill["qty"]) * Decimal("0.001")).quantize(
            Decimal("1e-8"), "ROUND_DOWN"
        )
    _, trades, _ = await client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert [trade["id"] for trade in trades] == [fill["tradeId"] for fill in order["fills"]]
    public = await client.get("/api/v3/trades?symbol=BTCUSDT")
    assert [trade["id"] for trade in public][-len(trades) :] == [trade["id"] for trade in trades]


async def test_a_quote_budget_is_spent_but_not_exceeded(client: Client) -> None:
    _, order = await client.order(symbol="ETHUSDT", side="BUY", type="MARKET", quoteOrderQty="1000")
    assert order["status"] == "FILLED"
    assert Decimal("990") < Decimal(order["cummulativeQuoteQty"]) <= Decimal("1000")


async def test_a_resting_order_locks_funds_until_it_is_cancelled(client: Client) -> None:
    _, order = await client.order(**LIMIT, price="60000.00", newClientOrderId="mine-1")
    assert order["status"] == "NEW"
    ledger = await client.get("/fake/ledger")
    assert Decimal(ledger["balances"][KEY]["USDT"]["locked"]) == Decimal("600")
    _, opened, _ = await client.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    assert [row["clientOrderId"] for row in opened] == ["mine-1"]
    status, canceled, _ = await client.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine-1", newClientOrderId="cancel-1"
    )
    assert status == 200
    assert (canceled["status"], canceled["origClientOrderId"], canceled["clientOrderId"]) == (
        "CANCELED",
        "mine-1",
        "cancel-1",
    )
    _, found, _ = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine-1")
    assert found["status"] == "CANCELED"
    ledger = await client.get("/fake/ledger")
    assert Decimal(ledger["balances"][KEY]["USDT"]["locked"]) == 0
    assert ledger["orders"]["mine-1"][0]["status"] == "CANCELED"


async def test_immediate_and_fill_or_kill_orders_expire(client: Client) -> None:
    depth = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=5")
    price, quantity = depth["asks"][0]
    too_much = str((Decimal(quantity) + 1).quantize(Decimal("0.00001")))
    request = LIMIT | {"price": price, "quantity": too_much}
    _, killed = await client.order(**request | {"timeInForce": "FOK"})
    assert (killed["status"], killed["expiryReason"]) == ("EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED")
    assert killed["executedQty"] == "0.00000000"
    _, partly = await client.order(**request | {"timeInForce": "IOC"})
    assert (partly["status"], partly["expiryReason"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
    assert partly["executedQty"] == quantity


async def test_the_response_type_decides_how_much_is_answered(client: Client) -> None:
    _, ack = await client.order(**LIMIT, price="60000", newOrderRespType="ACK")
    assert set(ack) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    _, result = await client.order(**LIMIT, price="60000", newOrderRespType="RESULT")
    assert "status" in result
    assert "fills" not in result


REFUSED = [
    ({"price": "60000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"price": "60000", "quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    ({"price": "60000", "quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
    ({"price": "1"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ({"price": "60000", "quantity": "1000"}, -1013, "Filter failure: NOTIONAL"),
    ({"price": "60000", "symbol": "NOSUCH"}, -1121, "Invalid symbol."),
    ({"price": "60000", "side": "HOLD"}, -1117, "Invalid side."),
    ({"price": "60000", "type": "BEST"}, -1116, "Invalid orderType."),
    ({"price": "60000", "timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    (
        {"price": "abc"},
        -1100,
        "Illegal characters found in parameter 'price'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    ),
    ({"price": "60000.123456789"}, -1111, "Parameter 'price' has too much precision."),
    ({"price": ""}, -1105, "Parameter 'price' was empty."),
    ({}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
    (
        {"price": "60000", "surprise": "1"},
        -1104,
        "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
    ),
    (
        {"price": "60000", "newClientOrderId": "white space"},
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    ),
    ({"price": "60000", "stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
]


@pytest.mark.parametrize(("change", "code", "message"), REFUSED)
async def test_a_wrong_order_is_refused_with_the_venues_code(
    client: Client, change: dict[str, str], code: int, message: str
) -> None:
    status, body = await client.order(**LIMIT | {name: value.replace(" ", "%20") for name, value in change.items()})
    assert (status, body) == (400, {"code": code, "msg": message})


async def test_what_is_locked_cannot_be_spent_again(client: Client) -> None:
    large = LIMIT | {"price": "60000", "quantity": "140"}
    assert (await client.order(**large))[0] == 200
    refused = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    assert await client.order(**large) == (400, refused)


async def test_a_post_only_order_that_would_take_and_a_duplicate_are_rejected(client: Client) -> None:
    maker = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "70000"}
    assert await client.order(**maker) == (400, {"code": -2010, "msg": "Order would immediately match and take."})
    await client.order(**LIMIT, price="60000", newClientOrderId="once")
    again = await client.order(**LIMIT, price="60000", newClientOrderId="once")
    assert again == (400, {"code": -2010, "msg": "Duplicate order sent."})
    await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="once")
    status, _ = await client.order(**LIMIT, price="60000", newClientOrderId="once")
    assert status == 200


async def test_an_unknown_order_cannot_be_cancelled_or_found(client: Client) -> None:
    status, body, _ = await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=1)
    assert (status, body) == (400, {"code": -2011, "msg": "Unknown order sent."})
    status, body, _ = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="none")
    assert (status, body) == (400, {"code": -2013, "msg": "Order does not exist."})


async def test_every_order_of_a_symbol_is_cancelled_at_once(client: Client) -> None:
    for price in ("60000", "60001"):
        await client.order(**LIMIT, price=price)
    status, canceled, _ = await client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, [row["status"] for row in canceled]) == (200, ["CANCELED", "CANCELED"])


async def test_cancel_replace_reports_both_halves(client: Client) -> None:
    _, first = await client.order(**LIMIT, price="60000")
    replace = LIMIT | {"price": "60001", "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": first["orderId"]}
    status, body, _ = await client.signed("POST", "/api/v3/order/cancelReplace", **replace)
    assert (status, body["cancelResult"], body["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
    status, body, _ = await client.signed("POST", "/api/v3/order/cancelReplace", **replace)
    assert (status, body["code"], body["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")
    replace["cancelReplaceMode"] = "ALLOW_FAILURE"
    status, body, _ = await client.signed("POST", "/api/v3/order/cancelReplace", **replace)
    assert (status, body["code"], body["data"]["newOrderResult"]) == (409, -2021, "SUCCESS")


async def test_the_documented_signature_example_is_what_this_client_computes() -> None:
    payload = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    assert signature(payload, secret) == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


async def test_who_signs_wrongly_or_late_is_refused(client: Client) -> None:
    async def account(query: str, key: str = KEY) -> tuple[int, int]:
        path = f"/api/v3/account?{query}"
        status, body, _ = await client.request("GET", path, {"X-MBX-APIKEY": key} if key else {})
        return status, body["code"]

    def signed(query: str) -> str:
        return f"{query}&signature={signature(query)}"

    assert await account(f"timestamp={now_ms()}&signature={'0' * 64}") == (400, -1022)
    assert await account(signed(f"timestamp={now_ms()}"), key="other-key") == (401, -2015)
    assert await account(signed(f"timestamp={now_ms()}"), key="") == (401, -2014)
    assert await account(signed(f"timestamp={now_ms() - 5_500}")) == (400, -1021)
    assert await account(signed(f"timestamp={now_ms() + 2_000}")) == (400, -1021)
    assert await account(signed(f"timestamp={now_ms()}&recvWindow=70000")) == (400, -1102)
    assert await account(signed("recvWindow=5000")) == (400, -1102)
    assert await account(f"timestamp={now_ms()}") == (400, -1102)
    upper = f"timestamp={now_ms() * 1000}&omitZeroBalances=true"
    status, _, _ = await client.request(
        "GET", f"/api/v3/account?{upper}&signature={signature(upper).upper()}", {"X-MBX-APIKEY": KEY}
    )
    assert status == 200
