"""What one strategy knows of its own orders and positions: its submissions, then what the order manager says."""

from decimal import Decimal

import msgspec

from actors.messages import DeskSnapshot, FillRecorded, OrderUpdated
from actors.model.order import OrderSpec, Side
from actors.model.order_state import FINAL, OrderState

CHANGEABLE = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})
LOST_SIGHT = "ORDER_MANAGER_RESTARTED: not open any more; what it filled is in the position"


class Ledger:
    """The order manager owns the truth; between its messages this is at most one hop behind it.

    An order is here from its submission until the order manager ends it, so an order on its way is never forgotten.
    """

    def __init__(self) -> None:
        self.orders: dict[str, OrderUpdated] = {}
        """Open orders by client order id."""
        self.positions: dict[str, Decimal] = {}
        """`<venue>.<SYMBOL>` → signed base quantity: the sum of this strategy's fills."""
        self._unanswered: set[str] = set()
        self._doubtful: set[str] = set()
        self._cancelling: set[str] = set()

    def submit(self, order: OrderSpec, now: int) -> None:
        self.orders[order.client_order_id] = OrderUpdated(order, OrderState.PENDING, "0", None, "", "", now)
        self._unanswered.add(order.client_order_id)

    def request_cancel(self, client_order_id: str, now: int) -> OrderUpdated | None:
        """The order that is to be cancelled; None if it is done or its cancel is on its way."""
        known = self.orders.get(client_order_id)
        if known is None or known.state is OrderState.PENDING_CANCEL:
            return None
        self._cancelling = {key for key in self._cancelling if key in self.orders} | {client_order_id}
        self.orders[client_order_id] = msgspec.structs.replace(known, state=OrderState.PENDING_CANCEL, ts=now)
        return known

    def request_change(self, client_order_id: str, now: int) -> OrderUpdated | None:
        """The order that is to be changed; None unless it works and nothing else is under way with it."""
        known = self.orders.get(client_order_id)
        if known is None or known.state not in CHANGEABLE:
            return None
        self.orders[client_order_id] = msgspec.structs.replace(known, state=OrderState.PENDING_UPDATE, ts=now)
        return known

    def unchanged(self, client_order_id: str, reason: str, now: int) -> OrderUpdated | None:
        """Its change has not got anywhere; None if something else was heard of the order meanwhile."""
        known = self.orders.get(client_order_id)
        if known is None or known.state is not OrderState.PENDING_UPDATE:
            return None
        state = OrderState.PARTIALLY_FILLED if Decimal(known.filled_quantity) else OrderState.ACCEPTED
        return msgspec.structs.replace(known, state=state, reason=reason, ts=now)

    @property
    def is_cancelling(self) -> bool:
        """An order whose cancel was asked for is still open, whatever was told of it meanwhile."""
        return any(client_order_id in self.orders for client_order_id in self._cancelling)

    def update(self, update: OrderUpdated) -> None:
        client_order_id = update.order.client_order_id
        self._unanswered.discard(client_order_id)
        if update.order.replaces in self._cancelling:
            self._cancelling.add(client_order_id)
        if update.state in FINAL:
            self.orders.pop(client_order_id, None)
        else:
            self.orders[client_order_id] = update

    def fill(self, recorded: FillRecorded) -> None:
        fill = recorded.fill
        instrument = f"{fill.venue}.{fill.symbol}"
        signed = Decimal(fill.quantity) if fill.side is Side.BUY else -Decimal(fill.quantity)
        self.positions[instrument] = self.positions.get(instrument, Decimal(0)) + signed

    def doubt(self) -> None:
        """The order manager died: what it has not answered may have died with it."""
        self._doubtful |= self._unanswered

    def restore(self, snapshot: DeskSnapshot, now: int) -> list[OrderUpdated]:
        """Take over the order manager's truth; returns the orders that it does not know as open, as `UNKNOWN`.

        An order submitted to this life of the order manager and not answered yet may have crossed the snapshot on
        its way: it stays.
        """
        listed = {update.order.client_order_id: update for update in snapshot.orders}
        crossing = self._unanswered - self._doubtful - listed.keys()
        lost = [update for key, update in self.orders.items() if key not in listed and key not in crossing]
        self.orders = listed | {key: self.orders[key] for key in self.orders if key in crossing}
        self.positions = {instrument: Decimal(quantity) for instrument, quantity in snapshot.positions.items()}
        self._unanswered = crossing
        self._doubtful.clear()
        return [msgspec.structs.replace(update, state=OrderState.UNKNOWN, reason=LOST_SIGHT, ts=now) for update in lost]
