"""Money at the fake venue: balances follow from fills and open orders, whatever is traded."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from actors.simulation.binance.venue import FakeBinance
from runtime.clock import NS_PER_S
from tests.simulation.client import KEY, signature

START = 1_700_000_000_000_000_000
FUNDS = Decimal(10_000_000)
PAIRS = {"BTCUSDT": ("BTC", "USDT"), "ETHBTC": ("ETH", "BTC")}


def request(venue: FakeBinance, method: str, path: str, now: int, **params: object) -> Any:
    query = "&".join(f"{name}={value}" for name, value in ({"timestamp": now // 1_000_000} | params).items())
    headers = {"X-MBX-APIKEY": KEY}
    reply = venue.http(method, "", path, f"{query}&signature={signature(query)}", headers, "", now)
    return msgspec.json.decode(reply.body)


def random_order(random: Random) -> dict[str, object]:
    symbol = random.choice(list(PAIRS))
    middle, tick, lot = (67250, "0.01", "0.001") if symbol == "BTCUSDT" else (0.05175, "0.00001", "0.01")
    kind = random.choice(("LIMIT", "LIMIT", "LIMIT", "MARKET", "LIMIT_MAKER"))
    order: dict[str, object] = {"symbol": symbol, "side": random.choice(("BUY", "SELL")), "type": kind}
    if kind == "MARKET" and random.random() < 0.3:
        return order | {"quoteOrderQty": "5000.55" if symbol == "BTCUSDT" else "0.5"}
    order["quantity"] = (Decimal(random.randint(1, 800)) * Decimal(lot)).normalize().__format__("f")
    if kind != "MARKET":
        price = Decimal(middle * (1 + random.gauss(0, 0.0004)))
        order["price"] = price.quantize(Decimal(tick))
    if kind == "LIMIT":
        order["timeInForce"] = random.choice(("GTC", "GTC", "IOC", "FOK"))
    return order


def expected_balances(ledger: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """(free + locked, locked) of each asset, computed from the fills and from the open orders alone."""
    wealth: dict[str, Decimal] = defaultdict(lambda: FUNDS)
    for fill in ledger["fills"]:
        base, quote = PAIRS[fill["symbol"]]
        sign = 1 if fill["side"] == "BUY" else -1
        wealth[base] += sign * Decimal(fill["quantity"])
        wealth[quote] -= sign * Decimal(fill["quantity"]) * Decimal(fill["price"])
        wealth[fill["commissionAsset"]] -= Decimal(fill["commission"])
    locked: dict[str, Decimal] = defaultdict(Decimal)
    for order in (order for orders in ledger["orders"].values() for order in orders):
        if order["status"] in ("NEW", "PARTIALLY_FILLED"):
            base, quote = PAIRS[order["symbol"]]
            left = Decimal(order["quantity"]) - Decimal(order["executed"])
            if order["side"] == "BUY":
                locked[quote] += left * Decimal(order["price"])
            else:
                locked[base] += left
    return {asset: (wealth[asset], locked[asset]) for asset in ("BTC", "USDT", "ETH")}


def test_balances_follow_from_fills_and_open_orders() -> None:
    random = Random(7)
    venue = FakeBinance(START, rate=50, symbols=tuple(PAIRS), order_limit=10**6, weight_limit=10**9)
    now = START
    for number in range(600):
        now += random.randint(1, NS_PER_S // 10)
        if number % 5 == 4:
            opened = request(venue, "GET", "/api/v3/openOrders", now)
            if opened:
                order = random.choice(opened)
                request(venue, "DELETE", "/api/v3/order", now, symbol=order["symbol"], orderId=order["orderId"])
        else:
            request(venue, "POST", "/api/v3/order", now, **random_order(random))
    ledger = msgspec.json.decode(venue.http("GET", "", "/fake/ledger", "", {}, "", now).body)
    statuses = {order["status"] for orders in ledger["orders"].values() for order in orders}
    assert statuses >= {"NEW", "FILLED", "CANCELED", "EXPIRED"}
    assert {fill["maker"] for fill in ledger["fills"]} == {True, False}
    held = {
        asset: (Decimal(row["free"]) + Decimal(row["locked"]), Decimal(row["locked"]))
        for asset, row in ledger["balances"][KEY].items()
    }
    assert held == expected_balances(ledger)


def last_price(venue: FakeBinance, now: int) -> float:
    reply = venue.http("GET", "", "/api/v3/ticker/price", "symbol=BTCUSDT", {}, "", now)
    return float(msgspec.json.decode(reply.body)["price"])


def random_request(random: Random, opened: list[Any], last: float) -> tuple[str, str, dict[str, object]]:
    """(method, path, parameters) of anything that a client may do to orders on one symbol, sensible or not."""

    def price(offset: float) -> Decimal:
        return Decimal(last + offset).quantize(Decimal("0.01"))

    def leg(prefix: str, above: bool, side: str) -> dict[str, object]:
        sign = 1 if above else -1
        losses, profits = ("STOP_LOSS", "STOP_LOSS_LIMIT"), ("LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
        fitting = losses if above == (side == "BUY") else profits
        kind = random.choice(fitting if random.random() < 0.9 else losses + profits)
        params: dict[str, object] = {f"{prefix}Type": kind}
        if kind != "LIMIT_MAKER":
            params[f"{prefix}StopPrice"] = price(sign * random.uniform(0, 8))
        if kind not in ("STOP_LOSS", "TAKE_PROFIT"):
            params[f"{prefix}Price"] = price(sign * random.uniform(0, 8))
        if kind.endswith("_LIMIT"):
            params[f"{prefix}TimeInForce"] = random.choice(("GTC", "IOC", "FOK"))
        return params

    side, other_side = random.choice((("BUY", "SELL"), ("SELL", "BUY")))
    quantity = Decimal(random.randint(1, 300)) / 100
    common: dict[str, object] = {"symbol": "BTCUSDT"}
    common["selfTradePreventionMode"] = random.choice(
        ("NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT")
    )
    working = {
        "workingType": "LIMIT",
        "workingTimeInForce": random.choice(("GTC", "IOC")),
        "workingSide": side,
        "workingQuantity": quantity,
        "workingPrice": price(random.gauss(0, 4)),
    }
    match random.randint(0, 8):
        case 0:
            legs = leg("above", True, side) | leg("below", False, side)
            return "POST", "/api/v3/orderList/oco", common | legs | {"side": side, "quantity": quantity}
        case 1:
            pending = leg("pending", random.random() < 0.5, other_side)
            other = {"pendingSide": other_side, "pendingQuantity": quantity}
            return "POST", "/api/v3/orderList/oto", common | working | pending | other
        case 2:
            legs = leg("pendingAbove", True, other_side) | leg("pendingBelow", False, other_side)
            other = {"pendingSide": other_side, "pendingQuantity": quantity}
            return "POST", "/api/v3/orderList/otoco", common | working | legs | other
        case 3 if opened:
            row = random.choice(opened)
            smaller = (Decimal(row["origQty"]) * Decimal(random.uniform(0.3, 0.99))).quantize(Decimal("0.00001"))
            ids = {"symbol": "BTCUSDT", "orderId": row["orderId"]}
            return "PUT", "/api/v3/order/amend/keepPriority", ids | {"newQty": smaller}
        case 4 if opened:
            row = random.choice(opened)
            return "DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": row["orderId"]}
        case 5:
            return (
                "POST",
                "/api/v3/order",
                common | leg("", random.random() < 0.5, side) | {"side": side} | {"quantity": quantity},
            )
        case 6:
            kind = {"type": "MARKET", "quoteOrderQty": random.randint(100, 400_000)}
            return "POST", "/api/v3/order", common | kind | {"side": side}
        case _:
            order = {"side": side, "type": "LIMIT", "timeInForce": "GTC", "price": price(random.gauss(0, 5))}
            tip = {"icebergQty": (quantity / 4).quantize(Decimal("0.00001"))} if random.random() < 0.4 else {}
            return "POST", "/api/v3/order", common | order | tip | {"quantity": quantity}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_nothing_is_lost_and_nothing_stays_set_aside(seed: int) -> None:
    random = Random(seed)
    venue = FakeBinance(START, seed=seed, rate=60, symbols=("BTCUSDT",), order_limit=10**6, weight_limit=10**9)
    now, seen = START, set()
    for number in range(300):
        now += random.randint(1, NS_PER_S // 4)
        if number % 20 == 19:
            request(venue, "DELETE", "/api/v3/openOrders", now, symbol="BTCUSDT")
        opened = request(venue, "GET", "/api/v3/openOrders", now, symbol="BTCUSDT")
        last = last_price(venue, now)
        method, path, params = random_request(random, opened, last)
        params = {name[0].lower() + name[1:]: value for name, value in params.items()}
        answer = request(venue, method, path, now, **params)
        seen.add((path.rsplit("/", 1)[-1], "code" in answer))
        balances = msgspec.json.decode(venue.http("GET", "", "/fake/ledger", "", {}, "", now).body)["balances"][KEY]
        assert all(Decimal(row[part]) >= 0 for row in balances.values() for part in ("free", "locked")), (path, params)
    assert {("oco", False), ("oto", False), ("otoco", False), ("keepPriority", False), ("order", False)} <= seen
    request(venue, "DELETE", "/api/v3/openOrders", now, symbol="BTCUSDT")
    assert request(venue, "GET", "/api/v3/openOrders", now) == []
    assert request(venue, "GET", "/api/v3/openOrderList", now) == []
    ledger = msgspec.json.decode(venue.http("GET", "", "/fake/ledger", "", {}, "", now).body)
    rows = [order for orders in ledger["orders"].values() for order in orders]
    assert {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"} == {row["status"] for row in rows}
    held = {asset: (Decimal(row["free"]), Decimal(row["locked"])) for asset, row in ledger["balances"][KEY].items()}
    expected = expected_balances(ledger)
    assert held == {asset: (expected[asset][0], Decimal(0)) for asset in held}
