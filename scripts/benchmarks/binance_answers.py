"""The exchange's answers in Binance's own words, for an account that is rich and has no orders.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-api and …/rest-api. An order is acknowledged and
expires at once, so that no run ends with thousands of open ones.
"""

import itertools
import time
from typing import Any

from scripts.benchmarks.market import ASK, LAST_PRICE, ORDINARY, SYMBOL

_order_ids = itertools.count(1)


def to_rest(endpoint: str) -> Any:
    match endpoint:
        case "exchangeInfo":
            return exchange_info()
        case "time":
            return {"serverTime": _now_ms()}
        case "depth":
            return {"lastUpdateId": 1, "bids": [[LAST_PRICE, ORDINARY]], "asks": [[ASK, ORDINARY]]}
        case "account":
            return account()
        case "openOrders" | "allOrders" | "myTrades":
            return []
        case _:
            return {}


def to_request(id: Any, method: str, parameters: dict[str, Any], hears_account: bool) -> list[dict[str, Any]]:
    """The frames to send: the answer, then what the account's stream says of it if somebody listens."""
    match method:
        case "order.place":
            order = _expired_order(parameters)
            events = [_execution_report(order, "NEW"), _execution_report(order, "EXPIRED")] if hears_account else []
            return [_answer(id, order), *events]
        case "account.status":
            return [_answer(id, account())]
        case "time":
            return [_answer(id, {"serverTime": _now_ms()})]
        case "userDataStream.subscribe.signature" | "userDataStream.subscribe":
            return [_answer(id, {"subscriptionId": 0})]
        case "openOrders.status" | "allOrders" | "myTrades":
            return [_answer(id, [])]
        case "exchangeInfo":
            return [_answer(id, exchange_info())]
        case "ping":
            return [_answer(id, {})]
        case _:
            return [{"id": id, "status": 400, "error": {"code": -2013, "msg": "Order does not exist."}}]


def _answer(id: Any, result: Any) -> dict[str, Any]:
    return {"id": id, "status": 200, "result": result, "rateLimits": []}


def _expired_order(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": parameters["symbol"],
        "orderId": next(_order_ids),
        "orderListId": -1,
        "clientOrderId": parameters["newClientOrderId"],
        "transactTime": _now_ms(),
        "price": parameters["price"],
        "origQty": parameters["quantity"],
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "EXPIRED",
        "timeInForce": parameters["timeInForce"],
        "type": parameters["type"],
        "side": parameters["side"],
        "workingTime": _now_ms(),
        "fills": [],
        "selfTradePreventionMode": "NONE",
    }


def _execution_report(order: dict[str, Any], execution: str) -> dict[str, Any]:
    event = {
        "e": "executionReport",
        "E": _now_ms(),
        "s": order["symbol"],
        "c": order["clientOrderId"],
        "S": order["side"],
        "o": order["type"],
        "f": order["timeInForce"],
        "q": order["origQty"],
        "p": order["price"],
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": "",
        "x": execution,
        "X": execution,
        "r": "NONE",
        "i": order["orderId"],
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": order["transactTime"],
        "t": -1,
        "I": order["orderId"],
        "w": False,
        "m": False,
        "M": False,
        "O": order["transactTime"],
        "Z": "0.00000000",
        "Y": "0.00000000",
        "Q": "0.00000000",
        "W": order["transactTime"],
        "V": "NONE",
    }
    return {"subscriptionId": 0, "event": event}


def account() -> dict[str, Any]:
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "accountType": "SPOT",
        "updateTime": _now_ms(),
        "balances": [
            {"asset": "USDT", "free": "1000000000.00000000", "locked": "0.00000000"},
            {"asset": "BTC", "free": "1000000.00000000", "locked": "0.00000000"},
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def exchange_info() -> dict[str, Any]:
    return {
        "timezone": "UTC",
        "serverTime": _now_ms(),
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, 1_000_000),
            _rate_limit("ORDERS", "SECOND", 10, 1_000_000),
            _rate_limit("ORDERS", "DAY", 1, 100_000_000),
            _rate_limit("RAW_REQUESTS", "MINUTE", 5, 1_000_000),
        ],
        "exchangeFilters": [],
        "symbols": [
            {
                "symbol": SYMBOL,
                "status": "TRADING",
                "baseAsset": "BTC",
                "baseAssetPrecision": 8,
                "quoteAsset": "USDT",
                "quotePrecision": 8,
                "quoteAssetPrecision": 8,
                "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
                "icebergAllowed": False,
                "ocoAllowed": False,
                "isSpotTradingAllowed": True,
                "isMarginTradingAllowed": False,
                "filters": [
                    {
                        "filterType": "PRICE_FILTER",
                        "minPrice": "0.00100000",
                        "maxPrice": "1000000.00000000",
                        "tickSize": "0.00100000",
                    },
                    {
                        "filterType": "LOT_SIZE",
                        "minQty": "0.00001000",
                        "maxQty": "9000.00000000",
                        "stepSize": "0.00001000",
                    },
                    {
                        "filterType": "NOTIONAL",
                        "minNotional": "0.10000000",
                        "applyMinToMarket": True,
                        "maxNotional": "9000000.00000000",
                        "applyMaxToMarket": False,
                        "avgPriceMins": 5,
                    },
                ],
                "permissions": [],
                "permissionSets": [["SPOT"]],
            }
        ],
    }


def _rate_limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
