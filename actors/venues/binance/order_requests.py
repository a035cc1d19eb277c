"""The desk's commands as requests of the WebSocket API: method and parameters, not yet signed.

Source: github.com/binance/binance-spot-api-docs, web-socket-api.md, "Trading requests" and "Account requests".
"""

from decimal import Decimal
from typing import assert_never

from actors.messages import (
    AmendAtVenue,
    CancelAtVenue,
    ListKind,
    PlaceOrder,
    PlaceOrderList,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    ReplaceAtVenue,
)
from actors.model.order import TRIGGERED, WITH_PRICE, OrderSpec, OrderType, Side, TimeInForce
from actors.venues.binance_api.limits import Priority
from actors.venues.contract import Change, Command
from runtime.clock import NS_PER_MS

Parameters = dict[str, str | int | bool]

FILLS_PER_PAGE = 1000

TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
}
LIST_LENGTHS = {ListKind.OCO: 2, ListKind.OTO: 2, ListKind.OTOCO: 3}


def request_for(command: Command | Change) -> tuple[str, Parameters]:
    """Method and parameters, except those that every signed request has."""
    match command:
        case PlaceOrder():
            return "order.place", _new_order(command.order)
        case CancelAtVenue():
            return "order.cancel", {"symbol": command.symbol, **_which(command)}
        case ReplaceAtVenue() if goes_in_steps(command):
            return "order.cancel", {"symbol": command.order.symbol, **_which(command)}
        case ReplaceAtVenue():
            return "order.cancelReplace", _replacement(command)
        case AmendAtVenue():
            return "order.amend.keepPriority", {
                "symbol": command.symbol,
                **_which(command),
                "newClientOrderId": command.client_order_id,
                "newQty": command.quantity,
            }
        case PlaceOrderList():
            return f"orderList.place.{command.kind.value.lower()}", _order_list(command)
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


def cost_of(command: Command | Change) -> tuple[int, Priority, int]:
    """Request weight, lane, and how many orders it counts as.

    What a place or a cancel that succeeds weighs is nothing (since 2026-04-02).
    """
    match command:
        case ReplaceAtVenue() if goes_in_steps(command):
            return 0, Priority.NEW, 0
        case PlaceOrder(order=order) | ReplaceAtVenue(order=order):
            return 0, Priority.REDUCE if order.reduce_only else Priority.NEW, 1
        case PlaceOrderList(orders=orders):
            return 0, Priority.NEW, len(orders)
        case CancelAtVenue():
            return 0, Priority.CANCEL, 0
        case AmendAtVenue():
            return 4, Priority.REDUCE, 0
        case QueryOrder():
            return 4, Priority.QUERY, 0
        case QueryOpenOrders():
            return 80, Priority.QUERY, 0
        case QueryFills() | QueryAccount():
            return 20, Priority.QUERY, 0
        case _:
            assert_never(command)


def next_fills(command: QueryFills, trade_id: int) -> Parameters:
    """The page from a trade id on; `fromId` excludes a start time but not an order."""
    parameters: Parameters = {"symbol": command.symbol, "fromId": trade_id, "limit": FILLS_PER_PAGE}
    if command.venue_order_id:
        parameters["orderId"] = int(command.venue_order_id)
    return parameters


def objection(command: Command | Change) -> str:
    """Why this cannot be said in the venue's terms; "" if it can."""
    match command:
        case PlaceOrder(order=order) | ReplaceAtVenue(order=order):
            return _objection(order)
        case PlaceOrderList():
            return next(filter(None, map(_objection, command.orders)), "") or _list_objection(command)
        case _:
            return ""


def _objection(order: OrderSpec) -> str:
    rules = {
        "a limit order without a price": order.type in WITH_PRICE and order.price is None,
        "only a limit order that is good till cancelled can be post-only": order.post_only
        and (order.type is not OrderType.LIMIT or order.time_in_force is not TimeInForce.GTC),
        "a triggered order needs a stop price or a trailing distance": order.type in TRIGGERED
        and order.stop_price is None
        and order.trailing_bps is None,
        "only a triggered order has a stop price or a trailing distance": order.type not in TRIGGERED
        and (order.stop_price is not None or order.trailing_bps is not None),
        "only a limit order that is good till cancelled can show a part": order.visible_quantity is not None
        and (order.type not in WITH_PRICE or order.time_in_force is not TimeInForce.GTC),
        "only a market order can have a quote quantity": order.quote_quantity is not None
        and order.type is not OrderType.MARKET,
        "there are no position sides on spot": order.position_side is not None,
        "an order without a time limit is all that spot knows": order.good_till != 0,
    }
    return next((f"INVALID_ORDER: {words}" for words, is_broken in rules.items() if is_broken), "")


