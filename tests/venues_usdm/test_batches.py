"""Batches of orders and of cancels at the fake futures venue: few requests, an outcome for each."""

import msgspec

from actors.messages import (
    CancelAtVenue,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    VenueUp,
)
from actors.model.order import OrderType
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.faults import LinkRole, LostAck, RefuseConnect
from actors.venues.contract import BadFrame, BatchTrader
from runtime.actor import HttpRequest
from runtime.clock import NS_PER_S
from tests.venues.binance_spot import place
from tests.venues_usdm.world import START, World


def up() -> World:
    world = World(FakeBinanceUsdm(START, seed=3, symbols=("BTCUSDT",), rate=0), ["BTCUSDT"])
    world.run_until(VenueUp)
    world.requests.clear()
    return world


def order(number: int, price: str | None = "60000", **changes: object) -> PlaceOrder:
    return place(client_order_id=f"{number:032x}", venue="usdm", price=price, quantity="0.002", **changes)


def cancel(number: int, venue_order_id: str = "", symbol: str = "BTCUSDT") -> CancelAtVenue:
    return CancelAtVenue(f"{number:032x}", venue_order_id, symbol, 1, START + 10**12)


def batch(world: World, *commands: PlaceOrder | CancelAtVenue) -> None:
    assert isinstance(world.venue, BatchTrader)
    world.take(world.venue.execute_batch(commands, world.now))
    world.run(NS_PER_S // 10)


def asked(world: World) -> list[str]:
    return [request.method for request in world.requests if "/batchOrders" in request.url]


def accepted(world: World) -> dict[str, str]:
    return {event.client_order_id: event.venue_order_id for event in world.told(OrderAccepted)}


def test_five_orders_go_in_one_request_and_the_rest_in_the_next() -> None:
    world = up()
    batch(world, *(order(number) for number in range(7)))
    assert asked(world) == ["POST", "POST"]
    ledger = world.ledger()["orders"]
    assert set(accepted(world)) == set(ledger) == {f"{number:032x}" for number in range(7)}
    assert {placed[0]["status"] for placed in ledger.values()} == {"NEW"}
    assert {len(placed) for placed in ledger.values()} == {1}


def test_each_order_of_a_batch_has_its_own_outcome() -> None:
    world = up()
    batch(world, order(1), order(2, price="60000.123"), order(3))
    assert set(accepted(world)) == {f"{number:032x}" for number in (1, 3)}
    (rejected,) = world.told(OrderRejected)
    assert rejected.client_order_id == f"{2:032x}"
    assert rejected.code.startswith("-")
    assert world.told(BadFrame) == []


def test_what_cannot_be_said_to_the_venue_does_not_keep_the_others_back() -> None:
    world = up()
    batch(world, order(1), order(2, visible_quantity="0.001"))
    assert [denied.client_order_id for denied in world.told(OrderDenied)] == [f"{2:032x}"]
    assert set(accepted(world)) == {f"{1:032x}"}


def test_an_algo_order_goes_by_itself() -> None:
    world = up()
    batch(world, order(1), order(2, type=OrderType.STOP, price=None, stop_price="80000"))
    world.run(NS_PER_S)
    assert asked(world) == ["POST"]
    assert accepted(world)[f"{2:032x}"].startswith("algo-")


def test_cancels_go_together_by_either_id_and_tell_each_outcome() -> None:
    world = up()
    batch(world, *(order(number) for number in range(12)))
    ids = accepted(world)
    known = [cancel(number, ids[f"{number:032x}"]) for number in range(11)]
    batch(world, *known, cancel(11), cancel(99))
    assert asked(world)[3:] == ["DELETE", "DELETE", "DELETE"]
    world.run(NS_PER_S)
    assert {event.client_order_id for event in world.told(OrderCanceled)} == {f"{number:032x}" for number in range(12)}
    assert [event.client_order_id for event in world.told(CancelRejected)] == [f"{99:032x}"]
    assert {placed[0]["status"] for placed in world.ledger()["orders"].values()} == {"CANCELED"}


def test_a_batch_whose_answer_is_lost_is_unknown_and_not_sent_again() -> None:
    world = up()
    world.fake.faults.add(LostAck(link=LinkRole.REST, subject="batchOrders.place"), now=world.now)
    batch(world, order(1), order(2))
    world.run(5 * NS_PER_S)
    assert {event.client_order_id for event in world.told(OutcomeUnknown)} == {f"{number:032x}" for number in (1, 2)}
    assert asked(world) == ["POST"]
    assert {len(placed) for placed in world.ledger()["orders"].values()} == {1}


def test_an_answer_that_does_not_fit_makes_every_order_unknown() -> None:
    world = up()
    outputs = world.venue.execute_batch([order(1), order(2)], world.now)
    (request,) = outputs
    assert isinstance(request, HttpRequest)
    answer = msgspec.structs.replace(world.answer(request), body=b"[]")
    kinds = [type(output) for output in world.venue.on_http(answer, world.now)]
    assert kinds == [OutcomeUnknown, OutcomeUnknown, BadFrame]


def test_nothing_is_placed_while_orders_may_not_go() -> None:
    world = up()
    world.fake.faults.add(RefuseConnect(count=None), now=world.now)
    world.drop("orders")
    batch(world, order(1), order(2))
    assert len(world.told(OrderDenied)) == 2
    assert asked(world) == []
