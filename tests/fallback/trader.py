"""A strategy that trades only while it hears degraded quotes, and notes every trade that it is told."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.messages import OrderUpdated
from actors.model.order_state import OrderState
from actors.strategy import Quote, Strategy, Trade


class FallbackTrader(Strategy):
    """One order that rests and is cancelled, one that is filled; each anew while it is denied.

    The notes are written whenever something has happened for the first time, and in the end.
    """

    def on_start(self) -> None:
        self.instrument = self.instruments[0]
        self.roles: dict[str, str] = {}
        self.waiting = {"rests", "takes"}
        counts = dict.fromkeys(("degraded_trades", "degraded_quotes", "degraded_books", "quotes_after"), 0)
        self.notes: dict[str, Any] = {"trades": [], "done": [], **counts}
        self.book(self.instrument)

    def on_quote(self, quote: Quote) -> None:
        if not quote.degraded:
            self.count("quotes_after", bool(self.notes["degraded_quotes"]))
            return
        self.count("degraded_quotes", True)
        self.count("degraded_books", self.book(self.instrument).is_degraded)
        waiting, self.waiting = self.waiting, set()
        for role in waiting:
            self.send(role, quote)

    def send(self, role: str, quote: Quote) -> None:
        price = Decimal(quote.bid) * Decimal("0.97") if role == "rests" else Decimal(quote.ask) * Decimal("1.01")
        id = self.buy(self.instrument, str(self.parameters["quantity"]), str(price.quantize(Decimal("0.1"))))
        self.roles[id] = role

    def on_trade(self, trade: Trade) -> None:
        self.notes["trades"].append(int(trade.trade_id))
        self.count("degraded_trades", trade.degraded)

    def on_order(self, update: OrderUpdated) -> None:
        role = self.roles[update.order.client_order_id]
        if update.state is OrderState.DENIED:
            self.waiting.add(role)
        elif update.state is OrderState.ACCEPTED and role == "rests":
            self.cancel(update.order.client_order_id)
        elif update.state in (OrderState.FILLED, OrderState.CANCELED):
            self.notes["done"].append(f"{role} {update.state.value}")
            self.write()

    def count(self, what: str, happens: bool) -> None:
        self.notes[what] += happens
        if happens and self.notes[what] == 1:
            self.write()

    def on_stop(self) -> None:
        self.write()

    def write(self) -> None:
        """Whole, whoever reads it meanwhile."""
        file = Path(str(self.parameters["notes"]))
        unfinished = file.with_name(f"{file.name}.new")
        unfinished.write_text(json.dumps(self.notes))
        unfinished.rename(file)
