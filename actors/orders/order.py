"""One order as the ledger keeps it, and what one record did to it."""

from decimal import Decimal
from enum import Enum

import msgspec

from actors.messages import OrderFilled
from actors.model.order import OrderSpec
from actors.model.order_state import FINAL, OrderEvent, OrderState
from actors.model.position import ZERO


class Anomaly(Enum):
    FOREIGN = "foreign"
    """About an order that is not, or no longer, known here."""
    DUPLICATE_ORDER = "duplicate_order"
    DUPLICATE_FILL = "duplicate_fill"
    LATE_FILL = "late_fill"
    """Counted, for an order that was final."""
    OVERFILL = "overfill"
    """Counted, and more than was ordered."""
    ILLEGAL = "illegal_transition"
    RESURRECTED = "resurrected"
    """The venue has an order that was taken for refused or unsent."""


class Order(msgspec.Struct):
    """One order as the desk knows it. Owned by the ledger; others read."""

    spec: OrderSpec
    """With the venue once the router has chosen it."""
    quantity: Decimal
    submitted: int
    """When its intent was written, nanoseconds since the epoch."""
    updated: int
    state: OrderState = OrderState.PENDING
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    """Sum of price times quantity of its fills."""
    venue_filled: Decimal = ZERO
    """The most that the venue has said to be filled."""
    ending: OrderEvent | None = None
    """How the venue ended it, while fills are missing."""
    venue_order_id: str = ""
    reason: str = ""
    sent: bool = False
    """It has left: told by the connector, or the venue has spoken of it."""
    at_venue: bool = False
    """The venue has, or had, it."""
    cancel_requested: bool = False
    trade_ids: set[str] = msgspec.field(default_factory=set)
    change: OrderSpec | None = None
    """What it was to become, until it is known whether it has; another order if the client order id is another."""
    change_ts: int = 0
    """When that was intended."""
    successor: str = ""
    """Client order id of what was to take its place last."""

    @property
    def amending(self) -> bool:
        """It may have been changed where it is."""
        return self.change is not None and self.change.client_order_id == self.spec.client_order_id

    @property
    def final(self) -> bool:
        return self.state in FINAL

    @property
    def behind(self) -> bool:
        """Fills are missing here."""
        return self.filled < self.venue_filled

    @property
    def average_price(self) -> Decimal | None:
        return self.cost / self.filled if self.filled else None


class Outcome(msgspec.Struct):
    """What one record did."""

    news: bool = False
    """Something changed, so the record belongs into the journal."""
    orders: list[Order] = msgspec.field(default_factory=list)
    """Orders that look different now, or miss fills that they did not miss before."""
    fill: OrderFilled | None = None
    """Counted for the first time; its client order id is filled in."""
    anomalies: list[Anomaly] = msgspec.field(default_factory=list)
    detail: str = ""


def is_as_wanted(order: Order, quantity: str, price: str) -> bool:
    """Whether what the venue says is what the order was to become; `price` is "" where it is not told."""
    wanted = order.change
    if wanted is None or Decimal(quantity or 0) != Decimal(wanted.quantity):
        return False
    same_price = wanted.price == order.spec.price
    return same_price or (price != "" and wanted.price is not None and Decimal(price) == Decimal(wanted.price))


def is_less(order: Order, quantity: str) -> bool:
    """It took another order's place with less than was thought: more of that one was filled than was known."""
    return order.spec.replaces != "" and 0 < Decimal(quantity or 0) < order.quantity
