"""An order of futures as the venue keeps it, and every payload that shows one.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/trade and …/user-data-streams; an answer
to an order has neither average price nor quote since 2026-07-15.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from actors.model.order import Side
from actors.simulation.binance.orders import Fill, Status
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.matching import EndReason

ZERO = Decimal(0)


class Kind(Enum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class Tif(Enum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"


EXPIRY_REASONS = {
    EndReason.IMMEDIATE_REMAINDER: "2",
    EndReason.NO_LIQUIDITY: "9",
    EndReason.NOT_FILLABLE: "10",
    EndReason.WOULD_TAKE: "11",
}
SELF_TRADE = "1"


class FuturesTicket(msgspec.Struct, frozen=True):
    """What a client asked for, checked for form."""

    symbol: str
    side: Side
    kind: Kind
    quantity: Decimal
    price: Decimal | None = None
    tif: Tif = Tif.GTC
    position_side: str = "BOTH"
    reduce_only: bool = False
    client_order_id: str | None = None
    good_till_ms: int = 0
    wants_result: bool = False


class FuturesOrder:
    def __init__(self, order_id: int, client_order_id: str, account: MarginAccount, ticket: FuturesTicket, ms: int):
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.account = account
        self.ticket = ticket
        self.symbol = ticket.symbol
        self.side = ticket.side
        self.quantity = ticket.quantity
        self.price = ticket.price or ZERO
        self.executed = self.quote_executed = ZERO
        self.status = Status.NEW
        self.fills: list[Fill] = []
        self.profits: dict[int, Decimal] = {}
        """By trade id: what it realised."""
        self.created_ms = self.updated_ms = ms
        self.expiry_reason = "0"
        self.modifications = 0
        self.is_liquidation = False

    @property
    def is_open(self) -> bool:
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def average(self) -> Decimal:
        return self.quote_executed / self.executed if self.executed else ZERO

    def ack(self) -> dict[str, object]:
        """The answer to placing, modifying and cancelling."""
        return {
            "orderId": self.order_id,
            "symbol": self.symbol,
            "status": self.status.value,
            "clientOrderId": self.client_order_id,
            "price": str(self.price),
            "origQty": str(self.quantity),
            "executedQty": str(self.executed),
            "cumQty": str(self.executed),
            "timeInForce": self.ticket.tif.value,
            "type": self.ticket.kind.value,
            "reduceOnly": self.ticket.reduce_only,
            "closePosition": False,
            "side": self.side.value,
            "positionSide": self.ticket.position_side,
            "stopPrice": "0",
            "workingType": "CONTRACT_PRICE",
            "priceProtect": False,
            "origType": self.ticket.kind.value,
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": self.ticket.good_till_ms,
            "updateTime": self.updated_ms,
        }

    def new(self) -> dict[str, object]:
        """What is acknowledged before anything has been matched."""
        return {**self.ack(), "status": Status.NEW.value, "executedQty": "0", "cumQty": "0"}

    def query(self) -> dict[str, object]:
        row = self.ack()
        del row["cumQty"]
        return {
            **row,
            "avgPrice": f"{self.average:.5f}",
            "cumQuote": str(self.quote_executed),
            "time": self.created_ms,
        }

    def trade_row(self, fill: Fill) -> dict[str, object]:
        return {
            "symbol": self.symbol,
            "id": fill.trade_id,
            "orderId": self.order_id,
            "side": self.side.value,
            "price": str(fill.price),
            "qty": str(fill.quantity),
            "realizedPnl": str(self.profits.get(fill.trade_id, ZERO)),
            "quoteQty": str(fill.price * fill.quantity),
            "commission": f"{fill.commission:.8f}",
            "commissionAsset": fill.commission_asset,
            "time": fill.ms,
            "positionSide": self.ticket.position_side,
            "buyer": self.side is Side.BUY,
            "maker": fill.is_maker,
        }

    def update(self, execution: str, ms: int, fill: Fill | None = None) -> dict[str, object]:
        """`ORDER_TRADE_UPDATE`."""
        order: dict[str, object] = {
            "s": self.symbol,
            "c": self.client_order_id,
            "S": self.side.value,
            "o": "LIQUIDATION" if self.is_liquidation else self.ticket.kind.value,
            "f": self.ticket.tif.value,
            "q": str(self.quantity),
            "p": str(self.price),
            "ap": f"{self.average:.5f}",
            "sp": "0",
            "x": execution,
            "X": self.status.value,
            "i": self.order_id,
            "l": str(fill.quantity) if fill else "0",
            "z": str(self.executed),
            "L": str(fill.price) if fill else "0",
            "n": f"{fill.commission:.8f}" if fill else "0",
            "N": fill.commission_asset if fill else None,
            "T": ms,
            "t": fill.trade_id if fill else 0,
            "b": "0",
            "a": "0",
            "m": fill.is_maker if fill else False,
            "R": self.ticket.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": self.ticket.kind.value,
            "ps": self.ticket.position_side,
            "cp": False,
            "rp": str(self.profits.get(fill.trade_id, ZERO)) if fill else "0",
            "pP": False,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": self.ticket.good_till_ms,
            "er": self.expiry_reason,
        }
        return {"e": "ORDER_TRADE_UPDATE", "E": ms, "T": ms, "o": order}

    def lite(self, ms: int, fill: Fill) -> dict[str, object]:
        """`TRADE_LITE`: the fill without its fee."""
        return {
            "e": "TRADE_LITE",
            "E": ms,
            "T": ms,
            "s": self.symbol,
            "q": str(self.quantity),
            "p": str(self.price),
            "m": fill.is_maker,
            "c": self.client_order_id,
            "S": self.side.value,
            "L": str(fill.price),
            "l": str(fill.quantity),
            "t": fill.trade_id,
            "i": self.order_id,
        }
