"""The order manager: owner of every order's state from the strategy's intent to the venue's last word.

Guarantees
- The intent is in the journal before anything leaves. While the journal cannot be written new orders are denied
  (`JOURNAL_UNAVAILABLE`); cancels still go, and what the venue says still counts and is written later.
- An order submitted twice is one order.
- Nobody's silence ends an order. What is not known is UNKNOWN and asked of the venue until it answers, and "no such
  order" counts only if it was asked after the order could not arrive any more: its deadline, the venue's own
  `recvWindow` and a second of clock difference.
- A cancel, once requested, is pursued until the order is final, and so is what was to take its place.
- After every (re)connect, and periodically, local and venue state are compared and differences resolved: open orders,
  fills, balances. Orders that this desk did not make are reported and counted, never cancelled.
- A new life replays the journal, and takes an epoch above every earlier one's, also across runs.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from actors import names
from actors.messages import (
    AccountReported,
    AmendRejected,
    CancelAtVenue,
    CancelOrder,
    CancelRejected,
    ChangeDenied,
    CheckChange,
    CheckOrder,
    CheckOrderList,
    FillRecorded,
    FillsReported,
    ModifyOrder,
    OpenOrdersReported,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRehearsed,
    OrderRejected,
    OrderReported,
    OrderRouted,
    OrderSent,
    OutcomeUnknown,
    QueryAccount,
    QueryFailed,
    QueryOpenOrders,
    QueryOrder,
    SubmitOrder,
    SubmitOrderList,
    VenueDown,
    VenueUp,
)
from actors.model.order import Stamps
from actors.model.order_state import OrderState
from actors.orders.cancels import Cancels
from actors.orders.changes import WORKING, Changes
from actors.orders.desk_view import Followers, order_updated, plain_ledger
from actors.orders.inquiries import MARGIN_NS, Inquiries
from actors.orders.intake import Early, refusal, refuse
from actors.orders.journal import OrderJournal
from actors.orders.ledger import Anomaly, Ledger, Order, Outcome
from actors.orders.lists import Lists
from actors.orders.operator import Operators
from actors.orders.reconciliation import ReconcileDue, Reconciliation
from actors.orders.records import EpochBegan, Event, Record
from actors.orders.understudy import Understudy
from actors.settings import OrderSettings, VenueSettings, trading
from actors.venues.refusals import deny
from runtime.actor import ActorDown, ActorUp, Context, Report, Started, Subscribed, Undelivered
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import Unavailable

SWEEP_NS = 100 * NS_PER_MS  # due inquiries are looked for so often while there are any
IN_FLIGHT = frozenset({OrderState.SENT, OrderState.PENDING_CANCEL, OrderState.PENDING_UPDATE})
UNSETTLED = IN_FLIGHT | {OrderState.PENDING}


class SweepDue(msgspec.Struct, frozen=True):
    """Look which orders have to be asked about."""


class OrderManager(Early):
    def __init__(self, venues: Mapping[str, VenueSettings], settings: OrderSettings | None = None) -> None:
        """`venues`: those with credentials trade, the others are market data only."""
        settings = settings or OrderSettings()
        self.ledger = Ledger()
        self.epoch = 0
        self._venues = trading(venues)
        self._by_connector = {names.connector(name): name for name in self._venues}
        self._deadline_ns = round(settings.command_deadline_s * NS_PER_S)
        self._journal = OrderJournal(self._deadline_ns // 2)
        self._inquiries = Inquiries(self._venues, self._deadline_ns)
        self._reconciliation = Reconciliation(self._venues, round(settings.reconcile_every_s * NS_PER_S))
        self._followers = Followers(self.ledger, self._reconciliation)
        self._operators = Operators(self.ledger, self._journal, self._venues, self._by_connector, self._reconciliation)
        self._cancels = Cancels(self._inquiries, self._deadline_ns)
        self._is_unresolved = partial(self._inquiries.unresolved, self.ledger.open)
        self._sweeping = False
        anew = partial(OrderManager, self._venues, settings)
        understudy = Understudy(anew, round(settings.rehearse_every_ms * NS_PER_MS))
        self._counters: Counter[str] = Counter()
        parts = (self.ledger, self._journal, self._inquiries, self._venues, self._deadline_ns, self._counters)
        self._changes, self._lists = Changes(*parts), Lists(*parts)
        venue_events: tuple[type, ...] = (
            OrderRouted, OrderSent, OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, OrderExpired,
            CancelRejected, OutcomeUnknown, OrderAmended, AmendRejected, ChangeDenied,
        )  # fmt: skip
        self._handlers: dict[type, Callable[[Any, Context], object]] = {
            SubmitOrder: self.submit,
            OrderRehearsed: understudy.rehearse,
            SubmitOrderList: self._on_submit_list,
            CancelOrder: self._on_cancel,
            ModifyOrder: self._on_modify,
            OrderDenied: self._on_denied,
            **dict.fromkeys(venue_events, self._on_event),
            OrderReported: self._on_reported,
            OrderNotFound: self._on_not_found,
            OpenOrdersReported: self._on_open_orders,
            FillsReported: self._on_fills,
            AccountReported: self._reconciliation.account,
            QueryFailed: self._on_query_failed,
            VenueUp: self._on_venue_up,
            VenueDown: lambda message, _: self._reconciliation.set_up(message.venue, False),
            SweepDue: self._on_sweep,
            ReconcileDue: self._reconciliation.due,
            Undelivered: self._on_undelivered,
            Subscribed: self._followers.begin,
            ActorUp: self._on_actor_up,
            ActorDown: self._on_actor_down,
            Started: self._on_started,
            **self._operators.handlers | self._journal.handlers(self.receive),
        }

    def receive(self, message: Any, ctx: Context) -> None:
        if (handler := self._handlers.get(type(message))) is not None:
            handler(message, ctx)

    def report(self) -> Report:
        return Report(
            counters=dict(self._counters),
            state=plain_ledger(self.ledger)
            | {
                "epoch": self.epoch,
                "recovering": not self._reconciliation.complete,
                "venues": self._reconciliation.plain(),
                "inquiries": len(self._inquiries),
                "journal_waiting": len(self._journal),
                "journal_lost": self._journal.lost,
            },
        )

    # ---- beginning of a life

    def _on_started(self, message: Started, ctx: Context) -> None:
        for record in self._journal.replay(ctx):
            self.ledger.apply(record)
        self.epoch = self._reconciliation.epoch = max(self.ledger.epoch + 1, ctx.incarnation)
        self._apply(EpochBegan(ctx.incarnation == 1), ctx)
        for order in self.ledger.open.values():
            if order.cancel_requested:
                self._cancels.keep(order.spec.client_order_id)
        for connector in self._by_connector:
            ctx.watch(connector)

    # ---- from the strategies

    def submit(self, message: SubmitOrder, ctx: Context) -> None:
        """Nobody is told of the new order but the risk checker: each other would wake while it is on its way."""
        spec = message.order
        if self.ledger.knows(spec.client_order_id):
            self._counters[Anomaly.DUPLICATE_ORDER.value] += 1
            if (known := self.ledger.order(spec.client_order_id)) is not None:
                self._publish_order(known, ctx)
            return
        if (reason := refusal(spec, self._venues)) is not None:
            refuse(spec, reason, self._counters, ctx)
            return
        now = ctx.now()
        record = Record(now, self.epoch, message)
        try:
            self._journal.intend(record, ctx)
        except Unavailable as error:
            refuse(spec, str(error), self._counters, ctx)
            return
        self.ledger.apply(record)
        stamps = Stamps(message.stamps.market_recv, message.stamps.submitted, ctx.now())
        deadline = now + self._deadline_ns
        self._journal.follow_up(names.RISK_CHECKER, CheckOrder(spec, stamps, self.epoch, deadline), ctx)
        self._counters["submitted"] += 1
        self._inquiries.schedule(spec.client_order_id, deadline + MARGIN_NS)
        self._arm(ctx)

    def _on_submit_list(self, message: SubmitOrderList, ctx: Context) -> None:
        self._lists.submit(message, self.epoch, ctx)
        self._arm(ctx)

    def _on_modify(self, message: ModifyOrder, ctx: Context) -> None:
        self._changes.modify(message, self.epoch, ctx)
        self._arm(ctx)

    def _on_cancel(self, message: CancelOrder, ctx: Context) -> None:
        order = self.ledger.order(message.client_order_id)
        if order is None or message.strategy not in ("", order.spec.strategy):
            self._counters["cancels_refused"] += 1
            ctx.log.warning("cancel_refused", client_order_id=message.client_order_id, strategy=message.strategy)
            return
        for follower in self._changes.followers(order):
            self._on_cancel(CancelOrder(follower.spec.client_order_id, message.strategy), ctx)
        if order.final:
            self._publish_order(order, ctx)
            return
        self._apply(message, ctx)
        self._cancels.send(order, self.epoch, ctx)
        self._arm(ctx)

    # ---- what becomes of an order

    def _on_event(self, message: Any, ctx: Context) -> None:
        if self._apply(message, ctx).news and self._cancels.waits(message.client_order_id):
            self._send_cancel(message.client_order_id, ctx)

    def _on_denied(self, message: OrderDenied, ctx: Context) -> None:
        order = self.ledger.order(message.client_order_id)
        if order is not None and order.sent and not order.final:
            # It has left, so what could not be sent was a later command of it.
            reason = f"NOT_SENT: {message.reason}"
            self._apply(OutcomeUnknown(order.spec.venue, message.client_order_id, reason, ctx.now()), ctx)
        else:
            self._apply(message, ctx)

    def _apply(self, event: Event, ctx: Context) -> Outcome:
        """Let an event change the ledger, write it down, tell the desk and do what follows from it."""
        record = Record(ctx.now(), self.epoch, event)
        outcome = self.ledger.apply(record)
        if outcome.news:
            self._journal.note(record, ctx)
        for anomaly in outcome.anomalies:
            self._counters[anomaly.value] += 1
            if anomaly is not Anomaly.DUPLICATE_FILL:
                ctx.log.warning(anomaly.value, detail=outcome.detail, cause=type(event).__name__)
        if (fill := outcome.fill) is not None and (order := self.ledger.order(fill.client_order_id)) is not None:
            ctx.publish(f"fills.{order.spec.strategy}", FillRecorded(order.spec.strategy, fill, record.ts))
        for order in outcome.orders:
            self._publish_order(order, ctx)
        for order in outcome.orders:
            self._follow(order, ctx)
        if Anomaly.ILLEGAL in outcome.anomalies and not isinstance(event, OrderReported):
            contradicted = self.ledger.order(getattr(event, "client_order_id", ""))
            if contradicted is not None and not contradicted.final:
                self._inquiries.ask(contradicted, ctx)
                self._arm(ctx)
        return outcome

    def _follow(self, order: Order, ctx: Context) -> None:
        client_order_id = order.spec.client_order_id
        if order.state is OrderState.UNKNOWN or order.behind:
            self._inquiries.begin(order, ctx)
            self._arm(ctx)
        elif order.final:
            self._inquiries.forget(client_order_id)
            self._cancels.forget(client_order_id)
        elif order.state in WORKING and order.cancel_requested:
            self._on_cancel(CancelOrder(client_order_id, order.spec.strategy), ctx)
        elif order.state in WORKING:
            self._inquiries.forget(client_order_id)
        self._settle(ctx)

    def _publish_order(self, order: Order, ctx: Context) -> None:
        ctx.publish(f"orders.{order.spec.strategy}", order_updated(order))

    # ---- asking the venue

    def _on_sweep(self, message: SweepDue, ctx: Context) -> None:
        self._sweeping = False
        now = ctx.now()
        for client_order_id in self._inquiries.due(now):
            order = self.ledger.order(client_order_id)
            if order is None:
                self._inquiries.forget(client_order_id)
            elif order.state is OrderState.SENT and now < (later := self._inquiries.answer_due(order)):
                self._inquiries.schedule(client_order_id, later)
            elif order.state in UNSETTLED:
                reason = f"NO_NEWS: nothing heard of it while {order.state.value}"
                self._apply(OutcomeUnknown(order.spec.venue, client_order_id, reason, now), ctx)
            elif order.state is OrderState.UNKNOWN or order.behind:
                self._inquiries.ask(order, ctx)
            else:
                self._inquiries.forget(client_order_id)
        self._arm(ctx)

    def _arm(self, ctx: Context) -> None:
        if not self._sweeping and len(self._inquiries):
            self._sweeping = True
            ctx.after(SWEEP_NS, SweepDue())

    def _on_reported(self, message: OrderReported, ctx: Context) -> None:
        asked = self._inquiries.answered(message.client_order_id, message.venue)
        self._apply(message, ctx)
        order = self.ledger.order(message.client_order_id)
        if order is not None and self._changes.came_to_nothing(order, message, asked):
            reason = "EXPIRED_UNSENT: the change has not arrived and cannot arrive any more"
            self._apply(ChangeDenied(message.client_order_id, reason, names.ORDER_MANAGER), ctx)
            self._apply(message, ctx)
        if order is not None and order.amending and order.state is OrderState.UNKNOWN:
            self._inquiries.begin(order, ctx)
            self._arm(ctx)

    def _on_not_found(self, message: OrderNotFound, ctx: Context) -> None:
        client_order_id = message.client_order_id
        order = self.ledger.order(client_order_id)
        if order is None or order.final:
            return
        if order.at_venue:
            self._inquiries.answered(client_order_id, message.venue)
            self._counters["missing_at_venue"] += 1
            ctx.log.error("missing_at_venue", client_order_id=client_order_id, venue=message.venue)
            reason = "NOT_FOUND: the venue had it and does not know it now"
            self._apply(OutcomeUnknown(message.venue, client_order_id, reason, ctx.now()), ctx)
        elif self._inquiries.not_found(order, message.venue, ctx.now()):
            reason = "EXPIRED_UNSENT: it has not arrived and cannot arrive any more"
            self._apply(OrderDenied(client_order_id, reason, names.ORDER_MANAGER), ctx)

    def _on_fills(self, message: FillsReported, ctx: Context) -> None:
        for fill in message.fills:
            self._on_event(fill, ctx)

    def _on_query_failed(self, message: QueryFailed, ctx: Context) -> None:
        self._counters["queries_failed"] += 1
        if message.query == QueryOrder.__name__:
            self._inquiries.answered(message.key, message.venue)
        elif message.query in (QueryOpenOrders.__name__, QueryAccount.__name__):
            self._reconciliation.failed(message.venue, ctx)

    # ---- reconciling with a venue

    def _on_venue_up(self, message: VenueUp, ctx: Context) -> None:
        self._reconciliation.set_up(message.venue, True)
        self._reconciliation.begin(message.venue, ctx)
        self._retry_cancels(ctx)

    def _on_open_orders(self, message: OpenOrdersReported, ctx: Context) -> None:
        if message.venue not in self._venues:
            return
        ours = self._reconciliation.open_orders(message, self.ledger.knows, ctx)
        for report in ours:
            self._on_reported(report, ctx)
        listed = {report.client_order_id for report in ours}
        self._inquiries.ask_missing(list(self.ledger.open.values()), message.venue, listed, ctx)
        self._arm(ctx)
        self._settle(ctx)

    def _settle(self, ctx: Context) -> None:
        """When nothing is left open anywhere, those who follow the whole desk continue from its state."""
        if not self._reconciliation.complete and self._reconciliation.settle(self._is_unresolved, ctx):
            self._followers.tell_all(ctx)

    # ---- the other actors' lives

    def _on_actor_up(self, message: ActorUp, ctx: Context) -> None:
        if (venue := self._by_connector.get(message.address.actor)) is not None:
            self._reconciliation.begin(venue, ctx)
            self._retry_cancels(ctx)

    def _on_actor_down(self, message: ActorDown, ctx: Context) -> None:
        """Nobody else can tell what a connector that died had sent."""
        venue = self._by_connector.get(message.name)
        if venue is None:
            return
        self._reconciliation.set_up(venue, False)
        for order in list(self.ledger.open.values()):
            if order.spec.venue == venue and order.state in IN_FLIGHT:
                reason = f"CONNECTOR_DOWN: {message.reason}"
                self._apply(OutcomeUnknown(venue, order.spec.client_order_id, reason, ctx.now()), ctx)

    def _retry_cancels(self, ctx: Context) -> None:
        for client_order_id in self._cancels.waiting():
            self._send_cancel(client_order_id, ctx)

    def _send_cancel(self, client_order_id: str, ctx: Context) -> None:
        self._cancels.send_waiting(client_order_id, self.ledger.order(client_order_id), self.epoch, ctx)
        self._arm(ctx)

    def _on_undelivered(self, message: Undelivered, ctx: Context) -> None:
        match message.message:
            case CheckOrder() | CheckChange() | CheckOrderList() as check:
                for denial in deny(check, f"RISK_CHECKER_UNAVAILABLE: {message.reason}", names.ORDER_MANAGER):
                    self.receive(denial, ctx)
            case CancelAtVenue() as cancel:
                self._cancels.keep(cancel.client_order_id)
            case QueryOrder() as query:
                self._inquiries.answered(query.client_order_id, self._by_connector.get(message.to, ""))
            case other:
                self._counters["undelivered"] += not self._operators.undelivered(other, ctx)
