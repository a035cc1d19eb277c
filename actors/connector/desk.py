"""What a connector tells the desk: the state of its venue, and everything the venue says about orders."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from actors.messages import (
    AmendAtVenue,
    CancelRejected,
    InstrumentsListed,
    OrderAccepted,
    OrderDenied,
    OrderRejected,
    OrderSent,
    OutcomeUnknown,
    PlaceOrder,
    PlaceOrderList,
    PositionForceClosed,
    PositionsReported,
    VenueDown,
    VenueUp,
)
from actors.names import LATENCY_MONITOR, ORDER_MANAGER, RISK_CHECKER, ROUTER
from actors.venues.contract import Change
from runtime.actor import ActorDown, ActorUp, Context, Undelivered
from runtime.clock import NS_PER_MS
from runtime.message import Message

AUDIENCE = (ORDER_MANAGER, RISK_CHECKER, ROUTER)
"""Who is told the state of the venue."""
RETELL_NS = 50 * NS_PER_MS


class Retell(msgspec.Struct, frozen=True):
    """To the connector itself: the order manager was too busy to take this."""

    message: Message


class DeskTeller:
    """`venue` as the configuration calls it; the state is also published on `venue.<venue>`."""

    def __init__(self, venue: str, symbols: Sequence[str]) -> None:
        self._venue = venue
        self._symbols = symbols
        self._topic = f"venue.{venue}"
        self._listed: InstrumentsListed | None = None
        self.state: VenueUp | VenueDown | None = None
        """None until the venue has been up or down."""
        self._manager_is_up = False
        self.counters = dict.fromkeys(("orders", "rejects", "denied", "unknown_outcomes", "undelivered"), 0)

    def start(self, ctx: Context) -> None:
        for name in AUDIENCE:
            ctx.watch(name)

    def begin(self, patterns: Sequence[str], ctx: Context) -> None:
        """Publish the present state for a new subscriber."""
        if any(fnmatchcase(self._topic, pattern) for pattern in patterns):
            for event in (self._listed, self.state):
                if event is not None:
                    ctx.publish(self._topic, event)

    def tell_positions(self, positions: PositionsReported, ctx: Context) -> None:
        ctx.publish(self._topic, positions)

    def tell_order_manager(self, event: Message, ctx: Context) -> None:
        ctx.tell(ORDER_MANAGER, event)

    def tell_sent(self, command: PlaceOrder | Change, ctx: Context, is_usual: bool = True) -> None:
        """The orders that it places may be at the venue from now on. By REST (not `is_usual`) how long that took says
        nothing about the usual way."""
        if isinstance(command, AmendAtVenue):
            return
        stamps = replace(command.stamps, sent=ctx.now())
        orders = command.orders if isinstance(command, PlaceOrderList) else (command.order,)
        for order in orders:
            self.counters["orders"] += 1
            sent = OrderSent(order.client_order_id, self._venue, stamps)
            ctx.tell(ORDER_MANAGER, sent)
            if is_usual:
                ctx.tell(LATENCY_MONITOR, sent)

    def tell_denied(self, denied: OrderDenied, ctx: Context) -> None:
        self.counters["denied"] += 1
        ctx.tell(ORDER_MANAGER, denied if denied.by else replace(denied, by=ctx.name))

    def tell_answered(self, answer: OrderAccepted | OrderRejected, ctx: Context) -> None:
        ctx.tell(ORDER_MANAGER, answer)
        ctx.tell(LATENCY_MONITOR, answer)

    def tell_rejected(self, rejected: OrderRejected, ctx: Context) -> None:
        self.counters["rejects"] += 1
        self.tell_answered(rejected, ctx)

    def tell_cancel_rejected(self, rejected: CancelRejected, ctx: Context) -> None:
        self.counters["rejects"] += 1
        ctx.tell(ORDER_MANAGER, rejected)

    def tell_unknown(self, unknown: OutcomeUnknown, ctx: Context) -> None:
        self.counters["unknown_outcomes"] += 1
        ctx.tell(ORDER_MANAGER, unknown)

    def tell_state(self, state: VenueUp | VenueDown, ctx: Context) -> None:
        self.state = replace(state, connector=ctx.name) if isinstance(state, VenueUp) else state
        if isinstance(state, VenueUp):
            ctx.log.info("venue_up", venue=self._venue, **({"degraded": state.degraded} if state.degraded else {}))
        else:
            ctx.log.info("venue_down", venue=self._venue)
        self._tell_audience(self.state, ctx)

    def tell_instruments(self, listed: InstrumentsListed, ctx: Context) -> None:
        known = {instrument.symbol for instrument in listed.instruments}
        unknown = [symbol for symbol in self._symbols if symbol not in known]
        if unknown and listed != self._listed:
            ctx.log.error("unknown_symbols", venue=self._venue, symbols=unknown)
        self._listed = listed
        self._tell_audience(listed, ctx)

    def tell_forced(self, closed: PositionForceClosed, ctx: Context) -> None:
        ctx.log.error("position_force_closed", venue=self._venue, symbol=closed.symbol, cause=closed.cause.value)
        ctx.publish(self._topic, closed)

    def _tell_audience(self, event: Message, ctx: Context) -> None:
        for name in AUDIENCE:
            ctx.tell(name, event)
        ctx.publish(self._topic, event)

    def on_actor_up(self, up: ActorUp, ctx: Context) -> None:
        if up.address.actor == ORDER_MANAGER:
            self._manager_is_up = True
        for event in (self._listed, self.state):
            if event is not None:
                ctx.tell(up.address.actor, event)

    def on_actor_down(self, down: ActorDown, ctx: Context) -> None:
        if down.name == ORDER_MANAGER:
            self._manager_is_up = False

    def on_undelivered(self, undelivered: Undelivered, ctx: Context) -> None:
        """A living order manager gets everything in the end; a new one asks the venue when it hears `VenueUp`."""
        self.counters["undelivered"] += 1
        if undelivered.to == ORDER_MANAGER and self._manager_is_up:
            ctx.after(RETELL_NS, Retell(undelivered.message))


class SilentTeller(DeskTeller):
    """Of a shard that is market data only: whether the venue is up is told by the one that carries its orders."""

    def start(self, ctx: Context) -> None: ...

    def begin(self, patterns: Sequence[str], ctx: Context) -> None: ...

    def _tell_audience(self, event: Message, ctx: Context) -> None: ...
