"""A strategy for whole desks: quotes and takes for some time, then cancels all that is left and watches."""

from decimal import Decimal

from actors.model.order import OrderSpec
from actors.strategies.market_maker import MarketMaker
from actors.strategy import Leg, Quote, Side
from tests.desk.ending import is_ending

LAST = 2**63


class Trader(MarketMaker):
    """The market maker; every `take_every` quotes of an instrument it also takes liquidity.

    Of four such orders one is at the market, one IOC at the touch, one FOK and one a limit order that stays. From
    `until` on (nanoseconds since the epoch), or as soon as there is a file `until_file`, it cancels whatever is open,
    and answers the file (`tests.desk.ending`).
    With `changes` it modifies its quotes instead of cancelling them, and sends order lists. Other parameters as of
    `MarketMaker`.
    """

    def on_start(self) -> None:
        super().on_start()
        self.until = int(self.number("until", LAST))
        self.until_file = str(self.parameters.get("until_file", ""))
        self.take_every = int(self.number("take_every", 10))
        self.seen = dict.fromkeys(self.instruments, 0)
        self.changes = bool(self.parameters.get("changes", False))
        self.turn = self.changed = self.lists = 0

    def on_quote(self, quote: Quote) -> None:
        if self.now >= self.until:
            self.cancel_all()
            return
        if is_ending(self, self.until_file):
            return
        self.seen[quote.instrument] += 1
        super().on_quote(quote)
        if self.changes and self.seen[quote.instrument] % (self.take_every * 3) == 1:
            self.send_list(quote)
        if self.seen[quote.instrument] % self.take_every == 0:
            self.take(quote, self.seen[quote.instrument] // self.take_every)

    def keep(self, quote: Quote, side: Side, price: Decimal, mid: Decimal) -> None:
        if not self.changes:
            super().keep(quote, side, price, mid)
            return
        mine = [
            own
            for own in self.orders.values()
            if (own.order.venue, own.order.symbol, own.order.side) == (quote.venue, quote.symbol, side)
            and own.order.post_only
        ]
        if not mine:
            super().keep(quote, side, price, mid)
        for own in mine:
            self.change(quote.instrument, own.order, price, mid * self.requote)

    def change(self, instrument: str, order: OrderSpec, price: Decimal, tolerance: Decimal) -> None:
        """Move it, at times with more quantity; or make it smaller. Every seventh is cancelled with that on its way."""
        rules = self.rules(instrument)
        assert rules is not None
        assert rules.lot_size is not None
        self.turn += 1
        changed: str | None = None
        if abs(Decimal(order.price or 0) - price) > (0 if self.turn % 5 == 0 else tolerance):
            quantity = self.quantity[instrument] * 2 if self.turn % 2 else None
            changed = self.modify(order.client_order_id, price=price, quantity=quantity)
        elif self.turn % 3 == 0:
            smaller = (Decimal(order.quantity) * 3 / 4) // rules.lot_size * rules.lot_size
            changed = self.modify(order.client_order_id, quantity=smaller) if smaller else None
        if changed is not None:
            self.changed += 1
            if self.changed % 7 == 0:
                self.cancel(order.client_order_id)

    def send_list(self, quote: Quote) -> None:
        """A pair around the market that reduces the position, or an order that brings another one when it is filled."""
        rules = self.rules(quote.instrument)
        if rules is None or rules.tick_size is None:
            return
        self.lists += 1
        bid, ask, tick = Decimal(quote.bid), Decimal(quote.ask), rules.tick_size
        quantity, away = self.quantity[quote.instrument], max(bid // 20_000, tick * 2) // tick * tick
        sign = -1 if self.position(quote.instrument) < 0 else 1
        side, other = (Side.SELL, Side.BUY) if sign > 0 else (Side.BUY, Side.SELL)
        near, far = (ask, bid) if sign > 0 else (bid, ask)
        if self.lists % 3 == 0:
            first = Leg(side=other, quantity=quantity, price=far)
            second = Leg(side=side, quantity=quantity, price=near + sign * away)
            self.submit_list("OTO", quote.instrument, first, second)
            return
        stop = far - sign * away
        limit = None if self.lists % 2 else stop - sign * away
        take = Leg(side=side, quantity=quantity, price=near + sign * away)
        self.submit_list("OCO", quote.instrument, take, Leg(side=side, quantity=quantity, price=limit, stop_price=stop))

    def take(self, quote: Quote, turn: int) -> None:
        buying = self.position(quote.instrument) < 0 or (turn % 2 == 0 and not self.position(quote.instrument) > 0)
        send, price = (self.buy, quote.ask) if buying else (self.sell, quote.bid)
        instrument, quantity = quote.instrument, self.quantity[quote.instrument]
        match turn % 4:
            case 0:
                send(instrument, quantity)
            case 1:
                send(instrument, quantity * 3, price, time_in_force="IOC")
            case 2:
                send(instrument, quantity * 2, price, time_in_force="FOK")
            case _:
                send(instrument, quantity, price)
