"""Market data while its WebSockets are down, frozen, or back: polled, flagged, joined; nothing lost, nothing twice."""

from itertools import pairwise

import pytest

from actors.messages import BookDelta, BookInvalidated, BookSnapshot, Quote, Trade, VenueDown
from actors.simulation.faults import Delay, LinkRole, RateLimit
from runtime.clock import NS_PER_S
from tests.fallback.world import KINDS, World

pytestmark = pytest.mark.parametrize("kind", KINDS)


def a_world(kind: str, **changes: float | None) -> World:
    world = World(kind, **changes)  # type: ignore[arg-type]
    world.run_until(lambda: world.told(BookSnapshot) and world.told(Trade))
    world.run(1)
    return world


def trade_ids(world: World) -> list[int]:
    return [int(trade.trade_id) for trade in world.told(Trade)]


def are_whole(ids: list[int]) -> bool:
    return ids == list(range(ids[0], ids[0] + len(ids)))


def is_back(world: World) -> bool:
    return not world.degraded and set(world.venue.report(False)["books"].values()) == {"SYNCED"}


def test_what_comes_while_all_is_well_is_not_degraded(kind: str) -> None:
    world = a_world(kind)
    assert world.degraded == {}
    for events in (world.told(Quote), world.told(Trade), world.told(BookSnapshot)):
        assert not any(event.degraded for event in events)
    assert not [request for request in world.requests if request.id.startswith("poll:")]


def test_it_is_polled_while_the_websockets_are_down_and_whole_when_they_are_back(kind: str) -> None:
    world = a_world(kind)
    world.cut_websockets(LinkRole.STREAM)
    cut = world.now
    world.run(0.9)
    assert world.degraded == {}
    assert isinstance(world.venue.book("BTCUSDT"), BookInvalidated)
    world.run(9)
    assert "LINK_DOWN: cut" in next(iter(world.degraded.values()))
    assert len([quote for quote in world.told(Quote) if quote.degraded]) > 5
    assert len([book for book in world.told(BookSnapshot) if book.degraded]) > 10
    assert [trade for trade in world.told(Trade) if trade.degraded]
    book = world.venue.book("BTCUSDT")
    assert isinstance(book, BookSnapshot)
    assert book.degraded
    assert world.told(VenueDown) == []
    world.mend()
    world.run_until(lambda: is_back(world))
    world.run(5)
    last = [event for event in world.outputs if isinstance(event, BookSnapshot | BookDelta)][-1]
    assert isinstance(last, BookDelta)
    assert are_whole(trade_ids(world))
    assert len([trade for trade in world.told(Trade) if trade.ts_recv > cut and not trade.degraded]) > 5
    rebuilt = max(at for at, event in enumerate(world.outputs) if isinstance(event, BookSnapshot))
    deltas = [event for event in world.outputs[rebuilt:] if isinstance(event, BookDelta)]
    assert all(later.previous == earlier.sequence for earlier, later in pairwise(deltas))


def test_trades_are_told_once_in_their_order_through_many_cuts(kind: str) -> None:
    world = a_world(kind, rate=200.0)
    for _ in range(8):
        world.cut_websockets(LinkRole.STREAM)
        world.run(1.3)
        world.mend()
        world.run(0.7)
    world.run_until(lambda: is_back(world))
    world.run(2)
    assert are_whole(trade_ids(world))
    assert {trade.degraded for trade in world.told(Trade)} == {True, False}


def test_a_websocket_that_says_nothing_any_more_is_given_up(kind: str) -> None:
    world = a_world(kind)
    world.freeze_websockets()
    frozen = world.now
    world.run_until(lambda: any("FROZEN" in reason for reason in world.degraded.values()), 5)
    assert world.now - frozen < 4 * NS_PER_S
    world.run(3)
    assert [quote for quote in world.told(Quote) if quote.degraded]
    world.mend()
    world.run_until(lambda: is_back(world))
    world.run(2)
    assert are_whole(trade_ids(world))


def test_it_begins_degraded_where_no_websocket_gets_through(kind: str) -> None:
    world = World(kind)
    world.cut_websockets()
    world.run(4)
    assert [quote for quote in world.told(Quote) if quote.degraded]
    assert are_whole(trade_ids(world))
    world.mend()
    world.run_until(lambda: is_back(world))
    world.run(2)
    assert are_whole(trade_ids(world))


def test_after_a_429_nothing_is_polled_until_it_is_allowed_and_the_book_does_not_pretend(kind: str) -> None:
    world = a_world(kind)
    world.cut_websockets(LinkRole.STREAM)
    world.run(3)
    world.add(RateLimit(link=LinkRole.REST, subject="depth", retry_after_s=20))
    world.run_until(lambda: world.fake.faults.report(world.now)["faults"][-1]["fired"] == 1)  # type: ignore[index]
    world.run(0.1)
    before = len([request for request in world.requests if request.id.startswith("poll:")])
    world.run(15)
    assert len([request for request in world.requests if request.id.startswith("poll:")]) == before
    world.run(15)
    assert len([request for request in world.requests if request.id.startswith("poll:")]) > before
    world.mend()
    world.run_until(lambda: is_back(world))
    world.run(2)
    assert are_whole(trade_ids(world))


def test_trades_that_were_polled_are_not_told_again_by_a_stream_that_lags_behind(kind: str) -> None:
    world = a_world(kind, rate=200.0)
    world.cut_websockets(LinkRole.STREAM)
    world.run(3)
    world.mend()
    world.add(Delay(link=LinkRole.STREAM, delay_ms=1500, count=None))
    world.run_until(lambda: not world.degraded)
    world.run(5)
    assert are_whole(trade_ids(world))


def test_polls_are_spread_evenly_and_leave_most_of_the_weight_to_others(kind: str) -> None:
    world = a_world(kind)
    world.cut_websockets(LinkRole.STREAM)
    polled: list[int] = []
    for _ in range(120):
        before = len(world.requests)
        world.run(1)
        polled.append(len([request for request in world.requests[before:] if request.id.startswith("poll:book:")]))
    assert min(polled[2:]) > 0
    report = world.venue.report(False)
    assert 0 < report["used_weight"] < report["weight_limit"] * 0.5


def test_a_polled_book_that_cannot_be_polled_any_more_is_invalid(kind: str) -> None:
    world = a_world(kind)
    world.cut_websockets(LinkRole.STREAM)
    world.run(3)
    world.add(RateLimit(link=LinkRole.REST, subject="depth", retry_after_s=1, count=None))
    world.run(20)
    assert isinstance(world.venue.book("BTCUSDT"), BookInvalidated)
    assert "REST fails too: status 429" in next(iter(world.degraded.values()))


def test_without_a_fallback_nothing_is_polled(kind: str) -> None:
    world = a_world(kind, fallback_after_s=None)
    world.cut_websockets()
    world.run(10)
    assert world.degraded == {}
    assert not [request for request in world.requests if request.id.startswith("poll:")]
