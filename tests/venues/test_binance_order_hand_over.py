"""The order link that is replaced before it is cut off: what was asked is answered, what happened is told once."""

from typing import Any

from actors.messages import AccountReported, OrderFilled, OutcomeUnknown, VenueDown
from actors.venues.contract import CloseLink, OpenLink, SendFrame, WakeUp
from tests.venues.binance_orders import ACCEPTED, MS, PLACED, a_venue_up, ask
from tests.venues.binance_spot import NOW, S, a_venue, answer, event, frame, listing, of, place

SHUTDOWN = b'{"event":{"e":"serverShutdown","E":1770123456789}}'
FILL: dict[str, Any] = {"e": "executionReport", "s": "BTCUSDT", "c": "x", "S": "BUY", "q": "1", "C": "", "x": "TRADE"}
FILL |= {"X": "PARTIALLY_FILLED", "r": "NONE", "i": 42, "l": "0.1", "z": "0.1", "L": "100", "n": "0", "N": None, "T": 7}
FILL |= {"t": 5, "m": False, "I": 900}
BALANCE = event(e="outboundAccountPosition", E=9, u=8, B=[{"a": "BTC", "f": "1", "l": "0"}])


def open_next(venue: Any) -> str:
    (opened,) = of(OpenLink, venue.on_frame("orders", SHUTDOWN, NOW))
    return opened.link


def subscribe_next(venue: Any) -> list[Any]:
    outputs = venue.on_link_up("orders.1", NOW)
    assert {output.link for output in of(SendFrame, outputs)} == {"orders.1"}
    outputs = venue.on_frame("orders.1", answer(frame(outputs, "time"), {"serverTime": NOW // MS}), NOW)
    request = frame(outputs, "userDataStream.subscribe.signature")
    switched: list[Any] = venue.on_frame("orders.1", answer(request, {"subscriptionId": 0}), NOW)
    return switched


def test_the_next_link_takes_over_when_it_is_subscribed_and_the_old_one_answers_what_it_was_asked() -> None:
    venue = a_venue_up()
    pending = ask(venue, place(), "order.place")
    assert open_next(venue) == "orders.1"
    assert venue.on_frame("orders", SHUTDOWN, NOW) == []
    (sent,) = of(SendFrame, venue.execute(place(), NOW))
    assert sent.link == "orders"
    (drained,) = of(WakeUp, subscribe_next(venue))
    (sent,) = of(SendFrame, venue.execute(place(), NOW))
    assert sent.link == "orders.1"
    assert venue.on_frame("orders", answer(pending, PLACED), NOW) == [ACCEPTED]
    outputs = venue.on_wake_up(drained.tag, NOW + drained.delay_ns)
    assert outputs[-1] == CloseLink("orders")
    assert of(VenueDown, outputs) == []


def test_what_both_links_tell_is_told_once() -> None:
    venue = a_venue_up()
    open_next(venue)
    (drained,) = of(WakeUp, subscribe_next(venue))
    events = []
    for link, payload in [
        ("orders", event(**FILL)),
        ("orders.1", event(**FILL)),
        ("orders.1", event(**{**FILL, "I": 901, "t": 6})),
        ("orders", event(**{**FILL, "I": 901, "t": 6})),
        ("orders", BALANCE),
        ("orders.1", BALANCE),
        ("orders", event(**{**FILL, "I": 902, "t": 7})),
    ]:
        events += venue.on_frame(link, payload, NOW)
    venue.on_wake_up(drained.tag, NOW + drained.delay_ns)
    events += venue.on_frame("orders.1", event(**{**FILL, "I": 902, "t": 7}), NOW)
    events += venue.on_frame("orders.1", event(**{**FILL, "I": 903, "t": 8}), NOW)
    assert [fill.trade_id for fill in of(OrderFilled, events)] == ["5", "6", "7", "8"]
    assert len(of(AccountReported, events)) == 1


def test_a_link_is_replaced_before_its_24_hours_are_over() -> None:
    venue = a_venue()
    venue.start(NOW)
    venue.on_http(listing("BTCUSDT"), NOW)
    (renew,) = [wake_up for wake_up in of(WakeUp, venue.on_link_up("orders", NOW)) if "renew" in wake_up.tag]
    assert renew.delay_ns == 23.5 * 3600 * S
    assert [link.link for link in of(OpenLink, venue.on_wake_up(renew.tag, NOW + renew.delay_ns))] == ["orders.1"]


def test_a_cut_of_the_old_link_after_the_switch_only_loses_what_it_had_not_answered() -> None:
    venue = a_venue_up()
    ask(venue, place(), "order.place")
    open_next(venue)
    subscribe_next(venue)
    outputs = venue.on_link_down("orders", "reset", NOW)
    assert [type(output) for output in outputs] == [OutcomeUnknown, CloseLink]
    assert venue.report(False)["problem"] == ""


def test_a_cut_before_the_next_link_is_ready_takes_the_venue_down_until_it_is() -> None:
    venue = a_venue_up()
    open_next(venue)
    assert of(VenueDown, venue.on_link_down("orders", "reset", NOW))
    outputs = subscribe_next(venue)
    assert [type(output).__name__ for output in outputs][-1] == "VenueUp"
