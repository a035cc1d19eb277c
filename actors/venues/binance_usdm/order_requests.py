"""The desk's commands as requests of Binance USD-M futures: by WebSocket API where it has one, else by REST.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/websocket-api and …/trade/rest-api;
weights as in github.com/binance/binance-connector-python 17.2. Stops, take-profits and trailing stops are algo orders
with ids of their own (since 2025-12-09); the desk knows one by `algo-<algoId>` instead of an order id.
"""

from typing import assert_never

import msgspec

from actors.messages import (
    AmendAtVenue,
    CancelAtVenue,
    PlaceOrder,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.model.order import TRIGGERED, OrderSpec, OrderType, TimeInForce
from actors.venues.binance_api.limits import Priority
from actors.venues.contract import Command
from runtime.clock import NS_PER_MS, NS_PER_S

Parameters = dict[str, str | int | bool]

ALGO = "algo-"
FILLS_PER_PAGE = 1000
MOST_HISTORY_NS = 7 * 24 * 3600 * NS_PER_S
"""One request for fills by time looks at no more than a week."""
LEAST_GOOD_TILL_NS = 600 * NS_PER_S

ALGO_TYPES = {
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
}


class Call(msgspec.Struct, frozen=True):
    """One request: over HTTP if it has a verb, then `name` is its path, else a method of the WebSocket API."""

    name: str
    parameters: Parameters
    weight: int
    priority: Priority
    verb: str = ""
    orders: int = 0


BY_REST = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "v2/account.status": ("GET", "/fapi/v2/account"),
}
"""Method of the WebSocket API → the same by REST, with the same parameters and the same answer."""


def by_rest(call: Call) -> Call:
    verb, path = BY_REST[call.name]
    return msgspec.structs.replace(call, name=path, verb=verb)


def call_for(command: Command, venue_time: int) -> Call:
    """Except for the parameters that every signed request has. `venue_time` in nanoseconds."""
    match command:
        case PlaceOrder(order=order):
            lane = Priority.REDUCE if order.reduce_only else Priority.NEW
            if order.type in TRIGGERED:
                return Call("algoOrder.place", _algo_order(order), 0, lane, orders=1)
            return Call("order.place", _new_order(order), 0, lane, orders=1)
        case CancelAtVenue():
            if command.venue_order_id.startswith(ALGO):
                return Call("algoOrder.cancel", _which_algo(command), 1, Priority.CANCEL)
            return Call("order.cancel", {"symbol": command.symbol, **_which(command)}, 1, Priority.CANCEL)
        case QueryOrder():
            if command.venue_order_id.startswith(ALGO):
                return Call("/fapi/v1/algoOrder", _which_algo(command), 1, Priority.QUERY, verb="GET")
            return Call("order.status", {"symbol": command.symbol, **_which(command)}, 1, Priority.QUERY)
        case QueryOpenOrders():
            return Call("/fapi/v1/openOrders", {}, 40, Priority.QUERY, verb="GET")
        case QueryFills():
            return Call("/fapi/v1/userTrades", _which_fills(command, venue_time), 5, Priority.QUERY, verb="GET")
        case QueryAccount():
            return Call("v2/account.status", {}, 5, Priority.QUERY)
        case _:
            assert_never(command)


def modification(command: AmendAtVenue, placed: OrderSpec) -> Call:
    """Of a limit order: the venue wants its side and its price again."""
    parameters: Parameters = {
        "symbol": command.symbol,
        "side": placed.side.value,
        "quantity": command.quantity,
        "price": placed.price or "",
        **_which(command),
    }
    if placed.position_side is not None:
        parameters["positionSide"] = placed.position_side.value
    return Call("order.modify", parameters, 0, Priority.REDUCE, orders=1)


def open_algo_orders() -> Call:
    """The other half of the answer to `QueryOpenOrders`."""
    return Call("/fapi/v1/openAlgoOrders", {}, 40, Priority.QUERY, verb="GET")


