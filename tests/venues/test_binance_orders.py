"""Orders, cancels and queries on Binance's WebSocket API, and what its answers mean."""

from typing import Any

import pytest

from actors.messages import (
    AccountReported,
    Balance,
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    OpenOrdersReported,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderReported,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.model.order import OrderType, Side, TimeInForce
from actors.model.order_state import OrderState
from actors.venues.contract import Command, Output
from tests.venues.binance_orders import ACCEPTED, CANCEL, MS, PLACED, a_venue_up, ask
from tests.venues.binance_spot import (
    ID,
    NOW,
    S,
    a_venue,
    answer,
    frame,
    place,
)

ORDERS = [
    (
        place(),
        {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "100.00", "quantity": "0.5"},
    ),
    (
        place(time_in_force=TimeInForce.IOC, side=Side.SELL),
        {"side": "SELL", "type": "LIMIT", "timeInForce": "IOC", "price": "100.00", "quantity": "0.5"},
    ),
    (place(post_only=True), {"side": "BUY", "type": "LIMIT_MAKER", "price": "100.00", "quantity": "0.5"}),
    (place(type=OrderType.MARKET, price=None), {"side": "BUY", "type": "MARKET", "quantity": "0.5"}),
]


@pytest.mark.parametrize(("command", "parameters"), ORDERS)
def test_an_order_is_said_in_the_venues_terms(command: Any, parameters: dict[str, str]) -> None:
    sent = ask(a_venue_up(), command, "order.place")["params"]
    assert sent.pop("signature")
    assert sent == {
        "symbol": "BTCUSDT",
        "newClientOrderId": ID,
        "apiKey": "demo-key",
        "recvWindow": 1000,
        "timestamp": NOW // MS,
        **parameters,
    }


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (place(price=None), "INVALID_ORDER: a limit order without a price"),
        (
            place(post_only=True, time_in_force=TimeInForce.FOK),
            "INVALID_ORDER: only a limit order that is good till cancelled can be post-only",
        ),
        (place(symbol="NOSUCH"), "UNKNOWN_SYMBOL: NOSUCH is not listed"),
    ],
)
def test_an_order_that_the_venue_cannot_have_is_denied(command: Any, reason: str) -> None:
    assert a_venue_up().execute(command, NOW) == [OrderDenied(ID, reason, "")]


def test_nothing_goes_before_the_venue_is_up() -> None:
    venue = a_venue()
    assert venue.execute(place(), NOW) == [OrderDenied(ID, "NOT_CONNECTED: not connected yet", "")]
    assert venue.execute(CANCEL, NOW) == [CancelRejected("binance", ID, "NOT_CONNECTED", "not connected yet", NOW)]
    assert venue.execute(QueryOrder(ID, "BTCUSDT"), NOW) == [
        QueryFailed("binance", "QueryOrder", ID, "NOT_CONNECTED: not connected yet")
    ]


@pytest.mark.parametrize(
    ("command", "method", "parameters"),
    [
        (CANCEL, "order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": ID}),
        (CancelAtVenue(ID, "77", "BTCUSDT", 1, 0), "order.cancel", {"symbol": "BTCUSDT", "orderId": 77}),
        (QueryOrder(ID, "BTCUSDT"), "order.status", {"symbol": "BTCUSDT", "origClientOrderId": ID}),
        (QueryOrder(ID, "BTCUSDT", "77"), "order.status", {"symbol": "BTCUSDT", "orderId": 77}),
        (QueryOpenOrders(), "openOrders.status", {}),
        (QueryAccount(), "account.status", {"omitZeroBalances": True}),
        (QueryFills("BTCUSDT", "77", 0), "myTrades", {"symbol": "BTCUSDT", "orderId": 77, "limit": 1000}),
        (QueryFills("BTCUSDT", "", 5 * S), "myTrades", {"symbol": "BTCUSDT", "startTime": 5000, "limit": 1000}),
    ],
)
def test_cancels_and_queries_name_what_they_are_about(
    command: Command, method: str, parameters: dict[str, Any]
) -> None:
    sent = ask(a_venue_up(), command, method)["params"]
    for name in ("apiKey", "signature", "timestamp", "recvWindow"):
        assert sent.pop(name)
    assert sent == parameters


def test_an_acknowledged_order_is_accepted() -> None:
    venue = a_venue_up()
    assert venue.on_frame("orders", answer(ask(venue, place(), "order.place"), PLACED), NOW) == [ACCEPTED]


