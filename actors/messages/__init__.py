"""Every message that crosses a mailbox, in one place. Commands are imperative, events are in the past tense.

    market data   connector ── Quote · Trade · BookSnapshot · BookDelta · BookInvalidated ──► strategies and others
    an order      strategy ── SubmitOrder ──► order manager ── CheckOrder ──► risk checker ── Approved ──► router
                  ── PlaceOrder ──► connector ══► venue
    its change    strategy ── ModifyOrder ──► order manager ── CheckChange ──► risk checker ── ApprovedChange ──► router
                  ── AmendAtVenue · ReplaceAtVenue ──► connector ══► venue
    its life      connector ── OrderAccepted · OrderFilled · … ──► order manager ── OrderUpdated · FillRecorded ──►

Prices, quantities and amounts are the venue's decimal strings; times are nanoseconds since the epoch. Positions in
the array are the wire format: a new field goes last and has a default.
"""

from actors.messages.contracts import ContractPosition, ForcedCause, PositionForceClosed, PositionsReported
from actors.messages.desk import DeskSnapshot, FillRecorded, Holding, OrderUpdated, PositionChanged
from actors.messages.execution import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
)
from actors.messages.history import HistoryFailed, HistoryPage, QueryHistory
from actors.messages.market_data import (
    AggregateTrade,
    BookDelta,
    BookInvalidated,
    BookLevels,
    BookSnapshot,
    EventQuarantined,
    Kline,
    Level,
    Liquidation,
    MarketEvent,
    MarkPrice,
    MiniTicker,
    Quote,
    Ticker,
    Trade,
)
from actors.messages.operator import (
    NEVER_REFUSED,
    ControlsChanged,
    FeedsMoved,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
    VenuesChanged,
)
from actors.messages.order_entry import (
    AmendAtVenue,
    Approved,
    ApprovedChange,
    ApprovedList,
    CancelAtVenue,
    CancelOrder,
    CancelOrdersAtVenue,
    ChangeDenied,
    CheckChange,
    CheckOrder,
    CheckOrderList,
    ListKind,
    ModifyOrder,
    OrderDenied,
    OrderRehearsed,
    OrderRouted,
    OrderSent,
    PlaceOrder,
    PlaceOrderList,
    PlaceOrders,
    ReplaceAtVenue,
    SubmitOrder,
    SubmitOrderList,
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
    "NEVER_REFUSED",
    "AccountReported",
    "AggregateTrade",
    "AmendAtVenue",
    "AmendRejected",
    "Approved",
    "ApprovedChange",
    "ApprovedList",
    "Balance",
    "BookDelta",
    "BookInvalidated",
    "BookLevels",
    "BookSnapshot",
    "CancelAtVenue",
    "CancelOrder",
    "CancelOrdersAtVenue",
    "CancelRejected",
    "ChangeDenied",
    "CheckChange",
    "CheckOrder",
    "CheckOrderList",
    "ContractPosition",
    "ControlsChanged",
    "DeskSnapshot",
    "EventQuarantined",
    "FeedsMoved",
    "FillRecorded",
    "FillsReported",
    "ForcedCause",
    "HistoryFailed",
    "HistoryPage",
    "Holding",
    "InstrumentsListed",
    "Kline",
    "Level",
    "Liquidation",
    "ListKind",
    "MarkPrice",
    "MarketEvent",
    "MiniTicker",
    "ModifyOrder",
    "OpenOrdersReported",
    "OperatorActed",
    "OperatorAction",
    "OperatorRecorded",
    "OrderAccepted",
    "OrderAmended",
    "OrderCanceled",
    "OrderDenied",
    "OrderExpired",
    "OrderFilled",
    "OrderNotFound",
    "OrderRehearsed",
    "OrderRejected",
    "OrderReported",
    "OrderRouted",
    "OrderSent",
    "OrderUpdated",
    "OutcomeUnknown",
    "PlaceOrder",
    "PlaceOrderList",
    "PlaceOrders",
    "PositionChanged",
    "PositionForceClosed",
    "PositionsReported",
    "QueryAccount",
    "QueryFailed",
    "QueryFills",
    "QueryHistory",
    "QueryOpenOrders",
    "QueryOrder",
    "Quote",
    "ReplaceAtVenue",
    "SubmitOrder",
    "SubmitOrderList",
    "Ticker",
    "Trade",
    "VenueDown",
    "VenueUp",
    "VenuesChanged",
]
