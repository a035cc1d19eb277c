"""A strategy's actor in front of a simulated market: what it submits meets the order flow at once, in memory."""

from decimal import Decimal
from random import Random

from actors.messages import CancelOrder, InstrumentsListed, SubmitOrder
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, Side, TimeInForce
from actors.model.order_state import OrderState
from actors.simulation.flow import OrderFlow
from actors.simulation.matching import Event, MatchingEngine, Order, Traded
from tests.strategy.desk import TestDesk, fill, quote, trade, update

STEP_NS = 25_000_000
TICK = Decimal("0.01")
RULES = Instrument(
    "binance",
    "BTCUSDT",
    "BTC",
    "USDT",
    tick_size=TICK,
    lot_size=Decimal("0.00001"),
    min_notional=Decimal(5),
)


class SimulatedMarket:
    def __init__(self, desk: TestDesk, seed: int = 7) -> None:
        self.desk = desk
        self.engine = MatchingEngine(Decimal("0.00001"))
        self.own: dict[int, OrderSpec] = {}
        self.fills: list[tuple[Side, Decimal, Decimal, bool]] = []
        """(side, price, quantity, maker)."""
        self.rejected = 0
        self._trades: list[Traded] = []
        self._left: dict[int, Decimal] = {}
        """Own order → what is not filled of it."""
        self._last_id = 0
        self._seen = 0
        self._flow = OrderFlow(
            self.engine,
            lambda order, now: self._tell(self.engine.submit(order)),
            lambda order_id, now: self._tell(self.engine.cancel(order_id)),
            self._next_id,
            Decimal("67250.00"),
            TICK,
            Decimal("0.25"),
            Random(seed),
        )
        self._flow.seed(desk.ctx.time)
        desk.receive(InstrumentsListed("binance", [RULES]))

    @property
    def best(self) -> tuple[Decimal, Decimal]:
        bid, ask = self.engine.bids.best(), self.engine.asks.best()
        assert bid is not None
        assert ask is not None
        return bid, ask

    async def step(self) -> None:
        self.desk.ctx.time += STEP_NS
        self._flow.step(self.desk.ctx.time)
        for message in self.desk.ctx.due():
            await self.desk.receive_async(message)
        self._carry_out()
        trades, self._trades = self._trades, []
        for traded in trades:
            event = trade(str(traded.price), str(traded.quantity), self.desk.ctx.time)
            await self.desk.receive_async(event)
            self._carry_out()
        bid, ask = self.best
        await self.desk.receive_async(quote(str(bid), str(ask), self.desk.ctx.time))
        self._carry_out()

    def _carry_out(self) -> None:
        while self._seen < len(self.desk.ctx.told):
            _, message = self.desk.ctx.told[self._seen]
            self._seen += 1
            match message:
                case SubmitOrder(order=spec):
                    self._place(spec)
                case CancelOrder(client_order_id=key):
                    for order_id in [order_id for order_id, spec in self.own.items() if spec.client_order_id == key]:
                        self.engine.cancel(order_id)
                        self.desk.receive(update(self.own.pop(order_id), OrderState.CANCELED))
                case _:
                    pass

    def _place(self, spec: OrderSpec) -> None:
        order_id = self._next_id()
        price = None if spec.price is None else Decimal(spec.price)
        if spec.post_only and price is not None and self.engine.would_take(spec.side, price):
            self.rejected += 1
            self.desk.receive(update(spec, OrderState.REJECTED))
            return
        self.own[order_id] = spec
        self.desk.receive(update(spec, OrderState.ACCEPTED))
        quantity = Decimal(spec.quantity)
        self._tell(self.engine.submit(Order(order_id, spec.side, quantity, price, spec.time_in_force)))
        if order_id in self.own and (price is None or spec.time_in_force is TimeInForce.IOC):
            self.desk.receive(update(self.own.pop(order_id), OrderState.EXPIRED))

    def _tell(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, Traded):
                self._trade(event)
        return events

    def _trade(self, traded: Traded) -> None:
        self._trades.append(traded)
        for order_id in (traded.maker_id, traded.taker_id):
            spec = self.own.get(order_id)
            if spec is None:
                continue
            self.fills.append((spec.side, traded.price, traded.quantity, order_id == traded.maker_id))
            self.desk.receive(fill(spec, str(traded.quantity), f"t{len(self.fills)}"))
            self._left[order_id] = self._left.get(order_id, Decimal(spec.quantity)) - traded.quantity
            if not self._left[order_id]:
                self.desk.receive(update(self.own.pop(order_id), OrderState.FILLED))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
