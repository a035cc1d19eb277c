"""What a full queue sheds is asked for again: nobody is left with a book whose chain has lost a link."""

import pytest

from actors.messages import BookDelta, BookInvalidated, BookSnapshot, OrderUpdated, Quote
from actors.model.order import OrderSpec, OrderType, Side
from actors.model.order_state import OrderState
from runtime.message import Message
from runtime.transport.feed_queue import FeedQueue


def snapshot(symbol: str) -> BookSnapshot:
    return BookSnapshot("venue", symbol, 1, [], [], 0, 0)


def delta(symbol: str) -> BookDelta:
    return BookDelta("venue", symbol, 1, 2, [], [], 0, 0)


def order(number: int) -> OrderUpdated:
    spec = OrderSpec(f"{number:032x}", "maker", "venue", "BTC", Side.BUY, OrderType.LIMIT, "1", "100")
    return OrderUpdated(spec, OrderState.ACCEPTED, "0", None, "", "", 0)


class Shedding:
    """A queue of four that nobody reads."""

    def __init__(self, *events: Message) -> None:
        self.asked: list[str] = []
        self.queue = FeedQueue(self.asked.append, 4)
        for event in events:
            self.queue.offer(event)

    def read(self) -> list[Message]:
        return [self.queue.take() for _ in range(len(self.queue))]


def test_more_books_than_it_can_hold_lose_the_oldest_whose_state_is_asked_for() -> None:
    shedding = Shedding(*map(snapshot, "ABCDE"))
    assert shedding.asked == ["book.venue.A"]
    assert shedding.read() == list(map(snapshot, "BCDE"))


def test_a_book_whose_snapshot_was_shed_begins_only_with_another() -> None:
    shedding = Shedding(*map(snapshot, "ABCDE"))
    shedding.read()
    for event in (delta("A"), snapshot("A"), delta("A")):
        shedding.queue.offer(event)
    assert shedding.read() == [snapshot("A"), delta("A")]


@pytest.mark.parametrize(
    "lost", [BookInvalidated("venue", "A", "GAP: for a test", 0), Quote("venue", "A", "1", "1", "2", "1", 0, 0)]
)
def test_the_newest_event_of_a_topic_is_asked_for_when_it_has_to_go(lost: BookInvalidated | Quote) -> None:
    assert Shedding(lost, *map(snapshot, "BCDE")).asked == [lost.topic]


def test_what_may_not_be_dropped_stays_whatever_the_capacity() -> None:
    orders = [order(number) for number in range(9)]
    shedding = Shedding(*orders)
    assert shedding.read() == orders
    assert shedding.queue.dropped == 0
