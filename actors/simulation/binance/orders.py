"""An order as the venue keeps it.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and …/enums
"""

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from actors.model.order import OrderType, Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.matching import EndReason, SelfTrade

if TYPE_CHECKING:
    from actors.simulation.binance.order_lists import OrderList
    from actors.simulation.binance.stops import Trigger

ZERO = Decimal(0)


class VenueOrderType(Enum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    def as_matched(self) -> OrderType:
        return OrderType.MARKET if self in MARKETABLE else OrderType.LIMIT


STOP_LOSSES = (VenueOrderType.STOP_LOSS, VenueOrderType.STOP_LOSS_LIMIT)
TAKE_PROFITS = (VenueOrderType.TAKE_PROFIT, VenueOrderType.TAKE_PROFIT_LIMIT)
CONTINGENT = (*STOP_LOSSES, *TAKE_PROFITS)
"""They wait for a price; the filters call them algo orders."""
MARKETABLE = (VenueOrderType.MARKET, VenueOrderType.STOP_LOSS, VenueOrderType.TAKE_PROFIT)


class Status(Enum):
    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    """Part of a list, before its working order is filled."""
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    """By self-trade prevention."""


OPEN = (Status.NEW, Status.PENDING_NEW, Status.PARTIALLY_FILLED)


class ExpiryReason(Enum):
    REJECTED = "REJECTED"
    OCO_TRIGGER = "OCO_TRIGGER"
    OTO_PHASE_ONE_EXPIRED = "OTO_PHASE_ONE_EXPIRED"
    UNFILLED_IOC_QUANTITY_EXPIRED = "UNFILLED_IOC_QUANTITY_EXPIRED"
    UNFILLED_FOK_ORDER_EXPIRED = "UNFILLED_FOK_ORDER_EXPIRED"
    INSUFFICIENT_LIQUIDITY = "INSUFFICIENT_LIQUIDITY"


EXPIRY_REASONS = {
    EndReason.WOULD_TAKE: ExpiryReason.REJECTED,
    EndReason.NOT_FILLABLE: ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED,
    EndReason.IMMEDIATE_REMAINDER: ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED,
    EndReason.NO_LIQUIDITY: ExpiryReason.INSUFFICIENT_LIQUIDITY,
}


class SelfTradeMode(Enum):
    NONE = "NONE"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"
    TRANSFER = "TRANSFER"

    def as_matched(self) -> SelfTrade:
        """Within one account a transfer is a decrement."""
        match self:
            case SelfTradeMode.NONE:
                return SelfTrade.ALLOW
            case SelfTradeMode.TRANSFER:
                return SelfTrade.DECREMENT
            case _:
                return SelfTrade(self.value)


class ResponseType(Enum):
    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class Ticket(msgspec.Struct, frozen=True):
    """What a client asked for, checked for form but not yet against the symbol or the account."""

    symbol: str
    side: Side
    type: VenueOrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    quote_quantity: Decimal | None
    price: Decimal | None
    client_order_id: str | None
    response_type: ResponseType
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    """In hundredths of a percent."""
    iceberg_quantity: Decimal | None = None
    self_trade: SelfTradeMode = SelfTradeMode.NONE


class Fill(msgspec.Struct, frozen=True):
    trade_id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    ms: int
    is_maker: bool


class PreventedMatch(msgspec.Struct, frozen=True):
    """A trade with oneself that did not happen; a quantity is zero for a side that lost nothing by it."""

    match_id: int
    taker_order_id: int
    maker_order_id: int
    mode: SelfTradeMode
    price: Decimal
    taker_quantity: Decimal
    maker_quantity: Decimal
    ms: int


class Amendment(msgspec.Struct, frozen=True):
    execution_id: int
    old_client_order_id: str
    new_client_order_id: str
    old_quantity: Decimal
    new_quantity: Decimal
    ms: int


class VenueOrder:
    """`locked` is what the account has set aside for what is left of it; `working_ms` when it went to the book."""

    def __init__(self, order_id: int, client_order_id: str, account: Account, ticket: Ticket, ms: int) -> None:
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.account = account
        self.ticket = ticket
        self.symbol = ticket.symbol
        self.side = ticket.side
        self.quantity = ticket.quantity or ZERO
        self.price = ticket.price or ZERO
        self.quote_quantity = ticket.quote_quantity or ZERO
        self.executed = ZERO
        self.quote_executed = ZERO
        self.prevented = ZERO
        self.locked = ZERO
        self.status = Status.NEW
        self.fills: list[Fill] = []
        self.prevented_matches: list[PreventedMatch] = []
        self.amendments: list[Amendment] = []
        self.created_ms = self.updated_ms = ms
        self.working_ms: int | None = None
        self.expiry_reason: ExpiryReason | None = None
        self.trigger: Trigger | None = None
        self.list: OrderList | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_contingent(self) -> bool:
        return self.ticket.type in CONTINGENT

    @property
    def left(self) -> Decimal:
        return self.quantity - self.executed - self.prevented
