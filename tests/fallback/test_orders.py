"""Orders while their WebSockets are down: sent by signed REST, never twice, and what becomes of them is learned."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from actors.messages import (
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    OpenOrdersReported,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderReported,
    OutcomeUnknown,
    QueryAccount,
    QueryFills,
    QueryOrder,
    VenueDown,
    VenueUp,
)
from actors.model.order_state import OrderState
from actors.simulation.faults import LinkRole, LostAck, RateLimit, RefuseConnect
from tests.fallback.world import KINDS, World

pytestmark = pytest.mark.parametrize("kind", KINDS)

FAR = "60000"
"""A bid that rests."""


def up(kind: str) -> World:
    world = World(kind)
    world.run_until(lambda: world.told(VenueUp))
    world.run(0.5)
    return world


def degraded(kind: str) -> World:
    world = up(kind)
    world.cut_websockets()
    world.run_until(lambda: len(world.told(VenueUp)) == 2)
    return world


def sent_by_rest(world: World, verb: str) -> list[dict[str, str]]:
    """Parameters of every request that could change an order."""
    return [
        dict(parse_qsl(urlsplit(request.url).query))
        for request in world.requests
        if request.method == verb and urlsplit(request.url).path.endswith("/order")
    ]


def test_orders_may_go_again_when_rest_has_answered_and_it_is_said_how(kind: str) -> None:
    world = up(kind)
    assert world.told(VenueUp)[0].degraded == ""
    world.cut_websockets()
    assert len(world.told(VenueDown)) == 1
    world.place(1, FAR)
    assert "NOT_CONNECTED" in world.told(OrderDenied)[0].reason
    world.run_until(lambda: len(world.told(VenueUp)) == 2)
    assert world.told(VenueUp)[1].degraded.startswith("ORDERS: LINK_DOWN")
    assert world.degraded["orders"] == world.told(VenueUp)[1].degraded
    world.mend()
    world.run_until(lambda: len(world.told(VenueUp)) == 3)
    assert world.told(VenueUp)[2].degraded == ""
    assert len(world.told(VenueDown)) == 1
    assert "orders" not in world.degraded


def test_orders_go_on_by_rest_however_often_links_are_refused(kind: str) -> None:
    world = degraded(kind)
    world.run(20)
    assert len(world.told(VenueUp)) == 2
    assert len(world.told(VenueDown)) == 1


def test_an_order_is_placed_filled_cancelled_and_asked_about_by_rest(kind: str) -> None:
    world = degraded(kind)
    frames = len(world.frames)
    rests, fills = world.place(1, FAR), world.place(2, None)
    world.run_until(lambda: len(world.told(OrderAccepted)) == 2)
    venue_ids = {event.client_order_id: event.venue_order_id for event in world.told(OrderAccepted)}
    world.run_until(lambda: [report for poll in world.told(OpenOrdersReported)[1:] for report in poll.orders])
    assert world.told(OpenOrdersReported)[-1].orders[0].client_order_id == rests
    world.take(world.venue.execute(QueryOrder(fills, "BTCUSDT"), world.now))
    world.take(world.venue.execute(QueryFills("BTCUSDT", venue_ids[fills], 0), world.now))
    world.take(world.venue.execute(QueryAccount(), world.now))
    world.run(0.2)
    assert world.told(OrderReported)[-1].state is OrderState.FILLED
    assert world.told(FillsReported)[-1].fills
    world.take(world.venue.execute(CancelAtVenue(rests, venue_ids[rests], "BTCUSDT", 1, world.now + 10**9), world.now))
    world.run_until(lambda: world.told(OpenOrdersReported)[-1].orders == [])
    ledger = world.ledger()["orders"]
    assert [ledger[id][0]["status"] for id in (rests, fills)] == ["CANCELED", "FILLED"]
    assert [len(placed) for placed in ledger.values()] == [1, 1]
    assert len(world.frames) == frames
    if kind == "binance":
        assert [event.client_order_id for event in world.told(OrderCanceled)] == [rests]


def test_an_order_in_flight_on_the_dead_socket_is_unknown_and_asked_never_sent_again(kind: str) -> None:
    world = up(kind)
    world.add(LostAck(link=LinkRole.WS_API, subject="order.place"))
    id = world.place(1, FAR)
    world.run(0.1)
    world.cut_websockets()
    assert [event.client_order_id for event in world.told(OutcomeUnknown)] == [id]
    world.run_until(lambda: len(world.told(VenueUp)) == 2)
    world.take(world.venue.execute(QueryOrder(id, "BTCUSDT"), world.now))
    world.run(0.2)
    assert world.told(OrderReported)[-1].state is OrderState.ACCEPTED
    world.mend()
    world.run_until(lambda: len(world.told(VenueUp)) == 3)
    world.run(5)
    assert sent_by_rest(world, "POST") == []
    assert len(world.ledger()["orders"][id]) == 1


def test_an_order_whose_answer_by_rest_is_lost_is_unknown_and_not_sent_again(kind: str) -> None:
    world = degraded(kind)
    world.add(LostAck(link=LinkRole.REST, subject="order.place"))
    id = world.place(1, FAR)
    world.run(5)
    assert [event.client_order_id for event in world.told(OutcomeUnknown)] == [id]
    world.mend()
    world.run_until(lambda: len(world.told(VenueUp)) == 3)
    world.run(2)
    assert len(sent_by_rest(world, "POST")) == 1
    assert len(world.ledger()["orders"][id]) == 1


def test_what_was_asked_by_rest_is_answered_when_the_websocket_is_back(kind: str) -> None:
    world = degraded(kind)
    world.mend()
    id = world.place(1, None)
    world.run_until(lambda: len(world.told(VenueUp)) == 3)
    assert [event.client_order_id for event in world.told(OrderAccepted)][:1] == [id]
    later = world.place(2, None)
    world.run_until(lambda: later in {fill.client_order_id for fill in world.told(OrderFilled)})
    world.run(2)
    assert len(sent_by_rest(world, "POST")) == 1
    assert [len(placed) for placed in world.ledger()["orders"].values()] == [1, 1]


def test_a_429_makes_polls_and_orders_wait_but_not_cancels(kind: str) -> None:
    world = degraded(kind)
    rests = world.place(1, FAR)
    world.run_until(lambda: world.told(OrderAccepted))
    world.add(RateLimit(link=LinkRole.REST, subject="openOrders*", retry_after_s=20))
    world.run_until(lambda: world.fake.faults.report(world.now)["faults"][-1]["fired"] == 1)  # type: ignore[index]
    world.run(0.1)
    polls = len(world.requests)
    world.place(2, FAR)
    assert "RATE_LIMITED" in world.told(OrderDenied)[-1].reason
    world.take(world.venue.execute(CancelAtVenue(rests, "", "BTCUSDT", 1, world.now + 10**9), world.now))
    world.run(15)
    assert [request.method for request in world.requests[polls:] if "listenKey" not in request.url] == ["DELETE"]
    assert world.told(CancelRejected) == []
    world.run(10)
    assert len(world.requests) > polls + 5
    assert world.ledger()["orders"][rests][0]["status"] == "CANCELED"


def test_the_venue_is_down_again_when_rest_stops_answering_too(kind: str) -> None:
    world = degraded(kind)
    world.add(RefuseConnect(link=LinkRole.REST, count=None))
    world.run_until(lambda: len(world.told(VenueDown)) == 2)
    assert "orders" not in world.degraded
    world.place(1, FAR)
    assert "NOT_CONNECTED" in world.told(OrderDenied)[-1].reason
    world.mend()
    world.run_until(lambda: world.told(VenueUp)[-1].degraded == "")


def test_it_trades_by_rest_where_no_websocket_ever_got_through(kind: str) -> None:
    world = World(kind)
    world.cut_websockets()
    world.run_until(lambda: world.told(VenueUp))
    assert world.told(VenueUp)[0].degraded.startswith("ORDERS: ")
    id = world.place(1, None)
    world.run_until(lambda: world.told(OrderAccepted))
    assert world.ledger()["orders"][id][0]["status"] == "FILLED"


def test_market_data_by_rest_is_not_up(kind: str) -> None:
    world = World(kind)
    world.cut_websockets()
    world.add(RefuseConnect(link=LinkRole.REST, subject="open*", count=None))
    world.run(8)
    assert any(part.startswith("market data") for part in world.degraded)
    assert world.told(VenueUp) == []


def test_a_websocket_for_orders_that_says_nothing_is_given_up(kind: str) -> None:
    world = up(kind)
    world.freeze_websockets()
    world.run_until(lambda: len(world.told(VenueUp)) == 2)
    assert world.told(VenueUp)[1].degraded
    id = world.place(1, None)
    world.run(0.5)
    assert world.ledger()["orders"][id][0]["status"] == "FILLED"
