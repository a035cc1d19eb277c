"""What becomes of a command that was not carried out, or of which nobody knows: the same for every venue."""

from actors.messages import (
    CancelAtVenue,
    CancelRejected,
    OrderDenied,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.venues.contract import Command

Refusal = OrderDenied | CancelRejected | QueryFailed


def refuse(venue: str, command: Command, code: str, words: str, now: int, by: str = "") -> Refusal:
    """It certainly was not carried out. A cancel that is refused leaves its order as it is."""
    match command:
        case PlaceOrder():
            return OrderDenied(command.order.client_order_id, f"{code}: {words}", by)
        case CancelAtVenue():
            return CancelRejected(venue, command.client_order_id, code, words, now)
        case _:
            return QueryFailed(venue, type(command).__name__, key_of(command), f"{code}: {words}")


def lose(venue: str, command: Command, reason: str, now: int) -> OutcomeUnknown | QueryFailed:
    """It left, and whether it was carried out is not known."""
    match command:
        case PlaceOrder():
            return OutcomeUnknown(venue, command.order.client_order_id, reason, now)
        case CancelAtVenue():
            return OutcomeUnknown(venue, command.client_order_id, reason, now)
        case _:
            return QueryFailed(venue, type(command).__name__, key_of(command), reason)


def key_of(query: QueryOrder | QueryOpenOrders | QueryFills | QueryAccount) -> str:
    """What a query is about: client order id or symbol, "" where there is neither."""
    match query:
        case QueryOrder():
            return query.client_order_id
        case QueryFills():
            return query.symbol
        case QueryOpenOrders() | QueryAccount():
            return ""
