"""A strategy for whole desks: quotes and takes for some time, then cancels all that is left and watches."""

import os

from actors.strategies.market_maker import MarketMaker
from actors.strategy import Quote

LAST = 2**63


class Trader(MarketMaker):
    """The market maker; every `take_every` quotes of an instrument it also takes liquidity.

    Of four such orders one is at the market, one IOC at the touch, one FOK and one a limit order that stays. From
    `until` on (nanoseconds since the epoch), or as soon as there is a file `until_file`, it cancels whatever is open.
    Other parameters as of `MarketMaker`.
    """

    def on_start(self) -> None:
        super().on_start()
        self.until = int(self.number("until", LAST))
        self.until_file = str(self.parameters.get("until_file", ""))
        self.take_every = int(self.number("take_every", 10))
        self.seen = dict.fromkeys(self.instruments, 0)

    def on_quote(self, quote: Quote) -> None:
        if self.now >= self.until or (self.until_file and os.path.exists(self.until_file)):
            self.cancel_all()
            return
        self.seen[quote.instrument] += 1
        super().on_quote(quote)
        if self.seen[quote.instrument] % self.take_every == 0:
            self.take(quote, self.seen[quote.instrument] // self.take_every)

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
