"""What each client still has to be told: quotes conflated, orders and fills whole, both bounded."""

from collections import deque
from collections.abc import Collection
from typing import Any

from actors.gateway.mirror import plain_fill, plain_order, plain_quote
from actors.messages import FillRecorded, OrderUpdated, Quote

KINDS = ("quotes", "orders", "fills")
BATCH = 2_000
"""Events in one answer at most."""


class ClientStream:
    """Events are numbered. What a poll names as received is forgotten, everything else is told again: an answer that
    got lost on its way loses nothing. Of each instrument only the newest quote is kept; of orders and fills the newest
    `bound`, and the client is told how many it missed.
    """

    def __init__(self, kinds: Collection[str], instruments: Collection[str], now: int, bound: int = 10_000) -> None:
        self.kinds = frozenset(kinds)
        self.instruments = frozenset(instruments)
        """Everything if empty."""
        self.polled = now
        self._number = 0
        self._bound = bound
        self._lost = 0
        self._quotes: dict[str, tuple[int, Quote]] = {}
        self._events: deque[tuple[int, OrderUpdated | FillRecorded]] = deque()

    def quote(self, quote: Quote) -> None:
        if "quotes" in self.kinds and self._wants(quote.instrument):
            self._number += 1
            self._quotes[quote.instrument] = (self._number, quote)

    def order(self, update: OrderUpdated) -> None:
        if "orders" in self.kinds and self._wants(f"{update.order.venue}.{update.order.symbol}"):
            self._keep(update)

    def fill(self, event: FillRecorded) -> None:
        if "fills" in self.kinds and self._wants(f"{event.fill.venue}.{event.fill.symbol}"):
            self._keep(event)

    def acknowledge(self, after: int) -> None:
        while self._events and self._events[0][0] <= after:
            self._events.popleft()
        for instrument in [name for name, (number, _) in self._quotes.items() if number <= after]:
            del self._quotes[instrument]

    @property
    def has_news(self) -> bool:
        return bool(self._events or self._quotes or self._lost)

    def batch(self) -> dict[str, Any]:
        """`{"after": number for the next poll, "lost": so many were not kept, "events": [...]}`."""
        waiting = [(number, plain_event(event)) for number, event in self._events]
        waiting += [(number, {"kind": "quote", **plain_quote(quote)}) for number, quote in self._quotes.values()]
        waiting.sort(key=lambda one: one[0])
        chosen = waiting[:BATCH]
        lost, self._lost = self._lost, 0
        after = chosen[-1][0] if chosen else 0
        return {"after": after, "lost": lost, "events": [event for _, event in chosen]}

    def _wants(self, instrument: str) -> bool:
        return not self.instruments or instrument in self.instruments

    def _keep(self, event: OrderUpdated | FillRecorded) -> None:
        self._number += 1
        self._events.append((self._number, event))
        if len(self._events) > self._bound:
            self._events.popleft()
            self._lost += 1


def plain_event(event: OrderUpdated | FillRecorded) -> dict[str, Any]:
    if isinstance(event, OrderUpdated):
        return {"kind": "order", **plain_order(event)}
    return {"kind": "fill", **plain_fill(event.strategy, event.fill)}
