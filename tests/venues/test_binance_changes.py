"""Orders amended, replaced and placed in lists at Binance: the request, and what each answer means."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.messages import (
    AmendAtVenue,
    AmendRejected,
    CancelAtVenue,
    CancelRejected,
    ChangeDenied,
    ListKind,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderDenied,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrderList,
    ReplaceAtVenue,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.venues.binance import BinanceSpot
from actors.venues.contract import Change, OrderChanger
from tests.venues.binance_orders import MS, PLACED, a_venue_up
from tests.venues.binance_spot import ID, NOW, S, a_venue, answer, frame, place, refusal

NEW = "f" * 32
T = 1660801715793
ORDER = replace(place().order, client_order_id=NEW)
AMEND = AmendAtVenue(ID, "42", "BTCUSDT", "0.3", 1, NOW + S)
REPLACE = ReplaceAtVenue(ID, "42", ORDER, Stamps(), 1, NOW + S)
SELL = replace(ORDER, side=Side.SELL, post_only=False)
TAKE = replace(SELL, client_order_id="a" * 32, price="110")
STOP = replace(SELL, client_order_id="b" * 32, type=OrderType.STOP_LIMIT, price="89", stop_price="90")
CANCELED = {"origClientOrderId": ID, "transactTime": T, "executedQty": "0.1", "status": "CANCELED"}
PLACED_NEW = {**PLACED, "clientOrderId": NEW, "orderId": 43}
CANCELED_EVENT = OrderCanceled("binance", ID, "0.1", T * MS, NOW)
ACCEPTED_EVENT = OrderAccepted("binance", NEW, "43", T * MS, NOW)


def a_list(kind: ListKind, *orders: OrderSpec) -> PlaceOrderList:
    return PlaceOrderList(kind, list(orders), Stamps(), 1, NOW + S)


def asked(venue: Any, change: Change, method: str) -> dict[str, Any]:
    return frame(venue.change(change, NOW), method)


def terms(request: dict[str, Any]) -> dict[str, Any]:
    upkeep = ("apiKey", "signature", "timestamp", "recvWindow")
    return {name: value for name, value in request["params"].items() if name not in upkeep}


def test_an_amended_order_keeps_its_id_and_its_place() -> None:
    venue: BinanceSpot = a_venue_up()
    assert isinstance(venue, OrderChanger)
    request = asked(venue, AMEND, "order.amend.keepPriority")
    assert terms(request) == {"symbol": "BTCUSDT", "orderId": 42, "newClientOrderId": ID, "newQty": "0.3"}
    amended = {"transactTime": T, "executionId": 16, "amendedOrder": {"qty": "0.3", "orderId": 42}}
    assert venue.on_frame("orders", answer(request, amended), NOW) == [OrderAmended("binance", ID, "0.3", T * MS, NOW)]


def test_a_refused_amendment_leaves_the_order_as_it_was() -> None:
    venue = a_venue_up()
    request = asked(venue, AMEND, "order.amend.keepPriority")
    assert venue.on_frame("orders", refusal(request, -2038, "no"), NOW) == [
        AmendRejected("binance", ID, "-2038", "no", NOW)
    ]


def test_a_replacement_cancels_and_places() -> None:
    venue = a_venue_up()
    request = asked(venue, REPLACE, "order.cancelReplace")
    assert terms(request) == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "newClientOrderId": NEW,
        "type": "LIMIT",
        "quantity": "0.5",
        "price": "100.00",
        "timeInForce": "GTC",
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelRestrictions": "ONLY_NEW",
        "cancelOrderId": 42,
    }
    result: dict[str, Any] = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}
    result |= {"cancelResponse": CANCELED, "newOrderResponse": PLACED_NEW}
    assert venue.on_frame("orders", answer(request, result), NOW) == [CANCELED_EVENT, ACCEPTED_EVENT]


REFUSED = {"code": -2011, "msg": "Unknown order sent."}
NO_FUNDS = {"code": -2010, "msg": "no funds"}
NOT_CANCELED = CancelRejected("binance", ID, "-2011", "Unknown order sent.", NOW)


@pytest.mark.parametrize(
    ("status", "data", "events"),
    [
        (
            400,
            {"cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": REFUSED},
            [
                NOT_CANCELED,
                OrderRejected("binance", NEW, "NOT_ATTEMPTED", "the cancel before it failed", NOW),
            ],
        ),
        (
            409,
            {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE"}
            | {"cancelResponse": CANCELED, "newOrderResponse": NO_FUNDS},
            [CANCELED_EVENT, OrderRejected("binance", NEW, "-2010", "no funds", NOW)],
        ),
        (
            409,
            {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE"}
            | {"cancelResponse": CANCELED, "newOrderResponse": {"code": -1007, "msg": "Timeout"}},
            [CANCELED_EVENT, OutcomeUnknown("binance", NEW, "VENUE_UNSURE: -1007 Timeout", NOW)],
        ),
    ],
)
def test_each_part_of_a_replacement_says_what_came_of_it(status: int, data: dict[str, Any], events: list[Any]) -> None:
    venue = a_venue_up()
    request = asked(venue, REPLACE, "order.cancelReplace")
    assert venue.on_frame("orders", refusal(request, -2021, "failed", status, data=data), NOW) == events


STEPS = replace(REPLACE, filled="0.1")
"""A part of the order is filled, so it is cancelled first."""


@pytest.mark.parametrize(
    ("filled", "events", "placed"),
    [
        ("0.1", [], "0.5"),
        ("0.30", [OrderAmended("binance", NEW, "0.30", T * MS, NOW)], "0.30"),
        ("0.6", [OrderRejected("binance", NEW, "NOTHING_LEFT", "after the cancel", NOW)], None),
    ],
)
def test_what_was_filled_before_the_cancel_is_not_ordered_again(filled: str, events: list[Any], placed: Any) -> None:
    venue = a_venue_up()
    request = asked(venue, STEPS, "order.cancel")
    assert terms(request) == {"symbol": "BTCUSDT", "orderId": 42}
    outputs = venue.on_frame("orders", answer(request, {**CANCELED, "executedQty": filled}), NOW)
    assert outputs[: len(events) + 1] == [OrderCanceled("binance", ID, filled, T * MS, NOW), *events]
    if placed is None:
        assert len(outputs) == 2
        return
    second = frame(outputs, "order.place")
    assert (second["params"]["newClientOrderId"], second["params"]["quantity"]) == (NEW, placed)
    assert venue.on_frame("orders", answer(second, PLACED_NEW), NOW) == [ACCEPTED_EVENT]


def test_the_second_step_of_a_replacement_is_not_done_late() -> None:
    venue = a_venue_up()
    request = asked(venue, STEPS, "order.cancel")
    assert venue.on_frame("orders", answer(request, CANCELED), NOW + S + 1) == [
        OrderCanceled("binance", ID, "0.1", T * MS, NOW + S + 1),
        OrderRejected("binance", NEW, "DEADLINE_PASSED", "after the cancel", NOW + S + 1),
    ]


def test_a_refused_first_step_is_all() -> None:
    venue = a_venue_up()
    request = asked(venue, STEPS, "order.cancel")
    assert venue.on_frame("orders", refusal(request, -2011, "Unknown order sent."), NOW) == [
        NOT_CANCELED,
        OrderRejected("binance", NEW, "-2011", "Unknown order sent.", NOW),
    ]


def test_a_change_that_cannot_leave_leaves_the_order_as_it_is() -> None:
    for change in (AMEND, REPLACE, STEPS):
        [denied] = a_venue().change(change, NOW)
        assert isinstance(denied, ChangeDenied)
        assert (denied.client_order_id, denied.reason.partition(":")[0]) == (ID, "NOT_CONNECTED")


def test_the_pair_of_an_oco_goes_above_and_below_the_market() -> None:
    request = asked(a_venue_up(), a_list(ListKind.OCO, TAKE, STOP), "orderList.place.oco")
    assert terms(request) == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.5",
        "aboveClientOrderId": "a" * 32,
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "110",
        "belowClientOrderId": "b" * 32,
        "belowType": "STOP_LOSS_LIMIT",
        "belowPrice": "89",
        "belowTimeInForce": "GTC",
        "belowStopPrice": "90",
    }


def test_a_buying_oco_has_its_stop_above() -> None:
    stop, take = replace(STOP, side=Side.BUY), replace(TAKE, side=Side.BUY)
    request = asked(a_venue_up(), a_list(ListKind.OCO, take, stop), "orderList.place.oco")
    assert (request["params"]["aboveType"], request["params"]["belowType"]) == ("STOP_LOSS_LIMIT", "LIMIT_MAKER")


def test_an_oto_has_a_working_and_a_pending_order() -> None:
    request = asked(a_venue_up(), a_list(ListKind.OTO, ORDER, STOP), "orderList.place.oto")
    assert terms(request) == {
        "symbol": "BTCUSDT",
        "workingSide": "BUY",
        "workingClientOrderId": NEW,
        "workingType": "LIMIT",
        "workingQuantity": "0.5",
        "workingPrice": "100.00",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingClientOrderId": "b" * 32,
        "pendingType": "STOP_LOSS_LIMIT",
        "pendingQuantity": "0.5",
        "pendingPrice": "89",
        "pendingTimeInForce": "GTC",
        "pendingStopPrice": "90",
    }


def test_an_otoco_has_a_working_order_and_a_pending_pair() -> None:
    request = asked(a_venue_up(), a_list(ListKind.OTOCO, ORDER, TAKE, STOP), "orderList.place.otoco")
    sent = terms(request)
    assert sent["workingSide"] == "BUY"
    assert (sent["pendingSide"], sent["pendingQuantity"]) == ("SELL", "0.5")
    assert (sent["pendingAboveType"], sent["pendingAbovePrice"]) == ("LIMIT_MAKER", "110")
    assert (sent["pendingBelowType"], sent["pendingBelowStopPrice"]) == ("STOP_LOSS_LIMIT", "90")


def test_all_orders_of_a_list_are_answered() -> None:
    venue = a_venue_up()
    request = asked(venue, a_list(ListKind.OTO, ORDER, STOP), "orderList.place.oto")
    reports = [PLACED_NEW, {**PLACED, "clientOrderId": "b" * 32, "orderId": 44, "status": "PENDING_NEW"}]
    assert venue.on_frame("orders", answer(request, {"orderListId": 1, "orderReports": reports}), NOW) == [
        ACCEPTED_EVENT,
        OrderAccepted("binance", "b" * 32, "44", T * MS, NOW),
    ]
    request = asked(venue, a_list(ListKind.OTO, ORDER, STOP), "orderList.place.oto")
    assert venue.on_frame("orders", refusal(request, -2010, "no funds"), NOW) == [
        OrderRejected("binance", NEW, "-2010", "no funds", NOW),
        OrderRejected("binance", "b" * 32, "-2010", "no funds", NOW),
    ]


def test_who_cancels_an_order_of_a_list_cancels_all_of_it() -> None:
    venue = a_venue_up()
    request = frame(venue.execute(CancelAtVenue(ID, "42", "BTCUSDT", 1, NOW + S), NOW), "order.cancel")
    reports = [CANCELED, {**CANCELED, "origClientOrderId": NEW, "executedQty": "0"}]
    result = {"orderListId": 7, "contingencyType": "OCO", "orderReports": reports}
    assert venue.on_frame("orders", answer(request, result), NOW) == [
        CANCELED_EVENT,
        OrderCanceled("binance", NEW, "0", T * MS, NOW),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (a_list(ListKind.OCO, TAKE), "OCO takes 2 orders, not 1"),
        (a_list(ListKind.OCO, TAKE, replace(STOP, symbol="ETHUSDT")), "the orders of a list are for one symbol"),
        (a_list(ListKind.OCO, TAKE, replace(STOP, quantity="1")), "both orders of the pair are for one side"),
        (a_list(ListKind.OCO, TAKE, TAKE), "the pair is a stop order and a limit or take-profit order"),
        (a_list(ListKind.OTO, STOP, TAKE), "the first order has to be a limit order"),
        (a_list(ListKind.OCO, TAKE, replace(STOP, stop_price=None)), "a triggered order needs a stop price"),
    ],
)
def test_a_list_that_cannot_be_is_denied_whole(change: PlaceOrderList, words: str) -> None:
    denied = a_venue_up().change(change, NOW)
    assert [type(one) for one in denied] == [OrderDenied] * len(change.orders)
    assert all(one.reason.startswith(f"INVALID_ORDER: {words}") for one in denied)


@pytest.mark.parametrize("change", [AMEND, REPLACE, a_list(ListKind.OCO, TAKE, STOP)])
def test_what_is_in_flight_when_the_link_drops_is_unknown(change: Change) -> None:
    venue = a_venue_up()
    venue.change(change, NOW)
    unknown = [event for event in venue.on_link_down("orders", "reset", NOW) if isinstance(event, OutcomeUnknown)]
    ids = {AmendAtVenue: [ID], ReplaceAtVenue: [ID, NEW], PlaceOrderList: ["a" * 32, "b" * 32]}[type(change)]
    assert unknown == [OutcomeUnknown("binance", id, "LINK_DOWN: reset", NOW) for id in ids]


@pytest.mark.parametrize("change", [AMEND, REPLACE, a_list(ListKind.OCO, TAKE, STOP)])
def test_nothing_leaves_without_an_account_or_a_link(change: Change) -> None:
    assert len(a_venue(keys=False).change(change, NOW)) == len(a_venue().change(change, NOW)) in (1, 2)
