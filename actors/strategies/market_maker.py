"""Market making: a post-only order on each side of the mid, moved when the market moves, bounded by inventory."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from actors.strategy import OrderState, OrderUpdated, Quote, Side, Strategy

PAUSE_NS = 250_000_000


class MarketMaker(Strategy):
    """Parameters: `half_spread_bps`, `requote_bps`; and `quantity` and `max_position` in the base asset, each for
    all instruments or as a mapping by instrument.
    """

    def on_start(self) -> None:
        self.half_spread = self.number("half_spread_bps", "0.5") / 10_000
        self.requote = self.number("requote_bps", "0.5") / 10_000
        self.quantity = {name: self.number("quantity", "0.001", name) for name in self.instruments}
        self.max_position = {name: self.number("max_position", "0.01", name) for name in self.instruments}
        self.paused_until = 0

    def on_quote(self, quote: Quote) -> None:
        rules = self.rules(quote.instrument)
        if rules is None or rules.tick_size is None or self.now < self.paused_until:
            return
        bid, ask, tick = Decimal(quote.bid), Decimal(quote.ask), rules.tick_size
        mid = (bid + ask) / 2
        away = mid * self.half_spread / tick
        self.keep(quote, Side.BUY, min((mid / tick - away).to_integral_value(ROUND_FLOOR) * tick, ask - tick), mid)
        self.keep(quote, Side.SELL, max((mid / tick + away).to_integral_value(ROUND_CEILING) * tick, bid + tick), mid)

    def keep(self, quote: Quote, side: Side, price: Decimal, mid: Decimal) -> None:
        """Have one order of this side at the price, or near enough."""
        wanted = (quote.venue, quote.symbol, side)
        orders = [own.order for own in self.orders.values()]
        mine = [order for order in orders if (order.venue, order.symbol, order.side) == wanted]
        for order in mine:
            if abs(Decimal(order.price or 0) - price) > mid * self.requote:
                self.cancel(order.client_order_id)
        instrument = quote.instrument
        quantity, held = self.quantity[instrument], self.position(instrument) * (1 if side is Side.BUY else -1)
        if not mine and held + quantity <= self.max_position[instrument]:
            send = self.buy if side is Side.BUY else self.sell
            send(instrument, quantity, price, post_only=True)

    def on_order(self, update: OrderUpdated) -> None:
        if update.state in (OrderState.DENIED, OrderState.REJECTED):
            self.paused_until = self.now + PAUSE_NS
