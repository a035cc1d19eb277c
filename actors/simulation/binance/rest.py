"""The REST face: routes, signed requests, status codes, usage headers.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from collections.abc import Mapping
from typing import Any

from actors.simulation.binance.fault_answers import Unanswered, answer_under
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.operations import Operation, PublicOperation, SignedOperation, charge
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.security import Security
from actors.simulation.binance.time_units import TimeUnit, in_unit
from actors.simulation.faults import RequestFault
from actors.simulation.http_reply import NO_REPLY, NOT_FOUND, json_reply
from actors.simulation.http_reply import HttpReply as HttpReply

_ROUTES = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "exchangeInfo",
    ("GET", "/api/v3/executionRules"): "executionRules",
    ("GET", "/api/v3/depth"): "depth",
    ("GET", "/api/v3/trades"): "trades.recent",
    ("GET", "/api/v3/historicalTrades"): "trades.historical",
    ("GET", "/api/v3/aggTrades"): "trades.aggregate",
    ("GET", "/api/v3/klines"): "klines",
    ("GET", "/api/v3/uiKlines"): "uiKlines",
    ("GET", "/api/v3/avgPrice"): "avgPrice",
    ("GET", "/api/v3/ticker/24hr"): "ticker.24hr",
    ("GET", "/api/v3/ticker/price"): "ticker.price",
    ("GET", "/api/v3/ticker/bookTicker"): "ticker.book",
    ("POST", "/api/v3/order"): "order.place",
    ("POST", "/api/v3/order/test"): "order.test",
    ("DELETE", "/api/v3/order"): "order.cancel",
    ("GET", "/api/v3/order"): "order.status",
    ("POST", "/api/v3/order/cancelReplace"): "order.cancelReplace",
    ("PUT", "/api/v3/order/amend/keepPriority"): "order.amend.keepPriority",
    ("GET", "/api/v3/order/amendments"): "order.amendments",
    ("POST", "/api/v3/order/oco"): "orderList.place",
    ("POST", "/api/v3/orderList/oco"): "orderList.place.oco",
    ("POST", "/api/v3/orderList/oto"): "orderList.place.oto",
    ("POST", "/api/v3/orderList/otoco"): "orderList.place.otoco",
    ("DELETE", "/api/v3/orderList"): "orderList.cancel",
    ("GET", "/api/v3/orderList"): "orderList.status",
    ("GET", "/api/v3/allOrderList"): "allOrderLists",
    ("GET", "/api/v3/openOrderList"): "openOrderLists.status",
    ("GET", "/api/v3/myPreventedMatches"): "myPreventedMatches",
    ("GET", "/api/v3/openOrders"): "openOrders.status",
    ("DELETE", "/api/v3/openOrders"): "openOrders.cancelAll",
    ("GET", "/api/v3/allOrders"): "allOrders",
    ("GET", "/api/v3/myTrades"): "myTrades",
    ("GET", "/api/v3/account"): "account.status",
    ("GET", "/api/v3/account/commission"): "account.commission",
    ("GET", "/sapi/v1/asset/tradeFee"): "asset.tradeFee",
    ("GET", "/api/v3/rateLimit/order"): "account.rateLimits.orders",
}

_RETIRED = {("POST", "/api/v3/userDataStream"), ("PUT", "/api/v3/userDataStream"), ("DELETE", "/api/v3/userDataStream")}

_ELSEWHERE: dict[str, object] = {
    "/sapi/v1/capital/config/getall": [],
    "/sapi/v1/margin/allPairs": [],
    "/sapi/v1/margin/allAssets": [],
    "/sapi/v1/margin/isolated/allPairs": [],
    "/sapi/v1/system/status": {"status": 0, "msg": "normal"},
    "/fapi/v1/exchangeInfo": {"timezone": "UTC", "rateLimits": [], "exchangeFilters": [], "assets": [], "symbols": []},
    "/dapi/v1/exchangeInfo": {"timezone": "UTC", "rateLimits": [], "exchangeFilters": [], "symbols": []},
    "/eapi/v1/exchangeInfo": {"timezone": "UTC", "rateLimits": [], "optionSymbols": [], "optionContracts": []},
}
"""What client libraries ask of the venue's other products when they start: there is nothing there."""


class Rest:
    def __init__(self, operations: dict[str, Operation], security: Security, limits: Limits) -> None:
        self._operations = operations
        self._security = security
        self._limits = limits

    def name(self, method: str, path: str) -> str:
        """Of the operation, as the WebSocket API calls it; empty when there is none."""
        return _ROUTES.get((method, path), "")

    def answer(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: str,
        now: int,
        fault: RequestFault | None = None,
    ) -> HttpReply:
        if (method, path) in _RETIRED:
            return HttpReply(410, {"Content-Type": "text/html"}, b"<html><body><h2>410 Gone</h2></body></html>")
        if path in _ELSEWHERE:
            return json_reply(_ELSEWHERE[path])
        name = _ROUTES.get((method, path))
        if name is None:
            return NOT_FOUND
        operation = self._operations[name]
        try:
            unit = TimeUnit.parse(_header(headers, "x-mbx-time-unit"))
            answer = answer_under(fault, now, lambda: self._run(operation, query, headers, body, now))
        except Refusal as refusal:
            return self._refused(refusal, now)
        except Unanswered:
            return NO_REPLY
        usage = self._limits.weight_headers(now)
        if isinstance(operation, SignedOperation) and operation.counts_orders:
            usage |= self._limits.order_headers(now)
        reply = json_reply(answer, headers=usage)
        return reply._replace(body=in_unit(reply.body, unit))

    def _run(self, operation: Operation, query: str, headers: Mapping[str, str], body: str, now: int) -> Any:
        parameters = Parameters.from_request(query, body)
        weight = charge(operation, parameters, self._limits, now)
        if isinstance(operation, PublicOperation):
            return operation.run(parameters, now)
        account = self._security.check_rest(_header(headers, "x-mbx-apikey"), query, body, parameters, now)
        answer = operation.run(account, parameters, now)
        if operation.counts_orders:
            self._limits.refund(weight, now)
        return answer

    def _refused(self, refusal: Refusal, now: int) -> HttpReply:
        headers = self._limits.weight_headers(now)
        if refusal.retry_after_s is not None:
            headers["Retry-After"] = str(refusal.retry_after_s)
        return json_reply(refusal.body(), refusal.status, headers)


def _header(headers: Mapping[str, str], wanted: str) -> str:
    """Header names have no case."""
    return next((value for name, value in headers.items() if name.lower() == wanted), "")
