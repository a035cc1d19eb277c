"""Changes of open orders: the intent first in the journal, then to the risk checker; and how long one may arrive."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from actors import names
from actors.messages import CheckChange, ModifyOrder, OrderReported
from actors.model.order import OrderSpec, OrderType, Stamps
from actors.model.order_id import is_order_id
from actors.model.order_state import OrderState
from actors.orders.desk_view import order_updated
from actors.orders.inquiries import MARGIN_NS, Inquiries
from actors.orders.intake import is_positive
from actors.orders.journal import OrderJournal
from actors.orders.ledger import Ledger, Order
from actors.orders.records import ChangeIntended, Record
from actors.settings import VenueSettings
from actors.venues.changes import IN_PLACE
from runtime.actor import Context
from runtime.errors import Unavailable

WORKING = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


class Changes:
    """At most one for each order at a time. What is refused leaves the order as it is, and its strategy is told."""

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

    def modify(self, message: ModifyOrder, epoch: int, ctx: Context) -> None:
        order = self._ledger.order(message.client_order_id)
        if order is None or message.strategy != order.spec.strategy:
            self._counters["changes_refused"] += 1
            ctx.log.warning("change_refused", client_order_id=message.client_order_id, strategy=message.strategy)
            return
        wanted = self._wanted(order, message)
        if isinstance(wanted, str):
            self._refuse(order, wanted, ctx)
            return
        now = ctx.now()
        before, filled = order.spec, format(order.filled, "f")
        record = Record(now, epoch, ChangeIntended(before.client_order_id, wanted))
        try:
            self._journal.intend(record, ctx)
        except Unavailable as error:
            self._refuse(order, str(error), ctx)
            return
        self._ledger.apply(record)
        stamps = Stamps(message.stamps.market_recv, message.stamps.submitted, ctx.now())
        deadline = now + self._deadline_ns
        check = CheckChange(before, wanted, filled, order.venue_order_id, stamps, epoch, deadline)
        self._journal.follow_up(names.RISK_CHECKER, check, ctx)
        self._counters["changes"] += 1
        self._inquiries.schedule(before.client_order_id, deadline + self._inquiries.answer_ns(before.venue))
        if wanted.client_order_id != before.client_order_id:
            self._inquiries.schedule(wanted.client_order_id, deadline + MARGIN_NS)

    def came_to_nothing(self, order: Order, report: OrderReported, asked: int | None) -> bool:
        """The venue does not have it as wanted, and was asked when the change could not arrive any more."""
        if not order.amending or asked is None:
            return False
        return asked >= self._inquiries.settled_at(order, report.venue, order.change_ts)

    def followers(self, order: Order) -> list[Order]:
        """Open orders that have taken its place, or may be about to; who cancels it means them."""
        found = []
        following = self._ledger.order(order.successor)
        while following is not None:
            if not following.final and not following.cancel_requested:
                found.append(following)
            following = self._ledger.order(following.successor)
        return found

    def _refuse(self, order: Order, reason: str, ctx: Context) -> None:
        self._counters["changes_refused"] += 1
        ctx.log.warning("change_refused", client_order_id=order.spec.client_order_id, reason=reason)
        ctx.publish(f"orders.{order.spec.strategy}", msgspec.structs.replace(order_updated(order), reason=reason))

    def _wanted(self, order: Order, message: ModifyOrder) -> OrderSpec | str:
        """The order as it is to be, or why that cannot be."""
        spec = order.spec
        quantity, price = message.quantity or spec.quantity, message.price or spec.price or ""
        is_in_place = IN_PLACE.get(self._venues[spec.venue].kind) if spec.venue in self._venues else None
        if order.state not in WORKING or order.cancel_requested:
            return f"NOT_WORKING: {order.state.value}"
        if order.change is not None:
            return "CHANGE_PENDING: what became of the last one is not known yet"
        if is_in_place is None:
            return f"NOT_SUPPORTED: {spec.venue} changes no orders"
        if spec.type is not OrderType.LIMIT or spec.visible_quantity is not None or spec.list_id:
            return "NOT_SUPPORTED: only a plain limit order that is in no list can be changed"
        if not is_positive(quantity):
            return f"INVALID_QUANTITY: {quantity!r}"
        if not is_positive(price):
            return f"INVALID_PRICE: {price!r}"
        if Decimal(quantity) <= order.filled:
            return f"INVALID_QUANTITY: {quantity}, {order.filled} is filled already"
        if (Decimal(quantity), Decimal(price)) == (order.quantity, Decimal(spec.price or 0)):
            return "NO_CHANGE: it is so already"
        if is_in_place(spec, quantity, price):
            return msgspec.structs.replace(spec, quantity=quantity, price=price)
        new_id = message.new_client_order_id
        if not is_order_id(new_id) or self._ledger.knows(new_id):
            return f"INVALID_ID: {new_id!r} is no new client order id"
        left = format(Decimal(quantity) - order.filled, "f")
        return msgspec.structs.replace(
            spec, client_order_id=new_id, quantity=left, price=price, replaces=spec.client_order_id
        )
