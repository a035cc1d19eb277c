"""The desk's own truth: the order manager publishes it on `orders.*` and `fills.*`, the portfolio on `positions.*`."""

from decimal import Decimal

import msgspec

from actors.messages.execution import OrderFilled
from actors.model.order import OrderSpec
from actors.model.order_state import OrderState
from actors.model.position import Position
from runtime.message import Message


class OrderUpdated(Message, frozen=True, array_like=True, tag=True):
    """An order changed state. Topics `orders.<strategy>` (so `orders.*` is all)."""

    order: OrderSpec
    state: OrderState
    filled_quantity: str
    average_price: str | None
    reason: str
    venue_order_id: str
    ts: int
    pending: OrderSpec | None = None
    """What it becomes if the change that is on its way is carried out; another order if the id is another."""


class FillRecorded(Message, frozen=True, array_like=True, tag=True):
    """A fill counted for the first time. Topic `fills.<strategy>`."""

    strategy: str
    fill: OrderFilled
    ts: int


class Holding(msgspec.Struct, frozen=True, array_like=True):
    """A position with what its fills have cost and brought so far."""

    venue: str
    symbol: str
    quantity: str
    average_price: str | None
    realized_pnl: str
    """In the quote asset, fees not deducted."""
    fees: dict[str, str]
    """Asset → paid in all."""

    @property
    def key(self) -> str:
        """ "<venue>.<SYMBOL>"."""
        return f"{self.venue}.{self.symbol}"

    def position(self) -> Position:
        return Position(
            Decimal(self.quantity),
            None if self.average_price is None else Decimal(self.average_price),
            Decimal(self.realized_pnl),
            {asset: Decimal(fee) for asset, fee in self.fees.items()},
        )


class DeskSnapshot(Message, frozen=True, array_like=True, tag=True):
    """order manager → a subscriber at the start of its subscription: what its events continue from.

    For a strategy its own; for `orders.*` the whole desk.
    """

    orders: list[OrderUpdated]
    """Those that are not final."""
    positions: dict[str, str]
    """"<venue>.<symbol>" → signed base quantity: the sum of all fills."""
    recovering: bool
    """True while the order manager has not yet reconciled every venue; another snapshot follows when it has."""
    holdings: tuple[Holding, ...] = ()
    """The same positions in full."""
    epoch: int = 0
    """Of the order manager that tells it."""
    strategies: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """Of the whole desk: strategy → the same for it alone."""
    halted: str = ""
    """Of the whole desk, as in `ControlsChanged`."""
    limits: dict[str, str] = msgspec.field(default_factory=dict)


class PositionChanged(Message, frozen=True, array_like=True, tag=True):
    """Topic `positions.<venue>.<symbol>`. Quantity is signed; opened and closed show as from and to zero."""

    venue: str
    symbol: str
    quantity: str
    previous_quantity: str
    average_price: str | None
    realized_pnl: str
    """In the quote asset, fees in it deducted."""
    ts: int
