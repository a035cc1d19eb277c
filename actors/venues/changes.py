"""Which changes a kind of venue makes to an order where it is; for all others the order is replaced by another one.

Known before a change is intended, because what takes an order's place is an order of its own in the desk's books.
"""

from collections.abc import Callable
from decimal import Decimal

from actors.model.order import OrderSpec

IsInPlace = Callable[[OrderSpec, str, str], bool]
"""Of an open limit order, its new quantity and its new price."""


def _only_smaller(order: OrderSpec, quantity: str, price: str) -> bool:
    """`order.amend.keepPriority`: anything else is a cancel-replace."""
    return Decimal(price) == Decimal(order.price or 0) and Decimal(quantity) < Decimal(order.quantity)


def _always(order: OrderSpec, quantity: str, price: str) -> bool:
    return True


IN_PLACE: dict[str, IsInPlace] = {"binance": _only_smaller, "binance-usdm": _always}
"""By the venue's kind; one that is not here changes no orders."""
