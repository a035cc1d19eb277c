"""What Binance USD-M futures write where it differs from spot, field by field; fields that nobody reads are left out.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures (websocket-market-streams,
user-data-streams, websocket-api, trade/rest-api) and the models of github.com/binance/binance-connector-python 17.2.
Times are milliseconds since the epoch.
"""

from enum import Enum

import msgspec
from msgspec import field

from actors.model.book import Level
from actors.model.order import Side
from actors.venues.binance.payloads import BookTicker, DepthUpdate, MiniTickerTick, OrderStatus
from actors.venues.binance_api.payloads import ErrorBody, Id, Millis, RateLimit

# ---- market data streams ------------------------------------------------------------------------------------------


class FuturesBookTicker(BookTicker, gc=False):
    time: Millis = field(name="T", default=0)


class ChainedDepthUpdate(DepthUpdate):
    """`previous_id` is the `u` of the update before it on the stream of the same symbol."""

    previous_id: Id = field(name="pu")


class AggregateTick(msgspec.Struct, gc=False):
    """The fills of one taker order at one price within 100 ms."""

    id: Id = field(name="a")
    price: str = field(name="p")
    quantity: str = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class FuturesTicker(MiniTickerTick, gc=False):
    """Without best bid and ask, which spot tells here as well."""

    change: str = field(name="p")
    change_percent: str = field(name="P")
    average: str = field(name="w")
    last_quantity: str = field(name="Q")
    trades: int = field(name="n")


class FuturesLevels(msgspec.Struct):
    """The best levels of each side, whole, in the shape of an update."""

    time: Millis = field(name="E")
    last_id: Id = field(name="u")
    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")


class MarkPriceUpdate(msgspec.Struct, gc=False):
    time: Millis = field(name="E")
    mark_price: str = field(name="p")
    index_price: str = field(name="i", default="")
    funding_rate: str = field(name="r", default="")
    next_funding: Millis = field(name="T", default=0)


class LiquidatedOrder(msgspec.Struct):
    side: Side = field(name="S")
    price: str = field(name="p")
    average_price: str = field(name="ap")
    quantity: str = field(name="q")
    time: Millis = field(name="T")


class ForceOrder(msgspec.Struct):
    order: LiquidatedOrder = field(name="o")


# ---- REST and WebSocket API ---------------------------------------------------------------------------------------


class Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    min_price: str = "0"
    max_price: str = "0"
    tick_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    step_size: str = "0"
    notional: str = "0"


