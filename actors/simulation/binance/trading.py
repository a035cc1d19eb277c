"""Orders and money: what a client may place, what it locks, what a trade moves, and who is told.

The matching itself is the engine's. Fees are 0.1 % of what an order receives. Balances never become negative: what an
order can cost is locked before the engine sees it.
"""

import string
from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, Decimal
from random import Random

from actors.model.order import Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.market import Market, Trade
from actors.simulation.binance.numbers import fixed, to_ms
from actors.simulation.binance.orders import EXPIRY_REASONS, Fill, Status, Ticket, VenueOrder, VenueOrderType
from actors.simulation.binance.refusal import Refusal, rejected
from actors.simulation.matching import Ended, Event, Order, Traded

ZERO = Decimal(0)
FEE_RATE = Decimal("0.001")
_SATOSHI = Decimal("0.00000001")

_UNSUPPORTED = {
    VenueOrderType.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    VenueOrderType.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    VenueOrderType.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    VenueOrderType.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}

Tell = Callable[[Account, dict[str, object]], None]
"""An event for everybody who listens to this account."""


class Trading:
    def __init__(self, markets: dict[str, Market], limits: Limits, tell: Tell, random: Random) -> None:
        self._markets = markets
        self._limits = limits
        self._tell = tell
        self._random = random
        self._by_id: dict[tuple[str, int], VenueOrder] = {}
        self._open: dict[tuple[str, str], VenueOrder] = {}
        """By account key and client order id: unique among open orders only."""
        self._newest: dict[tuple[str, str, str], VenueOrder] = {}
        self._fees: dict[str, Decimal] = {}
        self._executions = 0
        for market in markets.values():
            market.listener = self.on_events

    @property
    def fees(self) -> dict[str, Decimal]:
        return self._fees

    def orders(self) -> Iterable[VenueOrder]:
        """Every order there ever was, in the order of their arrival."""
        return self._by_id.values()

    def open_orders(self, account: Account, symbol: str | None) -> list[VenueOrder]:
        return [order for order in self._open.values() if order.account is account and symbol in (None, order.symbol)]

    def find(
        self, account: Account, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> VenueOrder | None:
        """By venue id (the client id must then agree), or the newest with this client id."""
        if order_id is not None:
            order = self._by_id.get((symbol, order_id))
            if order is None or order.account is not account:
                return None
            return order if client_order_id in (None, order.client_order_id) else None
        return self._newest.get((account.key, symbol, client_order_id or ""))

    def check(self, account: Account, ticket: Ticket) -> Market:
        """Everything that refuses an order before the engine sees it, except its funds."""
        market = self._markets.get(ticket.symbol)
        if market is None:
            raise rejected("Market is closed.")
        if ticket.type in _UNSUPPORTED:
            raise rejected(_UNSUPPORTED[ticket.type])
        rules, kind = market.rules, ticket.type.as_matched()
        if ticket.price is not None:
            rules.check_price(ticket.side, ticket.price, market.last_price)
        if ticket.quantity is not None:
            rules.check_quantity(kind, ticket.quantity)
            rules.check_notional(kind, ticket.quantity * (ticket.price or market.last_price))
        if ticket.quote_quantity is not None:
            rules.check_notional(kind, ticket.quote_quantity)
        rules.check_open_orders(len(self.open_orders(account, ticket.symbol)))
        return market

    def place(self, account: Account, ticket: Ticket, now: int) -> VenueOrder:
        market = self.check(account, ticket)
        self._limits.count_order(now)
        if ticket.client_order_id is not None and (account.key, ticket.client_order_id) in self._open:
            raise rejected("Duplicate order sent.")
        if ticket.type is VenueOrderType.LIMIT_MAKER and market.engine.would_take(ticket.side, ticket.price or ZERO):
            raise rejected("Order would immediately match and take.")
        asset, amount = self._funds_for(market, ticket)
        if not account.lock(asset, amount):
            raise rejected("Account has insufficient balance for requested action.")
        client_order_id = ticket.client_order_id or self.new_client_order_id()
        order = VenueOrder(market.next_order_id(), client_order_id, account, ticket, to_ms(now))
        order.locked = amount
        if ticket.quote_quantity is not None:
            order.quantity = market.engine.lots_for(ticket.side, ticket.quote_quantity)
        self._by_id[order.symbol, order.order_id] = order
        self._open[account.key, client_order_id] = order
        self._newest[account.key, order.symbol, client_order_id] = order
        self._report(order, "NEW", now)
        submitted = Order(
            order_id=order.order_id,
            side=order.side,
            quantity=order.quantity,
            price=ticket.price,
            time_in_force=ticket.time_in_force if ticket.price is not None else TimeInForce.IOC,
            post_only=ticket.type is VenueOrderType.LIMIT_MAKER,
            quote_budget=ticket.quote_quantity,
        )
        events = market.submit(submitted, now)
        if not any(isinstance(event, Traded | Ended) for event in events):
            self._tell_balances([order], now)
        return order

    def cancel(self, order: VenueOrder | None, new_client_order_id: str | None, now: int) -> dict[str, object]:
        if order is None or not order.is_open:
            raise Refusal(-2011, "Unknown order sent.")
        original_id = order.client_order_id
        self._markets[order.symbol].cancel(order.order_id, now)
        self._close(order, Status.CANCELED, now)
        order.client_order_id = new_client_order_id or self.new_client_order_id()
        self._report(order, "CANCELED", now, original_id=original_id)
        self._tell_balances([order], now)
        answer = order.cancel_response(original_id)
        order.client_order_id = original_id
        return answer

    def on_events(self, market: Market, events: list[Event], trades: list[Trade], now: int) -> None:
        """Settle what the engine did; orders of the simulated flow have no owner and are skipped."""
        touched: list[VenueOrder] = []
        numbered = iter(trades)
        for event in events:
            match event:
                case Traded():
                    trade = next(numbered)
                    for order_id in (event.taker_id, event.maker_id):
                        order = self._by_id.get((market.symbol, order_id))
                        if order is not None:
                            self._settle(market, order, trade, order_id == event.maker_id, now)
                            touched.append(order)
                case Ended():
                    order = self._by_id.get((market.symbol, event.order_id))
                    if order is not None and order.is_open:
                        order.expiry_reason = EXPIRY_REASONS[event.reason]
                        self._close(order, Status.EXPIRED, now)
                        self._report(order, "EXPIRED", now)
                        touched.append(order)
                case _:
                    pass
        self._tell_balances(touched, now)

    def new_client_order_id(self) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=22))

    def _funds_for(self, market: Market, ticket: Ticket) -> tuple[str, Decimal]:
        """Which asset the order pays with, and the most that it can cost."""
        rules, engine = market.rules, market.engine
        if ticket.side is Side.SELL:
            quantity = ticket.quantity
            if quantity is None:
                quantity = engine.lots_for(Side.SELL, ticket.quote_quantity or ZERO)
            return rules.base, quantity
        if ticket.quote_quantity is not None:
            return rules.quote, ticket.quote_quantity
        quantity = ticket.quantity or ZERO
        return rules.quote, quantity * ticket.price if ticket.price else engine.cost(Side.BUY, quantity)

    def _settle(self, market: Market, order: VenueOrder, trade: Trade, is_maker: bool, now: int) -> None:
        rules, account = market.rules, order.account
        value = trade.price * trade.quantity
        if order.side is Side.BUY:
            paid_asset, paid, got_asset, got = rules.quote, value, rules.base, trade.quantity
        else:
            paid_asset, paid, got_asset, got = rules.base, trade.quantity, rules.quote, value
        fee = (got * FEE_RATE).quantize(_SATOSHI, ROUND_DOWN)
        account.spend(paid_asset, paid)
        account.receive(got_asset, got - fee)
        self._fees[got_asset] = self._fees.get(got_asset, ZERO) + fee
        order.locked -= paid
        if not order.executed:
            self._limits.forgive_order(now)
        order.executed += trade.quantity
        order.quote_executed += value
        order.status = Status.FILLED if order.executed == order.quantity else Status.PARTIALLY_FILLED
        order.updated_ms = to_ms(now)
        fill = Fill(trade.trade_id, order.order_id, trade.price, trade.quantity, fee, got_asset, to_ms(now), is_maker)
        order.fills.append(fill)
        if order.status is Status.FILLED:
            self._close(order, Status.FILLED, now)
        elif order.side is Side.BUY and order.price:
            self._release(order, order.locked - (order.quantity - order.executed) * order.price)
        self._report(order, "TRADE", now, fill)

    def _close(self, order: VenueOrder, status: Status, now: int) -> None:
        order.status = status
        order.updated_ms = to_ms(now)
        self._release(order, order.locked)
        self._open.pop((order.account.key, order.client_order_id), None)

    def _release(self, order: VenueOrder, amount: Decimal) -> None:
        rules = self._markets[order.symbol].rules
        order.account.unlock(rules.quote if order.side is Side.BUY else rules.base, amount)
        order.locked -= amount

    def _report(
        self, order: VenueOrder, execution: str, now: int, fill: Fill | None = None, original_id: str = ""
    ) -> None:
        self._executions += 1
        self._tell(order.account, order.execution_report(execution, self._executions, to_ms(now), fill, original_id))

    def _tell_balances(self, orders: list[VenueOrder], now: int) -> None:
        accounts = {order.account.key: order.account for order in orders}
        for account in accounts.values():
            account.updated_ms = to_ms(now)
            assets: dict[str, None] = {}
            for order in orders:
                if order.account is account:
                    rules = self._markets[order.symbol].rules
                    assets |= {rules.base: None, rules.quote: None}
            balances = [
                {
                    "a": asset,
                    "f": fixed(account.balance(asset).free),
                    "l": fixed(account.balance(asset).locked),
                }
                for asset in assets
            ]
            event = {"e": "outboundAccountPosition", "E": to_ms(now), "u": account.updated_ms, "B": balances}
            self._tell(account, event)
