"""Cancelling orders and waiting until they are done."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from actors.gateway.operations import Steps, Until
from actors.model.order_state import FINAL
from runtime.clock import NS_PER_S

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

DONE_NS = 10 * NS_PER_S


def cancelled(gateway: "Gateway", client_order_ids: list[str]) -> Steps:
    """Until these are done, or the time is over; what was not delivered is sent once more.

    The order manager cancels what takes the place of one of them as well, so that is waited for too.
    """
    for client_order_id in client_order_ids:
        gateway.cancel(client_order_id)
    yield Until(lambda: all_done(gateway, client_order_ids), gateway.within(DONE_NS // 2))
    for client_order_id in client_order_ids:
        if gateway.not_cancelled(client_order_id):
            gateway.cancel(client_order_id)
    yield Until(lambda: all_done(gateway, client_order_ids), gateway.within(DONE_NS // 2))


def all_done(gateway: "Gateway", client_order_ids: Collection[str]) -> bool:
    """They and what has taken their place, or is about to."""
    if not all(_is_done(gateway, client_order_id) for client_order_id in client_order_ids):
        return False
    return not still_open(gateway, client_order_ids)


def still_open(gateway: "Gateway", client_order_ids: Collection[str]) -> list[str]:
    """Which of them are, and which orders in the place of one."""
    return [one for one in gateway.mirror.open if _stands_for(gateway, one, client_order_ids)]


def _is_done(gateway: "Gateway", client_order_id: str) -> bool:
    update = gateway.mirror.order(client_order_id)
    if update is None or update.state not in FINAL:
        return False
    if update.pending is None or update.pending.client_order_id == client_order_id:
        return True
    return _is_done(gateway, update.pending.client_order_id)


def _stands_for(gateway: "Gateway", client_order_id: str, client_order_ids: Collection[str]) -> bool:
    while client_order_id not in client_order_ids:
        update = gateway.mirror.order(client_order_id)
        if update is None or not update.order.replaces:
            return False
        client_order_id = update.order.replaces
    return True