def _list_objection(command: PlaceOrderList) -> str:
    orders = command.orders
    if len(orders) != LIST_LENGTHS[command.kind]:
        return f"INVALID_ORDER: {command.kind.value} takes {LIST_LENGTHS[command.kind]} orders, not {len(orders)}"
    if len({order.symbol for order in orders}) > 1:
        return "INVALID_ORDER: the orders of a list are for one symbol"
    if any(order.quote_quantity is not None for order in orders):
        return "INVALID_ORDER: no order of a list can have a quote quantity"
    if command.kind is not ListKind.OCO and orders[0].type is not OrderType.LIMIT:
        return "INVALID_ORDER: the first order has to be a limit order"
    if command.kind is ListKind.OTO:
        return ""
    first, second = orders[-2:]
    if (first.side, first.quantity) != (second.side, second.quantity):
        return "INVALID_ORDER: both orders of the pair are for one side and one quantity"
    if _is_above(first) == _is_above(second):
        return "INVALID_ORDER: the pair is a stop order and a limit or take-profit order"
    return ""


def _terms(order: OrderSpec) -> Parameters:
    """What is said of every order, alone or in a list."""
    terms: Parameters = {"type": "LIMIT_MAKER" if order.post_only else TYPES[order.type]}
    if order.quote_quantity is not None:
        terms["quoteOrderQty"] = order.quote_quantity
    else:
        terms["quantity"] = order.quantity
    if order.price is not None and order.type in WITH_PRICE:
        terms["price"] = order.price
        if not order.post_only:
            terms["timeInForce"] = order.time_in_force.value
    if order.stop_price is not None:
        terms["stopPrice"] = order.stop_price
    if order.trailing_bps is not None:
        terms["trailingDelta"] = order.trailing_bps
    if order.visible_quantity is not None:
        terms["icebergQty"] = order.visible_quantity
    return terms


def _new_order(order: OrderSpec) -> Parameters:
    return {
        "symbol": order.symbol,
        "side": order.side.value,
        "newClientOrderId": order.client_order_id,
        **_terms(order),
    }


def goes_in_steps(command: ReplaceAtVenue) -> bool:
    """Cancelled first and placed when it is known how much is left of it.

    An order of which nothing is filled is replaced at once, on the condition that this is still so: the venue knows no
    such condition for one of which a part is filled.
    """
    return bool(Decimal(command.filled))


def rest_of(command: ReplaceAtVenue, filled: str) -> Decimal:
    """What is to be placed in the place of an order of which so much was filled in the end; not above 0 for nothing."""
    return Decimal(command.order.quantity) + Decimal(command.filled) - Decimal(filled)


def _replacement(command: ReplaceAtVenue) -> Parameters:
    which: Parameters = {"cancelOrigClientOrderId": command.client_order_id}
    if command.venue_order_id:
        which = {"cancelOrderId": int(command.venue_order_id)}
    return {
        **_new_order(command.order),
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelRestrictions": "ONLY_NEW",
        **which,
    }


def _order_list(command: PlaceOrderList) -> Parameters:
    orders = command.orders
    parameters: Parameters = {"symbol": orders[0].symbol}
    match command.kind:
        case ListKind.OCO:
            parameters |= {"side": orders[0].side.value, "quantity": orders[0].quantity, **_pair(orders)}
        case ListKind.OTO:
            parameters |= {**_leg("working", orders[0]), **_leg("pending", orders[1])}
        case ListKind.OTOCO:
            parameters |= _leg("working", orders[0])
            parameters |= {"pendingSide": orders[1].side.value, "pendingQuantity": orders[1].quantity}
            parameters |= {_within("pending", name): value for name, value in _pair(orders[1:]).items()}
    return parameters


def _leg(prefix: str, order: OrderSpec) -> Parameters:
    terms = {"side": order.side.value, "clientOrderId": order.client_order_id, **_terms(order)}
    return {_within(prefix, name): value for name, value in terms.items()}


def _pair(orders: list[OrderSpec]) -> Parameters:
    """An OCO's two orders; side and quantity are said once for both."""
    parameters: Parameters = {}
    for order in orders:
        leg = _leg("above" if _is_above(order) else "below", order)
        if order.type is OrderType.LIMIT:
            leg = {name: "LIMIT_MAKER" if name.endswith("Type") else value for name, value in leg.items()}
            leg = {name: value for name, value in leg.items() if not name.endswith("TimeInForce")}
        parameters |= {name: value for name, value in leg.items() if not name.endswith(("Side", "Quantity"))}
    return parameters


def _is_above(order: OrderSpec) -> bool:
    """It waits above the market: a stop to buy, or a limit or take-profit to sell."""
    is_stop = order.type in (OrderType.STOP, OrderType.STOP_LIMIT)
    return is_stop == (order.side is Side.BUY)


def _within(prefix: str, name: str) -> str:
    return prefix + name[0].upper() + name[1:]


def _which(command: CancelAtVenue | QueryOrder | AmendAtVenue | ReplaceAtVenue) -> Parameters:
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
