"""The way of an order to the venue, and who says no on it."""

from enum import Enum

from actors.model.order import OrderSpec, Stamps
from runtime.message import Message


class SubmitOrder(Message, frozen=True, array_like=True, tag=True):
    """strategy → order manager."""

    order: OrderSpec
    stamps: Stamps


class CancelOrder(Message, frozen=True, array_like=True, tag=True):
    """strategy → order manager. Cancels are never refused by a limit."""

    client_order_id: str
    strategy: str


class ModifyOrder(Message, frozen=True, array_like=True, tag=True):
    """strategy → order manager: give an open limit order another quantity, another price, or both."""

    client_order_id: str
    strategy: str
    new_client_order_id: str
    """For the order that takes its place where the venue cannot change one that is there."""
    quantity: str
    """Of the whole order: what is filled included; "" to leave it."""
    price: str
    """"" to leave it."""
    stamps: Stamps


class ListKind(Enum):
    OCO = "OCO"
    """Two orders for one quantity: one cancels the other."""
    OTO = "OTO"
    """The second order is placed when the first one is filled."""
    OTOCO = "OTOCO"
    """The same with an OCO pair as second and third order."""


class SubmitOrderList(Message, frozen=True, array_like=True, tag=True):
    """strategy → order manager: orders that depend on one another, for one symbol of one venue; all or none."""

    kind: ListKind
    orders: list[OrderSpec]
    stamps: Stamps


class CheckOrder(Message, frozen=True, array_like=True, tag=True):
    """order manager → risk checker. The intent is already in the journal."""

    order: OrderSpec
    stamps: Stamps
    epoch: int
    """Incarnation of the order manager; a connector refuses what an earlier one sent."""
    deadline: int
    """After this time the connector refuses to send it."""


class Approved(Message, frozen=True, array_like=True, tag=True):
    """risk checker → router: this order passed every check and its worst case is reserved.

    Only the risk checker makes one, and the router takes nothing else.
    """

    order: OrderSpec
    stamps: Stamps
    epoch: int
    deadline: int
    authority: int = 0
    """Incarnation of the risk checker; the router refuses what an earlier one approved."""


class CheckChange(Message, frozen=True, array_like=True, tag=True):
    """order manager → risk checker: the order `before` is to become `order`. The intent is already in the journal.

    With the same client order id it is changed where it is; with another, `order` takes its place and its quantity is
    only what is not filled yet. Answered by `ChangeDenied`, or by what the venue says.
    """

    before: OrderSpec
    order: OrderSpec
    filled: str
    """Of `before`, as far as is known."""
    venue_order_id: str
    """Of `before`."""
    stamps: Stamps
    epoch: int
    deadline: int


class ApprovedChange(Message, frozen=True, array_like=True, tag=True):
    """risk checker → router: the order passed every check before and after; the worse of both is reserved.

    Only the risk checker makes one, and the router takes nothing else.
    """

    change: CheckChange
    authority: int = 0


class ChangeDenied(Message, frozen=True, array_like=True, tag=True):
    """To the order manager: the change has certainly not left, in no part, and why; the order is as it was."""

    client_order_id: str
    reason: str
    """As in `OrderDenied`."""
    by: str


class CheckOrderList(Message, frozen=True, array_like=True, tag=True):
    """order manager → risk checker: as `CheckOrder`, for a whole list. A refusal is an `OrderDenied` for each order."""

    kind: ListKind
    orders: list[OrderSpec]
    stamps: Stamps
    epoch: int
    deadline: int


class ApprovedList(Message, frozen=True, array_like=True, tag=True):
    """risk checker → router: as `Approved`, for all of a list."""

    orders: CheckOrderList
    authority: int = 0


class PlaceOrder(Message, frozen=True, array_like=True, tag=True):
    """router → connector."""

    order: OrderSpec
    stamps: Stamps
    epoch: int
    deadline: int


class OrderRehearsed(Message, frozen=True, array_like=True, tag=True):
    """strategy → order manager → risk checker → router → connector: the way of an order, gone without one.

    Keeps what an order needs in the processors' caches. Nobody reserves, writes or remembers anything for it, and the
    connector makes the frame and sends nothing.
    """

    order: OrderSpec
    stamps: Stamps


class CancelAtVenue(Message, frozen=True, array_like=True, tag=True):
    """order manager → connector."""

    client_order_id: str
    venue_order_id: str
    """"" while the venue has not told it."""
    symbol: str
    epoch: int
    deadline: int


class PlaceOrders(Message, frozen=True, array_like=True, tag=True):
    """To a connector: these orders, in as few requests as the venue allows; each has an outcome of its own."""

    commands: list[PlaceOrder]


class CancelOrdersAtVenue(Message, frozen=True, array_like=True, tag=True):
    """To a connector: as `PlaceOrders`, for cancels."""

    commands: list[CancelAtVenue]


class AmendAtVenue(Message, frozen=True, array_like=True, tag=True):
    """To a connector: change an open order where it is. Only smaller, it keeps its place in the queue on spot.

    Answered by `OrderAmended` or `AmendRejected`.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    quantity: str
    """The new one, of the whole order: what is filled included."""
    epoch: int
    deadline: int
    order: OrderSpec | None = None
    """All of it as it is to be, where more than the quantity changes or the venue wants to be told the rest again."""


class ReplaceAtVenue(Message, frozen=True, array_like=True, tag=True):
    """To a connector: cancel an order and place `order`, which has been approved, only if that succeeded.

    What is filled of the old one beyond `filled` before it ends is never ordered again: then nothing is done, or
    `order` is placed with so much less, which is told as `OrderAmended` before it is accepted.
    """

    client_order_id: str
    """Of the order to cancel."""
    venue_order_id: str
    order: OrderSpec
    stamps: Stamps
    epoch: int
    deadline: int
    filled: str = "0"
    """Of the order to cancel, when the quantity of `order` was decided."""


class PlaceOrderList(Message, frozen=True, array_like=True, tag=True):
    """To a connector: place orders, each of which has been approved, that depend on one another: all or none."""

    kind: ListKind
    orders: list[OrderSpec]
    stamps: Stamps
    epoch: int
    deadline: int


class OrderDenied(Message, frozen=True, array_like=True, tag=True):
    """risk checker, router or connector → order manager: certainly not at the venue, and why."""

    client_order_id: str
    reason: str
    """Upper-case code, a colon, then words: `MAX_OPEN_ORDERS: 20 open, limit 20`."""
    by: str
    """Name of the actor that refused."""


class OrderRouted(Message, frozen=True, array_like=True, tag=True):
    """router → order manager: the decision, explained. It goes to the journal with the order."""

    client_order_id: str
    venue: str
    connector: str
    reasons: list[str]
    """One line per candidate: the venue, its score and what made it."""
    ts: int


class OrderSent(Message, frozen=True, array_like=True, tag=True):
    """connector → order manager and latency monitor: the frame has left."""

    client_order_id: str
    venue: str
    stamps: Stamps
