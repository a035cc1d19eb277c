"""Builders for orders and what a venue says of them, and an order manager on a recorded context."""

from collections.abc import Callable

from actors.messages import (
    AccountReported,
    Balance,
    OpenOrdersReported,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderReported,
    OrderSent,
    OrderUpdated,
    SubmitOrder,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_state import OrderState
from actors.orders.manager import OrderManager
from actors.settings import Credentials, VenueSettings
from runtime.actor import Started
from runtime.address import Address
from runtime.message import Message
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000
MS = 1_000_000
S = 1_000_000_000
DEMO = Credentials(key="demo", secret="demo")
BINANCE = VenueSettings(kind="binance", symbols=["BTCUSDT"], credentials=DEMO)


def order_id(number: int) -> str:
    return f"{number:032x}"


ONE = order_id(1)


def spec(
    number: int = 1,
    quantity: str = "2",
    price: str | None = "100",
    side: Side = Side.BUY,
    venue: str = "binance",
    strategy: str = "maker",
    symbol: str = "BTCUSDT",
) -> OrderSpec:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return OrderSpec(order_id(number), strategy, venue, symbol, side, kind, quantity, price)


def submit(number: int = 1, quantity: str = "2", price: str | None = "100", side: Side = Side.BUY) -> SubmitOrder:
    return SubmitOrder(spec(number, quantity, price, side), Stamps(market_recv=5, submitted=6))


def sent(number: int = 1) -> OrderSent:
    return OrderSent(order_id(number), "binance", Stamps())


def accepted(number: int = 1) -> OrderAccepted:
    return OrderAccepted("binance", order_id(number), f"v{number}", NOW, NOW)


def fill(
    trade: str, quantity: str = "1", price: str = "100", number: int = 1, side: Side = Side.BUY, named: bool = True
) -> OrderFilled:
    client_order_id = order_id(number) if named else ""
    return OrderFilled(
        "binance", client_order_id, f"v{number}", "BTCUSDT", trade, side, price, quantity, "0.1", "USDT", True, NOW, NOW
    )


def canceled(filled: str = "0", number: int = 1) -> OrderCanceled:
    return OrderCanceled("binance", order_id(number), filled, NOW, NOW)


def expired(filled: str = "0", number: int = 1) -> OrderExpired:
    return OrderExpired("binance", order_id(number), filled, "IOC", NOW, NOW)


def reported(state: OrderState, filled: str = "0", number: int = 1) -> OrderReported:
    return OrderReported("binance", order_id(number), f"v{number}", "BTCUSDT", Side.BUY, "2", filled, state, NOW)


class ManagerDesk:
    """An order manager that has started; `life` begins the next one on the same journal."""

    def __init__(self, venues: dict[str, VenueSettings] | None = None) -> None:
        self.ctx = RecordingContext("order_manager", time=NOW)
        self.venues = {"binance": BINANCE} if venues is None else venues
        self.manager = OrderManager(self.venues)
        self.receive(Started())
        self.receive(OpenOrdersReported("binance", [], NOW))
        self.clear()

    def life(self) -> None:
        journal = self.ctx.journal
        self.ctx = RecordingContext("order_manager", time=self.ctx.time)
        self.ctx.journal = journal
        self.manager = OrderManager(self.venues)
        self.receive(Started())

    def receive(self, *messages: object) -> None:
        for message in messages:
            self.manager.receive(message, self.ctx)

    def clear(self) -> None:
        self.ctx.told.clear()
        self.ctx.published.clear()

    def pass_time(self, duration_ns: int, step_ns: int = 100 * MS) -> None:
        end = self.ctx.time + duration_ns
        while self.ctx.time < end:
            self.ctx.time += min(step_ns, end - self.ctx.time)
            self.receive(*self.ctx.due())

    def seen_when_telling(self, look: Callable[[], int]) -> list[int]:
        """Filled from now on with what `look` returns, once just before each message is told."""
        seen: list[int] = []
        tell = self.ctx.tell

        def look_and_tell(to: str | Address, message: Message) -> None:
            seen.append(look())
            tell(to, message)

        self.ctx.tell = look_and_tell  # type: ignore[method-assign]
        return seen

    def connector(self) -> list[Message]:
        return self.ctx.told_to("connector.binance")

    def updates(self) -> list[OrderUpdated]:
        return [event for _, event in self.ctx.published if isinstance(event, OrderUpdated)]

    def states(self) -> list[str]:
        return [update.state.value for update in self.updates()]

    def state(self, number: int = 1) -> str:
        order = self.manager.ledger.order(order_id(number))
        assert order is not None
        return order.state.value


def account(**free: str) -> AccountReported:
    return AccountReported("binance", [Balance(asset, amount, "0") for asset, amount in free.items()], True, NOW)
