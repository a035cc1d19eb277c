"""What a venue of contracts says about the account's positions: connector → whoever follows `venue.<venue>`."""

from enum import Enum

from actors.model.order import PositionSide, Side
from runtime.message import Message


class ContractPosition(Message, frozen=True, array_like=True, tag=True):
    symbol: str
    side: PositionSide | None
    """None where long and short are one position."""
    quantity: str
    """Signed base quantity."""
    entry_price: str
    unrealized_pnl: str
    """In the asset that the contract is margined in."""


class PositionsReported(Message, frozen=True, array_like=True, tag=True):
    """Positions by the venue's own books: all that are not flat if `complete`, else those that changed."""

    venue: str
    positions: list[ContractPosition]
    complete: bool
    reason: str
    """Why they changed, in the venue's word: ORDER, FUNDING_FEE, …; "" for the answer to a query."""
    ts_recv: int


class ForcedCause(Enum):
    LIQUIDATION = "LIQUIDATION"
    AUTO_DELEVERAGING = "AUTO_DELEVERAGING"
    SETTLEMENT = "SETTLEMENT"
    DELIVERY = "DELIVERY"


class PositionForceClosed(Message, frozen=True, array_like=True, tag=True):
    """The venue itself closed a position or a part of it: one fill of an order that nobody here sent."""

    venue: str
    symbol: str
    cause: ForcedCause
    side: Side
    """Of the order that closed it."""
    price: str
    quantity: str
    client_order_id: str
    """The venue's own."""
    ts_venue: int
    ts_recv: int
