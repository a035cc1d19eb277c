"""The order book against a naive one, and what makes it invalid."""

from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import BookDelta, BookSnapshot
from actors.model.book import REMEMBERED_PRICES, Level, OrderBook

BIDS = [("100.00", "1.0"), ("99.50", "2.0"), ("9.00", "3.0")]
ASKS = [("100.50", "4.0"), ("101.00", "5.0")]


def snapshot(bids: list[Level], asks: list[Level], sequence: int = 10) -> BookSnapshot:
    return BookSnapshot("binance", "BTCUSDT", sequence, bids, asks, 0, 0)


def delta(bids: list[Level], asks: list[Level], previous: int = 10, sequence: int = 11) -> BookDelta:
    return BookDelta("binance", "BTCUSDT", previous, sequence, bids, asks, 0, 0)


def a_book() -> OrderBook:
    book = OrderBook()
    book.apply_snapshot(snapshot(BIDS, ASKS))
    return book


def test_a_new_book_is_invalid_until_a_snapshot_comes() -> None:
    book = OrderBook()
    assert not book.is_valid
    assert not book.apply_delta(delta(BIDS, ASKS))
    book.apply_snapshot(snapshot(BIDS, ASKS))
    assert book.is_valid
    assert book.sequence == 10


def test_best_and_top_are_sorted_by_number_and_not_by_text() -> None:
    book = a_book()
    assert book.bids.best() == ("100.00", "1.0")
    assert book.asks.best() == ("100.50", "4.0")
    assert book.bids.top(2) == [("100.00", "1.0"), ("99.50", "2.0")]
    assert book.bids.top(9) == BIDS
    assert list(book.asks) == ASKS
    assert (len(book.bids), len(book.asks)) == (3, 2)


def test_a_delta_sets_absolute_quantities_and_zero_removes() -> None:
    book = a_book()
    assert book.apply_delta(delta([("100.00", "0.00000000"), ("99.75", "7.0")], [("101.00", "0.5")]))
    assert list(book.bids) == [("99.75", "7.0"), ("99.50", "2.0"), ("9.00", "3.0")]
    assert list(book.asks) == [("100.50", "4.0"), ("101.00", "0.5")]
    assert book.sequence == 11


def test_removing_a_level_that_is_not_there_changes_nothing() -> None:
    book = a_book()
    assert book.apply_delta(delta([("50", "0")], [("500", "0.0")]))
    assert list(book.bids) == BIDS


def test_the_same_price_written_differently_is_the_same_level() -> None:
    book = a_book()
    book.apply_delta(delta([("100", "8.0")], []))
    assert book.bids.best() == ("100", "8.0")
    assert book.bids.quantity("100.000") == "8.0"
    assert book.bids.quantity("1") is None


def test_a_delta_that_continues_something_else_makes_the_book_invalid_and_empty() -> None:
    book = a_book()
    assert not book.apply_delta(delta([], [], previous=11, sequence=12))
    assert not book.is_valid
    assert book.reason == "GAP: update continues 11, book stands at 10"
    assert book.bids.best() is None
    book.apply_snapshot(snapshot(BIDS, ASKS, 30))
    assert book.apply_delta(delta([], [], previous=30, sequence=31))


@pytest.mark.parametrize("price", ["", "abc", "NaN", "Infinity", "1e-30", "1" * 5000 + "x"])
def test_a_price_that_is_none_is_an_error_and_makes_the_book_invalid(price: str) -> None:
    book = a_book()
    with pytest.raises(ValueError, match="price"):
        book.apply_delta(delta([(price, "1")], []))
    assert not book.is_valid


def test_a_book_is_crossed_when_the_best_bid_reaches_the_best_ask() -> None:
    book = a_book()
    assert not book.is_crossed
    book.apply_delta(delta([("100.50", "1")], []))
    assert book.is_crossed
    assert not OrderBook().is_crossed


def test_the_digest_covers_every_level_best_first() -> None:
    lines = "100.00:1.0\n99.50:2.0\n9.00:3.0\n100.50:4.0\n101.00:5.0\n"
    assert a_book().digest() == sha256(lines.encode()).hexdigest()


def test_more_prices_than_are_remembered_do_no_harm() -> None:
    book = OrderBook()
    book.apply_snapshot(snapshot([(str(price), "1") for price in range(1, REMEMBERED_PRICES + 10)], []))
    assert len(book.bids) == REMEMBERED_PRICES + 9
    assert book.bids.top(2) == [(str(REMEMBERED_PRICES + 9), "1"), (str(REMEMBERED_PRICES + 8), "1")]


prices = st.integers(1, 40).map(lambda cents: f"{cents / 4:.2f}")
quantities = st.sampled_from(["0.00000000", "0", "1.5", "0.00000001", "20"])
changes = st.lists(st.tuples(prices, quantities), max_size=8)


@given(st.lists(st.tuples(changes, changes), max_size=20))
def test_any_run_of_updates_leaves_what_a_naive_book_has(updates: list[tuple[list[Level], list[Level]]]) -> None:
    book = OrderBook()
    book.apply_snapshot(snapshot([], [], 0))
    naive: tuple[dict[Decimal, str], dict[Decimal, str]] = ({}, {})
    for number, update in enumerate(updates):
        book.apply_delta(delta(*update, previous=number, sequence=number + 1))
        for side, side_changes in zip(naive, update, strict=True):
            for price, quantity in side_changes:
                side[Decimal(price)] = quantity
                if not Decimal(quantity):
                    del side[Decimal(price)]
    assert [(Decimal(price), quantity) for price, quantity in book.bids] == sorted(naive[0].items(), reverse=True)
    assert [(Decimal(price), quantity) for price, quantity in book.asks] == sorted(naive[1].items())
