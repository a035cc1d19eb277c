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
    STOP = "STOP"
    """A market order once the market has gone against the position: to `stop_price`, or by `trailing_bps`."""
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    """A market order once the market has gone in favour of the position."""
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


WITH_PRICE = frozenset((OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT))
TRIGGERED = frozenset((OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT))


class TimeInForce(Enum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class PositionSide(Enum):
    """Which position an order opens or closes where an account holds long and short apart (hedge mode)."""

    LONG = "LONG"
    SHORT = "SHORT"


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
    stop_price: str | None = None
    """Price that triggers a stop or take-profit order."""
    trailing_bps: int | None = None
    """The trigger follows the best price so many hundredths of a percent away; from `stop_price` on if given."""
    visible_quantity: str | None = None
    """Of an iceberg: how much of it the book shows at a time."""
    quote_quantity: str | None = None
    """Of a market order: how much of the quote asset to spend or to get. `quantity` is then what is counted for it at
    most, and is not sent."""
    reduce_only: bool = False
    """Meant to make a position smaller: it goes before other new orders when the venue's limits are near, and a venue
    that knows such orders is told so."""
    position_side: PositionSide | None = None
    """None for an account with one position for each instrument."""
    good_till: int = 0
    """The venue cancels it then, nanoseconds since the epoch; 0 for never. For a limit order that is GTC."""
    replaces: str = ""
    """Client order id of the order that ends when this one begins: it was changed and this is what it became."""
    list_id: str = ""
    """Client order id of the first order of the order list that it is part of."""
    exclusive: bool = False
    """It and the others of its list that are so exclude one another: one works and the others end."""


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
