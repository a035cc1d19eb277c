"""Order lists: one intent in the journal for all of their orders, then to the risk checker; all or none."""

from collections import Counter
from collections.abc import Mapping

from actors import names
from actors.messages import CheckOrderList, SubmitOrderList
from actors.model.order import OrderSpec, Stamps
from actors.orders.desk_view import order_updated
from actors.orders.inquiries import MARGIN_NS, Inquiries
from actors.orders.intake import refusal, refuse
from actors.orders.journal import OrderJournal
from actors.orders.ledger import Anomaly, Ledger
from actors.orders.records import Record
from actors.settings import VenueSettings
from runtime.actor import Context
from runtime.errors import Unavailable


class Lists:
    """Each order of a list is one of its own afterwards; what the venue does to one because of another, it tells."""

    def __init__(
        self,
        ledger: Ledger,
        journal: OrderJournal,
        inquiries: Inquiries,
        venues: Mapping[str, VenueSettings],
        deadline_ns: int,
        counters: Counter[str],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._inquiries = inquiries
        self._venues = venues
        self._deadline_ns = deadline_ns
        self._counters = counters

    def submit(self, message: SubmitOrderList, epoch: int, ctx: Context) -> None:
        orders = message.orders
        if any(self._ledger.knows(spec.client_order_id) for spec in orders):
            self._repeat(orders, ctx)
            return
        reason = next((reason for spec in orders if (reason := refusal(spec, self._venues)) is not None), None)
        if reason := reason or _objection(orders):
            self._refuse(orders, reason, ctx)
            return
        now = ctx.now()
        record = Record(now, epoch, message)
        try:
            self._journal.intend(record, ctx)
        except Unavailable as error:
            self._refuse(orders, str(error), ctx)
            return
        self._ledger.apply(record)
        stamps = Stamps(message.stamps.market_recv, message.stamps.submitted, ctx.now())
        deadline = now + self._deadline_ns
        check = CheckOrderList(message.kind, orders, stamps, epoch, deadline)
        self._journal.follow_up(names.RISK_CHECKER, check, ctx)
        self._counters["lists"] += 1
        for spec in orders:
            self._inquiries.schedule(spec.client_order_id, deadline + MARGIN_NS)

    def _repeat(self, orders: list[OrderSpec], ctx: Context) -> None:
        """A list submitted twice is one list."""
        self._counters[Anomaly.DUPLICATE_ORDER.value] += 1
        for spec in orders:
            if (known := self._ledger.order(spec.client_order_id)) is not None:
                ctx.publish(f"orders.{known.spec.strategy}", order_updated(known))

    def _refuse(self, orders: list[OrderSpec], reason: str, ctx: Context) -> None:
        for spec in orders:
            refuse(spec, reason, self._counters, ctx)


def _objection(orders: list[OrderSpec]) -> str | None:
    if len({spec.client_order_id for spec in orders}) < len(orders) or len(orders) < 2:
        return "INVALID_ORDER: a list has two orders at least, each with an id of its own"
    if len({(spec.venue, spec.symbol, spec.strategy) for spec in orders}) > 1 or not orders[0].venue:
        return "INVALID_ORDER: the orders of a list are for one symbol of one named venue"
    return None
