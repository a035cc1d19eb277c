"""Every message that crosses a mailbox, in one place. Commands are imperative, events are in the past tense.

    market data   connector ── Quote · Trade · BookSnapshot · BookDelta · BookInvalidated ──► strategies and others
    an order      strategy ── SubmitOrder ──► order manager ── CheckOrder ──► risk checker ── Approved ──► router
                  ── PlaceOrder ──► connector ══► venue
    its life      connector ── OrderAccepted · OrderFilled · … ──► order manager ── OrderUpdated · FillRecorded ──►

Prices, quantities and amounts are the venue's decimal strings; times are nanoseconds since the epoch. Positions in
the array are the wire format: a new field goes last and has a default.
"""

from actors.messages.desk import DeskSnapshot, FillRecorded, Holding, OrderUpdated, PositionChanged
from actors.messages.execution import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
)
from actors.messages.market_data import BookDelta, BookInvalidated, BookSnapshot, Level, MarketEvent, Quote, Trade
from actors.messages.order_entry import (
    Approved,
    CancelAtVenue,
    CancelOrder,
    CheckOrder,
    OrderDenied,
    OrderRouted,
    OrderSent,
    PlaceOrder,
    SubmitOrder,
)
from actors.messages.venue_queries import (
    AccountReported,
    Balance,
    FillsReported,
    OpenOrdersReported,
    OrderNotFound,
    OrderReported,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.messages.venue_state import InstrumentsListed, VenueDown, VenueUp
from runtime import protocol  # noqa: F401
from runtime.message import Message
from runtime.transport.wire import Codec, message_types

CODEC = Codec(message_types(Message))
"""All that may be told between the actors of a desk, the messages of `runtime.protocol` included."""

__all__ = [
    "CODEC",
    "AccountReported",
    "Approved",
    "Balance",
    "BookDelta",
    "BookInvalidated",
    "BookSnapshot",
    "CancelAtVenue",
    "CancelOrder",
    "CancelRejected",
    "CheckOrder",
    "DeskSnapshot",
    "FillRecorded",
    "FillsReported",
    "Holding",
    "InstrumentsListed",
    "Level",
    "MarketEvent",
    "OpenOrdersReported",
    "OrderAccepted",
    "OrderCanceled",
    "OrderDenied",
    "OrderExpired",
    "OrderFilled",
    "OrderNotFound",
    "OrderRejected",
    "OrderReported",
    "OrderRouted",
    "OrderSent",
    "OrderUpdated",
    "OutcomeUnknown",
    "PlaceOrder",
    "PositionChanged",
    "QueryAccount",
    "QueryFailed",
    "QueryFills",
    "QueryOpenOrders",
    "QueryOrder",
    "Quote",
    "SubmitOrder",
    "Trade",
    "VenueDown",
    "VenueUp",
]
