"""Money at the fake venue: balances follow from fills and open orders, whatever is traded."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

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
