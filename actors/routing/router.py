"""The router: takes `Approved` and nothing else, chooses the venue, and explains the choice.

The order leaves before its explanation, so that explaining costs it no time. A venue that is down, or a connector that
cannot be reached, denies the order with a reason: it has certainly not been sent.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from actors import names
from actors.feeds import MarketFeeds
from actors.messages import (
    AmendAtVenue,
    Approved,
    ApprovedChange,
    ApprovedList,
    ChangeDenied,
    DeskSnapshot,
    FeedsMoved,
    InstrumentsListed,
    OrderDenied,
    OrderRehearsed,
    OrderRouted,
    OrderUpdated,
    PlaceOrder,
    PlaceOrderList,
    Quote,
    ReplaceAtVenue,
    VenueDown,
    VenuesChanged,
    VenueUp,
)
from actors.model.order import OrderSpec, Stamps
from actors.model.order_state import FINAL, OrderState
from actors.routing.authority import Authority
from actors.routing.scoring import Candidate, Decision, Weights, decide
from actors.settings import VenueSettings, read_venues, trading
from actors.venues.refusals import deny
from runtime.actor import ActorDown, ActorUp, Context, Report, Started, Undelivered
from runtime.clock import NS_PER_MS

SMOOTHING = 0.1
"""Weight of the newest observation in the moving averages."""
TOOK = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED})
FAILED = frozenset({OrderState.REJECTED, OrderState.UNKNOWN})


class VenueRecord(msgspec.Struct):
    """What the router knows and has measured of a venue."""

    settings: VenueSettings
    up: bool = False
    down_reason: str = "not up yet"
    instruments: set[str] | None = None
    """Symbols it trades, once told."""
    ack_ms: float = 0.0
    success: float = 1.0

    def observe(self, took: bool, ack_ns: int) -> None:
        self.success += SMOOTHING * (took - self.success)
        if took:
            ms = ack_ns / NS_PER_MS
            self.ack_ms = ms if self.ack_ms == 0.0 else self.ack_ms + SMOOTHING * (ms - self.ack_ms)


class Router:
    def __init__(self, venues: Mapping[str, VenueSettings], weights: Weights | None = None) -> None:
        self._venues = {name: VenueRecord(settings) for name, settings in trading(venues).items()}
        self._feeds = MarketFeeds(venues)
        self._weights = weights or Weights()
        self._quotes: dict[str, Quote] = {}
        """By "<venue>.<SYMBOL>"."""
        self._in_flight: dict[str, tuple[str, int]] = {}
        """Client order id → venue and when it was sent on, until the venue has answered."""
        self._authority = Authority()
        self._counters: Counter[str] = Counter()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Quote():
                self._quotes[f"{message.venue}.{message.symbol}"] = message
            case Approved():
                self._route(message, ctx)
            case OrderRehearsed():
                self._rehearse(message, ctx)
            case ApprovedChange():
                self._route_change(message, ctx)
            case ApprovedList():
                self._route_list(message, ctx)
            case OrderUpdated():
                self._learn(message, ctx)
            case VenuesChanged():
                self._on_venues(read_venues(message.venues), ctx)
            case FeedsMoved():
                self._feeds.on_moved(message, ctx)
            case VenueUp() if message.venue in self._venues:
                self._venues[message.venue].up = True
            case VenueDown() if message.venue in self._venues:
                self._down(message.venue, message.reason)
            case InstrumentsListed() if message.venue in self._venues:
                trading = {instrument.symbol for instrument in message.instruments if instrument.trading}
                self._venues[message.venue].instruments = trading
            case Undelivered(message=PlaceOrder() as place):
                self._deny(place.order.client_order_id, f"VENUE_DOWN: {message.to}: {message.reason}", ctx)
            case Undelivered(message=(AmendAtVenue() | ReplaceAtVenue()) as change):
                self._refuse_change(change.client_order_id, f"VENUE_DOWN: {message.to}: {message.reason}", ctx)
            case Undelivered(message=PlaceOrderList(orders=orders)):
                for order in orders:
                    self._deny(order.client_order_id, f"VENUE_DOWN: {message.to}: {message.reason}", ctx)
            case DeskSnapshot():
                self._in_flight.clear()
            case ActorUp(address) if address.actor == names.RISK_CHECKER:
                self._authority.heard_of(address.incarnation)
            case ActorDown():
                for venue in self._venues:
                    if message.name == names.connector(venue):
                        self._down(venue, message.reason)
            case Started():
                self._start(ctx)
            case _:
                pass

    def report(self) -> Report:
        return Report(
            counters=dict(self._counters),
            state={
                "venues": {
                    name: {"up": record.up, "ack_ms": round(record.ack_ms, 3), "success": round(record.success, 4)}
                    for name, record in self._venues.items()
                },
                "in_flight": len(self._in_flight),
            },
        )

    def _start(self, ctx: Context) -> None:
        ctx.subscribe(names.ORDER_MANAGER, "orders.*")
        ctx.watch(names.RISK_CHECKER)
        self._follow(ctx)

    def _on_venues(self, venues: Mapping[str, VenueSettings], ctx: Context) -> None:
        self._feeds.on_venues(venues)
        for name in self._venues.keys() - trading(venues).keys():
            del self._venues[name]
        for name, settings in trading(venues).items():
            self._venues.setdefault(name, VenueRecord(settings))
        self._follow(ctx)

    def _follow(self, ctx: Context) -> None:
        """Quotes only where there is a choice."""
        several = len(self._venues) > 1
        for name, record in self._venues.items():
            self._feeds.read_venue(name, record.settings.symbols if several else (), ctx)
            ctx.watch(names.connector(name))

    def _route(self, message: Approved, ctx: Context) -> None:
        order = message.order
        now = ctx.now()
        is_usual = message.authority == self._authority.life and not self._authority.refused
        if not is_usual and self._has_no_authority(message, message.authority, (order.client_order_id,), ctx):
            return
        if now > message.deadline:
            self._deny(order.client_order_id, "DEADLINE: passed before routing", ctx)
            return
        decision = self._decide(order)
        if decision.venue is None:
            self._deny(order.client_order_id, decision.refusal, ctx)
            return
        if not order.venue:
            order = msgspec.structs.replace(order, venue=decision.venue)
        before = message.stamps
        stamps = Stamps(before.market_recv, before.submitted, before.journaled, before.approved, now)
        connector = names.connector(decision.venue)
        ctx.tell(connector, PlaceOrder(order, stamps, message.epoch, message.deadline))
        self._in_flight[order.client_order_id] = (decision.venue, now)
        self._counters["routed"] += 1
        ctx.tell(
            names.ORDER_MANAGER,
            OrderRouted(order.client_order_id, decision.venue, connector, decision.reasons, now),
        )

    def _rehearse(self, message: OrderRehearsed, ctx: Context) -> None:
        venue = self._decide(message.order).venue
        if venue is not None:
            ctx.tell(names.connector(venue), message)

    def _route_change(self, message: ApprovedChange, ctx: Context) -> None:
        """To where the order lives."""
        change = message.change
        before, after = change.before, change.order
        now = ctx.now()
        if self._has_no_authority(message, message.authority, (after.client_order_id,), ctx):
            return
        if reason := self._objection(before.venue, change.deadline, now):
            self._refuse_change(before.client_order_id, reason, ctx)
            return
        which = (before.client_order_id, change.venue_order_id)
        command: AmendAtVenue | ReplaceAtVenue
        if after.client_order_id == before.client_order_id:
            command = AmendAtVenue(*which, after.symbol, after.quantity, change.epoch, change.deadline, after)
        else:
            stamps = msgspec.structs.replace(change.stamps, routed=now)
            command = ReplaceAtVenue(*which, after, stamps, change.epoch, change.deadline, change.filled)
            self._in_flight[after.client_order_id] = (before.venue, now)
        ctx.tell(names.connector(before.venue), command)
        self._counters["changes_routed"] += 1

    def _route_list(self, message: ApprovedList, ctx: Context) -> None:
        """To the venue that it names; a list has no other."""
        checked, now = message.orders, ctx.now()
        orders = checked.orders
        venue = orders[0].venue
        if self._has_no_authority(message, message.authority, [order.client_order_id for order in orders], ctx):
            return
        if reason := self._objection(venue, checked.deadline, now):
            for order in orders:
                self._deny(order.client_order_id, reason, ctx)
            return
        stamps = msgspec.structs.replace(checked.stamps, routed=now)
        command = PlaceOrderList(checked.kind, orders, stamps, checked.epoch, checked.deadline)
        ctx.tell(names.connector(venue), command)
        self._in_flight |= {order.client_order_id: (venue, now) for order in orders}
        self._counters["lists_routed"] += 1

    def _has_no_authority(
        self, approved: Approved | ApprovedChange | ApprovedList, life: int, ids: Sequence[str], ctx: Context
    ) -> bool:
        """Refused, and so in the journal, unless it was sent on before: then it is at the venue, whatever comes now."""
        reason = self._authority.objection(life, ids)
        if not reason:
            return False
        self._counters["stale_approvals"] += 1
        ctx.log.error("stale_approval", reason=reason, client_order_ids=list(ids))
        if not any(id in self._in_flight for id in ids):
            for denial in deny(approved, reason, names.ROUTER):
                ctx.tell(names.ORDER_MANAGER, denial)
        return True

    def _objection(self, venue: str, deadline: int, now: int) -> str:
        """Why something that has to go to this venue cannot; "" if it can."""
        if now > deadline:
            return "DEADLINE: passed before routing"
        record = self._venues.get(venue)
        if record is None or not record.up:
            return f"VENUE_DOWN: {venue}: {'no such venue' if record is None else record.down_reason}"
        return ""

    def _refuse_change(self, client_order_id: str, reason: str, ctx: Context) -> None:
        self._counters["denied"] += 1
        ctx.tell(names.ORDER_MANAGER, ChangeDenied(client_order_id, reason, names.ROUTER))

    def _decide(self, order: OrderSpec) -> Decision:
        named = self._venues.get(order.venue)
        if named is not None and not named.up:
            return Decision(None, f"VENUE_DOWN: {order.venue}: {named.down_reason}", [])
        candidates = [self._candidate(name, record, order) for name, record in self._venues.items()]
        return decide(order, candidates, self._weights)

    def _candidate(self, name: str, record: VenueRecord, order: OrderSpec) -> Candidate:
        listed = record.settings.symbols if record.instruments is None else record.instruments
        quote = self._quotes.get(f"{name}.{order.symbol}")
        if quote is None or order.venue:
            return Candidate(name, record.up, order.symbol in listed)
        return Candidate(
            name,
            record.up,
            order.symbol in listed,
            Decimal(quote.bid),
            Decimal(quote.ask),
            Decimal(quote.bid_quantity),
            Decimal(quote.ask_quantity),
            record.settings.maker_fee,
            record.settings.taker_fee,
            record.ack_ms,
            record.success,
        )

    def _deny(self, client_order_id: str, reason: str, ctx: Context) -> None:
        self._in_flight.pop(client_order_id, None)
        self._counters["denied"] += 1
        ctx.tell(names.ORDER_MANAGER, OrderDenied(client_order_id, reason, names.ROUTER))

    def _learn(self, update: OrderUpdated, ctx: Context) -> None:
        flight = self._in_flight.get(update.order.client_order_id)
        if flight is None:
            return
        venue, sent_on = flight
        took = update.state in TOOK
        if venue in self._venues and (took or update.state in FAILED):
            self._venues[venue].observe(took, update.ts - sent_on)
        if took or update.state in FAILED or update.state in FINAL:
            del self._in_flight[update.order.client_order_id]

    def _down(self, venue: str, reason: str) -> None:
        self._venues[venue].up = False
        self._venues[venue].down_reason = reason