def test_a_full_answer_tells_the_fills_and_the_end_of_a_remainder() -> None:
    venue = a_venue_up()
    result = {
        **PLACED,
        "executedQty": "0.00635000",
        "status": "EXPIRED",
        "expiryReason": "UNFILLED_IOC_QUANTITY_EXPIRED",
        "fills": [
            {"price": "99.10", "qty": "0.00635", "commission": "0.01", "commissionAsset": "BNB", "tradeId": 1650422481}
        ],
    }
    assert venue.on_frame("orders", answer(ask(venue, place(), "order.place"), result), NOW) == [
        ACCEPTED,
        OrderFilled(
            "binance",
            ID,
            "42",
            "BTCUSDT",
            "1650422481",
            Side.BUY,
            "99.10",
            "0.00635",
            "0.01",
            "BNB",
            False,
            1660801715793 * MS,
            NOW,
        ),
        OrderExpired("binance", ID, "0.00635000", "UNFILLED_IOC_QUANTITY_EXPIRED", 1660801715793 * MS, NOW),
    ]


def test_a_cancelled_order_is_told_under_its_own_id() -> None:
    venue = a_venue_up()
    result = {
        "origClientOrderId": ID,
        "clientOrderId": "of-the-cancel",
        "transactTime": 5,
        "executedQty": "0.1",
        "status": "CANCELED",
    }
    assert venue.on_frame("orders", answer(ask(venue, CANCEL, "order.cancel"), result), NOW) == [
        OrderCanceled("binance", ID, "0.1", 5 * MS, NOW)
    ]


INFO = {
    "symbol": "BTCUSDT",
    "orderId": 42,
    "clientOrderId": ID,
    "side": "SELL",
    "origQty": "0.5",
    "executedQty": "0.1",
    "status": "PARTIALLY_FILLED",
}
REPORTED = OrderReported("binance", ID, "42", "BTCUSDT", Side.SELL, "0.5", "0.1", OrderState.PARTIALLY_FILLED, NOW)
TRADE = {
    "symbol": "BTCUSDT",
    "id": 9,
    "orderId": 42,
    "price": "1",
    "qty": "2",
    "commission": "3",
    "commissionAsset": "BNB",
    "time": 7,
    "isBuyer": False,
    "isMaker": True,
}
FILL = OrderFilled("binance", "", "42", "BTCUSDT", "9", Side.SELL, "1", "2", "3", "BNB", True, 7 * MS, NOW)


@pytest.mark.parametrize(
    ("query", "method", "result", "expected"),
    [
        (QueryOrder(ID, "BTCUSDT"), "order.status", INFO, REPORTED),
        (QueryOpenOrders(), "openOrders.status", [INFO], OpenOrdersReported("binance", [REPORTED], NOW)),
        (QueryFills("BTCUSDT", "", 0), "myTrades", [TRADE], FillsReported("binance", "BTCUSDT", [FILL], NOW)),
        (
            QueryAccount(),
            "account.status",
            {"balances": [{"asset": "BNB", "free": "1", "locked": "2"}]},
            AccountReported("binance", [Balance("BNB", "1", "2")], True, NOW),
        ),
    ],
)
def test_queries_are_answered(query: Command, method: str, result: object, expected: Output) -> None:
    venue = a_venue_up()
    assert venue.on_frame("orders", answer(ask(venue, query, method), result), NOW) == [expected]


def test_an_order_is_reported_under_the_id_that_was_asked_for() -> None:
    """A cancel may have given it another client order id."""
    venue = a_venue_up()
    request = ask(venue, QueryOrder(ID, "BTCUSDT", "42"), "order.status")
    assert venue.on_frame("orders", answer(request, {**INFO, "clientOrderId": "of-the-cancel"}), NOW) == [REPORTED]


def test_fills_are_fetched_page_by_page() -> None:
    venue = a_venue_up()
    first = ask(venue, QueryFills("BTCUSDT", "", 0), "myTrades")
    page = [{**TRADE, "id": number} for number in range(1000)]
    second = frame(venue.on_frame("orders", answer(first, page), NOW), "myTrades")
    assert second["params"]["fromId"] == 1000
    assert "startTime" not in second["params"]
    (report,) = venue.on_frame("orders", answer(second, [{**TRADE, "id": 1000}]), NOW)
    assert [int(fill.trade_id) for fill in report.fills] == list(range(1001))
