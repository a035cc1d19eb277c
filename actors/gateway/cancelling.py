"""Cancelling orders and waiting until they are done."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from actors.gateway.operations import Steps, Until
from actors.model.order_state import FINAL
from runtime.clock import NS_PER_S

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

DONE_NS = 10 * NS_PER_S


def cancelled(gateway: "Gateway", client_order_ids: list[str]) -> Steps:
    """Until these are done, or the time is over; what was not delivered is sent once more."""
    for client_order_id in client_order_ids:
        gateway.cancel(client_order_id)
    yield Until(lambda: all_done(gateway, client_order_ids), gateway.within(DONE_NS // 2))
    for client_order_id in client_order_ids:
        if gateway.not_cancelled(client_order_id):
            gateway.cancel(client_order_id)
    yield Until(lambda: all_done(gateway, client_order_ids), gateway.within(DONE_NS // 2))


def all_done(gateway: "Gateway", client_order_ids: Iterable[str]) -> bool:
    for client_order_id in client_order_ids:
        update = gateway.mirror.order(client_order_id)
        if update is None or update.state not in FINAL:
            return False
    return True
