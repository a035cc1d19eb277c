"""Refusals and unknown outcomes on Binance's WebSocket API."""

from typing import Any

import pytest

from actors.messages import (
    CancelRejected,
    OrderDenied,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    QueryAccount,
    QueryFailed,
    QueryOrder,
    VenueDown,
    VenueUp,
)
from actors.venues.binance.errors import CODES
from actors.venues.binance_api.errors import Action
from actors.venues.contract import BadFrame, Output, SendFrame, WakeUp
from tests.venues.binance_orders import ACCEPTED, CANCEL, MS, PLACED, a_venue_up, ask
from tests.venues.binance_spot import (
    ID,
    NOW,
    S,
    answer,
    frame,
    of,
    place,
    refusal,
    subscribe,
)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_refused_place_is_rejected_unless_the_venue_is_unsure(code: int) -> None:
    venue = a_venue_up()
    outputs = venue.on_frame("orders", refusal(ask(venue, place(), "order.place"), code), NOW)
    first = OutcomeUnknown if CODES[code] is Action.UNKNOWN else OrderRejected
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
    assert denied.reason.startswith("RATE_LIMITED: for ")
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
