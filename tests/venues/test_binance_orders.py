"""Orders, cancels, queries and the account's events on Binance's WebSocket API."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    AccountReported,
    Balance,
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    InstrumentsListed,
    OpenOrdersReported,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderReported,
    OutcomeUnknown,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    VenueDown,
    VenueUp,
)
from actors.model.order import OrderType, Side, TimeInForce
from actors.model.order_state import OrderState
from actors.venues.binance.errors import CODES, Meaning, meaning_of
from actors.venues.contract import BadFrame, Command, OpenLink, Output, SendFrame, WakeUp
from runtime.actor import HttpAnswered, HttpRequest
from runtime.message import Lane
from tests.venues.binance_spot import (
    ID,
    NOW,
    S,
    a_venue,
    answer,
    event,
    frame,
    listing,
    of,
    place,
    refusal,
    subscribe,
    up,
)

CANCEL = CancelAtVenue(ID, "", "BTCUSDT", 1, NOW + S)
MS = 1_000_000


def a_venue_up() -> Any:
    venue = a_venue()
    up(venue)
    return venue


def ask(venue: Any, command: Command, method: str, now: int = NOW) -> dict[str, Any]:
    return frame(venue.execute(command, now), method)


# ---- getting up ---------------------------------------------------------------------------------------------------


def test_the_venue_is_up_when_listed_timed_and_subscribed() -> None:
    venue = a_venue()
    outputs = venue.start(NOW)
    assert OpenLink("orders", "wss://ws-api.binance.com:443/ws-api/v3", Lane.COMMANDS) in outputs
    assert of(HttpRequest, outputs) == [
        HttpRequest("instruments", "GET", "https://api.binance.com/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D")
    ]
    assert of(VenueUp, subscribe(venue, NOW)) == []
    listed, is_up = venue.on_http(listing("BTCUSDT"), NOW)
    assert isinstance(listed, InstrumentsListed)
    assert is_up == VenueUp("binance", "", NOW)


def test_filters_become_an_instrument() -> None:
    (listed,) = of(InstrumentsListed, a_venue().on_http(listing("BTCUSDT"), NOW))
    (instrument,) = listed.instruments
    rules = {
        "tick_size": "0.01",
        "min_price": "0.01",
        "max_price": "1000000",
        "lot_size": "0.00001",
        "min_quantity": "0.00001",
        "max_quantity": "9000",
        "min_notional": "5",
        "max_notional": "9000000",
    }
    assert {name: str(getattr(instrument, name)) for name in rules} == rules
    assert (instrument.base, instrument.quote, instrument.trading) == ("BTC", "USDT", True)


def test_without_credentials_market_data_is_all() -> None:
    venue = a_venue(keys=False)
    assert "orders" not in [link.link for link in of(OpenLink, venue.start(NOW))]
    assert of(VenueUp, venue.on_http(listing("BTCUSDT"), NOW)) == [VenueUp("binance", "", NOW)]
    assert venue.execute(place(), NOW) == [OrderDenied(ID, "NO_CREDENTIALS: market data only", "")]
    assert venue.execute(QueryAccount(), NOW) == [
        QueryFailed("binance", "QueryAccount", "", "NO_CREDENTIALS: market data only")
    ]


def test_one_symbol_that_does_not_exist_does_not_hide_the_others() -> None:
    venue = a_venue(("BTCUSDT", "NOSUCH"))
    venue.start(NOW)
    refused = HttpAnswered("instruments", 400, {}, b'{"code":-1121,"msg":"Invalid symbol."}', NOW)
    (request,) = venue.on_http(refused, NOW)
    assert isinstance(request, HttpRequest)
    assert request.url == "https://api.binance.com/api/v3/exchangeInfo"
    everything = msgspec.structs.replace(listing("BTCUSDT", "ETHUSDT"), id=request.id)
    (listed,) = of(InstrumentsListed, venue.on_http(everything, NOW))
    assert [instrument.symbol for instrument in listed.instruments] == ["BTCUSDT"]
    assert venue.report(False)["unknown_symbols"] == ["NOSUCH"]
    assert venue.book("NOSUCH") is None


def test_the_subscription_is_signed_with_the_time_of_the_venue() -> None:
    venue = a_venue()
    time = frame(venue.on_link_up("orders", NOW), "time")
    outputs = venue.on_frame("orders", answer(time, {"serverTime": NOW // MS + 5000}), NOW + 2 * MS)
    subscription = frame(outputs, "userDataStream.subscribe.signature")["params"]
    assert subscription["timestamp"] == NOW // MS + 5001
    assert subscription["recvWindow"] == 1000
    assert sorted(subscription) == ["apiKey", "recvWindow", "signature", "timestamp"]


def test_a_refused_subscription_is_tried_again_and_shown() -> None:
    venue = a_venue()
    venue.on_http(listing("BTCUSDT"), NOW)
    time = frame(venue.on_link_up("orders", NOW), "time")
    outputs = venue.on_frame("orders", answer(time, {"serverTime": NOW // MS}), NOW)
    subscription = frame(outputs, "userDataStream.subscribe.signature")
    assert venue.on_frame("orders", refusal(subscription, -2015, "Invalid API-key"), NOW) == [
        WakeUp(5 * S, "subscribe")
    ]
    assert venue.report(False)["problem"] == "SUBSCRIPTION_REFUSED: -2015 Invalid API-key"
    assert frame(venue.on_wake_up("subscribe", NOW + 5 * S), "time")


def test_a_terminated_user_stream_takes_the_venue_down_until_it_is_subscribed_again() -> None:
    venue = a_venue_up()
    outputs = venue.on_frame("orders", event(e="eventStreamTerminated", E=1), NOW)
    assert of(VenueDown, outputs) == [
        VenueDown("binance", "STREAM_TERMINATED: the venue ended the user data stream", NOW)
    ]
    denied = venue.execute(place(), NOW)
    assert denied == [OrderDenied(ID, "NOT_CONNECTED: STREAM_TERMINATED: the venue ended the user data stream", "")]
    outputs = venue.on_frame("orders", answer(frame(outputs, "time"), {"serverTime": NOW // MS}), NOW)
    subscription = frame(outputs, "userDataStream.subscribe.signature")
    assert of(VenueUp, venue.on_frame("orders", answer(subscription, {"subscriptionId": 1}), NOW))


def test_an_announced_shutdown_reopens_the_order_link() -> None:
    assert a_venue_up().on_frame("orders", b'{"event":{"e":"serverShutdown","E":1770123456789}}', NOW) == [
        OpenLink("orders", "wss://ws-api.binance.com:443/ws-api/v3", Lane.COMMANDS)
    ]


# ---- out ----------------------------------------------------------------------------------------------------------

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


# ---- answers ------------------------------------------------------------------------------------------------------

PLACED = {"symbol": "BTCUSDT", "orderId": 42, "orderListId": -1, "clientOrderId": ID, "transactTime": 1660801715793}
ACCEPTED = OrderAccepted("binance", ID, "42", 1660801715793 * MS, NOW)


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


# ---- refusals and unknown outcomes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (400, -2010, "Account has insufficient balance for requested action.", Meaning.REFUSED),
        (400, -2010, "Duplicate order sent.", Meaning.UNKNOWN),
        (400, -1013, "Filter failure: LOT_SIZE", Meaning.REFUSED),
        (400, -1022, "Signature for this request is not valid.", Meaning.REFUSED),
        (400, -1021, "Timestamp for this request is outside of the recvWindow.", Meaning.CLOCK),
        (400, -1006, "", Meaning.UNKNOWN),
        (400, -1007, "", Meaning.UNKNOWN),
        (500, -1013, "", Meaning.UNKNOWN),
        (503, -1008, "", Meaning.UNKNOWN),
        (429, -1003, "", Meaning.RATE_LIMIT),
        (429, -1015, "", Meaning.RATE_LIMIT),
        (418, -1003, "", Meaning.RATE_LIMIT),
        (403, 0, "", Meaning.RATE_LIMIT),
        (400, -2013, "Order does not exist.", Meaning.NOT_FOUND),
    ],
)
def test_what_an_error_means(status: int, code: int, message: str, meaning: Meaning) -> None:
    assert meaning_of(status, code, message) is meaning


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_refused_place_is_rejected_unless_the_venue_is_unsure(code: int) -> None:
    venue = a_venue_up()
    outputs = venue.on_frame("orders", refusal(ask(venue, place(), "order.place"), code), NOW)
    first = OutcomeUnknown if CODES[code] is Meaning.UNKNOWN else OrderRejected
    assert isinstance(outputs[0], first)


def test_a_refused_cancel_is_rejected() -> None:
    venue = a_venue_up()
    request = ask(venue, CANCEL, "order.cancel")
    assert venue.on_frame("orders", refusal(request, -2011, "Unknown order sent."), NOW) == [
        CancelRejected("binance", ID, "-2011", "Unknown order sent.", NOW)
    ]


def test_an_order_that_the_venue_does_not_know_is_not_found() -> None:
    venue = a_venue_up()
    request = ask(venue, QueryOrder(ID, "BTCUSDT"), "order.status")
    assert venue.on_frame("orders", refusal(request, -2013), NOW) == [OrderNotFound("binance", ID, NOW)]


def test_a_wrong_clock_is_learned_again() -> None:
    venue = a_venue_up()
    outputs = venue.on_frame("orders", refusal(ask(venue, place(), "order.place"), -1021), NOW)
    venue.on_frame("orders", answer(frame(outputs, "time"), {"serverTime": NOW // MS - 3000}), NOW)
    assert ask(venue, place(), "order.place")["params"]["timestamp"] == NOW // MS - 3000


def test_a_rate_limit_denies_further_orders_until_it_is_over_but_never_a_cancel() -> None:
    venue = a_venue_up()
    request = ask(venue, place(), "order.place")
    until = {"serverTime": NOW // MS, "retryAfter": NOW // MS + 2000}
    venue.on_frame("orders", refusal(request, -1015, "Too many new orders.", 429, data=until), NOW)
    (denied,) = venue.execute(place(), NOW + S)
    assert isinstance(denied, OrderDenied)
    assert denied.reason.startswith("RATE_LIMITED: for 9")
    assert ask(venue, CANCEL, "order.cancel", NOW + S)
    assert ask(venue, place(), "order.place", NOW + 3 * S)


def test_no_answer_in_time_is_an_unknown_outcome_and_a_late_answer_is_still_the_truth() -> None:
    venue = a_venue_up()
    (timer,) = of(WakeUp, a_venue_up_timer(venue))
    request = ask(venue, place(), "order.place")
    assert venue.on_wake_up(timer.tag, NOW + 2 * S) == [
        OutcomeUnknown("binance", ID, "TIMEOUT: no answer within 2 s", NOW + 2 * S)
    ]
    assert venue.on_frame("orders", answer(request, PLACED), NOW) == [ACCEPTED]


def a_venue_up_timer(venue: Any) -> list[Output]:
    """The timer that the requests while getting up have left is over; the next one sets a new one."""
    venue.on_wake_up("timeouts", NOW)
    outputs: list[Output] = venue.execute(QueryAccount(), NOW)
    venue.on_frame("orders", answer(frame(outputs, "account.status"), {"balances": []}), NOW)
    return outputs


def test_a_lost_link_makes_what_is_in_flight_unknown_before_the_venue_is_down() -> None:
    venue = a_venue_up()
    ask(venue, place(), "order.place")
    ask(venue, QueryAccount(), "account.status")
    assert venue.on_link_down("orders", "reset", NOW) == [
        OutcomeUnknown("binance", ID, "LINK_DOWN: reset", NOW),
        QueryFailed("binance", "QueryAccount", "", "LINK_DOWN: reset"),
        VenueDown("binance", "LINK_DOWN: reset", NOW),
    ]
    assert of(VenueUp, subscribe(venue, NOW)) == [VenueUp("binance", "", NOW)]


def test_a_frame_that_did_not_leave_denies_its_order() -> None:
    venue = a_venue_up()
    (sent,) = of(SendFrame, venue.execute(place(), NOW))
    assert venue.on_not_sent(sent, NOW) == [OrderDenied(ID, "NOT_CONNECTED: its frame did not leave", "")]
    assert venue.on_link_down("orders", "reset", NOW) == [VenueDown("binance", "LINK_DOWN: reset", NOW)]


def test_a_malformed_answer_is_an_unknown_outcome() -> None:
    venue = a_venue_up()
    unknown, bad = venue.on_frame("orders", answer(ask(venue, place(), "order.place"), {"orderId": "x"}), NOW)
    assert isinstance(unknown, OutcomeUnknown)
    assert isinstance(bad, BadFrame)


# ---- the user data stream -----------------------------------------------------------------------------------------

REPORT = {
    "e": "executionReport",
    "E": 1499405658658,
    "s": "BTCUSDT",
    "c": ID,
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "1.0",
    "p": "0.1",
    "C": "",
    "x": "NEW",
    "X": "NEW",
    "r": "NONE",
    "i": 42,
    "l": "0.0",
    "z": "0.0",
    "L": "0.0",
    "n": "0",
    "N": None,
    "T": 7,
    "t": -1,
    "w": True,
    "m": False,
    "M": False,
    "O": 7,
}

REPORTS = [
    ({}, [OrderAccepted("binance", ID, "42", 7 * MS, NOW)]),
    (
        {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.4", "L": "0.1", "n": "0.001", "N": "BNB", "t": 9, "m": True},
        [OrderFilled("binance", ID, "42", "BTCUSDT", "9", Side.BUY, "0.1", "0.4", "0.001", "BNB", True, 7 * MS, NOW)],
    ),
    (
        {"x": "CANCELED", "X": "CANCELED", "c": "of-the-cancel", "C": ID, "z": "0.4"},
        [OrderCanceled("binance", ID, "0.4", 7 * MS, NOW)],
    ),
    ({"x": "CANCELED", "X": "CANCELED"}, [OrderCanceled("binance", ID, "0.0", 7 * MS, NOW)]),
    (
        {"x": "EXPIRED", "X": "EXPIRED", "eR": "INSUFFICIENT_LIQUIDITY"},
        [OrderExpired("binance", ID, "0.0", "INSUFFICIENT_LIQUIDITY", 7 * MS, NOW)],
    ),
    (
        {"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"},
        [OrderExpired("binance", ID, "0.0", "SELF_TRADE_PREVENTION", 7 * MS, NOW)],
    ),
    ({"x": "TRADE_PREVENTION", "X": "PARTIALLY_FILLED"}, []),
    (
        {"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCES"},
        [OrderRejected("binance", ID, "INSUFFICIENT_BALANCES", "INSUFFICIENT_BALANCES", NOW)],
    ),
    ({"x": "REPLACED"}, []),
]


@pytest.mark.parametrize(("changes", "expected"), REPORTS)
def test_execution_reports_are_told_in_the_desks_terms(changes: dict[str, Any], expected: list[Output]) -> None:
    assert a_venue_up().on_frame("orders", event(**{**REPORT, **changes}), NOW) == expected


def test_changed_balances_are_reported_as_changes() -> None:
    payload = event(e="outboundAccountPosition", E=1, u=1, B=[{"a": "ETH", "f": "1.5", "l": "0.5"}])
    assert a_venue_up().on_frame("orders", payload, NOW) == [
        AccountReported("binance", [Balance("ETH", "1.5", "0.5")], False, NOW)
    ]


def test_an_event_of_a_kind_unknown_here_keeps_the_link_but_a_damaged_report_drops_it() -> None:
    venue = a_venue_up()
    (new,) = venue.on_frame("orders", event(e="somethingNew", E=1), NOW)
    (damaged,) = venue.on_frame("orders", event(**{**REPORT, "T": "yesterday"}), NOW)
    assert isinstance(new, BadFrame)
    assert isinstance(damaged, BadFrame)
    assert (new.drop_link, damaged.drop_link) == (False, True)


def test_used_weight_and_order_counts_are_learned_from_answers() -> None:
    venue = a_venue_up()
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 321},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 12},
    ]
    venue.on_frame("orders", answer(ask(venue, place(), "order.place"), PLACED, rateLimits=limits), NOW)
    report = venue.report(False)
    assert (report["used_weight"], report["weight_limit"]) == (321, 6000)
    assert report["order_counts"] == {"10 SECOND": [12, 50]}


anything: st.SearchStrategy[object] = st.sampled_from([None, True, -5, 2**63, 1.5, "", "x", [], {}, "9" * 5000])


@given(st.sampled_from(sorted(REPORT)), anything, st.booleans())
def test_mutated_execution_reports_never_raise(field: str, value: object, drop: bool) -> None:
    mutant: dict[str, object] = {**REPORT, field: value}
    if drop:
        del mutant[field]
    for output in a_venue_up().on_frame("orders", event(**mutant), NOW):
        msgspec.msgpack.encode(output)


@given(st.sampled_from(["id", "status", "result", "error", "rateLimits", "event"]), anything)
def test_mutated_answers_never_raise(field: str, value: object) -> None:
    venue = a_venue_up()
    mutant = {**msgspec.json.decode(answer(ask(venue, place(), "order.place"), PLACED)), field: value}
    for output in venue.on_frame("orders", msgspec.json.encode(mutant), NOW):
        msgspec.msgpack.encode(output)


def test_no_output_ever_shows_a_secret() -> None:
    venue = a_venue_up()
    assert "demo-secret" not in repr([venue.execute(place(), NOW), venue.report(True)])
