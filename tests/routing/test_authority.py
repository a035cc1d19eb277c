"""One risk checker at a time: what an earlier one approves goes nowhere, and the order manager is told."""

import pytest

from actors.messages import (
    Approved,
    ApprovedChange,
    ApprovedList,
    ChangeDenied,
    CheckChange,
    CheckOrderList,
    ListKind,
    OrderDenied,
    PlaceOrder,
)
from actors.model.order import Stamps
from runtime.actor import ActorUp
from runtime.address import Address, StreamKind
from tests.routing.test_router import NOW, ONE, RouterDesk, S, spec

STALE = "STALE_AUTHORITY: approved by life 1 of the risk checker, the present one is 2"
REFUSED_BEFORE = "STALE_AUTHORITY: an approval of it by an earlier risk checker was refused"


def approved(authority: int, number: int = 1) -> Approved:
    return Approved(spec("binance", number), Stamps(), 7, NOW + S, authority)


def desk(*messages: object) -> RouterDesk:
    """Its messages to nobody but those that come from now on."""
    made = RouterDesk("binance")
    made.receive(*messages)
    made.ctx.told.clear()
    return made


def second_checker_up() -> ActorUp:
    return ActorUp(Address("risk_checker", 2, StreamKind.UNIX, "/x"))


@pytest.mark.parametrize("newer", [second_checker_up(), approved(2, number=9)])
def test_a_second_risk_checker_cannot_approve(newer: object) -> None:
    router = desk(newer)
    router.receive(approved(1))
    assert router.ctx.told == [("order_manager", OrderDenied(ONE, STALE, "router"))]
    assert router.router.report().counters["stale_approvals"] == 1


def test_nor_can_it_approve_changes_or_lists() -> None:
    router = desk(second_checker_up())
    change = CheckChange(spec("binance"), spec("binance"), "0", "77", Stamps(), 7, NOW + S)
    orders = CheckOrderList(ListKind.OCO, [spec("binance"), spec("binance", 2)], Stamps(), 7, NOW + S)
    router.receive(ApprovedChange(change, 1), ApprovedList(orders, 1))
    assert router.ctx.told == [
        ("order_manager", ChangeDenied(ONE, STALE, "router")),
        ("order_manager", OrderDenied(ONE, STALE, "router")),
        ("order_manager", OrderDenied(f"{2:032x}", STALE, "router")),
    ]


def test_what_was_refused_is_not_placed_by_a_later_approval() -> None:
    router = desk(second_checker_up(), approved(1))
    router.receive(approved(2), approved(2, number=2))
    denied, *placed = router.ctx.told
    assert denied == ("order_manager", OrderDenied(ONE, REFUSED_BEFORE, "router"))
    assert [message.order for _, message in placed if isinstance(message, PlaceOrder)] == [spec("binance", 2)]


def test_what_has_left_is_not_called_refused() -> None:
    router = desk(second_checker_up(), approved(2))
    router.receive(approved(1))
    assert router.ctx.told == []
