"""The desk's commands as requests of the WebSocket API: method and parameters, not yet signed.

Source: github.com/binance/binance-spot-api-docs, web-socket-api.md, "Trading requests" and "Account requests".
"""

from typing import assert_never

from actors.messages import (
    CancelAtVenue,
    PlaceOrder,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.model.order import OrderSpec, OrderType, TimeInForce
from actors.venues.contract import Command
from runtime.clock import NS_PER_MS

Parameters = dict[str, str | int | bool]

FILLS_PER_PAGE = 1000


def request_for(command: Command) -> tuple[str, Parameters]:
    """Method and parameters, except those that every signed request has."""
    match command:
        case PlaceOrder():
            return "order.place", _new_order(command.order)
        case CancelAtVenue():
            return "order.cancel", {"symbol": command.symbol, **_which(command)}
        case QueryOrder():
            return "order.status", {"symbol": command.symbol, **_which(command)}
        case QueryOpenOrders():
            return "openOrders.status", {}
        case QueryFills():
            return "myTrades", _which_fills(command)
        case QueryAccount():
            return "account.status", {"omitZeroBalances": True}
        case _:
            assert_never(command)


def next_fills(command: QueryFills, trade_id: int) -> Parameters:
    """The page from a trade id on; `fromId` excludes a start time but not an order."""
    parameters: Parameters = {"symbol": command.symbol, "fromId": trade_id, "limit": FILLS_PER_PAGE}
    if command.venue_order_id:
        parameters["orderId"] = int(command.venue_order_id)
    return parameters


def objection(order: OrderSpec) -> str:
    """Why this order cannot be said in the venue's terms; "" if it can."""
    if order.type is OrderType.LIMIT and order.price is None:
        return "INVALID_ORDER: a limit order without a price"
    if order.post_only and (order.type is not OrderType.LIMIT or order.time_in_force is not TimeInForce.GTC):
        return "INVALID_ORDER: only a limit order that is good till cancelled can be post-only"
    return ""


def _new_order(order: OrderSpec) -> Parameters:
    parameters: Parameters = {
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": order.quantity,
        "newClientOrderId": order.client_order_id,
    }
    if order.type is OrderType.MARKET or order.price is None:
        parameters["type"] = "MARKET"
        return parameters
    parameters["price"] = order.price
    if order.post_only:
        parameters["type"] = "LIMIT_MAKER"
        return parameters
    parameters["type"] = "LIMIT"
    parameters["timeInForce"] = order.time_in_force.value
    return parameters


def _which(command: CancelAtVenue | QueryOrder) -> Parameters:
    """By the venue's own id where it is known, which the venue says is faster."""
    if command.venue_order_id:
        return {"orderId": int(command.venue_order_id)}
    return {"origClientOrderId": command.client_order_id}


def _which_fills(command: QueryFills) -> Parameters:
    parameters: Parameters = {"symbol": command.symbol, "limit": FILLS_PER_PAGE}
    if command.venue_order_id:
        parameters["orderId"] = int(command.venue_order_id)
    else:
        parameters["startTime"] = command.since // NS_PER_MS
    return parameters
