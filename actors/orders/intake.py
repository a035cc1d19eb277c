"""What cannot even become an order: the first look at an intent, before the journal."""

from collections import Counter
from collections.abc import Container
from decimal import Decimal, InvalidOperation

from actors.messages import OrderUpdated
from actors.model.order import WITH_PRICE, OrderSpec
from actors.model.order_id import is_order_id
from actors.model.order_state import OrderState
from runtime.actor import Context


def refusal(spec: OrderSpec, venues: Container[str]) -> str | None:
    """Why the ledger could not hold it, or None; everything else is the risk checker's to refuse."""
    if not is_order_id(spec.client_order_id):
        return "INVALID_ID: not 32 lowercase hex characters"
    if not is_positive(spec.quantity):
        return f"INVALID_QUANTITY: {spec.quantity!r}"
    if spec.type in WITH_PRICE and (spec.price is None or not is_positive(spec.price)):
        return f"INVALID_PRICE: {spec.price!r}"
    if spec.stop_price is not None and not is_positive(spec.stop_price):
        return f"INVALID_PRICE: {spec.stop_price!r} to be triggered at"
    if spec.venue and spec.venue not in venues:
        return f"UNKNOWN_VENUE: no account at {spec.venue!r}"
    return None


def refuse(spec: OrderSpec, reason: str, counters: Counter[str], ctx: Context) -> None:
    """It never becomes an order, and its strategy is told."""
    counters["refused"] += 1
    ctx.log.warning("order_refused", client_order_id=spec.client_order_id, reason=reason)
    update = OrderUpdated(spec, OrderState.DENIED, "0", None, reason, "", ctx.now())
    ctx.publish(f"orders.{spec.strategy}", update)


def is_positive(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0
