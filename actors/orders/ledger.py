"""The desk's orders, fills and positions as a pure function of the journal: values in, changes out.

Guarantees: a fill counts once, however often and in whatever order it is told; positions are the sum of the fills that
count; an order is final only when every fill that the venue told of is counted; an illegal event is reported and
changes nothing; applying the same records gives the same state, to the digest.

Memory is bounded: of orders that are done the newest `keep` stay whole, and of `keep_ids` more the ids, so that an
order submitted again is recognised. A fill for an order that is gone is foreign, hence it cannot count twice either.
"""

import hashlib
from collections import deque
from decimal import Decimal
from typing import assert_never

import msgspec

from actors.messages import (
    AmendRejected,
    CancelOrder,
    CancelRejected,
    ChangeDenied,
    OperatorActed,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReported,
    OrderRouted,
    OrderSent,
    OutcomeUnknown,
    SubmitOrder,
    SubmitOrderList,
)
from actors.model.order import OrderSpec
from actors.model.order_state import FINAL, TRANSITIONS, OrderEvent, OrderState
from actors.model.position import Position
from actors.orders.controls import Controls
from actors.orders.order import Anomaly as Anomaly
from actors.orders.order import Order as Order
from actors.orders.order import Outcome as Outcome
from actors.orders.order import is_as_wanted, is_less
from actors.orders.records import ChangeIntended, EpochBegan, OneOrder, Record


