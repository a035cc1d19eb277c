"""An order as the venue keeps it, and every payload that shows one.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and …/user-data-stream
"""

from decimal import Decimal
from enum import Enum

import msgspec

from actors.model.order import OrderType, Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.binance.numbers import fixed
from actors.simulation.matching import EndReason

ZERO = Decimal(0)
_ZERO_TEXT = "0.00000000"


class VenueOrderType(Enum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    def as_matched(self) -> OrderType:
        return OrderType.MARKET if self is VenueOrderType.MARKET else OrderType.LIMIT


class Status(Enum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


OPEN = (Status.NEW, Status.PARTIALLY_FILLED)

EXPIRY_REASONS = {
    EndReason.WOULD_TAKE: "REJECTED",
    EndReason.NOT_FILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
    EndReason.IMMEDIATE_REMAINDER: "UNFILLED_IOC_QUANTITY_EXPIRED",
    EndReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
}


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


class Fill(msgspec.Struct, frozen=True):
    trade_id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    ms: int
    is_maker: bool


class VenueOrder:
    """`locked` is what the account has set aside for what is left of it."""

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
        self.locked = ZERO
        self.status = Status.NEW
        self.fills: list[Fill] = []
        self.created_ms = self.updated_ms = ms
        self.expiry_reason: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def ack(self) -> dict[str, object]:
        return {
            "symbol": self.symbol,
            "orderId": self.order_id,
            "orderListId": -1,
            "clientOrderId": self.client_order_id,
            "transactTime": self.updated_ms,
        }

    def response(self, kind: ResponseType) -> dict[str, object]:
        """The answer to a placed order."""
        if kind is ResponseType.ACK:
            return self.ack()
        result = self.ack() | self._state() | {"workingTime": self.created_ms, "selfTradePreventionMode": "NONE"}
        if kind is ResponseType.FULL:
            result["fills"] = [
                {
                    "price": fixed(fill.price),
                    "qty": fixed(fill.quantity),
                    "commission": fixed(fill.commission),
                    "commissionAsset": fill.commission_asset,
                    "tradeId": fill.trade_id,
                }
                for fill in self.fills
            ]
        return result | self._conditional()

    def cancel_response(self, original_id: str) -> dict[str, object]:
        ids = {"symbol": self.symbol, "origClientOrderId": original_id}
        return ids | self.ack() | self._state() | {"selfTradePreventionMode": "NONE"} | self._conditional()

    def query(self) -> dict[str, object]:
        """The answer to a question about the order."""
        state = self._state()
        return {
            "symbol": self.symbol,
            "orderId": self.order_id,
            "orderListId": -1,
            "clientOrderId": self.client_order_id,
            **state,
            "stopPrice": _ZERO_TEXT,
            "icebergQty": _ZERO_TEXT,
            "time": self.created_ms,
            "updateTime": self.updated_ms,
            "isWorking": True,
            "workingTime": self.created_ms,
            "selfTradePreventionMode": "NONE",
            **self._conditional(),
        }

    def trade_row(self, fill: Fill) -> dict[str, object]:
        """As `GET /api/v3/myTrades` answers."""
        return {
            "symbol": self.symbol,
            "id": fill.trade_id,
            "orderId": self.order_id,
            "orderListId": -1,
            "price": fixed(fill.price),
            "qty": fixed(fill.quantity),
            "quoteQty": fixed(fill.price * fill.quantity),
            "commission": fixed(fill.commission),
            "commissionAsset": fill.commission_asset,
            "time": fill.ms,
            "isBuyer": self.side is Side.BUY,
            "isMaker": fill.is_maker,
            "isBestMatch": True,
        }

    def execution_report(
        self, execution: str, execution_id: int, ms: int, fill: Fill | None = None, original_id: str = ""
    ) -> dict[str, object]:
        """The user stream's event; `fill` for a TRADE, `original_id` for a CANCELED one."""
        report: dict[str, object] = {
            "e": "executionReport",
            "E": ms,
            "s": self.symbol,
            "c": self.client_order_id,
            "S": self.side.value,
            "o": self.ticket.type.value,
            "f": self.ticket.time_in_force.value,
            "q": fixed(self.quantity),
            "p": fixed(self.price),
            "P": _ZERO_TEXT,
            "F": _ZERO_TEXT,
            "g": -1,
            "C": original_id,
            "x": execution,
            "X": self.status.value,
            "r": "NONE",
            "i": self.order_id,
            "l": fixed(fill.quantity) if fill else _ZERO_TEXT,
            "z": fixed(self.executed),
            "L": fixed(fill.price) if fill else _ZERO_TEXT,
            "n": fixed(fill.commission) if fill else "0",
            "N": fill.commission_asset if fill else None,
            "T": self.updated_ms,
            "t": fill.trade_id if fill else -1,
            "I": execution_id,
            "w": self.is_open and self.ticket.type is not VenueOrderType.MARKET,
            "m": fill.is_maker if fill else False,
            "M": fill is not None,
            "O": self.created_ms,
            "Z": fixed(self.quote_executed),
            "Y": fixed(fill.price * fill.quantity) if fill else _ZERO_TEXT,
            "Q": fixed(self.quote_quantity),
            "W": self.created_ms,
            "V": "NONE",
        }
        if self.ticket.strategy_id is not None:
            report["j"] = self.ticket.strategy_id
        if self.ticket.strategy_type is not None:
            report["J"] = self.ticket.strategy_type
        if execution == "EXPIRED":
            report["eR"] = self.expiry_reason
        return report

    def _state(self) -> dict[str, object]:
        return {
            "price": fixed(self.price),
            "origQty": fixed(self.quantity),
            "executedQty": fixed(self.executed),
            "origQuoteOrderQty": fixed(self.quote_quantity),
            "cummulativeQuoteQty": fixed(self.quote_executed),
            "status": self.status.value,
            "timeInForce": self.ticket.time_in_force.value,
            "type": self.ticket.type.value,
            "side": self.side.value,
        }

    def _conditional(self) -> dict[str, object]:
        shown: dict[str, object] = {}
        if self.ticket.strategy_id is not None:
            shown["strategyId"] = self.ticket.strategy_id
        if self.ticket.strategy_type is not None:
            shown["strategyType"] = self.ticket.strategy_type
        if self.expiry_reason is not None:
            shown["expiryReason"] = self.expiry_reason
        return shown
