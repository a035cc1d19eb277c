"""Changes of orders and order lists on their way through the router."""

import msgspec

from actors.messages import (
    AmendAtVenue,
    ApprovedChange,
    ApprovedList,
    ChangeDenied,
    CheckChange,
    CheckOrderList,
    ListKind,
    OrderDenied,
    PlaceOrderList,
    ReplaceAtVenue,
    VenueDown,
)
from actors.model.order import OrderSpec, Stamps
from runtime.actor import Undelivered
from tests.routing.test_router import NOW, ONE, RouterDesk, S, spec

BEFORE = spec("b")
SMALLER = msgspec.structs.replace(BEFORE, quantity="0.5")
OTHER = msgspec.structs.replace(BEFORE, client_order_id="f" * 32, price="99", replaces=ONE)


def change(after: OrderSpec) -> CheckChange:
    return CheckChange(BEFORE, after, "0.1", "v1", Stamps(1, 2, 3, 4), 7, NOW + S)


def test_a_change_goes_to_where_the_order_lives() -> None:
    desk = RouterDesk("a", "b")
    desk.ctx.told.clear()
    desk.receive(ApprovedChange(change(SMALLER)), ApprovedChange(change(OTHER)))
    assert desk.ctx.told == [
        ("connector.b", AmendAtVenue(ONE, "v1", "BTCUSDT", "0.5", 7, NOW + S, SMALLER)),
        ("connector.b", ReplaceAtVenue(ONE, "v1", OTHER, Stamps(1, 2, 3, 4, NOW), 7, NOW + S, "0.1")),
    ]


def test_what_nobody_approved_goes_nowhere() -> None:
    desk = RouterDesk("b")
    desk.receive(change(SMALLER))
    assert desk.ctx.told == []


def test_a_change_that_cannot_go_is_denied_with_the_reason() -> None:
    desk = RouterDesk("b")
    desk.receive(VenueDown("b", "link lost", NOW), ApprovedChange(change(SMALLER)))
    assert desk.ctx.told[-1] == ("order_manager", ChangeDenied(ONE, "VENUE_DOWN: b: link lost", "router"))
    late = RouterDesk("b")
    late.ctx.time = NOW + S + 1
    late.receive(ApprovedChange(change(OTHER)))
    assert late.ctx.told[-1] == ("order_manager", ChangeDenied(ONE, "DEADLINE: passed before routing", "router"))


def test_a_change_that_did_not_reach_the_connector_is_denied() -> None:
    desk = RouterDesk("b")
    desk.receive(ApprovedChange(change(OTHER)))
    command = desk.ctx.told[-1][1]
    desk.receive(Undelivered("connector.b", command, "nobody there"))
    reason = "VENUE_DOWN: connector.b: nobody there"
    assert desk.ctx.told[-1] == ("order_manager", ChangeDenied(ONE, reason, "router"))


LIST = CheckOrderList(ListKind.OCO, [spec("b", 1), spec("b", 2)], Stamps(1, 2, 3, 4), 7, NOW + S)


def denials(reason: str) -> list[tuple[str, OrderDenied]]:
    return [("order_manager", OrderDenied(order.client_order_id, reason, "router")) for order in LIST.orders]


def test_a_list_goes_to_the_venue_that_it_names() -> None:
    desk = RouterDesk("a", "b")
    desk.ctx.told.clear()
    desk.receive(LIST)
    assert desk.ctx.told == [], "nobody has approved it"
    desk.receive(ApprovedList(LIST))
    placed = PlaceOrderList(ListKind.OCO, LIST.orders, Stamps(1, 2, 3, 4, NOW), 7, NOW + S)
    assert desk.ctx.told == [("connector.b", placed)]
    desk.receive(Undelivered("connector.b", placed, "nobody there"))
    assert desk.ctx.told[1:] == denials("VENUE_DOWN: connector.b: nobody there")
    assert desk.router.report().state["in_flight"] == 0


def test_a_list_that_cannot_go_is_denied_whole() -> None:
    desk = RouterDesk("b")
    desk.ctx.told.clear()
    desk.receive(VenueDown("b", "link lost", NOW), ApprovedList(LIST))
    assert desk.ctx.told == denials("VENUE_DOWN: b: link lost")
