"""Orders, positions and margin: what may be placed, what a trade moves, who is liquidated, and who is told.

Fees are 0.02 % for makers and 0.04 % for takers, paid from the wallet. An order needs its notional over the leverage as
margin, unless it makes a position smaller. An account whose wallets and open profit fall below the maintenance margin
of its positions is liquidated: its orders are cancelled and its positions closed at the market.
"""

import string
from collections.abc import Callable, Iterable
from decimal import Decimal
from random import Random

from actors.model.order import Side, TimeInForce
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.market import Market, Trade
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.orders import Fill, Status
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance_usdm.accounts import BOTH, LONG, MarginAccount, Position
from actors.simulation.binance_usdm.market import FuturesMarket
from actors.simulation.binance_usdm.orders import EXPIRY_REASONS, SELF_TRADE, FuturesOrder, FuturesTicket, Kind, Tif
from actors.simulation.matching import Ended, Event, Order, Traded

ZERO = Decimal(0)
MAKER_FEE, TAKER_FEE = Decimal("0.0002"), Decimal("0.0004")
_MOST_MODIFICATIONS = 10_000
_MATCHED = {Tif.IOC: TimeInForce.IOC, Tif.FOK: TimeInForce.FOK}

Tell = Callable[[MarginAccount, dict[str, object]], None]
"""An event for everybody who listens to this account."""


