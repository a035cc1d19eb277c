"""A strategy that orders by the clock, whatever the market does: so that orders are on their way whenever one looks."""

from actors.strategy import Quote, Strategy
from tests.desk.ending import is_ending

MOST_OPEN = 6


class Clerk(Strategy):
    """Every `every_s` seconds one order of the next instrument, bought and sold in turn: at the market, IOC at the
    touch, or resting at its own side of the last quote; the oldest is cancelled when more than six are open.

    `quantity` by instrument. As soon as there is a file `until_file` it cancels whatever is open.
    """

    def on_start(self) -> None:
        self.until_file = str(self.parameters["until_file"])
        self.every_s = float(self.number("every_s", "0.05"))
        self.turn = 0
        self.set_timer("order", self.every_s)

    def on_quote(self, quote: Quote) -> None:
        """Without this hook there would be no quotes."""

    def on_timer(self, name: str) -> None:
        self.set_timer("order", self.every_s)
        if is_ending(self, self.until_file):
            return
        self.turn += 1
        instrument = self.instruments[self.turn % len(self.instruments)]
        quote, quantity = self.quote(instrument), self.number("quantity", "0.001", instrument)
        if quote is None:
            return
        buying = self.turn // len(self.instruments) % 2 == 0
        send, near, far = (self.buy, quote.bid, quote.ask) if buying else (self.sell, quote.ask, quote.bid)
        match self.turn % 5:
            case 0:
                send(instrument, quantity)
            case 1 | 2:
                send(instrument, quantity, far, time_in_force="IOC")
            case _:
                send(instrument, quantity, near)
        if len(self.orders) > MOST_OPEN:
            self.cancel(next(iter(self.orders)))
