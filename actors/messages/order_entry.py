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
    """To a connector: make an open order smaller; it keeps its place in the queue.

    Answered by `OrderAmended` or `AmendRejected`.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    quantity: str
    """The new one, of the whole order: what is filled included."""
    epoch: int
    deadline: int


class ReplaceAtVenue(Message, frozen=True, array_like=True, tag=True):
    """To a connector: cancel an order and place `order`, which has been approved, only if that succeeded."""

    client_order_id: str
    """Of the order to cancel."""
    venue_order_id: str
    order: OrderSpec
    stamps: Stamps
    epoch: int
    deadline: int


class ListKind(Enum):
    OCO = "OCO"
    """Two orders for one quantity: one cancels the other."""
    OTO = "OTO"
    """The second order is placed when the first one is filled."""
    OTOCO = "OTOCO"
    """The same with an OCO pair as second and third order."""


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