class MarginTrading:
    def __init__(self, markets: dict[str, FuturesMarket], limits: Limits, tell: Tell, random: Random) -> None:
        self._markets = markets
        self._limits = limits
        self._tell = tell
        self._random = random
        self._by_id: dict[tuple[str, int], FuturesOrder] = {}
        self._open: dict[tuple[str, str], FuturesOrder] = {}
        """By account key and client order id: unique among open orders only."""
        self._newest: dict[tuple[str, str, str], FuturesOrder] = {}
        self.fees: dict[str, Decimal] = {}
        self._liquidating: set[str] = set()
        for market in markets.values():
            market.listener = self.on_events

    # ---- orders --------------------------------------------------------------------------------------------------

    def orders(self) -> Iterable[FuturesOrder]:
        """Every order there ever was, in the order of their arrival."""
        return self._by_id.values()

    def open_orders(self, account: MarginAccount, symbol: str | None = None) -> list[FuturesOrder]:
        return [order for order in self._open.values() if order.account is account and symbol in (None, order.symbol)]

    def find(
        self, account: MarginAccount, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> FuturesOrder | None:
        if order_id is not None:
            order = self._by_id.get((symbol, order_id))
            return order if order is not None and order.account is account else None
        return self._newest.get((account.key, symbol, client_order_id or ""))

    def check(self, account: MarginAccount, ticket: FuturesTicket) -> FuturesMarket:
        """Everything that refuses an order before the engine sees it."""
        market = self._markets.get(ticket.symbol)
        if market is None:
            raise Refusal(-1121, "Invalid symbol.")
        if account.is_hedged == (ticket.position_side == BOTH):
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        reduces = self._reduces(account, ticket)
        market.rules.check_order(ticket.side, ticket.quantity, ticket.price, market.mark_price, reduces > 0)
        if ticket.reduce_only and not reduces:
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        if ticket.client_order_id is not None and (account.key, ticket.client_order_id) in self._open:
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        if ticket.tif is Tif.GTX and market.engine.would_take(ticket.side, ticket.price or ZERO):
            message = "Due to the order could not be executed as maker, the Post Only order will be rejected."
            raise Refusal(-5022, f"{message} The order will not be recorded in the order history")
        needed = self._margin(account, market, ticket.quantity - reduces, ticket.price)
        if needed > self.available(account, market.rules.margin_asset):
            raise Refusal(-2019, "Margin is insufficient.")
        return market

    def place(self, account: MarginAccount, ticket: FuturesTicket, now: int) -> FuturesOrder:
        market = self.check(account, ticket)
        self._limits.count_orders(1, now)
        return self._enter(market, account, ticket, now)

    def _enter(self, market: FuturesMarket, account: MarginAccount, ticket: FuturesTicket, now: int) -> FuturesOrder:
        client_order_id = ticket.client_order_id or self.new_client_order_id()
        order = FuturesOrder(market.next_order_id(), client_order_id, account, ticket, to_ms(now))
        order.is_liquidation = client_order_id.startswith("autoclose-")
        if ticket.reduce_only:
            order.quantity = min(order.quantity, self._reduces(account, ticket))
        self._by_id[order.symbol, order.order_id] = order
        self._open[account.key, client_order_id] = order
        self._newest[account.key, order.symbol, client_order_id] = order
        self._expire_own(market, order, now)
        self._report(order, "NEW", now)
        market.submit(self._for_engine(order), now)
        return order

    def cancel(self, order: FuturesOrder | None, now: int) -> FuturesOrder:
        if order is None or not order.is_open:
            raise Refusal(-2011, "Unknown order sent.")
        self._markets[order.symbol].cancel(order.order_id, now)
        self._close(order, Status.CANCELED, "CANCELED", now)
        return order

    def modify(self, order: FuturesOrder | None, quantity: Decimal, price: Decimal, now: int) -> FuturesOrder:
        """Loses its place in the queue; one that is filled that far, or would take as post-only, is cancelled."""
        if order is None or not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        if order.ticket.kind is not Kind.LIMIT:
            raise Refusal(-4055, "Amendments are for limit orders only.")
        if (quantity, price) == (order.quantity, order.price):
            raise Refusal(-5027, "No need to modify the order.")
        if order.modifications >= _MOST_MODIFICATIONS:
            raise Refusal(-5026, "Exceed maximum modify order limit.")
        market = self._markets[order.symbol]
        market.rules.check_order(order.side, quantity, price, market.mark_price, order.ticket.reduce_only)
        would_take = order.ticket.tif is Tif.GTX and market.engine.would_take(order.side, price)
        self._limits.count_orders(1, now)
        if quantity <= order.executed or would_take:
            return self.cancel(order, now)
        market.cancel(order.order_id, now)
        order.modifications += 1
        order.quantity, order.price, order.updated_ms = quantity, price, to_ms(now)
        self._report(order, "AMENDMENT", now)
        market.submit(self._for_engine(order), now)
        return order

    def expire_due(self, now: int) -> None:
        """Orders that were good until now."""
        for order in list(self._open.values()):
            if order.ticket.good_till_ms and order.ticket.good_till_ms <= to_ms(now):
                self._markets[order.symbol].cancel(order.order_id, now)
                self._close(order, Status.EXPIRED, "EXPIRED", now)

    def new_client_order_id(self) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=22))

    # ---- margin --------------------------------------------------------------------------------------------------

    def mark(self, symbol: str) -> Decimal:
        return self._markets[symbol].mark_price

    def unrealized(self, account: MarginAccount, asset: str) -> Decimal:
        return sum((p.unrealized(self.mark(p.symbol)) for p in self._positions_in(account, asset)), ZERO)

    def position_margin(self, account: MarginAccount, asset: str) -> Decimal:
        return sum((self.margin_of(account, p) for p in self._positions_in(account, asset)), ZERO)

    def margin_of(self, account: MarginAccount, position: Position) -> Decimal:
        return abs(position.quantity) * self.mark(position.symbol) / account.leverage_of(position.symbol)

    def order_margin(self, account: MarginAccount, asset: str) -> Decimal:
        return sum(
            (
                (order.quantity - order.executed) * order.price / account.leverage_of(order.symbol)
                for order in self.open_orders(account)
                if not order.ticket.reduce_only and self._asset(order.symbol) == asset
            ),
            ZERO,
        )

    def maintenance(self, account: MarginAccount, asset: str) -> Decimal:
        return sum((self.maintenance_of(p) for p in self._positions_in(account, asset)), ZERO)

    def maintenance_of(self, position: Position) -> Decimal:
        market = self._markets[position.symbol]
        return abs(position.quantity) * market.mark_price * market.rules.maintenance_rate

    def available(self, account: MarginAccount, asset: str) -> Decimal:
        margin = self.position_margin(account, asset) + self.order_margin(account, asset)
        return account.wallets.get(asset, ZERO) + self.unrealized(account, asset) - margin

    def liquidation_price(self, account: MarginAccount, position: Position) -> Decimal:
        """At which the account's margin would be used up if no other price moved; 0 where there is none."""
        if not position.quantity:
            return ZERO
        asset = self._asset(position.symbol)
        spare = account.wallets.get(asset, ZERO) + self.unrealized(account, asset) - self.maintenance(account, asset)
        return max(ZERO, self.mark(position.symbol) - spare / position.quantity)

    def liquidate(self, accounts: Iterable[MarginAccount], now: int) -> None:
        for account in accounts:
            for asset in account.wallets:
                margin = account.wallets[asset] + self.unrealized(account, asset)
                if self._positions_in(account, asset) and margin < self.maintenance(account, asset):
                    self._close_all(account, asset, now)

    def fund(self, account: MarginAccount, symbol: str, now: int) -> None:
        """Longs pay shorts the rate on what their position is worth."""
        market = self._markets[symbol]
        asset = market.rules.margin_asset
        for position in account.open_positions():
            if position.symbol != symbol:
                continue
            paid = (position.quantity * market.mark_price * market.funding_rate).quantize(Decimal("1e-8"))
            account.wallets[asset] = account.wallets.get(asset, ZERO) - paid
            self._earn(account, symbol, "FUNDING_FEE", -paid, asset, now)
            self._tell_account(account, "FUNDING_FEE", asset, [position], now)

    # ---- what the engine did -------------------------------------------------------------------------------------

    def on_events(self, market: Market, events: list[Event], trades: list[Trade], now: int) -> None:
        """Settle it; orders of the simulated flow have no owner and are skipped."""
        numbered = iter(trades)
        for event in events:
            match event:
                case Traded():
                    trade = next(numbered)
                    for order_id in (event.taker_id, event.maker_id):
                        order = self._by_id.get((market.symbol, order_id))
                        if order is not None:
                            self._settle(order, trade, order_id == event.maker_id, now)
                case Ended():
                    order = self._by_id.get((market.symbol, event.order_id))
                    if order is not None and order.is_open:
                        order.expiry_reason = EXPIRY_REASONS[event.reason]
                        self._close(order, Status.EXPIRED, "EXPIRED", now)
                case _:
                    pass

    def _settle(self, order: FuturesOrder, trade: Trade, is_maker: bool, now: int) -> None:
        account, asset = order.account, self._asset(order.symbol)
        value = trade.price * trade.quantity
        fee = (value * (MAKER_FEE if is_maker else TAKER_FEE)).quantize(Decimal("1e-8"))
        position = account.position(order.symbol, order.ticket.position_side)
        profit = position.trade(order.side, trade.quantity, trade.price)
        position.updated_ms = to_ms(now)
        account.wallets[asset] = account.wallets.get(asset, ZERO) + profit - fee
        self.fees[asset] = self.fees.get(asset, ZERO) + fee
        order.executed += trade.quantity
        order.quote_executed += value
        order.updated_ms = to_ms(now)
        order.status = Status.FILLED if order.executed == order.quantity else Status.PARTIALLY_FILLED
        fill = Fill(trade.trade_id, order.order_id, trade.price, trade.quantity, fee, asset, to_ms(now), is_maker)
        order.fills.append(fill)
        order.profits[fill.trade_id] = profit
        if order.status is Status.FILLED:
            self._open.pop((account.key, order.client_order_id), None)
        self._earn(account, order.symbol, "COMMISSION", -fee, asset, now)
        if profit:
            self._earn(account, order.symbol, "REALIZED_PNL", profit, asset, now)
        if order.is_liquidation:
            market = self._markets[order.symbol]
            market.publish_liquidation(order.side, trade.quantity, trade.price, order.average, to_ms(now))
        self._tell(account, order.lite(to_ms(now), fill))
        self._tell_account(account, "ORDER", asset, [position], now)
        self._tell(account, order.update("CALCULATED" if order.is_liquidation else "TRADE", to_ms(now), fill))

    # ---- parts ---------------------------------------------------------------------------------------------------

    def _for_engine(self, order: FuturesOrder) -> Order:
        ticket = order.ticket
        return Order(
            order_id=order.order_id,
            side=order.side,
            quantity=order.quantity - order.executed,
            price=order.price if ticket.kind is Kind.LIMIT else None,
            time_in_force=_MATCHED.get(ticket.tif, TimeInForce.GTC) if ticket.kind is Kind.LIMIT else TimeInForce.IOC,
            post_only=ticket.tif is Tif.GTX,
        )

    def _expire_own(self, market: FuturesMarket, order: FuturesOrder, now: int) -> None:
        """Self-trade prevention, EXPIRE_MAKER: own resting orders that this one would meet."""
        for own in self.open_orders(order.account, order.symbol):
            if own is order or own.side is order.side:
                continue
            meets = order.price >= own.price if order.side is Side.BUY else order.price <= own.price
            if order.ticket.kind is Kind.MARKET or meets:
                market.cancel(own.order_id, now)
                own.expiry_reason = SELF_TRADE
                self._close(own, Status.EXPIRED, "EXPIRED", now)

    def _reduces(self, account: MarginAccount, ticket: FuturesTicket) -> Decimal:
        """How much of it would make the position smaller."""
        held = account.position(ticket.symbol, ticket.position_side).quantity
        against = held < 0 if ticket.side is Side.BUY else held > 0
        return min(ticket.quantity, abs(held)) if against else ZERO

    def _margin(
        self, account: MarginAccount, market: FuturesMarket, quantity: Decimal, price: Decimal | None
    ) -> Decimal:
        return quantity * (price or market.mark_price) / account.leverage_of(market.symbol)

    def _close(self, order: FuturesOrder, status: Status, execution: str, now: int) -> None:
        order.status = status
        order.updated_ms = to_ms(now)
        self._open.pop((order.account.key, order.client_order_id), None)
        self._report(order, execution, now)

    def _close_all(self, account: MarginAccount, asset: str, now: int) -> None:
        if account.key in self._liquidating:
            return
        self._liquidating.add(account.key)
        for order in self.open_orders(account):
            order.expiry_reason = "5"
            self._markets[order.symbol].cancel(order.order_id, now)
            self._close(order, Status.EXPIRED, "EXPIRED", now)
        for position in self._positions_in(account, asset):
            ticket = FuturesTicket(
                symbol=position.symbol,
                side=Side.SELL if position.quantity > 0 else Side.BUY,
                kind=Kind.MARKET,
                quantity=abs(position.quantity),
                tif=Tif.IOC,
                position_side=position.side,
                client_order_id=f"autoclose-{to_ms(now)}{position.symbol}{'L' if position.side == LONG else ''}",
            )
            self._enter(self._markets[position.symbol], account, ticket, now)
        self._liquidating.discard(account.key)

    def _positions_in(self, account: MarginAccount, asset: str) -> list[Position]:
        return [position for position in account.open_positions() if self._asset(position.symbol) == asset]

    def _asset(self, symbol: str) -> str:
        return self._markets[symbol].rules.margin_asset

    def _earn(self, account: MarginAccount, symbol: str, kind: str, amount: Decimal, asset: str, now: int) -> None:
        row = {"symbol": symbol, "incomeType": kind, "income": str(amount), "asset": asset, "info": kind}
        account.income.append({**row, "time": to_ms(now), "tranId": len(account.income) + 1, "tradeId": ""})

    def _report(self, order: FuturesOrder, execution: str, now: int) -> None:
        self._tell(order.account, order.update(execution, to_ms(now)))

    def _tell_account(
        self, account: MarginAccount, reason: str, asset: str, positions: list[Position], now: int
    ) -> None:
        wallet = str(account.wallets.get(asset, ZERO))
        rows = [
            {
                "s": position.symbol,
                "pa": str(position.quantity),
                "ep": str(position.entry_price),
                "bep": str(position.entry_price),
                "cr": str(position.realized),
                "up": f"{position.unrealized(self.mark(position.symbol)):.8f}",
                "mt": "isolated" if position.symbol in account.isolated else "cross",
                "iw": "0",
                "ps": position.side,
            }
            for position in positions
        ]
        change = {"m": reason, "B": [{"a": asset, "wb": wallet, "cw": wallet, "bc": "0"}], "P": rows}
        self._tell(account, {"e": "ACCOUNT_UPDATE", "E": to_ms(now), "T": to_ms(now), "a": change})
