"""The way of an order to the venue, and who says no on it."""

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


class CancelAtVenue(Message, frozen=True, array_like=True, tag=True):
    """order manager → connector."""

    client_order_id: str
    venue_order_id: str
    """"" while the venue has not told it."""
    symbol: str
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
