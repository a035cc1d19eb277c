"""What Binance Spot writes, field by field as in its documentation; fields that nobody reads here are left out.

Sources, in github.com/binance/binance-spot-api-docs: web-socket-streams.md, web-socket-api.md, user-data-stream.md,
rest-api.md. Times are milliseconds since the epoch.
"""

from enum import Enum

import msgspec
from msgspec import field

from actors.model.book import Level
from actors.model.order import Side
from actors.venues.binance_api.payloads import ErrorBody, Id, Millis, RateLimit

# ---- market data streams (web-socket-streams.md) ------------------------------------------------------------------


class BookTicker(msgspec.Struct, gc=False):
    bid: str = field(name="b")
    bid_quantity: str = field(name="B")
    ask: str = field(name="a")
    ask_quantity: str = field(name="A")
    update_id: Id = field(name="u", default=0)


class TradeTick(msgspec.Struct, gc=False):
    id: Id = field(name="t")
    price: str = field(name="p")
    quantity: str = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class AggregateTick(msgspec.Struct, gc=False):
    id: Id = field(name="a")
    price: str = field(name="p")
    quantity: str = field(name="q")
    first_id: Id = field(name="f")
    last_id: Id = field(name="l")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class RecentTrade(msgspec.Struct, gc=False):
    """A row of the REST interface's answer."""

    id: Id
    price: str
    quantity: str = field(name="qty")
    time: Millis
    buyer_is_maker: bool = field(name="isBuyerMaker")


class TickerTick(msgspec.Struct, gc=False):
    time: Millis = field(name="E")
    change: str = field(name="p")
    change_percent: str = field(name="P")
    average: str = field(name="w")
    last: str = field(name="c")
    last_quantity: str = field(name="Q")
    bid: str = field(name="b")
    bid_quantity: str = field(name="B")
    ask: str = field(name="a")
    ask_quantity: str = field(name="A")
    open: str = field(name="o")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")
    trades: int = field(name="n")


class MiniTickerTick(msgspec.Struct, gc=False):
    time: Millis = field(name="E")
    last: str = field(name="c")
    open: str = field(name="o")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")


class KlineBar(msgspec.Struct, gc=False):
    start: Millis = field(name="t")
    end: Millis = field(name="T")
    """The last millisecond of it."""
    interval: str = field(name="i")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    trades: int = field(name="n")
    closed: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_buy_volume: str = field(name="V")
    taker_buy_quote_volume: str = field(name="Q")


class KlineTick(msgspec.Struct):
    time: Millis = field(name="E")
    bar: KlineBar = field(name="k")


class PartialDepth(msgspec.Struct):
    last_id: Id = field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]


class DepthUpdate(msgspec.Struct):
    time: Millis = field(name="E")
    first_id: Id = field(name="U")
    last_id: Id = field(name="u")
    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")


class DepthSnapshot(msgspec.Struct):
    last_id: Id = field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]


# ---- REST (rest-api.md) -------------------------------------------------------------------------------------------


class Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    min_price: str = "0"
    max_price: str = "0"
    tick_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    step_size: str = "0"
    min_notional: str = "0"
    max_notional: str = "0"


