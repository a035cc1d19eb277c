"""A risk checker that knows the desk, the venue and a quote, on a recorded context."""

from decimal import Decimal
from typing import Any

from actors.messages import (
    AccountReported,
    Approved,
    Balance,
    CheckOrder,
    DeskSnapshot,
    FillRecorded,
    InstrumentsListed,
    OrderDenied,
    OrderFilled,
    OrderUpdated,
    Quote,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_state import OrderState
from actors.risk.checker import RiskChecker
from actors.settings import Credentials, RiskLimits, VenueSettings
from runtime.actor import Started
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000
S = 1_000_000_000
VENUE = VenueSettings(
    kind="binance", symbols=["BTCUSDT", "ETHUSDT"], credentials=Credentials(key="demo", secret="demo")
)
BTC = Instrument(
    "binance",
    "BTCUSDT",
    "BTC",
    "USDT",
    tick_size=Decimal("0.01"),
    min_price=Decimal("0.01"),
    max_price=Decimal("1000"),
    lot_size=Decimal("0.1"),
    min_quantity=Decimal("0.1"),
    max_quantity=Decimal("50"),
    min_notional=Decimal("10"),
    max_notional=Decimal("4000"),
)
ETH = Instrument("binance", "ETHUSDT", "ETH", "USDT")


def quote(bid: str = "99", ask: str = "100", symbol: str = "BTCUSDT") -> Quote:
    return Quote("binance", symbol, bid, "5", ask, "5", NOW, NOW)


def account(complete: bool = True, **free: str) -> AccountReported:
    return AccountReported("binance", [Balance(asset, amount, "0") for asset, amount in free.items()], complete, NOW)


def order_id(number: int) -> str:
    return f"{number:032x}"


class RiskDesk:
    def __init__(self, venues: dict[str, VenueSettings] | None = None, ready: bool = True, **limits: Any) -> None:
        self.ctx = RecordingContext("risk_checker", time=NOW)
        self.checker = RiskChecker(RiskLimits(**limits), venues or {"binance": VENUE})
        self.count = 0
        self.receive(Started())
        if ready:
            self.receive(DeskSnapshot([], {}, False))
            self.receive(InstrumentsListed("binance", [BTC, ETH]))
            self.receive(account(USDT="100000", BTC="100"))
            self.receive(quote())

    def receive(self, *messages: object) -> None:
        for message in messages:
            self.checker.receive(message, self.ctx)

    def spec(
        self,
        quantity: str = "1",
        price: str | None = "100",
        side: Side = Side.BUY,
        symbol: str = "BTCUSDT",
        venue: str = "binance",
    ) -> OrderSpec:
        self.count += 1
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        return OrderSpec(order_id(self.count), "maker", venue, symbol, side, kind, quantity, price)

    def check(self, spec: OrderSpec | None = None, **order: Any) -> str:
        """ "" if it was approved, else the reason."""
        self.ctx.told.clear()
        self.receive(CheckOrder(spec or self.spec(**order), Stamps(1, 2, 3), 1, NOW + S))
        [(to, answer)] = self.ctx.told
        if isinstance(answer, Approved):
            assert to == "router"
            return ""
        assert isinstance(answer, OrderDenied)
        assert (to, answer.by) == ("order_manager", "risk_checker")
        return answer.reason

    def update(
        self, state: str, filled: str = "0", number: int | None = None, spec: OrderSpec | None = None, **order: Any
    ) -> None:
        """Tell a new state of the last order, whose fields are given if they are not the usual."""
        client_order_id = order_id(number or self.count)
        if spec is None:
            known: dict[str, Any] = {"quantity": "1", "price": "100", "side": Side.BUY} | order
            spec = OrderSpec(
                client_order_id, "maker", "binance", "BTCUSDT", known["side"], OrderType.LIMIT, known["quantity"],
                known["price"],
            )  # fmt: skip
        self.receive(OrderUpdated(spec, OrderState(state), filled, None, "", "", NOW))

    def fill(self, quantity: str = "1", price: str = "100", side: Side = Side.BUY) -> None:
        self.count += 1
        fill = OrderFilled(
            "binance", order_id(self.count), "v", "BTCUSDT", f"t{self.count}", side, price, quantity, "0", "USDT",
            False, NOW, NOW,
        )  # fmt: skip
        self.receive(FillRecorded("maker", fill, NOW))
