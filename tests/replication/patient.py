"""A strategy that also keeps an order where nobody trades, so that there is always one to cancel."""

import os
from decimal import Decimal

from tests.survival.clerk import Clerk

FAR = Decimal("0.95")


class Patient(Clerk):
    def on_timer(self, name: str) -> None:
        super().on_timer(name)
        instrument = self.instruments[0]
        quote = self.quote(instrument)
        if quote is None or os.path.exists(self.until_file):
            return
        far = Decimal(quote.bid) * FAR
        if not any(Decimal(own.order.price or quote.bid) <= far * 101 / 100 for own in self.orders.values()):
            self.buy(instrument, self.number("quantity", "0.001", instrument), far.quantize(Decimal(1)))
