"""A book that nobody keeps any more is not a book to trade on."""

from actors.names import connector
from actors.strategy import InstrumentBook, Strategy
from runtime.actor import ActorDown
from tests.strategy.desk import BTC, TestDesk, book_snapshot


class Listener(Strategy):
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def on_book(self, book: InstrumentBook) -> None:
        self.reasons.append(book.reason)


def test_the_death_of_a_connector_makes_its_books_invalid_and_tells_the_strategy_once() -> None:
    strategy = Listener()
    desk = TestDesk(strategy)
    desk.receive(book_snapshot(7))
    for _ in range(2):
        desk.receive(ActorDown(connector("binance"), 1, "killed"))
    assert strategy.reasons == ["", "CONNECTOR_DOWN: killed"]
    assert strategy.book(BTC).bids.best() is None


def test_the_death_of_another_venues_connector_changes_nothing() -> None:
    strategy = Listener()
    desk = TestDesk(strategy)
    desk.receive(book_snapshot(7))
    desk.receive(ActorDown(connector("other"), 1, "killed"))
    assert strategy.book(BTC).is_valid


def test_the_next_life_makes_the_book_whole_again() -> None:
    strategy = Listener()
    desk = TestDesk(strategy)
    desk.receive(book_snapshot(7))
    desk.receive(ActorDown(connector("binance"), 1, "killed"))
    desk.receive(book_snapshot(9))
    assert strategy.reasons == ["", "CONNECTOR_DOWN: killed", ""]
