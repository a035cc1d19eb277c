"""Asking the venues about orders: which ones, where, when again, and when "no such order" is the truth."""

import heapq
from collections.abc import Container, Mapping, Sequence
from random import Random

import msgspec

from actors import names
from actors.messages import QueryFills, QueryOrder
from actors.model.order_state import OrderState
from actors.orders.ledger import Order
from actors.settings import VenueSettings
from runtime.actor import Context
from runtime.clock import NS_PER_MS, NS_PER_S

FIRST_BACKOFF_NS = 250 * NS_PER_MS
LAST_BACKOFF_NS = 5 * NS_PER_S
MARGIN_NS = 250 * NS_PER_MS
CLOCK_DIFFERENCE_NS = NS_PER_S
"""Venues accept a timestamp up to a second ahead of their clock, so a command may stay valid for so much longer.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security#timing-security
"""


class Inquiry(msgspec.Struct):
    due: int
    attempts: int = 0
    asked: dict[str, int] = msgspec.field(default_factory=dict)
    """Venue → when the earliest question went that has no answer yet."""
    fills_asked: bool = False
    absent: set[str] = msgspec.field(default_factory=set)
    """Venues that do not have it, asked when it could not arrive any more."""


class Inquiries:
    """At most one for each order that is open or misses fills; a plan for later, then questions with backoff."""

    def __init__(self, venues: Mapping[str, VenueSettings], deadline_ns: int) -> None:
        self._venues = venues
        self._deadline_ns = deadline_ns
        self._inquiries: dict[str, Inquiry] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._inquiries)

    def schedule(self, client_order_id: str, due: int) -> Inquiry:
        """Look at this order at `due`, whatever was planned for it before."""
        inquiry = self._inquiries.get(client_order_id)
        if inquiry is None:
            inquiry = self._inquiries[client_order_id] = Inquiry(due)
        inquiry.due = due
        heapq.heappush(self._heap, (due, client_order_id))
        return inquiry

    def forget(self, client_order_id: str) -> None:
        self._inquiries.pop(client_order_id, None)

    def due(self, now: int) -> list[str]:
        """Orders whose time has come; each is to be scheduled again or forgotten."""
        ready = []
        while self._heap and self._heap[0][0] <= now:
            due, client_order_id = heapq.heappop(self._heap)
            inquiry = self._inquiries.get(client_order_id)
            if inquiry is not None and inquiry.due == due:
                ready.append(client_order_id)
        return ready

    # ---- questions

    def begin(self, order: Order, ctx: Context) -> None:
        """Ask now, unless the same is being asked and will be again."""
        inquiry = self._inquiries.get(order.spec.client_order_id)
        new = inquiry is None or inquiry.attempts == 0 or inquiry.due <= ctx.now()
        if new or (order.behind and inquiry is not None and not inquiry.fills_asked):
            self.ask(order, ctx)

    def ask(self, order: Order, ctx: Context) -> None:
        """Ask what is missing, and plan to ask again after a backoff that doubles, with jitter over its upper half."""
        now = ctx.now()
        inquiry = self._retry(order.spec.client_order_id, now, ctx.random)
        inquiry.fills_asked = order.behind
        for venue in self.where(order):
            if order.behind:
                since = order.submitted - CLOCK_DIFFERENCE_NS
                ctx.tell(names.connector(venue), QueryFills(order.spec.symbol, order.venue_order_id, since))
            if order.ending is None:
                inquiry.asked.setdefault(venue, now)
                ctx.tell(names.connector(venue), QueryOrder(order.spec.client_order_id, order.spec.symbol))

    def ask_missing(self, orders: list[Order], venue: str, listed: Container[str], ctx: Context) -> None:
        """About those that may be at a venue which did not list them, unless they are on their way there."""
        for order in orders:
            new = order.state in (OrderState.PENDING, OrderState.SENT)
            in_flight = new and ctx.now() < self.answer_due(order)
            if venue in self.where(order) and not in_flight and order.spec.client_order_id not in listed:
                self.ask(order, ctx)

    def unresolved(self, orders: Mapping[str, Order], venue: str) -> bool:
        """Something about an order that may be there is not known."""
        return any(
            venue in self.where(order) for order in orders.values() if order.state is OrderState.UNKNOWN or order.behind
        )

    def answered(self, client_order_id: str, venue: str) -> int | None:
        """A question found its answer, or its end; when it had been asked, None if nothing is open there."""
        inquiry = self._inquiries.get(client_order_id)
        return None if inquiry is None else inquiry.asked.pop(venue, None)

    def not_found(self, order: Order, venue: str, now: int) -> bool:
        """The venue does not know it. True if that settles it: it is nowhere and cannot arrive anywhere any more."""
        client_order_id = order.spec.client_order_id
        asked = self.answered(client_order_id, venue)
        if asked is None or venue not in self._venues:
            return False
        settled = self.settled_at(order, venue)
        if asked < settled:
            if now < settled:
                self.schedule(client_order_id, settled)
            return False
        absent = self._inquiries[client_order_id].absent
        absent.add(venue)
        return absent.issuperset(self.where(order))

    def where(self, order: Order) -> Sequence[str]:
        """The venue where it is or, while the router's choice is not known, all where it may be."""
        if order.spec.venue:
            return (order.spec.venue,) if order.spec.venue in self._venues else ()
        return [name for name, settings in self._venues.items() if order.spec.symbol in settings.symbols]

    def answer_due(self, order: Order) -> int:
        """By then its connector has told what became of it."""
        return order.submitted + self._deadline_ns + self.answer_ns(order.spec.venue)

    def answer_ns(self, venue: str) -> int:
        settings = self._venues.get(venue)
        return (round(settings.order_timeout_s * NS_PER_S) if settings else 0) + MARGIN_NS

    def settled_at(self, order: Order, venue: str, intended: int = 0) -> int:
        """From then on the order, or a change of it that was intended then, cannot arrive at the venue any more."""
        window = self._venues[venue].recv_window_ms * NS_PER_MS
        return (intended or order.submitted) + self._deadline_ns + window + CLOCK_DIFFERENCE_NS

    def _retry(self, client_order_id: str, now: int, random: Random) -> Inquiry:
        inquiry = self._inquiries.get(client_order_id)
        attempts = 0 if inquiry is None else inquiry.attempts
        backoff = min(LAST_BACKOFF_NS, FIRST_BACKOFF_NS << min(attempts, 16))
        inquiry = self.schedule(client_order_id, now + backoff // 2 + random.randrange(backoff // 2))
        inquiry.attempts = attempts + 1
        return inquiry