class SymbolInfo(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[Filter] = []


class ExchangeInfo(msgspec.Struct, rename="camel"):
    symbols: list[SymbolInfo]
    rate_limits: list[RateLimit] = []


# ---- WebSocket API (web-socket-api.md) ----------------------------------------------------------------------------


class OrderStatus(Enum):
    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PENDING_CANCEL = "PENDING_CANCEL"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


class PlacedFill(msgspec.Struct, rename="camel"):
    price: str
    qty: str
    trade_id: Id
    commission: str = "0"
    commission_asset: str | None = None


class PlacedOrder(msgspec.Struct, rename="camel"):
    """Result of `order.place`; the response type ACK has neither status nor fills."""

    order_id: Id
    client_order_id: str
    transact_time: Millis
    executed_qty: str = "0"
    status: OrderStatus = OrderStatus.NEW
    fills: list[PlacedFill] = []
    expiry_reason: str = ""


class CanceledOrder(msgspec.Struct, rename="camel"):
    orig_client_order_id: str
    transact_time: Millis
    executed_qty: str
    status: OrderStatus


class CanceledList(msgspec.Struct, rename="camel"):
    """Result of `order.cancel` for an order of a list, all of which are cancelled with it."""

    order_reports: list[CanceledOrder]


class ReplacedOrder(msgspec.Struct, rename="camel"):
    """Result of `order.cancelReplace`."""

    cancel_response: CanceledOrder
    new_order_response: PlacedOrder


class AmendedTerms(msgspec.Struct, rename="camel"):
    qty: str


class AmendedOrder(msgspec.Struct, rename="camel"):
    """Result of `order.amend.keepPriority`."""

    transact_time: Millis
    amended_order: AmendedTerms


class PlacedList(msgspec.Struct, rename="camel"):
    """Result of `orderList.place.oco`, `….oto` and `….otoco`."""

    order_reports: list[PlacedOrder]


class OrderInfo(msgspec.Struct, rename="camel"):
    """Result of `order.status`; `openOrders.status` is a list of them."""

    symbol: str
    order_id: Id
    client_order_id: str
    side: Side
    orig_qty: str
    executed_qty: str
    status: OrderStatus
    price: str = ""


class AccountTrade(msgspec.Struct, rename="camel"):
    symbol: str
    id: Id
    order_id: Id
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: Millis
    is_buyer: bool
    is_maker: bool


class AssetBalance(msgspec.Struct):
    asset: str
    free: str
    locked: str


class AccountStatus(msgspec.Struct):
    balances: list[AssetBalance]


# ---- user data stream (user-data-stream.md) -----------------------------------------------------------------------


class ExecutionType(Enum):
    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class UserEvent(msgspec.Struct, tag_field="e"):
    pass


class ExecutionReport(UserEvent, tag="executionReport"):
    symbol: str = field(name="s")
    client_order_id: str = field(name="c")
    side: Side = field(name="S")
    original_client_order_id: str = field(name="C")
    """Of the order that is canceled; then `c` is the id of the cancel."""
    execution: ExecutionType = field(name="x")
    status: OrderStatus = field(name="X")
    reject_reason: str = field(name="r")
    order_id: Id = field(name="i")
    last_quantity: str = field(name="l")
    filled_quantity: str = field(name="z")
    last_price: str = field(name="L")
    commission: str = field(name="n")
    commission_asset: str | None = field(name="N")
    time: Millis = field(name="T")
    trade_id: Id = field(name="t")
    is_maker: bool = field(name="m")
    expiry_reason: str = field(name="eR", default="")
    execution_id: int = field(name="I", default=0)
    quantity: str = field(name="q", default="")
    quote_quantity: str = field(name="Q", default="0")
    """What of the quote asset was to be spent or got; zero for most orders."""


class ChangedBalance(msgspec.Struct):
    asset: str = field(name="a")
    free: str = field(name="f")
    locked: str = field(name="l")


class AccountPosition(UserEvent, tag="outboundAccountPosition"):
    balances: list[ChangedBalance] = field(name="B")
    time: Millis = field(name="E", default=0)


class StreamTerminated(UserEvent, tag="eventStreamTerminated"):
    pass


class ServerShutdown(UserEvent, tag="serverShutdown"):
    pass


class BalanceUpdate(UserEvent, tag="balanceUpdate"):
    """A deposit or transfer; the balance itself comes as `outboundAccountPosition`."""


class ListStatus(UserEvent, tag="listStatus"):
    """Of order lists, which are not placed here."""


class ExternalLockUpdate(UserEvent, tag="externalLockUpdate"):
    pass


AnyUserEvent = (
    ExecutionReport
    | AccountPosition
    | StreamTerminated
    | ServerShutdown
    | BalanceUpdate
    | ListStatus
    | ExternalLockUpdate
)


USER_EVENTS = frozenset(
    {
        "executionReport",
        "outboundAccountPosition",
        "eventStreamTerminated",
        "serverShutdown",
        "balanceUpdate",
        "listStatus",
        "externalLockUpdate",
    }
)


class EventName(msgspec.Struct):
    kind: str = field(name="e")


class EventFrame(msgspec.Struct):
    """Just enough of an event to see what it is."""

    event: EventName


class TradeFrame(msgspec.Struct, rename="camel"):
    """A frame of the WebSocket API: the answer to request `id`, or an event."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw()
    error: ErrorBody | None = None
    rate_limits: list[RateLimit] = []
    event: AnyUserEvent | None = None
