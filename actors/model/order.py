"""The nouns of an order: side, type, time in force, and the values that travel with it.

Prices and quantities are the venue's own decimal strings; whoever calculates makes a `Decimal` of them.
"""

from enum import Enum

import msgspec


class Side(Enum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(Enum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(Enum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderSpec(msgspec.Struct, frozen=True, array_like=True):
    """What somebody wants done. `client_order_id` is 32 lowercase hex characters, legal on every venue."""

    client_order_id: str
    strategy: str
    venue: str
    """Name of a venue in the configuration, or "" to let the router choose."""
    symbol: str
    side: Side
    type: OrderType
    quantity: str
    """Base quantity."""
    price: str | None = None
    """Limit price; None for a market order."""
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False


class Stamps(msgspec.Struct, frozen=True, array_like=True):
    """When an order passed each hop, nanoseconds since the epoch; 0 where it has not been."""

    market_recv: int = 0
    """The market data that caused it was read from the socket."""
    submitted: int = 0
    """The strategy sent it."""
    journaled: int = 0
    """Its intent is in the journal."""
    approved: int = 0
    routed: int = 0
    sent: int = 0
    """Its frame was written to the venue's socket."""
    acknowledged: int = 0
    """The venue's answer was read."""
