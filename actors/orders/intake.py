"""What cannot even become an order: the first look at an intent, before the journal."""

from collections import Counter
from collections.abc import Container
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec.structs import replace

from actors.messages import ModifyOrder, OrderRehearsed, OrderUpdated, SubmitOrder, SubmitOrderList
from actors.model.order import WITH_PRICE, OrderSpec
from actors.model.order_id import is_order_id
from actors.model.order_state import OrderState
from runtime.actor import Context

NOT_OPEN = "NOT_DURABLE: it is not known yet whether the journal here or the follower's copy is the newest"


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


class Early:
    """Part of the order manager: what comes before its journal is open.

    A new order is refused at once, and a change comes to nothing: by the time that they could go, nobody may want them
    any more. All else waits.
    """

    _counters: Counter[str]

    def before_open(self, message: Any, ctx: Context) -> Any:
        match message:
            case SubmitOrder(order):
                refuse(order, NOT_OPEN, self._counters, ctx)
            case SubmitOrderList(orders=orders):
                for order in orders:
                    refuse(order, NOT_OPEN, self._counters, ctx)
            case ModifyOrder():
                return replace(message, quantity="", price="")
            case OrderRehearsed():
                pass
            case _:
                return message
        return None


def is_positive(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0
