"""What the venue says about orders, normalised: connector → order manager."""

from actors.model.order import Side
from runtime.message import Message


class OrderAccepted(Message, frozen=True, array_like=True, tag=True):
    venue: str
    client_order_id: str
    venue_order_id: str
    ts_venue: int
    ts_recv: int


class OrderRejected(Message, frozen=True, array_like=True, tag=True):
    """The venue said no: the order is certainly not there."""

    venue: str
    client_order_id: str
    code: str
    reason: str
    ts_recv: int


class OrderFilled(Message, frozen=True, array_like=True, tag=True):
    """One execution. (venue, symbol, trade_id) is unique: the same fill may be told twice and counts once."""

    venue: str
    client_order_id: str
    venue_order_id: str
    symbol: str
    trade_id: str
    side: Side
    price: str
    quantity: str
    fee: str
    fee_asset: str
    maker: bool
    ts_venue: int
    ts_recv: int


class OrderCanceled(Message, frozen=True, array_like=True, tag=True):
    venue: str
    client_order_id: str
    filled_quantity: str
    """What the venue says was filled in all: the order manager asks for fills that it misses."""
    ts_venue: int
    ts_recv: int


class OrderExpired(Message, frozen=True, array_like=True, tag=True):
    """The venue ended it by its own rules (IOC or FOK remainder, self-trade prevention, …)."""

    venue: str
    client_order_id: str
    filled_quantity: str
    reason: str
    ts_venue: int
    ts_recv: int


class OrderAmended(Message, frozen=True, array_like=True, tag=True):
    """The order has another quantity or price now."""

    venue: str
    client_order_id: str
    quantity: str
    """Of the whole order: what is filled included."""
    ts_venue: int
    ts_recv: int
    price: str = ""
    """"" where it is as before."""


class AmendRejected(Message, frozen=True, array_like=True, tag=True):
    """The venue has not changed the order, perhaps because it is done already."""

    venue: str
    client_order_id: str
    code: str
    reason: str
    ts_recv: int


class CancelRejected(Message, frozen=True, array_like=True, tag=True):
    """The venue refused to cancel, mostly because the order is already done."""

    venue: str
    client_order_id: str
    code: str
    reason: str
    ts_recv: int


class OutcomeUnknown(Message, frozen=True, array_like=True, tag=True):
    """A place or cancel may or may not have been carried out: timeout, lost link, 5xx, −1007."""

    venue: str
    client_order_id: str
    reason: str
    ts: int
