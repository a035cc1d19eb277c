"""Cancels that strategies asked for: sent as soon as that is safe, and again for as long as the order works."""

from actors import names
from actors.messages import CancelAtVenue
from actors.model.order_state import OrderState
from actors.orders.inquiries import Inquiries
from actors.orders.ledger import Order
from runtime.actor import Context


class Cancels:
    """A cancel goes straight to the connector, so it waits until its order has left, lest it overtake it."""

    def __init__(self, inquiries: Inquiries, deadline_ns: int) -> None:
        self._inquiries = inquiries
        self._deadline_ns = deadline_ns
        self._waiting: set[str] = set()

    def waits(self, client_order_id: str) -> bool:
        return client_order_id in self._waiting

    def waiting(self) -> list[str]:
        return list(self._waiting)

    def keep(self, client_order_id: str) -> None:
        """It could not go: the order has not left, or its connector was not there."""
        self._waiting.add(client_order_id)

    def forget(self, client_order_id: str) -> None:
        self._waiting.discard(client_order_id)

    def send_waiting(self, client_order_id: str, order: Order | None, epoch: int, ctx: Context) -> None:
        """`order` is None if it is no longer known."""
        if order is None:
            self.forget(client_order_id)
        else:
            self.send(order, epoch, ctx)

    def send(self, order: Order, epoch: int, ctx: Context) -> None:
        """Now if the order has left or nobody knows, else later; without an answer the order is asked about."""
        spec = order.spec
        if order.final:
            self.forget(spec.client_order_id)
            return
        if not spec.venue or not (order.sent or order.state is OrderState.UNKNOWN):
            self.keep(spec.client_order_id)
            return
        self.forget(spec.client_order_id)
        deadline = ctx.now() + self._deadline_ns
        if order.state is not OrderState.UNKNOWN:
            self._inquiries.schedule(spec.client_order_id, deadline + self._inquiries.answer_ns(spec.venue))
        ctx.tell(
            names.connector(spec.venue),
            CancelAtVenue(spec.client_order_id, order.venue_order_id, spec.symbol, epoch, deadline),
        )
