"""What becomes of a command that was not carried out, or of which nobody knows: the same for every venue."""

from typing import assert_never

from actors.messages import (
    AmendAtVenue,
    Approved,
    ApprovedChange,
    ApprovedList,
    CancelAtVenue,
    CancelRejected,
    ChangeDenied,
    CheckChange,
    CheckOrder,
    CheckOrderList,
    OrderDenied,
    OutcomeUnknown,
    PlaceOrder,
    PlaceOrderList,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    ReplaceAtVenue,
)
from actors.venues.contract import Change, Command

Asked = CheckOrder | Approved | CheckChange | ApprovedChange | CheckOrderList | ApprovedList
"""On the way to the connector, before and after its approval."""
Denial = OrderDenied | ChangeDenied
Refusal = OrderDenied | CancelRejected | QueryFailed


def deny(asked: Asked, reason: str, by: str) -> list[Denial]:
    """It got no further than to `by`: nothing of it has left."""
    match asked:
        case CheckOrder() | Approved():
            return [OrderDenied(asked.order.client_order_id, reason, by)]
        case CheckChange(before=before) | ApprovedChange(change=CheckChange(before=before)):
            return [ChangeDenied(before.client_order_id, reason, by)]
        case CheckOrderList(orders=orders) | ApprovedList(orders=CheckOrderList(orders=orders)):
            return [OrderDenied(order.client_order_id, reason, by) for order in orders]
        case _:
            assert_never(asked)


def refuse(venue: str, command: Command, code: str, words: str, now: int, by: str = "") -> Refusal:
    """It certainly was not carried out. A cancel that is refused leaves its order as it is."""
    match command:
        case PlaceOrder():
            return OrderDenied(command.order.client_order_id, f"{code}: {words}", by)
        case CancelAtVenue():
            return CancelRejected(venue, command.client_order_id, code, words, now)
        case _:
            return QueryFailed(venue, type(command).__name__, key_of(command), f"{code}: {words}")


def refuse_any(
    venue: str, command: PlaceOrder | CancelAtVenue | Change, code: str, words: str, now: int, by: str = ""
) -> list[Refusal | Denial]:
    if isinstance(command, PlaceOrder | CancelAtVenue):
        return [refuse(venue, command, code, words, now, by)]
    return [*refuse_change(venue, command, code, words, now, by)]


def lose(venue: str, command: Command, reason: str, now: int) -> OutcomeUnknown | QueryFailed:
    """It left, and whether it was carried out is not known."""
    match command:
        case PlaceOrder():
            return OutcomeUnknown(venue, command.order.client_order_id, reason, now)
        case CancelAtVenue():
            return OutcomeUnknown(venue, command.client_order_id, reason, now)
        case _:
            return QueryFailed(venue, type(command).__name__, key_of(command), reason)


def refuse_change(venue: str, change: Change, code: str, words: str, now: int, by: str = "") -> list[Denial]:
    """It certainly was not carried out, in no part."""
    reason = f"{code}: {words}"
    match change:
        case AmendAtVenue() | ReplaceAtVenue():
            return [ChangeDenied(change.client_order_id, reason, by)]
        case PlaceOrderList():
            return [OrderDenied(order.client_order_id, reason, by) for order in change.orders]
        case _:
            assert_never(change)


def lose_change(venue: str, change: Change, reason: str, now: int) -> list[OutcomeUnknown]:
    """It left, and whether it was carried out is not known."""
    return [OutcomeUnknown(venue, id, reason, now) for id in orders_of(change)]


def orders_of(change: Change) -> list[str]:
    """Client order ids of all that it is about."""
    match change:
        case AmendAtVenue():
            return [change.client_order_id]
        case ReplaceAtVenue():
            return [change.client_order_id, change.order.client_order_id]
        case PlaceOrderList():
            return [order.client_order_id for order in change.orders]
        case _:
            assert_never(change)


def key_of(query: QueryOrder | QueryOpenOrders | QueryFills | QueryAccount) -> str:
    """What a query is about: client order id or symbol, "" where there is neither."""
    match query:
        case QueryOrder():
            return query.client_order_id
        case QueryFills():
            return query.symbol
        case QueryOpenOrders() | QueryAccount():
            return ""
