"""Orders that wait for a price: when they begin to work.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and
https://developers.binance.com/docs/binance-spot-api-docs/faqs/trailing-stop-faq
"""

from collections.abc import Iterable
from decimal import Decimal

from actors.model.order import Side
from actors.simulation.binance.orders import STOP_LOSSES, Ticket, VenueOrder

_BASIS_POINTS = Decimal(10_000)


class Trigger:
    """Fed every trade price, in order. A trailing one tracks the best price from the moment its stop price is met, or
    from the beginning without one, and is reached when the price comes back by its delta.
    """

    def __init__(self, ticket: Ticket, last_price: Decimal, ms: int) -> None:
        self._side = ticket.side
        self._is_above = waits_above(ticket)
        self._stop_price = ticket.stop_price
        self._delta = ticket.trailing_delta
        self._best: Decimal | None = None
        self.tracking_since_ms = -1
        if self._delta is not None and (self._stop_price is None or self._meets(self._stop_price, last_price)):
            self._best, self.tracking_since_ms = last_price, ms

    def is_reached(self, price: Decimal, ms: int) -> bool:
        if self._delta is None:
            return self._stop_price is not None and self._meets(self._stop_price, price)
        if self._best is None:
            if self._stop_price is not None and self._meets(self._stop_price, price):
                self._best, self.tracking_since_ms = price, ms
            return False
        move = self._delta / _BASIS_POINTS
        if self._side is Side.BUY:
            self._best = min(self._best, price)
            return price >= self._best * (1 + move)
        self._best = max(self._best, price)
        return price <= self._best * (1 - move)

    def _meets(self, stop_price: Decimal, price: Decimal) -> bool:
        return price >= stop_price if self._is_above else price <= stop_price


def waits_above(ticket: Ticket) -> bool:
    """Whether the stop price is above the market: a stop loss that buys, a take profit that sells."""
    return (ticket.type in STOP_LOSSES) == (ticket.side is Side.BUY)


class Stops:
    """The orders of all symbols that wait for a price, the earliest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, VenueOrder]] = {}

    def add(self, order: VenueOrder) -> None:
        self._waiting.setdefault(order.symbol, {})[order.order_id] = order

    def remove(self, order: VenueOrder) -> None:
        self._waiting.get(order.symbol, {}).pop(order.order_id, None)

    def reached(self, symbol: str, prices: Iterable[Decimal], ms: int) -> list[VenueOrder]:
        """Who begins to work because of these trades; they do not wait any more."""
        waiting = self._waiting.get(symbol)
        if not waiting:
            return []
        found: list[VenueOrder] = []
        for price in prices:
            for order in list(waiting.values()):
                if order.trigger is not None and order.trigger.is_reached(price, ms):
                    del waiting[order.order_id]
                    found.append(order)
        return found