class ContractInfo(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    margin_asset: str
    filters: list[Filter] = []


class FuturesExchangeInfo(msgspec.Struct, rename="camel"):
    symbols: list[ContractInfo]
    rate_limits: list[RateLimit] = []


class OrderAck(msgspec.Struct, rename="camel"):
    """Answer to a placed, modified or cancelled order: no average price and no fills, and its status may be stale."""

    order_id: Id
    client_order_id: str
    status: OrderStatus
    executed_qty: str
    update_time: Millis
    code: int = 200
    msg: str = ""


class BatchRow(msgspec.Struct, rename="camel"):
    """One outcome of a batch: as an `OrderAck`, or the code and words of a refusal."""

    code: int = 0
    msg: str = ""
    order_id: Id = -1
    update_time: Millis = 0


class AlgoAck(msgspec.Struct, rename="camel"):
    algo_id: Id
    client_algo_id: str
    update_time: Millis = 0


class AlgoStatus(Enum):
    NEW = "NEW"
    CANCELED = "CANCELED"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class AlgoInfo(msgspec.Struct, rename="camel"):
    algo_id: Id
    client_algo_id: str
    symbol: str
    side: Side
    quantity: str
    algo_status: AlgoStatus
    actual_order_id: str = ""
    actual_qty: str = "0"


class FuturesTrade(msgspec.Struct, rename="camel"):
    """One row of `GET /fapi/v1/userTrades`."""

    symbol: str
    id: Id
    order_id: Id
    side: Side
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: Millis
    maker: bool


class ListenKey(msgspec.Struct, rename="camel"):
    listen_key: str


class MarginAsset(msgspec.Struct, rename="camel"):
    asset: str
    available_balance: str
    initial_margin: str


class FuturesAccount(msgspec.Struct):
    assets: list[MarginAsset]


class PositionRisk(msgspec.Struct, rename="camel"):
    """One row of `GET /fapi/v3/positionRisk`."""

    symbol: str
    position_side: str
    position_amt: str
    entry_price: str
    mark_price: str
    un_realized_profit: str
    liquidation_price: str
    margin_asset: str = ""


class Announcement(msgspec.Struct):
    kind: str = field(name="e", default="")


class AnswerFrame(msgspec.Struct, rename="camel"):
    """A frame of the WebSocket API: an answer, or an announcement."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw()
    error: ErrorBody | None = None
    rate_limits: list[RateLimit] = []
    event: Announcement | None = None


# ---- user data stream ---------------------------------------------------------------------------------------------


class ExecutionType(Enum):
    NEW = "NEW"
    CANCELED = "CANCELED"
    CALCULATED = "CALCULATED"
    """A liquidation's own fill."""
    EXPIRED = "EXPIRED"
    TRADE = "TRADE"
    AMENDMENT = "AMENDMENT"


class UserEvent(msgspec.Struct, tag_field="e"):
    pass


class ReportedOrder(msgspec.Struct):
    symbol: str = field(name="s")
    client_order_id: str = field(name="c")
    side: Side = field(name="S")
    execution: ExecutionType = field(name="x")
    status: OrderStatus = field(name="X")
    order_id: Id = field(name="i")
    last_quantity: str = field(name="l")
    filled_quantity: str = field(name="z")
    last_price: str = field(name="L")
    time: Millis = field(name="T")
    trade_id: Id = field(name="t")
    is_maker: bool = field(name="m")
    commission: str = field(name="n", default="0")
    commission_asset: str | None = field(name="N", default=None)
    quantity: str = field(name="q", default="0")
    price: str = field(name="p", default="")
    position_side: str = field(name="ps", default="BOTH")
    expiry_reason: str = field(name="er", default="0")


class OrderTradeUpdate(UserEvent, tag="ORDER_TRADE_UPDATE"):
    order: ReportedOrder = field(name="o")


class TradeLite(UserEvent, tag="TRADE_LITE"):
    """A fill before its `ORDER_TRADE_UPDATE`, without the fee."""

    symbol: str = field(name="s")
    trade_id: Id = field(name="t")


class ChangedBalance(msgspec.Struct):
    asset: str = field(name="a")
    wallet_balance: str = field(name="wb")


class ChangedPosition(msgspec.Struct):
    symbol: str = field(name="s")
    quantity: str = field(name="pa")
    entry_price: str = field(name="ep")
    unrealized_pnl: str = field(name="up")
    position_side: str = field(name="ps")


class AccountChange(msgspec.Struct):
    reason: str = field(name="m")
    balances: list[ChangedBalance] = field(name="B", default=[])
    positions: list[ChangedPosition] = field(name="P", default=[])


class AccountUpdate(UserEvent, tag="ACCOUNT_UPDATE"):
    time: Millis = field(name="T")
    change: AccountChange = field(name="a")


class Configured(msgspec.Struct):
    symbol: str = field(name="s")
    leverage: int = field(name="l")


class AccountConfigUpdate(UserEvent, tag="ACCOUNT_CONFIG_UPDATE"):
    configured: Configured | None = field(name="ac", default=None)


class ReportedAlgoOrder(msgspec.Struct):
    client_algo_id: str = field(name="caid")
    algo_id: Id = field(name="aid")
    symbol: str = field(name="s")
    status: AlgoStatus = field(name="X")
    order_id: str = field(name="ai", default="")
    """Of the order that it became when it was triggered."""
    reject_reason: str = field(name="rm", default="")


class AlgoUpdate(UserEvent, tag="ALGO_UPDATE"):
    time: Millis = field(name="T")
    order: ReportedAlgoOrder = field(name="o")


class ListenKeyExpired(UserEvent, tag="listenKeyExpired"):
    pass


class MarginCall(UserEvent, tag="MARGIN_CALL"):
    pass


class TriggerRejected(UserEvent, tag="CONDITIONAL_ORDER_TRIGGER_REJECT"):
    pass


class StrategyUpdate(UserEvent, tag="STRATEGY_UPDATE"):
    pass


class GridUpdate(UserEvent, tag="GRID_UPDATE"):
    pass


AnyUserEvent = (
    OrderTradeUpdate
    | TradeLite
    | AccountUpdate
    | AccountConfigUpdate
    | AlgoUpdate
    | ListenKeyExpired
    | MarginCall
    | TriggerRejected
    | StrategyUpdate
    | GridUpdate
)
