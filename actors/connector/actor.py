"""The connector: drives one venue's protocol, publishes its market data and carries orders to it.

It owns the venue's links: keeps open every one that the protocol asked for, reopens with backoff one that dropped,
closes one that has gone silent. It owns the last look at a command: one that is late, or from an earlier life of the
order manager, never leaves. Whatever the venue says about orders goes to the order manager; what it says about the
market is published, and a new subscriber first gets the present state.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from actors.connector.bad_frames import BadFrames
from actors.connector.desk import DeskTeller, Retell, SilentTeller
from actors.connector.fence import Fence
from actors.connector.gate import ALONE, Gate
from actors.connector.links import CheckLinks, ReopenDue, VenueLinks, WatchDue
from actors.connector.publisher import MarketPublisher
from actors.connector.readers import Readers
from actors.messages import (
    AmendAtVenue,
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    CancelOrdersAtVenue,
    CancelRejected,
    HistoryFailed,
    HistoryPage,
    InstrumentsListed,
    Liquidation,
    MarketEvent,
    MarkPrice,
    OrderAccepted,
    OrderDenied,
    OrderRehearsed,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    PlaceOrderList,
    PlaceOrders,
    PositionForceClosed,
    PositionsReported,
    QueryAccount,
    QueryFills,
    QueryHistory,
    QueryOpenOrders,
    QueryOrder,
    Quote,
    ReplaceAtVenue,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.names import ORDER_MANAGER
from actors.sharing import Sharing
from actors.venues.contract import (
    BadFrame,
    BatchReader,
    BatchTrader,
    Change,
    CloseLink,
    Command,
    FallsBack,
    HistorySource,
    OpenLink,
    OrderChanger,
    Output,
    Rehearsing,
    Resynchronised,
    SendFrame,
    VenueProtocol,
    WakeUp,
)
from actors.venues.refusals import refuse_any, refuse_change
from runtime.actor import (
    Context,
    FramesReceived,
    HttpAnswered,
    HttpFailed,
    HttpRequest,
    LinkDown,
    LinkUp,
    Report,
    Started,
    Stopping,
    Undelivered,
)
from runtime.backoff import Backoff
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.message import Message

BACKOFF = Backoff(100 * NS_PER_MS, 30 * NS_PER_S)

Handler = Callable[[Any, Context], None]


class Connector:
    """`name` is the venue's name in the configuration and in every topic."""

    def __init__(
        self,
        name: str,
        protocol: VenueProtocol,
        stale_after_ns: int,
        backoff: Backoff = BACKOFF,
        shard: int = 0,
        standby: bool = False,
        moving: Collection[str] = (),
        sharing: Sharing = ALONE,
    ) -> None:
        """Every shard but the first is market data only, and so is a standby: were there two ways for orders, each
        would have to know what the other has sent, or an order could be at the venue twice. `moving`: symbols that
        two shards have."""
        self._venue = name
        self._protocol = protocol
        self._stale_after_ns = stale_after_ns
        self._desk = (SilentTeller if shard or standby else DeskTeller)(name, protocol.symbols)
        self._standby = standby
        self._shard = shard
        self._market = MarketPublisher(name, protocol.symbols)
        self._readers = Readers(name, protocol, self._market, self._desk, self._carry_out, moving)
        self._fence = Fence()
        self._gate = Gate(name, protocol, sharing, self._fence, self._desk, self._carry_out)
        self._links = VenueLinks(stale_after_ns, backoff, protocol.connect_limit, self._gate.banned_for)
        self._is_final = False
        self._read = protocol.on_frames if isinstance(protocol, BatchReader) else _none
        self._rehearse = protocol.rehearse if isinstance(protocol, Rehearsing) else None
        self._bad_frames = BadFrames()
        self._messages = 0
        self._counters = dict.fromkeys(("gaps", "unknown_messages"), 0)
        self._handlers: dict[type, Handler] = {
            FramesReceived: self._on_frames,
            PlaceOrder: self._on_place,
            OrderRehearsed: self._on_rehearsal,
            CancelAtVenue: self._on_cancel,
            PlaceOrders: self._on_batch,
            CancelOrdersAtVenue: self._on_batch,
            QueryOrder: self._on_query,
            QueryOpenOrders: self._on_query_open,
            QueryFills: self._on_query,
            QueryAccount: self._on_query,
            QueryHistory: self._on_history,
            AmendAtVenue: self._on_change,
            ReplaceAtVenue: self._on_change,
            PlaceOrderList: self._on_change,
            HttpAnswered: self._on_http,
            HttpFailed: self._on_http,
            WakeUp: self._on_wake_up,
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            ReopenDue: lambda due, ctx: self._links.reopen(due.link, ctx),
            CheckLinks: self._on_check_links,
            WatchDue: self._on_watch,
            **self._gate.handlers,
            Undelivered: self._desk.on_undelivered,
            Retell: lambda retell, ctx: ctx.tell(ORDER_MANAGER, retell.message),
            Started: self._on_started,
            Stopping: self._on_stopping,
            **self._readers.handlers,
        }
        self._effects: dict[type, Handler] = {
            Quote: self._market.publish_quote,
            Trade: self._market.publish_trade,
            BookDelta: self._market.publish_delta,
            BookSnapshot: self._market.publish_snapshot,
            BookInvalidated: self._market.publish_book,
            MarkPrice: self._market.publish_event,
            Liquidation: self._market.publish_event,
            SendFrame: self._gate.send,
            HttpRequest: self._gate.request,
            WakeUp: self._set_timer,
            OpenLink: self._open,
            CloseLink: lambda close, ctx: self._links.forget(close.link, ctx),
            BadFrame: self._keep_bad_frame,
            Resynchronised: self._note_gap,
            HistoryPage: lambda page, ctx: ctx.tell(page.reply_to, page),
            HistoryFailed: lambda failed, ctx: ctx.tell(failed.reply_to, failed),
            VenueUp: self._desk.tell_state,
            VenueDown: self._desk.tell_state,
            InstrumentsListed: self._desk.tell_instruments,
            PositionsReported: self._desk.tell_positions,
            PositionForceClosed: self._desk.tell_forced,
            OrderAccepted: self._desk.tell_answered,
            OrderDenied: self._desk.tell_denied,
            OrderRejected: self._desk.tell_rejected,
            CancelRejected: self._desk.tell_cancel_rejected,
            OutcomeUnknown: self._desk.tell_unknown,
        }

    def receive(self, message: Any, ctx: Context) -> None:
        self._handlers.get(type(message), self._note_unknown)(message, ctx)

    def report(self) -> Report:
        counters = {
            "messages": self._messages,
            "reconnects": self._links.reconnects,
            "connects_held_back": self._links.held_back,
            "resyncs": self._market.resyncs,
            "bad_frames": self._bad_frames.count,
            "quarantined": self._market.quarantined.total(),
            **self._counters,
            **self._desk.counters,
        }
        state = {
            "standby_of" if self._standby else "venue": self._venue,
            "shard": self._shard,
            "connected": isinstance(self._desk.state, VenueUp),
            "links": self._links.states(),
            "last_bad_frames": self._bad_frames.plain(),
            "quarantine": {
                "reasons": dict(self._market.quarantined),
                "last": [{"reason": kept.reason, "event": kept.event} for kept in self._market.kept],
            },
            **self._readers.report(),
            **self._protocol.report(self._is_final),
            **self._gate.report(),
        }
        return Report(counters, state)

    def _note_unknown(self, message: object, ctx: Context) -> None:
        self._counters["unknown_messages"] += 1
        ctx.log.error("unknown_message", venue=self._venue, type=type(message).__name__)

    # ---- what comes in -------------------------------------------------------------------------------------------

    def _on_frames(self, frames: FramesReceived, ctx: Context) -> None:
        link, payloads, ts_recv = frames.link, frames.payloads, frames.ts_recv
        links, on_frame = self._links, self._protocol.on_frame
        effects, tell = self._effects, self._tell_event
        if not links.heard(link, ts_recv):
            return
        closings = links.closings
        outputs, read = self._read(link, payloads, ts_recv)
        self._messages += read
        for output in outputs:
            effects.get(type(output), tell)(output, ctx)
        for payload in payloads[read:]:
            if links.closings != closings:
                if not links.heard(link, ts_recv):
                    return
                closings = links.closings
            self._messages += 1
            for output in on_frame(link, payload, ts_recv):
                effects.get(type(output), tell)(output, ctx)

    def _tell_event(self, event: Message, ctx: Context) -> None:
        if isinstance(event, MarketEvent):
            self._market.publish_event(event, ctx)
        else:
            self._desk.tell_order_manager(event, ctx)

    def _carry_out(self, outputs: list[Output], ctx: Context) -> None:
        for output in outputs:
            self._effects.get(type(output), self._tell_event)(output, ctx)

    def _on_place(self, command: PlaceOrder, ctx: Context) -> None:
        now = ctx.now()
        if not self._is_refused(command, now, ctx):
            self._carry_orders(command, self._protocol.execute(command, now), ctx)

    def _carry_orders(self, command: PlaceOrder | Change, outputs: list[Output], ctx: Context) -> None:
        """As `_carry_out`; the desk is told when what carries the orders has left."""
        for output in outputs:
            if type(output) is SendFrame and ctx.send_frame(output.link, output.payload):
                self._desk.tell_sent(command, ctx)
            elif type(output) is SendFrame:
                self._carry_out(self._protocol.on_not_sent(output, ctx.now()), ctx)
            elif type(output) is HttpRequest:
                ctx.request(output)
                self._desk.tell_sent(command, ctx, is_usual=False)
            else:
                self._carry_out([output], ctx)

    def _on_rehearsal(self, message: OrderRehearsed, ctx: Context) -> None:
        if self._rehearse is not None:
            self._rehearse(PlaceOrder(message.order, message.stamps, self._fence.epoch, 0), ctx.now())

    def _on_batch(self, batch: PlaceOrders | CancelOrdersAtVenue, ctx: Context) -> None:
        now = ctx.now()
        commands = [command for command in batch.commands if not self._is_refused(command, now, ctx)]
        if not isinstance(self._protocol, BatchTrader):
            for command in commands:
                self._on_place(command, ctx) if isinstance(command, PlaceOrder) else self._on_cancel(command, ctx)
            return
        outputs = self._gate.keep_cancels(commands, self._protocol.execute_batch(commands, now), ctx)
        denied = {output.client_order_id for output in outputs if isinstance(output, OrderDenied)}
        for command in commands:
            if isinstance(command, PlaceOrder) and command.order.client_order_id not in denied:
                self._desk.tell_sent(command, ctx, is_usual=False)
        self._carry_out(outputs, ctx)

    def _on_cancel(self, command: CancelAtVenue, ctx: Context) -> None:
        now = ctx.now()
        if not self._is_refused(command, now, ctx):
            self._carry_out(self._gate.keep_cancels([command], self._protocol.execute(command, now), ctx), ctx)

    def _on_query(self, command: Command, ctx: Context) -> None:
        self._carry_out(self._protocol.execute(command, ctx.now()), ctx)

    def _on_query_open(self, query: QueryOpenOrders, ctx: Context) -> None:
        """The first that a new order manager asks: its predecessor is shut out before it has sent a command."""
        self._fence.heard_of(query.epoch)
        self._on_query(query, ctx)

    def _on_history(self, query: QueryHistory, ctx: Context) -> None:
        if isinstance(self._protocol, HistorySource):
            self._carry_out(self._protocol.query_history(query, ctx.now()), ctx)
        else:
            reason = f"NOT_SUPPORTED: {self._venue} keeps no history"
            ctx.tell(query.reply_to, HistoryFailed(query.reply_to, query.request_id, reason))

    def _on_change(self, change: Change, ctx: Context) -> None:
        now = ctx.now()
        if self._is_refused(change, now, ctx):
            return
        if isinstance(self._protocol, OrderChanger):
            self._carry_orders(change, self._protocol.change(change, now), ctx)
        else:
            words = f"{self._venue} cannot do this"
            self._carry_out([*refuse_change(self._venue, change, "NOT_SUPPORTED", words, now, ctx.name)], ctx)

    def _is_refused(self, command: PlaceOrder | CancelAtVenue | Change, now: int, ctx: Context) -> bool:
        if (objection := self._fence.objection(command, now)) is not None:
            self._carry_out([*refuse_any(self._venue, command, *objection, now, ctx.name)], ctx)
        return objection is not None

    def _on_http(self, answer: HttpAnswered | HttpFailed, ctx: Context) -> None:
        self._carry_out(self._protocol.on_http(answer, ctx.now()), ctx)
        self._gate.heard(answer, ctx)

    def _on_wake_up(self, wake_up: WakeUp, ctx: Context) -> None:
        self._carry_out(self._protocol.on_wake_up(wake_up.tag, ctx.now()), ctx)

    def _on_started(self, _: Started, ctx: Context) -> None:
        self._desk.start(ctx)
        self._gate.start(self._links, ctx)
        self._carry_out(self._protocol.start(ctx.now()), ctx)
        ctx.after(self._stale_after_ns // 4, CheckLinks())
        if isinstance(self._protocol, FallsBack) and self._protocol.watch_ns:
            ctx.after(self._protocol.watch_ns, WatchDue())

    def _on_watch(self, watch: WatchDue, ctx: Context) -> None:
        assert isinstance(self._protocol, FallsBack)
        self._carry_out(self._protocol.watch(self._links.heard_at(), ctx.now()), ctx)
        ctx.after(self._protocol.watch_ns, watch)

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

    def _keep_bad_frame(self, bad: BadFrame, ctx: Context) -> None:
        if count := self._bad_frames.keep(bad, ctx.now()):
            ctx.log.warning("bad_frame", venue=self._venue, link=bad.link, reason=bad.reason, count=count)
        if bad.drop_link:
            self._drop(bad.link, f"BAD_FRAME: {bad.reason}", ctx)

    # ---- subscribers ---------------------------------------------------------------------------------------------

    def _note_gap(self, gap: Resynchronised, ctx: Context) -> None:
        self._counters["gaps"] += 1
        ctx.log.warning("book_lost", venue=self._venue, symbol=gap.symbol, reason=gap.reason)


def _none(link: str, payloads: Sequence[bytes], ts_recv: int) -> tuple[list[Output], int]:
    """Of a protocol that reads its frames one after the other."""
    return [], 0
