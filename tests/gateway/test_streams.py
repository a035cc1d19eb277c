"""What a client still has to be told, and which orders close what the desk holds."""

from decimal import Decimal

import pytest

from actors.gateway.closing import Closing, closings
from actors.gateway.streams import BATCH, ClientStream
from actors.messages import FillRecorded, OrderUpdated, Quote
from actors.model.order import Side
from actors.model.order_state import OrderState
from tests.orders.desk import NOW, fill, spec


def quote(bid: str, symbol: str = "BTCUSDT") -> Quote:
    return Quote("binance", symbol, bid, "1", "101", "1", NOW, NOW)


def update(number: int) -> OrderUpdated:
    return OrderUpdated(spec(number), OrderState.ACCEPTED, "0", None, "", f"v{number}", NOW)


def kinds_of(stream: ClientStream) -> list[str]:
    return [event["kind"] for event in stream.batch()["events"]]


def test_of_each_instrument_only_the_newest_quote_is_told() -> None:
    stream = ClientStream(("quotes",), (), NOW)
    for one in (quote("1"), quote("5", "ETHUSDT"), quote("2"), quote("3")):
        stream.quote(one)
    events = stream.batch()["events"]
    assert [(event["instrument"], event["bid"]) for event in events] == [
        ("binance.ETHUSDT", "5"),
        ("binance.BTCUSDT", "3"),
    ]


def test_an_answer_that_was_lost_is_told_again_and_one_that_arrived_is_not() -> None:
    stream = ClientStream(("orders", "fills"), (), NOW)
    stream.order(update(1))
    stream.fill(FillRecorded("maker", fill("t1"), NOW))
    first = stream.batch()
    assert stream.batch() == first
    stream.acknowledge(first["after"])
    assert not stream.has_news
    stream.order(update(2))
    assert kinds_of(stream) == ["order"]


def test_a_quote_that_came_while_the_answer_was_on_its_way_is_not_forgotten_with_it() -> None:
    stream = ClientStream(("quotes",), (), NOW)
    stream.quote(quote("1"))
    after = stream.batch()["after"]
    stream.quote(quote("2"))
    stream.acknowledge(after)
    assert [event["bid"] for event in stream.batch()["events"]] == ["2"]


def test_who_does_not_read_is_told_how_much_was_lost() -> None:
    stream = ClientStream(("orders",), (), NOW, bound=3)
    for number in range(1, 6):
        stream.order(update(number))
    batch = stream.batch()
    assert batch["lost"] == 2
    assert [event["venue_order_id"] for event in batch["events"]] == ["v3", "v4", "v5"]


def test_what_is_more_than_a_batch_comes_with_the_next_in_order() -> None:
    stream = ClientStream(("orders",), (), NOW)
    for number in range(BATCH + 5):
        stream.order(update(number))
    first = stream.batch()
    stream.acknowledge(first["after"])
    second = stream.batch()
    told = [event["venue_order_id"] for event in first["events"] + second["events"]]
    assert told == [f"v{number}" for number in range(BATCH + 5)]


def test_only_what_was_asked_for_is_kept() -> None:
    stream = ClientStream(("fills", "quotes"), ("binance.ETHUSDT",), NOW)
    stream.order(update(1))
    stream.quote(quote("1"))
    stream.fill(FillRecorded("maker", fill("t1"), NOW))
    assert not stream.has_news


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ({"a": {"x.B": "2"}}, [("a", "x.B", "SELL", "2")]),
        ({"a": {"x.B": "-2"}, "b": {"x.B": "0"}}, [("a", "x.B", "BUY", "2")]),
        ({"a": {"x.B": "3"}, "b": {"x.B": "-1"}}, [("a", "x.B", "SELL", "2")]),
        ({"a": {"x.B": "1"}, "b": {"x.B": "-1"}}, []),
        ({"a": {"x.B": "1"}, "b": {"x.B": "2"}}, [("b", "x.B", "SELL", "2"), ("a", "x.B", "SELL", "1")]),
        ({"a": {"x.B": "1"}, "b": {"x.B": "2"}, "c": {"x.B": "-2.5"}}, [("b", "x.B", "SELL", "0.5")]),
        ({"a": {"x.B": "1", "y.C": "-1"}}, [("a", "x.B", "SELL", "1"), ("a", "y.C", "BUY", "1")]),
    ],
)
def test_closing_brings_the_desk_to_zero_without_trading_with_itself(
    positions: dict[str, dict[str, str]], expected: list[tuple[str, str, str, str]]
) -> None:
    numbers = {name: {key: Decimal(text) for key, text in own.items()} for name, own in positions.items()}
    assert closings(numbers, ()) == [
        Closing(strategy, instrument, Side(side), Decimal(quantity))
        for strategy, instrument, side, quantity in expected
    ]


def test_closing_leaves_other_instruments_alone() -> None:
    held = {"a": {"x.B": Decimal(1), "y.C": Decimal(1)}}
    assert [closing.instrument for closing in closings(held, ("y.C",))] == ["y.C"]
