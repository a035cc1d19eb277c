"""A strategy under test with a recorded context: messages in, told messages out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.messages import (
    BookDelta,
    BookSnapshot,
    DeskSnapshot,
    FillRecorded,
    OrderFilled,
    OrderUpdated,
    Quote,
    SubmitOrder,
    Trade,
)
from actors.model.order import OrderSpec, Side
from actors.model.order_state import OrderState
from actors.strategy import Strategy, StrategyActor
from runtime.actor import Started
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000
BTC = "binance.BTCUSDT"
EMPTY = DeskSnapshot(orders=[], positions={}, recovering=False)


class TestDesk:
    __test__ = False

    def __init__(
        self,
        strategy: Strategy,
        parameters: Mapping[str, Any] | None = None,
        instruments: tuple[str, ...] = (BTC,),
        snapshot: DeskSnapshot | None = EMPTY,
    ) -> None:
        self.ctx = RecordingContext("strategy.maker", incarnation=3, time=NOW)
        self.actor = StrategyActor("maker", strategy, instruments, parameters)
        self.receive(Started())
        if snapshot is not None:
            self.receive(snapshot)

    def receive(self, message: object) -> None:
        """For hooks that are plain functions."""
        assert self.actor.receive(message, self.ctx) is None

    async def receive_async(self, message: object) -> None:
        later = self.actor.receive(message, self.ctx)
        if later is not None:
            await later

    def pass_time(self, seconds: int) -> None:
        self.ctx.time += seconds * 1_000_000_000
        for message in self.ctx.due():
            self.receive(message)

    def submitted(self) -> list[OrderSpec]:
        return [message.order for message in self.ctx.told_to("order_manager") if isinstance(message, SubmitOrder)]


def quote(bid: str, ask: str, ts_recv: int = NOW) -> Quote:
    return Quote("binance", "BTCUSDT", bid, "1", ask, "1", NOW - 5_000_000, ts_recv)


def trade(price: str, quantity: str, ts_recv: int) -> Trade:
    return Trade("binance", "BTCUSDT", "1", price, quantity, Side.BUY, NOW, ts_recv)


def book_snapshot(sequence: int) -> BookSnapshot:
    return BookSnapshot("binance", "BTCUSDT", sequence, [("99", "1")], [("101", "1")], NOW, NOW)


def book_delta(previous: int, sequence: int) -> BookDelta:
    return BookDelta("binance", "BTCUSDT", previous, sequence, [("100", "2")], [], NOW, NOW)


def update(order: OrderSpec, state: OrderState, filled: str = "0") -> OrderUpdated:
    return OrderUpdated(order, state, filled, None, "", "7", NOW)


def fill(order: OrderSpec, quantity: str, trade_id: str = "t1") -> FillRecorded:
    executed = OrderFilled(
        venue="binance",
        client_order_id=order.client_order_id,
        venue_order_id="7",
        symbol=order.symbol,
        trade_id=trade_id,
        side=order.side,
        price=order.price or "100",
        quantity=quantity,
        fee="0",
        fee_asset="USDT",
        maker=True,
        ts_venue=NOW,
        ts_recv=NOW,
    )
    return FillRecorded(order.strategy, executed, NOW)


def position(desk: TestDesk) -> Decimal:
    return desk.actor.strategy.position(BTC)
