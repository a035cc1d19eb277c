"""A session that is logged on with an Ed25519 key signs once, not each request."""

from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from actors.credentials import Keys, Secret
from actors.messages import VenueDown, VenueUp
from actors.settings import VenueSettings
from actors.venues.binance import BinanceSpot
from tests.venues.binance_orders import ask
from tests.venues.binance_spot import NOW, S, answer, frame, listing, of, place, refusal

PRIVATE = Ed25519PrivateKey.generate()
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def a_venue() -> Any:
    venue = BinanceSpot("binance", VenueSettings(kind="binance", symbols=["BTCUSDT"]), Keys(Secret("k"), Secret(PEM)))
    venue.start(NOW)
    venue.on_http(listing("BTCUSDT"), NOW)
    return venue


def log_on(venue: Any, outputs: list[Any]) -> list[Any]:
    time = frame(outputs, "time")
    logon = frame(venue.on_frame("orders", answer(time, {"serverTime": NOW // 1_000_000}), NOW), "session.logon")
    signed = f"apiKey=k&recvWindow=1000&timestamp={NOW // 1_000_000}"
    PRIVATE.public_key().verify(b64decode(logon["params"]["signature"]), signed.encode())
    subscription = frame(venue.on_frame("orders", answer(logon, {}), NOW), "userDataStream.subscribe")
    assert "params" not in subscription
    up: list[Any] = venue.on_frame("orders", answer(subscription, {"subscriptionId": 0}), NOW)
    return up


def test_it_logs_on_subscribes_and_then_sends_orders_without_a_signature() -> None:
    venue = a_venue()
    assert of(VenueUp, log_on(venue, venue.on_link_up("orders", NOW)))
    sent = ask(venue, place(), "order.place")["params"]
    assert "signature" not in sent
    assert "apiKey" not in sent
    assert sent["timestamp"] == NOW // 1_000_000


def test_after_a_reconnect_it_logs_on_again() -> None:
    venue = a_venue()
    log_on(venue, venue.on_link_up("orders", NOW))
    assert of(VenueDown, venue.on_link_down("orders", "reset", NOW + S))
    assert of(VenueUp, log_on(venue, venue.on_link_up("orders", NOW)))


def test_a_session_that_the_venue_has_logged_out_logs_on_again() -> None:
    venue = a_venue()
    log_on(venue, venue.on_link_up("orders", NOW))
    outputs = venue.on_frame("orders", refusal(ask(venue, place(), "order.place"), -1035, "logged out"), NOW)
    assert of(VenueDown, outputs)
    assert of(VenueUp, log_on(venue, outputs))


def test_a_refused_logon_is_shown_and_tried_again() -> None:
    venue = a_venue()
    time = frame(venue.on_link_up("orders", NOW), "time")
    logon = frame(venue.on_frame("orders", answer(time, {"serverTime": NOW // 1_000_000}), NOW), "session.logon")
    venue.on_frame("orders", refusal(logon, -2015, "Invalid API-key"), NOW)
    assert venue.report(False)["problem"] == "LOGON_REFUSED: -2015 Invalid API-key"
    assert frame(venue.on_wake_up("subscribe", NOW + 5 * S), "time")
