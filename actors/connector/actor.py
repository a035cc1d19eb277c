"""The connector: drives one venue's protocol, publishes its market data and carries orders to it.

It owns the venue's links: keeps open every one that the protocol asked for, reopens with backoff one that dropped,
closes one that has gone silent. It owns the last look at a command: one that is late, or from an earlier life of the
order manager, never leaves. Whatever the venue says about orders goes to the order manager; what it says about the
market is published, and a new subscriber first gets the present state.
"""

from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.connector.links import ReopenDue, VenueLinks
from actors.connector.publisher import MarketPublisher
from actors.messages import (
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    CancelRejected,
    InstrumentsListed,
    OrderAccepted,
    OrderDenied,
    OrderRejected,
    OrderSent,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    Quote,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.names import LATENCY_MONITOR, ORDER_MANAGER, RISK_CHECKER, ROUTER
from actors.venues.contract import (
    BadFrame,
    CloseLink,
    Command,
    OpenLink,
    Output,
    Resynchronised,
    SendFrame,
    VenueProtocol,
    WakeUp,
)
from actors.venues.refusals import refuse
from runtime.actor import (
    ActorDown,
    ActorUp,
    Context,
    FrameReceived,
    HttpAnswered,
    HttpFailed,
    HttpRequest,
    LinkDown,
    LinkUp,
    RefreshRequested,
    Report,
    Started,
    Stopping,
    Subscribed,
    Undelivered,
)
from runtime.backoff import Backoff
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.message import Message

AUDIENCE = (ORDER_MANAGER, RISK_CHECKER, ROUTER)
"""Who is told the state of the venue."""
BACKOFF = Backoff(100 * NS_PER_MS, 30 * NS_PER_S)
RETELL_NS = 50 * NS_PER_MS
KEPT_FRAMES = 8
KEPT_BYTES = 300

Handler = Callable[[Any, Context], None]


class CheckLinks(msgspec.Struct, frozen=True):
    """To itself: time to look for silent links."""


class Retell(msgspec.Struct, frozen=True):
    """To itself: the order manager was too busy to take this."""

    message: Message


class Connector:
    """`name` is the venue's name in the configuration and in every topic."""

    def __init__(self, name: str, protocol: VenueProtocol, stale_after_ns: int, backoff: Backoff = BACKOFF) -> None:
        self._venue = name
        self._protocol = protocol
        self._stale_after_ns = stale_after_ns
        self._links = VenueLinks(stale_after_ns, backoff)
        self._state_topic = f"venue.{name}"
        self._market = MarketPublisher(name, protocol.symbols)
        self._listed: InstrumentsListed | None = None
        self._state: VenueUp | VenueDown | None = None
        self._epoch = 0
        """Highest incarnation of the order manager that has sent a command."""
        self._manager_is_up = False
        self._is_final = False
        self._bad_frames: deque[dict[str, str]] = deque(maxlen=KEPT_FRAMES)
        self._messages = 0
        self._counters = dict.fromkeys(
            (
                "gaps",
                "orders",
                "rejects",
                "denied",
                "unknown_outcomes",
                "bad_frames",
                "undelivered",
                "unknown_messages",
            ),
            0,
        )
        self._handlers: dict[type, Handler] = {
            FrameReceived: self._on_frame,
            PlaceOrder: self._on_place,
            CancelAtVenue: self._on_cancel,
            QueryOrder: self._on_query,
            QueryOpenOrders: self._on_query,
            QueryFills: self._on_query,
            QueryAccount: self._on_query,
            HttpAnswered: self._on_http,
            HttpFailed: self._on_http,
            WakeUp: self._on_wake_up,
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            ReopenDue: lambda due, ctx: self._links.reopen(due.link, ctx),
            CheckLinks: self._on_check_links,
            Subscribed: self._on_subscribed,
            RefreshRequested: self._on_refresh,
            ActorUp: self._on_actor_up,
            ActorDown: self._on_actor_down,
            Undelivered: self._on_undelivered,
            Retell: lambda retell, ctx: ctx.tell(ORDER_MANAGER, retell.message),
            Started: self._on_started,
            Stopping: self._on_stopping,
        }
        self._effects: dict[type, Handler] = {
            Quote: self._market.publish_quote,
            Trade: self._market.publish_trade,
            BookDelta: self._market.publish_delta,
            BookSnapshot: self._market.publish_snapshot,
            BookInvalidated: self._market.publish_book,
            SendFrame: self._send,
            HttpRequest: lambda request, ctx: ctx.request(request),
            WakeUp: self._set_timer,
            OpenLink: self._open,
            CloseLink: lambda close, ctx: self._links.forget(close.link, ctx),
            BadFrame: self._keep_bad_frame,
            Resynchronised: self._note_gap,
            VenueUp: self._tell_state,
            VenueDown: self._tell_state,
            InstrumentsListed: self._tell_instruments,
            OrderAccepted: self._tell_answered,
            OrderDenied: self._tell_denied,
            OrderRejected: self._tell_rejected,
            CancelRejected: self._tell_cancel_rejected,
            OutcomeUnknown: self._tell_unknown,
        }

    def receive(self, message: Any, ctx: Context) -> None:
        self._handlers.get(type(message), self._note_unknown)(message, ctx)

    def report(self) -> Report:
        counters = {
            "messages": self._messages,
            "reconnects": self._links.reconnects,
            "resyncs": self._market.resyncs,
            **self._counters,
        }
        state = {
            "venue": self._venue,
            "connected": isinstance(self._state, VenueUp),
            "links": self._links.states(),
            "last_bad_frames": list(self._bad_frames),
            **self._protocol.report(self._is_final),
        }
        return Report(counters, state)

    def _note_unknown(self, message: object, ctx: Context) -> None:
        self._counters["unknown_messages"] += 1
        ctx.log.error("unknown_message", venue=self._venue, type=type(message).__name__)

    # ---- what comes in -------------------------------------------------------------------------------------------

    def _on_frame(self, frame: FrameReceived, ctx: Context) -> None:
        if not self._links.heard(frame.link, frame.ts_recv):
            return
        self._messages += 1
        effects = self._effects
        for output in self._protocol.on_frame(frame.link, frame.payload, frame.ts_recv):
            effects.get(type(output), self._tell_order_manager)(output, ctx)

    def _carry_out(self, outputs: list[Output], ctx: Context) -> None:
        for output in outputs:
            self._effects.get(type(output), self._tell_order_manager)(output, ctx)

    def _on_place(self, command: PlaceOrder, ctx: Context) -> None:
        if self._is_refused(command, ctx):
            return
        for output in self._protocol.execute(command, ctx.now()):
            if type(output) is SendFrame and ctx.send_frame(output.link, output.payload):
                self._counters["orders"] += 1
                stamps = replace(command.stamps, sent=ctx.now())
                sent = OrderSent(command.order.client_order_id, self._venue, stamps)
                ctx.tell(ORDER_MANAGER, sent)
                ctx.tell(LATENCY_MONITOR, sent)
            elif type(output) is SendFrame:
                self._carry_out(self._protocol.on_not_sent(output, ctx.now()), ctx)
            else:
                self._carry_out([output], ctx)

    def _on_cancel(self, command: CancelAtVenue, ctx: Context) -> None:
        if not self._is_refused(command, ctx):
            self._carry_out(self._protocol.execute(command, ctx.now()), ctx)

    def _on_query(self, command: Command, ctx: Context) -> None:
        self._carry_out(self._protocol.execute(command, ctx.now()), ctx)

    def _is_refused(self, command: PlaceOrder | CancelAtVenue, ctx: Context) -> bool:
        """The fence: a process that was frozen, or replaced meanwhile, does not trade."""
        now = ctx.now()
        if command.epoch < self._epoch:
            code, words = "STALE_EPOCH", f"sent in epoch {command.epoch}, the present one is {self._epoch}"
        elif now > command.deadline:
            code, words = "DEADLINE_PASSED", f"{(now - command.deadline) / NS_PER_MS:.3f} ms too late"
        else:
            self._epoch = command.epoch
            return False
        self._carry_out([refuse(self._venue, command, code, words, now, by=ctx.name)], ctx)
        return True

    def _on_http(self, answer: HttpAnswered | HttpFailed, ctx: Context) -> None:
        self._carry_out(self._protocol.on_http(answer, ctx.now()), ctx)

    def _on_wake_up(self, wake_up: WakeUp, ctx: Context) -> None:
        self._carry_out(self._protocol.on_wake_up(wake_up.tag, ctx.now()), ctx)

    def _on_started(self, _: Started, ctx: Context) -> None:
        for name in AUDIENCE:
            ctx.watch(name)
        self._carry_out(self._protocol.start(ctx.now()), ctx)
        ctx.after(self._stale_after_ns // 4, CheckLinks())

    def _on_stopping(self, _: Stopping, ctx: Context) -> None:
        self._is_final = True

    def _set_timer(self, wake_up: WakeUp, ctx: Context) -> None:
        ctx.after(wake_up.delay_ns, wake_up)

    # ---- links ---------------------------------------------------------------------------------------------------

    def _open(self, output: OpenLink, ctx: Context) -> None:
        if self._links.has(output.link) and not self._links.is_closed(output.link):
            self._drop(output.link, "REOPENED: as the protocol asked", ctx)
        self._links.open(output.link, output.url, output.lane, ctx)

    def _drop(self, link: str, reason: str, ctx: Context) -> None:
        """Close a link on our side; its next opening follows."""
        ctx.close_link(link)
        self._on_link_down(LinkDown(link, reason), ctx)

    def _on_link_up(self, up: LinkUp, ctx: Context) -> None:
        if self._links.on_up(up.link, ctx.now()):
            ctx.log.info("link_up", venue=self._venue, link=up.link)
            self._carry_out(self._protocol.on_link_up(up.link, ctx.now()), ctx)

    def _on_link_down(self, down: LinkDown, ctx: Context) -> None:
        if self._links.on_down(down.link, ctx):
            ctx.log.warning("link_down", venue=self._venue, link=down.link, reason=down.reason)
            self._carry_out(self._protocol.on_link_down(down.link, down.reason, ctx.now()), ctx)

    def _on_check_links(self, check: CheckLinks, ctx: Context) -> None:
        for link in self._links.silent(ctx.now()):
            self._drop(link, f"STALE: nothing heard for {self._stale_after_ns / NS_PER_S:g} s", ctx)
        ctx.after(self._stale_after_ns // 4, check)

    def _send(self, frame: SendFrame, ctx: Context) -> None:
        if not ctx.send_frame(frame.link, frame.payload):
            self._carry_out(self._protocol.on_not_sent(frame, ctx.now()), ctx)

    def _keep_bad_frame(self, bad: BadFrame, ctx: Context) -> None:
        self._counters["bad_frames"] += 1
        start = bad.payload[:KEPT_BYTES].decode("utf-8", "replace")
        self._bad_frames.append({"link": bad.link, "reason": bad.reason, "payload": start})
        ctx.log.warning("bad_frame", venue=self._venue, link=bad.link, reason=bad.reason)
        if bad.drop_link:
            self._drop(bad.link, f"BAD_FRAME: {bad.reason}", ctx)

    # ---- subscribers ---------------------------------------------------------------------------------------------

    def _note_gap(self, gap: Resynchronised, ctx: Context) -> None:
        self._counters["gaps"] += 1
        ctx.log.warning("book_lost", venue=self._venue, symbol=gap.symbol, reason=gap.reason)

    def _on_subscribed(self, subscribed: Subscribed, ctx: Context) -> None:
        self._market.begin(subscribed.patterns, self._protocol.book, ctx)
        if any(fnmatchcase(self._state_topic, pattern) for pattern in subscribed.patterns):
            for event in (self._listed, self._state):
                if event is not None:
                    ctx.publish(self._state_topic, event)

    def _on_refresh(self, refresh: RefreshRequested, ctx: Context) -> None:
        self._market.refresh(refresh.topic, self._protocol.book, ctx)

    # ---- told to the desk ----------------------------------------------------------------------------------------

    def _tell_order_manager(self, event: Message, ctx: Context) -> None:
        ctx.tell(ORDER_MANAGER, event)

    def _tell_denied(self, denied: OrderDenied, ctx: Context) -> None:
        self._counters["denied"] += 1
        ctx.tell(ORDER_MANAGER, denied if denied.by else replace(denied, by=ctx.name))

    def _tell_answered(self, answer: OrderAccepted | OrderRejected, ctx: Context) -> None:
        ctx.tell(ORDER_MANAGER, answer)
        ctx.tell(LATENCY_MONITOR, answer)

    def _tell_rejected(self, rejected: OrderRejected, ctx: Context) -> None:
        self._counters["rejects"] += 1
        self._tell_answered(rejected, ctx)

    def _tell_cancel_rejected(self, rejected: CancelRejected, ctx: Context) -> None:
        self._counters["rejects"] += 1
        ctx.tell(ORDER_MANAGER, rejected)

    def _tell_unknown(self, unknown: OutcomeUnknown, ctx: Context) -> None:
        self._counters["unknown_outcomes"] += 1
        ctx.tell(ORDER_MANAGER, unknown)

    def _tell_state(self, state: VenueUp | VenueDown, ctx: Context) -> None:
        self._state = replace(state, connector=ctx.name) if isinstance(state, VenueUp) else state
        ctx.log.info("venue_up" if isinstance(state, VenueUp) else "venue_down", venue=self._venue)
        self._tell_audience(self._state, ctx)

    def _tell_instruments(self, listed: InstrumentsListed, ctx: Context) -> None:
        known = {instrument.symbol for instrument in listed.instruments}
        unknown = [symbol for symbol in self._protocol.symbols if symbol not in known]
        if unknown and listed != self._listed:
            ctx.log.error("unknown_symbols", venue=self._venue, symbols=unknown)
        self._listed = listed
        self._tell_audience(listed, ctx)

    def _tell_audience(self, event: Message, ctx: Context) -> None:
        for name in AUDIENCE:
            ctx.tell(name, event)
        ctx.publish(self._state_topic, event)

    def _on_actor_up(self, up: ActorUp, ctx: Context) -> None:
        if up.address.actor == ORDER_MANAGER:
            self._manager_is_up = True
        for event in (self._listed, self._state):
            if event is not None:
                ctx.tell(up.address.actor, event)

    def _on_actor_down(self, down: ActorDown, ctx: Context) -> None:
        if down.name == ORDER_MANAGER:
            self._manager_is_up = False

    def _on_undelivered(self, undelivered: Undelivered, ctx: Context) -> None:
        """A living order manager gets everything in the end; a new one asks the venue when it hears `VenueUp`."""
        self._counters["undelivered"] += 1
        if undelivered.to == ORDER_MANAGER and self._manager_is_up:
            ctx.after(RETELL_NS, Retell(undelivered.message))
