"""What cannot even become an order: the first look at an intent, before the journal."""

from collections.abc import Container
from decimal import Decimal, InvalidOperation

from actors.model.order import OrderSpec, OrderType
from actors.model.order_id import is_order_id


def refusal(spec: OrderSpec, venues: Container[str]) -> str | None:
    """Why the ledger could not hold it, or None; everything else is the risk checker's to refuse."""
    if not is_order_id(spec.client_order_id):
        return "INVALID_ID: not 32 lowercase hex characters"
    if not is_positive(spec.quantity):
        return f"INVALID_QUANTITY: {spec.quantity!r}"
    if spec.type is OrderType.LIMIT and (spec.price is None or not is_positive(spec.price)):
        return f"INVALID_PRICE: {spec.price!r}"
    if spec.venue and spec.venue not in venues:
        return f"UNKNOWN_VENUE: no account at {spec.venue!r}"
    return None


def is_positive(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0
