"""Every message that crosses a mailbox, in one place. Commands are imperative, events are in the past tense.

    market data   connector ── Quote · Trade · BookSnapshot · BookDelta · BookInvalidated ──► strategies and others
    an order      strategy ── SubmitOrder ──► order manager ── CheckOrder ──► risk checker ── Approved ──► router
                  ── PlaceOrder ──► connector ══► venue
    its life      connector ── OrderAccepted · OrderFilled · … ──► order manager ── OrderUpdated · FillRecorded ──►

Prices, quantities and amounts are the venue's decimal strings; times are nanoseconds since the epoch. Positions in
the array are the wire format: a new field goes last and has a default.
"""

from typing import ClassVar

import msgspec

from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, Side, Stamps
from actors.model.order_state import OrderState
from runtime import protocol as protocol
from runtime.message import Lane, Message, Overflow
from runtime.transport.wire import Codec, message_types

Level = tuple[str, str]
"""(price, quantity)."""

# ---- market data: published by a connector on "<kind>.<venue>.<symbol>" ------------------------------------------


class MarketEvent(Message, frozen=True, array_like=True, tag=True):
    """`kind` is the first part of the topic."""

    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.LATEST
    kind: ClassVar[str] = ""

    venue: str
    symbol: str

    @property
    def topic(self) -> str:
        return f"{self.kind}.{self.venue}.{self.symbol}"

    @property
    def instrument(self) -> str:
        """As a configuration and a strategy name it: `<venue>.<SYMBOL>`."""
        return f"{self.venue}.{self.symbol}"


class Quote(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """Best bid and ask changed. Topic `quote.<venue>.<symbol>`."""

    kind: ClassVar[str] = "quote"

    bid: str
    bid_quantity: str
    ask: str
    ask_quantity: str
    ts_venue: int
    """0 where the venue gives none."""
    ts_recv: int


class Trade(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """Somebody traded. Topic `trade.<venue>.<symbol>`."""

    kind: ClassVar[str] = "trade"
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    trade_id: str
    price: str
    quantity: str
    aggressor: Side
    ts_venue: int
    ts_recv: int


class BookSnapshot(MarketEvent, frozen=True, array_like=True, tag=True):
    """The whole book as it is after update `sequence`. Topic `book.<venue>.<symbol>`, as for the next two."""

    kind: ClassVar[str] = "book"
    refreshes: ClassVar[bool] = True

    sequence: int
    bids: list[Level]
    """Best first."""
    asks: list[Level]
    ts_venue: int
    ts_recv: int


class BookDelta(MarketEvent, frozen=True, array_like=True, tag=True):
    """Levels that changed; a quantity is absolute, zero removes the level.

    Applies only to a book whose sequence equals `previous`.
    """

    kind: ClassVar[str] = "book"
    overflow: ClassVar[Overflow] = Overflow.REFRESH

    previous: int
    sequence: int
    bids: list[Level]
    asks: list[Level]
    ts_venue: int
    ts_recv: int


class BookInvalidated(MarketEvent, frozen=True, array_like=True, tag=True):
    """Nobody may trade on this book until a `BookSnapshot` follows."""

    kind: ClassVar[str] = "book"

    reason: str
    ts_recv: int


# ---- the way of an order to the venue ----------------------------------------------------------------------------


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


# ---- what the venue says, normalised: connector → order manager --------------------------------------------------


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


# ---- asking the venue: order manager → connector, and its answers ------------------------------------------------


class QueryOrder(Message, frozen=True, array_like=True, tag=True):
    client_order_id: str
    symbol: str
    venue_order_id: str = ""
    """Asked for by this one where it is known: a venue may give a cancelled order another client order id."""


class QueryOpenOrders(Message, frozen=True, array_like=True, tag=True):
    """All open orders of the account."""


class QueryFills(Message, frozen=True, array_like=True, tag=True):
    """Fills of one order, or all of the symbol since `since` if `venue_order_id` is ""."""

    symbol: str
    venue_order_id: str
    since: int


class QueryAccount(Message, frozen=True, array_like=True, tag=True):
    """Balances of the account."""


class OrderReported(Message, frozen=True, array_like=True, tag=True):
    """What the venue says about one order now; the answer to `QueryOrder`."""

    venue: str
    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    quantity: str
    filled_quantity: str
    state: OrderState
    """ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED or EXPIRED."""
    ts_recv: int


class OrderNotFound(Message, frozen=True, array_like=True, tag=True):
    """The venue knows no such order (it may still be on its way to it)."""

    venue: str
    client_order_id: str
    ts_recv: int


class OpenOrdersReported(Message, frozen=True, array_like=True, tag=True):
    venue: str
    orders: list[OrderReported]
    ts_recv: int


class FillsReported(Message, frozen=True, array_like=True, tag=True):
    venue: str
    symbol: str
    fills: list[OrderFilled]
    """`client_order_id` is "" where the venue does not say it."""
    ts_recv: int


class Balance(Message, frozen=True, array_like=True, tag=True):
    asset: str
    free: str
    locked: str


class AccountReported(Message, frozen=True, array_like=True, tag=True):
    """Balances of the account: all of them if `complete`, else only those that changed."""

    venue: str
    balances: list[Balance]
    complete: bool
    ts_recv: int


class QueryFailed(Message, frozen=True, array_like=True, tag=True):
    """A query got no answer; ask again later."""

    venue: str
    query: str
    """Class name of the query."""
    key: str
    """Client order id or symbol; "" where there is none."""
    reason: str


# ---- the state of a venue: published on "venue.<venue>", told to order manager, risk checker and router ----------


class VenueUp(Message, frozen=True, array_like=True, tag=True):
    """Logged in and hearing the account's events: orders may go, and it is time to reconcile."""

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    connector: str
    ts: int


class VenueDown(Message, frozen=True, array_like=True, tag=True):
    """Orders cannot go; those in flight have been told as `OutcomeUnknown`."""

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    reason: str
    ts: int


class InstrumentsListed(Message, frozen=True, array_like=True, tag=True):
    """Instruments of a venue with their filters, after each (re)connect."""

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    instruments: list[Instrument]


# ---- the desk's own truth: published by the order manager on "orders" and "fills", by the portfolio on "positions" -


class OrderUpdated(Message, frozen=True, array_like=True, tag=True):
    """An order changed state. Topics `orders.<strategy>` (so `orders.*` is all)."""

    order: OrderSpec
    state: OrderState
    filled_quantity: str
    average_price: str | None
    reason: str
    venue_order_id: str
    ts: int


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
    holdings: list[Holding] = []
    """The same positions in full."""


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


CODEC = Codec(message_types(Message))
"""All that may be told between the actors of a desk, the runtime's own messages included."""
