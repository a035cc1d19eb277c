"""Observer: counts what it sees and, if asked to, takes a little liquidity now and then."""

from collections import Counter
from decimal import ROUND_CEILING, Decimal
from typing import Any

from actors.strategy import Quote, Strategy, Trade


class Observer(Strategy):
    """Every `order_every` quotes of an instrument (0, the default: never) it buys or sells in turn, IOC at the touch.

    Parameters besides: `quantity` in the base asset, for all instruments or as a mapping by instrument, raised to
    what the venue wants an order to be worth at least.
    """

    def on_start(self) -> None:
        self.quotes: Counter[str] = Counter()
        self.trades: Counter[str] = Counter()
        self.order_every = int(self.number("order_every", 0))

    def on_quote(self, quote: Quote) -> None:
        self.quotes[quote.instrument] += 1
        if self.order_every and self.quotes[quote.instrument] % self.order_every == 0:
            self.take(quote, buying=self.quotes[quote.instrument] // self.order_every % 2 == 1)

    def on_trade(self, trade: Trade) -> None:
        self.trades[trade.instrument] += 1

    def take(self, quote: Quote, buying: bool) -> None:
        send, price = (self.buy, quote.ask) if buying else (self.sell, quote.bid)
        quantity, rules = self.number("quantity", "0.001", quote.instrument), self.rules(quote.instrument)
        if rules is not None and rules.min_notional is not None:
            lot = rules.lot_size or quantity
            lots = (rules.min_notional / Decimal(price) / lot).to_integral_value(ROUND_CEILING)
            quantity = max(quantity, lots * lot)
        send(quote.instrument, quantity, price, time_in_force="IOC")

    def on_report(self) -> dict[str, Any]:
        return {"quotes": dict(self.quotes), "trades": dict(self.trades)}
