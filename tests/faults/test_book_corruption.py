"""What of a corrupted update can be seen, and what cannot: the exact limits of the proof in `test_book_faults`."""

import json
import re
from random import Random
from typing import Any

import pytest

from actors.messages import BookDelta, BookInvalidated, BookSnapshot
from actors.model.book import OrderBook
from actors.venues.contract import Output
from tests.venues.binance_spot import NOW, a_venue, depth, stream, update

BIDS = [["99.00", "1.00000"], ["98.00", "2.00000"]]
ASKS = [["101.00", "1.00000"], ["102.00", "2.00000"]]
NUMBER = re.compile(r"[0-9]+\.[0-9]+|[0-9]+")
NEXT: dict[str, Any] = {
    "e": "depthUpdate",
    "E": 1_700_000_000_000,
    "s": "BTCUSDT",
    "U": 1002,
    "u": 1005,
    "b": [["99.00", "3.00000"], ["98.50", "1.00000"]],
    "a": [["101.00", "0.00000"], ["101.50", "4.00000"]],
}


class Venue:
    """A Binance protocol whose book is in step at 1001, and the book of somebody who gets all that it publishes."""

    def __init__(self) -> None:
        self.protocol = a_venue(keys=False)
        self.protocol.start(NOW)
        self.protocol.on_link_up("feed-0", NOW)
        self.protocol.on_frame("feed-0", update(1001, 1001, [], []), NOW)
        self.book = OrderBook()
        self.publish(self.protocol.on_http(depth(1001, BIDS, ASKS), NOW))

    def frame(self, payload: bytes) -> None:
        self.publish(self.protocol.on_frame("feed-0", payload, NOW))

    def publish(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case BookDelta():
                    self.book.apply_delta(output)
                case BookInvalidated():
                    self.book.invalidate(output.reason)
                case BookSnapshot():
                    self.book.apply_snapshot(output)
                case _:
                    pass


def says(frame: bytes) -> dict[str, Any] | None:
    """What a frame says to somebody who has read the venue's documentation; None if it is no update of this book."""
    try:
        document = json.loads(frame)
        data = document["data"]
        if document["stream"] != "btcusdt@depth@100ms" or not isinstance(data, dict):
            return None
        if data["s"] != "BTCUSDT" or not 0 <= data["U"] <= data["u"]:
            return None
        levels = [level for side in (data["b"], data["a"]) for level in side]
        if not all(
            len(level) == 2 and all(isinstance(text, str) and NUMBER.fullmatch(text) for text in level)
            for level in levels
        ):
            return None
        return {key: data[key] for key in ("U", "u", "b", "a")}
    except (ValueError, KeyError, TypeError):
        return None


FRAME = stream("btcusdt@depth@100ms", **NEXT)
TRULY_BIDS = [("99.00", "3.00000"), ("98.50", "1.00000"), ("98.00", "2.00000")]
TRULY_ASKS = [("101.50", "4.00000"), ("102.00", "2.00000")]


def after(frame: bytes) -> OrderBook:
    """The book after this frame and a good one that continues the true one."""
    venue = Venue()
    venue.frame(frame)
    venue.frame(update(1006, 1006, [], []))
    return venue.book


def is_true(book: OrderBook) -> bool:
    return (book.sequence, list(book.bids), list(book.asks)) == (1006, TRULY_BIDS, TRULY_ASKS)


def test_the_frame_as_it_was_sent_gives_the_true_book() -> None:
    assert is_true(after(FRAME))


@pytest.mark.slow
def test_a_changed_byte_is_seen_unless_the_frame_then_says_something_else_in_perfect_order() -> None:
    unseen, wrong = 0, []
    random = Random(1)
    for at in range(len(FRAME)):
        for byte in {*b'0159.-+_e" ,:[]{}\\x\x00\xff', random.randrange(256)} - {FRAME[at]}:
            flipped = FRAME[:at] + bytes([byte]) + FRAME[at + 1 :]
            book = after(flipped)
            if book.is_valid and not is_true(book):
                if says(flipped) is None:
                    wrong.append(flipped)
                else:
                    unseen += 1
    assert wrong == []
    assert unseen > 100


@pytest.mark.parametrize("price", ["", "-99.00", "+99.00", " 99.00", "9_9.00", "9e1", "99.0.0", "NaN", "٩٩.٠٠", "0x9"])
def test_what_is_no_plain_price_makes_the_book_invalid(price: str) -> None:
    venue = Venue()
    venue.frame(update(1002, 1002, [[price, "1.00000"]], []))
    assert venue.book.reason.startswith("MALFORMED: ")


@pytest.mark.parametrize(("bids", "asks"), [([["101.00", "1.00000"]], []), ([], [["99.00", "1.00000"]])])
def test_a_price_that_crosses_the_book_makes_it_invalid(bids: list[list[str]], asks: list[list[str]]) -> None:
    venue = Venue()
    venue.frame(update(1002, 1002, bids, asks))
    assert venue.book.reason == "CROSSED: after update 1002"


def test_a_well_formed_wrong_quantity_goes_unseen_until_its_level_changes_again() -> None:
    venue = Venue()
    venue.frame(update(1002, 1002, [["99.00", "9.00000"]], []))
    assert venue.book.bids.quantity("99.00") == "9.00000"
    venue.frame(update(1003, 1003, [["99.00", "4.00000"]], []))
    assert (list(venue.book.bids), venue.book.sequence) == ([("99.00", "4.00000"), ("98.00", "2.00000")], 1003)


def test_a_level_left_out_of_an_update_goes_unseen() -> None:
    venue = Venue()
    venue.frame(update(1002, 1003, [["98.00", "5.00000"]], []))
    assert venue.book.is_valid
    assert venue.book.sequence == 1003


def test_a_wrong_last_id_that_is_too_great_stops_the_book_where_it_is_until_a_gap_or_a_new_snapshot() -> None:
    venue = Venue()
    venue.frame(update(1002, 9002, [], []))
    venue.frame(update(1003, 1004, [["99.00", "7.00000"]], []))
    assert (venue.book.is_valid, venue.book.sequence, venue.book.bids.quantity("99.00")) == (True, 9002, "1.00000")
    venue.frame(update(9004, 9004, [], []))
    assert venue.book.reason == "GAP: update 9004 after 9002"
