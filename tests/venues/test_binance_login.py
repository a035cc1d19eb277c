"""Getting up on Binance's WebSocket API: instruments, the clock, the signed subscription of the account's events."""

import msgspec

from actors.messages import (
    InstrumentsListed,
    OrderDenied,
    QueryAccount,
    QueryFailed,
    VenueDown,
    VenueUp,
)
from actors.venues.contract import OpenLink, WakeUp
from runtime.actor import HttpAnswered, HttpRequest
from runtime.message import Lane
from tests.venues.binance_orders import MS, a_venue_up
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
)


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
