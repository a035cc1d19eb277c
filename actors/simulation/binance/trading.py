"""Orders and money: what a client may place, what a trade moves, and who is told.

The matching itself is the engine's. Fees are 0.1 % of what an order receives. What an event of the engine brings about
in other orders (a stop that begins to work, the other leg of a list) happens after that event is settled and published.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_DOWN, Decimal
from functools import partial
from random import Random

from actors.model.order import Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.binance import reports
from actors.simulation.binance.account_events import AccountEvents, Tell
from actors.simulation.binance.funds import needed, paid_asset, reserve
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.market import Market, Trade
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.order_lists import OrderLists
from actors.simulation.binance.orders import (
    EXPIRY_REASONS,
    Amendment,
    ExpiryReason,
    Fill,
    PreventedMatch,
    Status,
    Ticket,
    VenueOrder,
    VenueOrderType,
)
from actors.simulation.binance.refusal import Refusal, amend_rejected, rejected
from actors.simulation.binance.register import OrderRegister
from actors.simulation.binance.stops import Stops, Trigger
from actors.simulation.matching import Ended, Event, Order, Prevented, Traded

ZERO = Decimal(0)
FEE_RATE = Decimal("0.001")
_SATOSHI = Decimal("0.00000001")


class Trading:
    def __init__(self, markets: dict[str, Market], limits: Limits, tell: Tell, random: Random) -> None:
        self._markets = markets
        self._limits = limits
        self._events = AccountEvents(markets, tell)
        self.register = OrderRegister(random)
        self.lists = OrderLists(self, tell)
        self._stops = Stops()
        self._fees: dict[str, Decimal] = {}
        self._prevented: dict[str, list[PreventedMatch]] = {}
        self._next: deque[Callable[[int], None]] = deque()
        self._is_settling = False
        for market in markets.values():
            market.listener = self.on_events
            market.settled = self.on_settled

    @property
    def fees(self) -> dict[str, Decimal]:
        return self._fees

    def market(self, symbol: str) -> Market:
        """Refuses a symbol that does not trade."""
        market = self._markets.get(symbol)
        if market is None:
            raise rejected("Market is closed.")
        return market

    def prevented_matches(self, symbol: str) -> list[PreventedMatch]:
        return self._prevented.get(symbol, [])

    # ---- placing

    def check(self, account: Account, *tickets: Ticket) -> Market:
        """What refuses an order by its form and by the symbol's filters, before its price meets the book."""
        market = self.market(tickets[0].symbol)
        orders = self.register.open(account, market.symbol)
        for ticket in tickets:
            market.rules.check(ticket, market.last_price)
        market.rules.check_counts(orders, tickets)
        return market

    def check_book(self, account: Account, ticket: Ticket) -> None:
        """What the matching engine refuses."""
        market = self._markets[ticket.symbol]
        if ticket.client_order_id is not None and self.register.is_taken(account, ticket.client_order_id):
            raise rejected("Duplicate order sent.")
        if ticket.type is VenueOrderType.LIMIT_MAKER and market.engine.would_take(ticket.side, ticket.price or ZERO):
            raise rejected("Order would immediately match and take.")
        is_plain_stop = ticket.stop_price is not None and ticket.trailing_delta is None
        if is_plain_stop and Trigger(ticket, market.last_price, 0).is_reached(market.last_price, 0):
            raise rejected("Order would trigger immediately.")

    def place(self, account: Account, ticket: Ticket, now: int, is_counted: bool = False) -> VenueOrder:
        """`is_counted`: the unfilled order count has it already."""
        market = self.check(account, ticket)
        if not is_counted:
            self._limits.count_orders(1, now)
        self.check_book(account, ticket)
        order = self.create(account, ticket, now)
        if not reserve(market, order, needed(market, account.key, ticket, order.quantity)):
            raise rejected("Account has insufficient balance for requested action.")
        self.accept(order, now)
        self.start(order, now)
        return order

    def create(self, account: Account, ticket: Ticket, now: int) -> VenueOrder:
        """An order that nobody knows of yet."""
        market = self._markets[ticket.symbol]
        client_order_id = ticket.client_order_id or self.register.new_client_order_id()
        order = VenueOrder(market.next_order_id(), client_order_id, account, ticket, to_ms(now))
        if ticket.quote_quantity is not None:
            order.quantity = market.engine.lots_for(ticket.side, ticket.quote_quantity)
        return order

    def accept(self, order: VenueOrder, now: int, status: Status = Status.NEW) -> None:
        """It is the venue's now, and the account is told."""
        self.register.add(order)
        if status is Status.NEW:
            self.release(order, now)
        else:
            order.status = status
            self._events.report(order, "NEW", now)

    def release(self, order: VenueOrder, now: int) -> None:
        """From now on it works, or waits for its price; a pending order becomes one like any other."""
        order.status, order.updated_ms = Status.NEW, to_ms(now)
        if order.is_contingent:
            order.trigger = Trigger(order.ticket, self._markets[order.symbol].last_price, to_ms(now))
        else:
            order.working_ms = to_ms(now)
        self._events.report(order, "NEW", now)

    def start(self, order: VenueOrder, now: int) -> None:
        """Put it where it belongs: into the book, or among those that wait for a price."""
        if order.trigger is None:
            self._submit(order, now)
        elif order.trigger.is_reached(self._markets[order.symbol].last_price, to_ms(now)):
            self._trigger(order, now)
        else:
            self._stops.add(order)
            self._events.balances([order], now)
        self.run_next(now)

    # ---- ending and changing

    def cancel(self, order: VenueOrder | None, new_client_order_id: str | None, now: int) -> dict[str, object]:
        """The answer; an order that is part of a list takes the whole list with it."""
        if order is None or not order.is_open:
            raise Refusal(-2011, "Unknown order sent.")
        new_id = new_client_order_id or self.register.new_client_order_id()
        if order.list is not None:
            return self.lists.cancel(order.list, new_id, now)
        answer = self.cancel_alone(order, new_id, now)
        self.run_next(now)
        return answer

    def cancel_alone(self, order: VenueOrder, new_client_order_id: str, now: int) -> dict[str, object]:
        original_id = order.client_order_id
        self._withdraw(order, now)
        self._close(order, Status.CANCELED, now)
        order.client_order_id = new_client_order_id
        self._events.report(order, "CANCELED", now, original_id=original_id)
        self._events.balances([order], now)
        answer = reports.cancel_response(order, original_id)
        order.client_order_id = original_id
        return answer

    def expire(self, order: VenueOrder, reason: ExpiryReason, now: int) -> None:
        """The venue itself ends it."""
        if not order.is_open:
            return
        self._withdraw(order, now)
        order.expiry_reason = reason
        self._close(order, Status.EXPIRED, now)
        self._events.report(order, "EXPIRED", now)
        self._events.balances([order], now)

    def amend(
        self, order: VenueOrder | None, quantity: Decimal, new_client_order_id: str | None, now: int
    ) -> dict[str, object]:
        """Make it smaller where it stands. Both legs of an OCO have one quantity, so both become smaller."""
        if order is None or not order.is_open:
            raise amend_rejected("Unknown order sent.")
        market, original_id = self._markets[order.symbol], order.client_order_id
        new_id = new_client_order_id or self.register.new_client_order_id()
        market.rules.check_amend(order, quantity)
        if new_id != original_id and self.register.is_taken(order.account, new_id):
            raise amend_rejected("Duplicate order sent.")
        legs = order.list.pair_of(order) if order.list is not None else ()
        for changed in (order, *legs):
            self._shrink(market, changed, quantity, new_id if changed is order else changed.client_order_id, now)
        if order.list is not None and new_id != original_id:
            self.lists.renamed(order.list, now)
        answer: dict[str, object] = {"transactTime": to_ms(now), "executionId": order.amendments[-1].execution_id}
        answer["amendedOrder"] = reports.amended(order, original_id)
        if order.list is not None:
            answer["listStatus"] = self.lists.brief(order.list)
        self.run_next(now)
        return answer

    def _shrink(self, market: Market, order: VenueOrder, quantity: Decimal, new_id: str, now: int) -> None:
        old_id, old_quantity = order.client_order_id, order.quantity
        market.reduce(order.order_id, old_quantity - quantity, now)
        order.quantity, order.updated_ms = quantity, to_ms(now)
        if old_id != new_id:
            self.register.rename(order, new_id)
        if order.locked:
            reserve(market, order, self.needed(order))
        self._events.report(order, "REPLACED", now, original_id=old_id)
        amendment = Amendment(self._events.last_execution_id, old_id, new_id, old_quantity, quantity, to_ms(now))
        order.amendments.append(amendment)
        self._events.balances([order], now)

    # ---- what the engine did

    def on_events(self, market: Market, events: list[Event], trades: list[Trade], now: int) -> None:
        """Settle it; orders of the simulated flow have no owner and are skipped."""
        touched: list[VenueOrder] = []
        numbered = iter(trades)
        for event in events:
            match event:
                case Traded():
                    trade = next(numbered)
                    for order_id in (event.taker_id, event.maker_id):
                        order = self.register.of_id(market.symbol, order_id)
                        if order is not None:
                            self._settle(market, order, trade, order_id == event.maker_id, now)
                            touched.append(order)
                case Ended():
                    order = self.register.of_id(market.symbol, event.order_id)
                    if order is not None and order.is_open:
                        order.expiry_reason = EXPIRY_REASONS[event.reason]
                        self._close(order, Status.EXPIRED, now)
                        self._events.report(order, "EXPIRED", now)
                        touched.append(order)
                case Prevented():
                    touched += self._prevent(market, event, now)
                case _:
                    pass
        self._events.balances(touched, now)

    def on_settled(self, market: Market, prices: list[Decimal], now: int) -> None:
        """After everything is published: stops that these trade prices have reached, and what else was put off."""
        for order in self._stops.reached(market.symbol, prices, to_ms(now)):
            self._put_off(partial(self._trigger, order))
        self.run_next(now)

    @contextmanager
    def consequences_later(self) -> Iterator[None]:
        """What is put off inside stays put off until `run_next`."""
        was_settling, self._is_settling = self._is_settling, True
        yield
        self._is_settling = was_settling

    def run_next(self, now: int) -> None:
        """Do what was put off, and what that brings about."""
        if self._is_settling:
            return
        self._is_settling = True
        while self._next:
            self._next.popleft()(now)
        self._is_settling = False

    def _put_off(self, action: Callable[[int], None]) -> None:
        self._next.append(action)

    def _trigger(self, order: VenueOrder, now: int) -> None:
        """A stop begins to work: the other leg of its list ends, and it needs the funds of a real order now."""
        if not order.is_open:
            return
        market = self._markets[order.symbol]
        self.lists.on_start(order, now)
        if not reserve(market, order, self.needed(order, is_triggered=True)):
            self.expire(order, ExpiryReason.REJECTED, now)
            return
        order.working_ms = order.updated_ms = to_ms(now)
        self._events.report(order, "NEW", now)
        self._submit(order, now)

    def _submit(self, order: VenueOrder, now: int) -> None:
        ticket = order.ticket
        submitted = Order(
            order_id=order.order_id,
            side=order.side,
            quantity=order.left,
            price=ticket.price,
            time_in_force=ticket.time_in_force if ticket.price is not None else TimeInForce.IOC,
            post_only=ticket.type is VenueOrderType.LIMIT_MAKER,
            quote_budget=ticket.quote_quantity,
            tip=ticket.iceberg_quantity,
            owner=order.account.key,
            self_trade=ticket.self_trade.as_matched(),
        )
        events = self._markets[order.symbol].submit(submitted, now)
        if not any(isinstance(event, Traded | Ended | Prevented) for event in events):
            self._events.balances([order], now)

    def _settle(self, market: Market, order: VenueOrder, trade: Trade, is_maker: bool, now: int) -> None:
        rules, account = market.rules, order.account
        if not order.executed:
            self._limits.forgive_order(now)
            if order.list is not None:
                self.lists.take_over(order)
                self._put_off(partial(self.lists.on_start, order))
        value = trade.price * trade.quantity
        if order.side is Side.BUY:
            paid, got_asset, got = value, rules.base, trade.quantity
        else:
            paid, got_asset, got = trade.quantity, rules.quote, value
        fee = (got * FEE_RATE).quantize(_SATOSHI, ROUND_DOWN)
        account.spend(paid_asset(market, order.side), paid)
        account.receive(got_asset, got - fee)
        self._fees[got_asset] = self._fees.get(got_asset, ZERO) + fee
        order.locked -= paid
        order.executed += trade.quantity
        order.quote_executed += value
        order.status = Status.PARTIALLY_FILLED if order.left else Status.FILLED
        order.updated_ms = to_ms(now)
        fill = Fill(trade.trade_id, order.order_id, trade.price, trade.quantity, fee, got_asset, to_ms(now), is_maker)
        order.fills.append(fill)
        if order.status is Status.FILLED:
            self._close(order, Status.FILLED, now)
        elif order.price:
            reserve(market, order, self.needed(order))
        self._events.report(order, "TRADE", now, fill)

    def _prevent(self, market: Market, event: Prevented, now: int) -> list[VenueOrder]:
        taker = self.register.of_id(market.symbol, event.taker_id)
        maker = self.register.of_id(market.symbol, event.maker_id)
        if taker is None or maker is None:
            return []
        matches = self._prevented.setdefault(market.symbol, [])
        match = PreventedMatch(
            len(matches),
            event.taker_id,
            event.maker_id,
            taker.ticket.self_trade,
            event.price,
            event.taker_quantity,
            event.maker_quantity,
            to_ms(now),
        )
        matches.append(match)
        taker.prevented_matches.append(match)
        sides = (
            (maker, event.maker_quantity, event.maker_ended),
            (taker, event.taker_quantity, event.taker_ended),
        )
        touched = []
        for order, quantity, is_ended in sides:
            if not quantity:
                continue
            touched.append(order)
            order.prevented += quantity
            order.updated_ms = to_ms(now)
            if order is maker:
                order.prevented_matches.append(match)
            if is_ended:
                self._close(order, Status.EXPIRED_IN_MATCH, now)
            elif order.price:
                reserve(market, order, self.needed(order))
            self._events.report(order, "TRADE_PREVENTION", now, prevented=match)
        return touched

    # ---- funds, reports

    def needed(self, order: VenueOrder, is_triggered: bool = False) -> Decimal:
        market = self._markets[order.symbol]
        return needed(market, order.account.key, order.ticket, order.left, is_triggered)

    def _withdraw(self, order: VenueOrder, now: int) -> None:
        self._stops.remove(order)
        self._markets[order.symbol].cancel(order.order_id, now)

    def _close(self, order: VenueOrder, status: Status, now: int) -> None:
        order.status = status
        order.updated_ms = to_ms(now)
        reserve(self._markets[order.symbol], order, ZERO)
        self.register.close(order)
        if order.list is not None:
            self._put_off(partial(self.lists.on_end, order))
