"""The order manager against a venue that loses, repeats and reorders what it says; at the end both must agree."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.messages import (
    AmendRejected,
    CancelAtVenue,
    CancelOrder,
    CancelRejected,
    ChangeDenied,
    CheckChange,
    CheckOrder,
    FillsReported,
    ModifyOrder,
    OpenOrdersReported,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderReported,
    OrderRouted,
    OrderSent,
    OutcomeUnknown,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    VenueUp,
)
from actors.model.order import OrderSpec, Side, Stamps
from actors.model.order_state import FINAL, OrderState
from actors.orders.ledger import Ledger
from actors.orders.records import decode
from runtime.actor import ActorDown
from tests.orders.desk import MS, NOW, ManagerDesk, S, order_id, submit

OPEN = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)


class VenueOrder(msgspec.Struct):
    spec: OrderSpec
    state: OrderState = OrderState.ACCEPTED
    fills: list[OrderFilled] = []

    @property
    def filled(self) -> Decimal:
        return sum((Decimal(fill.quantity) for fill in self.fills), Decimal(0))

    def report(self) -> OrderReported:
        spec = self.spec
        venue_id = "v" + spec.client_order_id
        return OrderReported(
            "binance", spec.client_order_id, venue_id, spec.symbol, spec.side, spec.quantity, str(self.filled),
            self.state, NOW, spec.price or "",
        )  # fmt: skip


class OracleVenue:
    """Does what it is told at once and remembers everything; `said` is what it has to say and nobody has heard."""

    def __init__(self) -> None:
        self.orders: dict[str, VenueOrder] = {}
        self.said: list[Any] = []
        self.trades = 0

    def place(self, spec: OrderSpec) -> None:
        assert spec.client_order_id not in self.orders, "an order was sent twice"
        self.orders[spec.client_order_id] = VenueOrder(spec)
        self.said.append(OrderAccepted("binance", spec.client_order_id, "v" + spec.client_order_id, NOW, NOW))

    def trade(self, client_order_id: str, share: int) -> None:
        order = self.orders[client_order_id]
        spec = order.spec
        left = Decimal(spec.quantity) - order.filled
        quantity = left if share == 4 else left * share / 4
        self.trades += 1
        fill = OrderFilled(
            "binance", client_order_id, "v" + client_order_id, spec.symbol, f"t{self.trades}", spec.side, "100",
            format(quantity, "f"), "0", "USDT", True, NOW, NOW,
        )  # fmt: skip
        order.fills = [*order.fills, fill]
        order.state = OrderState.FILLED if order.filled == Decimal(spec.quantity) else OrderState.PARTIALLY_FILLED
        self.said.append(fill)

    def cancel(self, client_order_id: str) -> None:
        order = self.orders.get(client_order_id)
        if order is None or order.state not in OPEN:
            self.said.append(CancelRejected("binance", client_order_id, "-2011", "unknown order", NOW))
        else:
            order.state = OrderState.CANCELED
            self.said.append(OrderCanceled("binance", client_order_id, str(order.filled), NOW, NOW))

    def change(self, check: CheckChange) -> None:
        """As spot does it, by way of its connector."""
        before, after = check.before.client_order_id, check.order
        order = self.orders[before]
        if after.client_order_id == before:
            if order.state in OPEN and order.filled < Decimal(after.quantity) < Decimal(order.spec.quantity):
                order.spec = after
                self.said.append(OrderAmended("binance", before, after.quantity, NOW, NOW))
            else:
                self.said.append(AmendRejected("binance", before, "-2038", "no", NOW))
            return
        assert after.client_order_id not in self.orders, "an order was sent twice"
        known, is_conditional = Decimal(check.filled), not Decimal(check.filled)
        if order.state not in OPEN or (is_conditional and order.filled):
            self.said.append(CancelRejected("binance", before, "-2011", "not canceled", NOW))
            self.said.append(OrderRejected("binance", after.client_order_id, "NOT_ATTEMPTED", "", NOW))
            return
        self.cancel(before)
        left = Decimal(after.quantity) + known - order.filled
        if left <= 0:
            self.said.append(OrderRejected("binance", after.client_order_id, "NOTHING_LEFT", "", NOW))
            return
        if left != Decimal(after.quantity):
            after = msgspec.structs.replace(after, quantity=format(left, "f"))
            self.said.append(OrderAmended("binance", after.client_order_id, after.quantity, NOW, NOW))
        self.place(after)

    def answer(self, question: object) -> list[Any]:
        match question:
            case QueryOrder():
                order = self.orders.get(question.client_order_id)
                return [OrderNotFound("binance", question.client_order_id, NOW) if order is None else order.report()]
            case QueryOpenOrders():
                reports = [order.report() for order in self.orders.values() if order.state in OPEN]
                return [OpenOrdersReported("binance", reports, NOW)]
            case QueryFills():
                fills = [
                    msgspec.structs.replace(fill, client_order_id="") if question.venue_order_id else fill
                    for order in self.orders.values()
                    for fill in order.fills
                    if question.venue_order_id in ("", fill.venue_order_id)
                ]
                return [FillsReported("binance", question.symbol, fills, NOW)]
            case _:
                return []


class ManagerAgainstVenue(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.desk = ManagerDesk()
        self.venue = OracleVenue()
        self.checks: list[CheckOrder | CheckChange] = []
        self.count = 0
        self.spare: set[int] = set()
        """Numbers of orders that were to take the place of others if need be."""

    def carry(self) -> None:
        """Bring what the manager told to whom it told it."""
        told, self.desk.ctx.told = self.desk.ctx.told, []
        for to, message in told:
            if isinstance(message, CheckOrder | CheckChange):
                self.checks.append(message)
            elif isinstance(message, CancelAtVenue):
                if self.desk.ctx.time <= message.deadline:
                    self.venue.cancel(message.client_order_id)
            elif to == "connector.binance":
                self.venue.said += self.venue.answer(message)

    @rule(side=st.sampled_from(Side), quantity=st.sampled_from(["1", "0.4"]))
    def submits(self, side: Side, quantity: str) -> None:
        self.count += 1
        self.desk.receive(submit(self.count, quantity, side=side))
        self.carry()

    @precondition(lambda self: self.checks)
    @rule(where=st.sampled_from(["placed", "placed", "router dies", "connector dies after", "denied"]))
    def is_routed(self, where: str, which: int = 0) -> None:
        check = self.checks.pop(which)
        client_order_id = check.order.client_order_id
        if where == "router dies" or self.desk.ctx.time > check.deadline:
            return
        if isinstance(check, CheckChange):
            if where == "denied":
                self.venue.said.append(ChangeDenied(check.before.client_order_id, "MAX_POSITION: no", "risk_checker"))
                return
            self.venue.change(check)
            if where == "placed" and client_order_id != check.before.client_order_id:
                self.venue.said.insert(0, OrderSent(client_order_id, "binance", Stamps()))
            return
        if where == "denied":
            return
        self.venue.place(check.order)
        if where == "placed":
            self.venue.said.insert(0, OrderSent(client_order_id, "binance", Stamps()))
            self.venue.said.insert(0, OrderRouted(client_order_id, "binance", "connector.binance", [], NOW))

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def submits_again(self, data: st.DataObject) -> None:
        self.desk.receive(submit(data.draw(st.integers(1, self.count)), "1"))
        self.carry()

    @precondition(lambda self: any(order.state in OPEN for order in self.venue.orders.values()))
    @rule(data=st.data(), share=st.integers(1, 4))
    def somebody_trades(self, data: st.DataObject, share: int) -> None:
        names = [name for name, order in self.venue.orders.items() if order.state in OPEN]
        self.venue.trade(data.draw(st.sampled_from(names)), share)

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def strategy_cancels(self, data: st.DataObject) -> None:
        self.desk.receive(CancelOrder(order_id(data.draw(st.integers(1, self.count))), "maker"))
        self.carry()

    @rule(quantity=st.sampled_from(["1", "0.4"]))
    def submits_and_it_works(self, quantity: str) -> None:
        self.submits(Side.BUY, quantity)
        self.is_routed("placed", -1)
        while self.venue.said:
            self.desk.receive(self.venue.said.pop(0))
            self.carry()

    @precondition(lambda self: self.count)
    @rule(data=st.data(), quantity=st.sampled_from(["", "0.3", "0.8", "2"]), price=st.sampled_from(["", "", "99"]))
    def strategy_changes(self, data: st.DataObject, quantity: str, price: str) -> None:
        working = [order for order in self.desk.manager.ledger.open.values() if order.state in OPEN]
        changed = order_id(data.draw(st.integers(1, self.count)))
        if working:
            changed = data.draw(st.sampled_from(working)).spec.client_order_id
        self.count += 1
        self.spare.add(self.count)
        self.desk.receive(ModifyOrder(changed, "maker", order_id(self.count), quantity, price, Stamps()))
        self.carry()

    @precondition(lambda self: self.venue.said)
    @rule(data=st.data(), fate=st.sampled_from(["heard", "heard", "heard", "lost", "heard twice"]))
    def venue_speaks(self, data: st.DataObject, fate: str) -> None:
        index = data.draw(st.integers(0, min(2, len(self.venue.said) - 1)))
        message = self.venue.said[index] if fate == "heard twice" else self.venue.said.pop(index)
        if fate != "lost":
            self.desk.receive(message)
            self.carry()

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def outcome_is_lost(self, data: st.DataObject) -> None:
        client_order_id = order_id(data.draw(st.integers(1, self.count)))
        self.desk.receive(OutcomeUnknown("binance", client_order_id, "TIMEOUT", NOW))
        self.carry()

    @rule(duration=st.sampled_from([50 * MS, 600 * MS, 3 * S]))
    def time_passes(self, duration: int) -> None:
        self.desk.pass_time(duration)
        self.carry()

    @rule()
    def connector_dies(self) -> None:
        self.venue.said.clear()
        self.desk.receive(ActorDown("connector.binance", 1, "killed"), VenueUp("binance", "connector.binance", NOW))
        self.carry()

    @rule()
    def manager_dies(self) -> None:
        self.desk.life()
        self.carry()

    @invariant()
    def position_is_the_sum_of_fills(self) -> None:
        if not hasattr(self, "desk"):
            return
        ledger = self.desk.manager.ledger
        orders = [ledger.order(order_id(number)) for number in range(1, self.count + 1)]
        signed = sum(
            (order.filled if order.spec.side is Side.BUY else -order.filled for order in orders if order), Decimal(0)
        )
        positions = ledger.positions
        assert (positions["binance.BTCUSDT"].quantity if positions else 0) == signed

    @invariant()
    def what_was_journaled_is_the_state(self) -> None:
        if not hasattr(self, "desk"):
            return
        replayed = Ledger()
        for record in self.desk.ctx.journal:
            replayed.apply(decode(record))
        assert replayed.digest() == self.desk.manager.ledger.digest()

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        self.venue.said.clear()
        self.checks.clear()
        self.desk.receive(ActorDown("connector.binance", 1, "killed"), VenueUp("binance", "connector.binance", NOW))
        for _ in range(300):
            self.carry()
            while self.venue.said:
                self.desk.receive(self.venue.said.pop(0))
                self.carry()
            self.desk.pass_time(200 * MS)
        ledger = self.desk.manager.ledger
        for number in range(1, self.count + 1):
            order = ledger.order(order_id(number))
            there = self.venue.orders.get(order_id(number))
            if order is None:
                assert (number in self.spare, there) == (True, None)
                continue
            assert order.change is None
            if there is None:
                assert order.state in (OrderState.DENIED, OrderState.REJECTED)
            else:
                assert (order.state, order.filled) == (there.state, there.filled)
                assert (order.quantity, order.spec.price) == (Decimal(there.spec.quantity), there.spec.price)
                assert order.final or not order.cancel_requested
        assert set(ledger.open) == {name for name, order in self.venue.orders.items() if order.state in OPEN}
        known = [order for number in range(1, self.count + 1) if (order := ledger.order(order_id(number)))]
        assert all(order.state in FINAL for order in known if order.cancel_requested)


TestManagerAgainstVenue = ManagerAgainstVenue.TestCase
TestManagerAgainstVenue.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