class Ledger:
    def __init__(self, keep: int = 10_000, keep_ids: int = 100_000) -> None:
        self.epoch = 0
        """Highest epoch of a record."""
        self.open: dict[str, Order] = {}
        """By client order id: all that are not final."""
        self.positions: dict[str, Position] = {}
        """By "<venue>.<symbol>"."""
        self.strategy_positions: dict[str, dict[str, Position]] = {}
        self.counts: dict[OrderState, int] = dict.fromkeys(OrderState, 0)
        """Orders by state, those that are gone from memory included."""
        self.fills = 0
        self.controls = Controls()
        self._orders: dict[str, Order] = {}
        self._by_venue_id: dict[tuple[str, str, str], str] = {}
        self._done: deque[str] = deque()
        self._gone: dict[str, None] = {}
        self._keep = keep
        self._keep_ids = keep_ids

    def order(self, client_order_id: str) -> Order | None:
        return self._orders.get(client_order_id)

    def knows(self, client_order_id: str) -> bool:
        return client_order_id in self._orders or client_order_id in self._gone

    def find(self, venue: str, symbol: str, client_order_id: str, venue_order_id: str) -> Order | None:
        """By our id, or by the venue's where it does not tell ours."""
        return self._orders.get(client_order_id or self._by_venue_id.get((venue, symbol, venue_order_id), ""))

    def digest(self) -> str:
        """Equal for equal states."""
        state = (
            self.epoch,
            list(self._orders.values()),
            list(self.open),
            self.positions,
            self.strategy_positions,
            {state.value: count for state, count in self.counts.items()},
            self.fills,
            [[*key, value] for key, value in self._by_venue_id.items()],
            list(self._done),
            list(self._gone),
            self.controls,
        )
        return hashlib.blake2b(msgspec.msgpack.encode(state, order="sorted"), digest_size=16).hexdigest()

    def apply(self, record: Record) -> Outcome:
        outcome = Outcome()
        self.epoch = max(self.epoch, record.epoch)
        event = record.event
        if isinstance(event, SubmitOrder):
            self._submit(event.order, record.ts, outcome)
        elif isinstance(event, SubmitOrderList):
            for spec in event.orders:
                self._submit(spec, record.ts, outcome)
        elif isinstance(event, EpochBegan):
            outcome.news = True
            if event.new_run:
                self.controls.limits.clear()
            for order in list(self.open.values()):
                self._move(order, OrderEvent.LOST, record.ts, outcome, "RESTARTED: not yet asked")
        elif isinstance(event, OrderFilled):
            self._fill(event, record.ts, outcome)
        elif isinstance(event, OperatorActed):
            self.controls.apply(event)
            outcome.news = True
        elif (known := self._orders.get(event.client_order_id)) is None:
            outcome.anomalies.append(Anomaly.FOREIGN)
            outcome.detail = f"{type(event).__name__} {event.client_order_id}"
        else:
            self._change(known, event, record.ts, outcome)
        return outcome

    def _submit(self, spec: OrderSpec, ts: int, outcome: Outcome) -> None:
        if self.knows(spec.client_order_id):
            outcome.anomalies.append(Anomaly.DUPLICATE_ORDER)
            return
        order = Order(spec, Decimal(spec.quantity), ts, ts)
        self._orders[spec.client_order_id] = self.open[spec.client_order_id] = order
        self.counts[OrderState.PENDING] += 1
        outcome.news = True
        outcome.orders.append(order)

    def _change(self, order: Order, event: OneOrder, ts: int, outcome: Outcome) -> None:
        match event:
            case OrderSent():
                outcome.news |= not order.sent
                order.sent = True
                self._locate(order, event.venue, "", outcome)
                self._move(order, OrderEvent.SENT, ts, outcome)
            case OrderAccepted():
                self._locate(order, event.venue, event.venue_order_id, outcome)
                self._witness(order, outcome)
                self._works(order, ts, outcome)
            case OrderCanceled():
                self._end(order, OrderEvent.CANCELED, event.venue, event.filled_quantity, ts, outcome)
            case OrderExpired():
                self._end(order, OrderEvent.EXPIRED, event.venue, event.filled_quantity, ts, outcome, event.reason)
            case OrderRouted():
                outcome.news = True
                self._locate(order, event.venue, "", outcome)
            case OrderRejected():
                self._move(order, OrderEvent.REJECTED, ts, outcome, f"{event.code}: {event.reason}")
            case OrderDenied() if order.at_venue:
                self._illegal(order, OrderEvent.DENIED, outcome)
            case OrderDenied():
                self._move(order, OrderEvent.DENIED, ts, outcome, event.reason)
            case CancelOrder():
                if not order.final:
                    outcome.news |= not order.cancel_requested
                    order.cancel_requested = True
                self._move(order, OrderEvent.CANCEL_REQUESTED, ts, outcome)
            case CancelRejected():
                self._move(order, OrderEvent.CANCEL_REJECTED, ts, outcome, f"{event.code}: {event.reason}")
            case OutcomeUnknown():
                self._move(order, OrderEvent.LOST, ts, outcome, event.reason)
            case OrderReported():
                self._report(order, event, ts, outcome)
            case ChangeIntended():
                self._intend(order, event.order, ts, outcome)
            case OrderAmended():
                self._amended(order, event.quantity, event.price, ts, outcome)
            case AmendRejected():
                self._unchanged(order, OrderEvent.UPDATE_REJECTED, f"{event.code}: {event.reason}", ts, outcome)
            case ChangeDenied():
                self._unchanged(order, OrderEvent.UPDATE_DENIED, event.reason, ts, outcome)
            case _:
                assert_never(event)

    def _intend(self, order: Order, wanted: OrderSpec, ts: int, outcome: Outcome) -> None:
        order.change, order.change_ts = wanted, ts
        self._move(order, OrderEvent.UPDATE_REQUESTED, ts, outcome)
        if not order.amending:
            order.successor = wanted.client_order_id
            self._submit(wanted, ts, outcome)

    def _amended(self, order: Order, quantity: str, price: str, ts: int, outcome: Outcome) -> None:
        """The venue has it with that quantity and price, "" where that is as before."""
        wanted = order.change if order.amending and is_as_wanted(order, quantity, price) else None
        if wanted is not None:
            quantity, price, order.change = wanted.quantity, wanted.price or "", None
        elif Decimal(quantity) == order.quantity and Decimal(price or 0) in (0, Decimal(order.spec.price or 0)):
            return
        order.spec = msgspec.structs.replace(order.spec, quantity=quantity, price=price or order.spec.price)
        order.quantity = Decimal(quantity)
        outcome.news = True
        outcome.orders.append(order)
        if wanted is not None:
            self._move(order, OrderEvent.UPDATED, ts, outcome)
        self._after_change(order, ts, outcome)

    def _unchanged(self, order: Order, event: OrderEvent, reason: str, ts: int, outcome: Outcome) -> None:
        """A change came to nothing, and neither did the order that was to take its place."""
        if (wanted := order.change) is None:
            return
        order.change = None
        outcome.news = True
        outcome.orders.append(order)
        self._move(order, event, ts, outcome, reason)
        self._after_change(order, ts, outcome)
        successor = self._orders.get(wanted.client_order_id)
        if successor is not None and successor is not order and not successor.sent:
            self._move(successor, OrderEvent.DENIED, ts, outcome, reason)

    def _forget_change(self, order: Order) -> None:
        """What was to take the place of another order is over."""
        old = self._orders.get(order.spec.replaces)
        if old is not None and old.change is not None and old.change.client_order_id == order.spec.client_order_id:
            old.change = None

    def _after_change(self, order: Order, ts: int, outcome: Outcome) -> None:
        if order.filled >= order.quantity and not order.final:
            self._move(order, OrderEvent.LAST_FILL, ts, outcome, order.reason)
        elif order.filled and order.state is OrderState.ACCEPTED:
            self._move(order, OrderEvent.WORKING, ts, outcome, order.reason)

    def _works(self, order: Order, ts: int, outcome: Outcome) -> None:
        """Says the venue; while it is not known as what, it stays UNKNOWN."""
        if order.state is not OrderState.UNKNOWN or not order.amending:
            self._move(order, OrderEvent.WORKING if order.filled else OrderEvent.ACCEPTED, ts, outcome)

    def _report(self, order: Order, event: OrderReported, ts: int, outcome: Outcome) -> None:
        filled = Decimal(event.filled_quantity or 0)
        if is_as_wanted(order, event.quantity, event.price) if order.amending else is_less(order, event.quantity):
            self._amended(order, event.quantity, event.price, ts, outcome)
        match event.state:
            case OrderState.CANCELED:
                self._end(order, OrderEvent.CANCELED, event.venue, event.filled_quantity, ts, outcome)
            case OrderState.EXPIRED:
                self._end(order, OrderEvent.EXPIRED, event.venue, event.filled_quantity, ts, outcome)
            case OrderState.FILLED if filled < order.quantity:
                reason = f"DONE: venue filled {event.filled_quantity} of {order.spec.quantity}"
                self._end(order, OrderEvent.EXPIRED, event.venue, event.filled_quantity, ts, outcome, reason)
            case OrderState.FILLED:
                self._end(order, OrderEvent.LAST_FILL, event.venue, event.filled_quantity, ts, outcome)
            case OrderState.REJECTED:
                self._move(order, OrderEvent.REJECTED, ts, outcome, "REJECTED: as reported by the venue")
            case _ if order.ending is not None:
                pass  # asked before the end that is known already
            case _:
                self._told_filled(order, event.filled_quantity, outcome)
                self._witness(order, outcome)
                self._works(order, ts, outcome)
        self._locate(order, event.venue, event.venue_order_id, outcome)

    def _fill(self, fill: OrderFilled, ts: int, outcome: Outcome) -> None:
        order = self.find(fill.venue, fill.symbol, fill.client_order_id, fill.venue_order_id)
        if order is None:
            outcome.anomalies.append(Anomaly.FOREIGN)
            outcome.detail = f"fill {fill.venue}.{fill.symbol} {fill.trade_id}"
            return
        if fill.trade_id in order.trade_ids:
            outcome.anomalies.append(Anomaly.DUPLICATE_FILL)
            return
        if (fill.symbol, fill.side) != (order.spec.symbol, order.spec.side):
            outcome.anomalies.append(Anomaly.ILLEGAL)
            outcome.detail = f"a fill of {fill.side.value} {fill.symbol} for {order.spec.client_order_id}"
            return
        quantity, price = Decimal(fill.quantity), Decimal(fill.price)
        order.trade_ids.add(fill.trade_id)
        order.filled += quantity
        order.cost += quantity * price
        self._witness(order, outcome)
        self._locate(order, fill.venue, fill.venue_order_id, outcome)
        self.fills += 1
        venue = order.spec.venue  # of one account that two venues have, either may tell of it first
        key = f"{venue}.{fill.symbol}"
        fee = Decimal(fill.fee or 0)
        for positions in (self.positions, self.strategy_positions.setdefault(order.spec.strategy, {})):
            positions.setdefault(key, Position()).add_fill(fill.side, quantity, price, fee, fill.fee_asset)
        outcome.news = True
        outcome.fill = fill
        if (fill.client_order_id, fill.venue) != (order.spec.client_order_id, venue):
            outcome.fill = msgspec.structs.replace(fill, client_order_id=order.spec.client_order_id, venue=venue)
        if order.state in FINAL:
            outcome.anomalies.append(Anomaly.LATE_FILL)
        if order.filled > order.quantity:
            outcome.anomalies.append(Anomaly.OVERFILL)
        last = order.filled >= order.quantity
        self._move(order, OrderEvent.LAST_FILL if last else OrderEvent.PARTIAL_FILL, ts, outcome)
        if order.ending is not None and not order.behind:
            ending, order.ending = order.ending, None
            if not order.final:
                self._move(order, ending, ts, outcome)
        if not outcome.orders:
            outcome.orders.append(order)

    def _end(
        self,
        order: Order,
        event: OrderEvent,
        venue: str,
        filled: str,
        ts: int,
        outcome: Outcome,
        reason: str = "",
    ) -> None:
        """The venue is done with it; so are we, unless fills are missing: then it is UNKNOWN until they are here."""
        self._told_filled(order, filled, outcome)
        self._witness(order, outcome)
        self._locate(order, venue, "", outcome)
        if order.behind:
            outcome.news |= order.ending is not event
            order.ending = event
            self._move(order, OrderEvent.LOST, ts, outcome, "FILLS_MISSING: being fetched")
        elif event is not OrderEvent.LAST_FILL or order.state is not OrderState.FILLED:
            self._move(order, event, ts, outcome, reason)

    def _told_filled(self, order: Order, filled: str, outcome: Outcome) -> None:
        quantity = Decimal(filled or 0)
        if quantity > order.filled and quantity > order.venue_filled:
            order.venue_filled = quantity
            outcome.news = True
            outcome.orders.append(order)

    def _witness(self, order: Order, outcome: Outcome) -> None:
        """The venue has spoken of it."""
        if not order.at_venue:
            order.sent = order.at_venue = outcome.news = True

    def _locate(self, order: Order, venue: str, venue_order_id: str, outcome: Outcome) -> None:
        """Learn where the order is, if that was not known."""
        if venue and not order.spec.venue:
            order.spec = msgspec.structs.replace(order.spec, venue=venue)
            outcome.news = True
            outcome.orders.append(order)
        if venue_order_id and not order.venue_order_id:
            order.venue_order_id = venue_order_id
            self._by_venue_id[venue, order.spec.symbol, venue_order_id] = order.spec.client_order_id
            outcome.news = True

    def _move(self, order: Order, event: OrderEvent, ts: int, outcome: Outcome, reason: str = "") -> None:
        before = order.state
        after = TRANSITIONS.get((before, event))
        if after is None:
            self._illegal(order, event, outcome)
            return
        if after is before:
            return
        order.state = after
        order.updated = ts
        order.reason = reason
        self.counts[before] -= 1
        self.counts[after] += 1
        outcome.news = True
        if not any(order is changed for changed in outcome.orders):
            outcome.orders.append(order)
        if after in FINAL:
            order.change = None
            if order.spec.replaces:
                self._forget_change(order)
            if before not in FINAL:
                del self.open[order.spec.client_order_id]
                self._retire(order.spec.client_order_id)
        elif before in FINAL:
            self.open[order.spec.client_order_id] = order
            outcome.anomalies.append(Anomaly.RESURRECTED)

    def _illegal(self, order: Order, event: OrderEvent, outcome: Outcome) -> None:
        outcome.anomalies.append(Anomaly.ILLEGAL)
        outcome.detail = f"{order.spec.client_order_id}: {event.value} in {order.state.value}"

    def _retire(self, client_order_id: str) -> None:
        self._done.append(client_order_id)
        if len(self._done) <= self._keep:
            return
        oldest = self._done.popleft()
        order = self._orders.get(oldest)
        if order is None or not order.final:
            return
        del self._orders[oldest]
        self._by_venue_id.pop((order.spec.venue, order.spec.symbol, order.venue_order_id), None)
        self._gone[oldest] = None
        if len(self._gone) > self._keep_ids:
            del self._gone[next(iter(self._gone))]
