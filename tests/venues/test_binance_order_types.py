"""Every order type of Binance Spot in the venue's terms, and what cannot be said there."""

from typing import Any

import pytest

from actors.messages import OrderAccepted, OrderDenied, OrderExpired, OrderFilled
from actors.model.order import OrderType, PositionSide, Side, TimeInForce
from tests.venues.binance_orders import MS, PLACED, a_venue_up, ask
from tests.venues.binance_spot import ID, NOW, answer, event, of, place

STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
TAKE, TAKE_LIMIT = OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT
MARKET = OrderType.MARKET
LIMIT = {"price": "100.00", "quantity": "0.5"}


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"time_in_force": TimeInForce.FOK}, {"type": "LIMIT", "timeInForce": "FOK", **LIMIT}),
        ({"visible_quantity": "0.1"}, {"type": "LIMIT", "timeInForce": "GTC", "icebergQty": "0.1", **LIMIT}),
        ({"post_only": True, "visible_quantity": "0.1"}, {"type": "LIMIT_MAKER", "icebergQty": "0.1", **LIMIT}),
        ({"type": MARKET, "price": None}, {"type": "MARKET", "quantity": "0.5"}),
        ({"type": MARKET, "price": None, "quote_quantity": "50"}, {"type": "MARKET", "quoteOrderQty": "50"}),
        (
            {"type": STOP, "price": None, "stop_price": "90"},
            {"type": "STOP_LOSS", "stopPrice": "90", "quantity": "0.5"},
        ),
        (
            {"type": STOP_LIMIT, "stop_price": "90"},
            {"type": "STOP_LOSS_LIMIT", "stopPrice": "90", "timeInForce": "GTC", **LIMIT},
        ),
        (
            {"type": TAKE, "price": None, "trailing_bps": 100},
            {"type": "TAKE_PROFIT", "trailingDelta": 100, "quantity": "0.5"},
        ),
        (
            {"type": TAKE_LIMIT, "stop_price": "110", "trailing_bps": 50, "time_in_force": TimeInForce.IOC},
            {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "110", "trailingDelta": 50, "timeInForce": "IOC", **LIMIT},
        ),
        ({"reduce_only": True}, {"type": "LIMIT", "timeInForce": "GTC", **LIMIT}),
    ],
)
def test_every_type_in_the_venues_terms(changes: dict[str, Any], terms: dict[str, Any]) -> None:
    sent = ask(a_venue_up(), place(**changes), "order.place")["params"]
    for name in ("symbol", "side", "newClientOrderId", "apiKey", "signature", "timestamp", "recvWindow"):
        assert sent.pop(name)
    assert sent == terms


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": STOP_LIMIT, "stop_price": "1", "price": None}, "a limit order without a price"),
        ({"type": STOP, "price": None}, "a triggered order needs a stop price or a trailing distance"),
        ({"stop_price": "1"}, "only a triggered order has a stop price or a trailing distance"),
        ({"type": MARKET, "trailing_bps": 1}, "only a triggered order has a stop price or a trailing distance"),
        (
            {"visible_quantity": "0.1", "time_in_force": TimeInForce.IOC},
            "only a limit order that is good till cancelled can show a part",
        ),
        (
            {"type": MARKET, "visible_quantity": "0.1"},
            "only a limit order that is good till cancelled can show a part",
        ),
        ({"quote_quantity": "5"}, "only a market order can have a quote quantity"),
        ({"type": STOP_LIMIT, "stop_price": "1", "post_only": True}, "only a limit order that is good till cancelled"),
        ({"position_side": PositionSide.LONG}, "there are no position sides on spot"),
        ({"good_till": NOW}, "an order without a time limit is all that spot knows"),
    ],
)
def test_what_cannot_be_said_is_denied_before_it_leaves(changes: dict[str, Any], words: str) -> None:
    (denied,) = a_venue_up().execute(place(**changes), NOW)
    assert isinstance(denied, OrderDenied)
    assert denied.reason.startswith(f"INVALID_ORDER: {words}")


def test_an_order_for_a_quote_quantity_ends_when_it_is_spent() -> None:
    venue = a_venue_up()
    request = ask(venue, place(type=MARKET, price=None, quote_quantity="50"), "order.place")
    fill = {"price": "100", "qty": "0.49", "commission": "0", "commissionAsset": "BNB", "tradeId": 5}
    placed = {**PLACED, "status": "FILLED", "executedQty": "0.49", "fills": [fill]}
    outputs = venue.on_frame("orders", answer(request, placed), NOW)
    assert [type(output) for output in outputs] == [OrderAccepted, OrderFilled, OrderExpired]
    assert outputs[-1] == OrderExpired("binance", ID, "0.49", "QUOTE_QUANTITY_SPENT", PLACED["transactTime"] * MS, NOW)


@pytest.mark.parametrize(("asked", "ends"), [("50.00000000", 1), ("0.00000000", 0)])
def test_its_end_is_told_by_the_stream_too(asked: str, ends: int) -> None:
    fill: dict[str, Any] = {"e": "executionReport", "s": "BTCUSDT", "c": ID, "S": "BUY", "q": "0.49", "C": ""}
    fill |= {"x": "TRADE", "X": "FILLED", "r": "NONE", "i": 42, "l": "0.49", "z": "0.49", "L": "100", "n": "0"}
    fill |= {"N": "BNB", "T": 7, "t": 5, "m": False, "Q": asked}
    outputs = a_venue_up().on_frame("orders", event(**fill), NOW)
    assert isinstance(outputs[0], OrderFilled)
    assert [expired.filled_quantity for expired in of(OrderExpired, outputs)] == ["0.49"] * ends


def test_an_order_that_reduces_still_goes_when_others_are_held_back() -> None:
    venue = a_venue_up()
    limit = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100, "count": 92}
    request = ask(venue, place(), "order.place")
    venue.on_frame("orders", answer(request, PLACED, rateLimits=[limit]), NOW)
    (denied,) = venue.execute(place(), NOW)
    assert denied.reason.startswith("RATE_LIMITED: for ")
    assert ask(venue, place(reduce_only=True, side=Side.SELL), "order.place")