def more_fills(command: QueryFills, from_id: int) -> Call:
    """The page from a trade id on."""
    parameters: Parameters = {"symbol": command.symbol, "fromId": from_id, "limit": FILLS_PER_PAGE}
    if command.venue_order_id:
        parameters["orderId"] = int(command.venue_order_id)
    return Call("/fapi/v1/userTrades", parameters, 5, Priority.QUERY, verb="GET")


def objection(order: OrderSpec, venue_time: int) -> str:
    """Why this order cannot be said in the venue's terms; "" if it can."""
    if order.quote_quantity is not None or order.visible_quantity is not None:
        return "INVALID_ORDER: contracts have no quote quantity and no iceberg"
    if order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT) and order.price is None:
        return "INVALID_ORDER: a limit order without a price"
    if order.type in TRIGGERED and order.stop_price is None and order.trailing_bps is None:
        return "INVALID_ORDER: a triggered order without a trigger"
    if order.trailing_bps is not None and (order.type is not OrderType.STOP or order.trailing_bps % 10):
        return "INVALID_ORDER: only a stop at market can trail, by a multiple of 10 bps"
    rests = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.GTC
    if order.post_only and not rests:
        return "INVALID_ORDER: only a limit order that is good till cancelled can be post-only"
    if order.good_till and (not rests or order.post_only):
        return "INVALID_ORDER: only a plain limit order that is good till cancelled can end at a time"
    if order.good_till and order.good_till < venue_time + LEAST_GOOD_TILL_NS:
        return "INVALID_ORDER: an order ends 600 s from now at the earliest"
    if order.reduce_only and order.position_side is not None:
        return "INVALID_ORDER: in hedge mode the position side says what is reduced"
    return ""


def _new_order(order: OrderSpec) -> Parameters:
    parameters = _common(order)
    parameters["newClientOrderId"] = order.client_order_id
    parameters["newOrderRespType"] = "ACK"
    if order.type is OrderType.MARKET or order.price is None:
        parameters["type"] = "MARKET"
        return parameters
    parameters["type"] = "LIMIT"
    parameters["price"] = order.price
    parameters["timeInForce"] = "GTX" if order.post_only else order.time_in_force.value
    if order.good_till:
        parameters["timeInForce"] = "GTD"
        parameters["goodTillDate"] = order.good_till // NS_PER_MS
    return parameters


def _algo_order(order: OrderSpec) -> Parameters:
    parameters = _common(order)
    parameters["algoType"] = "CONDITIONAL"
    parameters["clientAlgoId"] = order.client_order_id
    parameters["type"] = ALGO_TYPES[order.type]
    if order.trailing_bps is not None:
        parameters["type"] = "TRAILING_STOP_MARKET"
        parameters["callbackRate"] = f"{order.trailing_bps // 100}.{order.trailing_bps % 100 // 10}"
        if order.stop_price is not None:
            parameters["activatePrice"] = order.stop_price
        return parameters
    if order.stop_price is not None:
        parameters["triggerPrice"] = order.stop_price
    if order.price is not None:
        parameters["price"] = order.price
        parameters["timeInForce"] = order.time_in_force.value
    return parameters


def _common(order: OrderSpec) -> Parameters:
    parameters: Parameters = {"symbol": order.symbol, "side": order.side.value, "quantity": order.quantity}
    if order.position_side is not None:
        parameters["positionSide"] = order.position_side.value
    elif order.reduce_only:
        parameters["reduceOnly"] = "true"
    return parameters


def _which(command: CancelAtVenue | QueryOrder | AmendAtVenue) -> Parameters:
    if command.venue_order_id:
        return {"orderId": int(command.venue_order_id)}
    return {"origClientOrderId": command.client_order_id}


def _which_algo(command: CancelAtVenue | QueryOrder) -> Parameters:
    return {"algoId": int(command.venue_order_id.removeprefix(ALGO))}


def _which_fills(command: QueryFills, venue_time: int) -> Parameters:
    parameters: Parameters = {"symbol": command.symbol, "limit": FILLS_PER_PAGE}
    if command.venue_order_id:
        parameters["orderId"] = int(command.venue_order_id)
    else:
        parameters["startTime"] = max(command.since, venue_time - MOST_HISTORY_NS + 60 * NS_PER_S) // NS_PER_MS
    return parameters
