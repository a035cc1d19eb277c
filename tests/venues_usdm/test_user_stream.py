"""Events of the account's link, frame by frame."""

from typing import Any

import msgspec
import pytest

from actors.messages import ForcedCause, OrderAccepted, OrderFilled, OrderRejected, PositionForceClosed
from actors.venues.binance_usdm.executions import Executions, forced_cause
from actors.venues.binance_usdm.listen_key import ListenKeyStream
from actors.venues.binance_usdm.user_stream import UserStream
from actors.venues.contract import BadFrame, Output
from runtime.actor import HttpRequest

NOW = 1_700_000_000_000_000_000


def a_stream() -> UserStream:
    return UserStream(Executions("usdm"), ListenKeyStream("http://v", "ws://v", "key"))


def order(**changes: Any) -> dict[str, Any]:
    fields = {"s": "BTCUSDT", "c": "mine", "S": "BUY", "x": "TRADE", "X": "FILLED", "i": 5, "l": "1", "z": "1"}
    fields |= {"L": "100", "T": 7, "t": 9, "m": True, "n": "0.02", "N": "USDT", "ps": "BOTH", "er": "0"}
    return {"e": "ORDER_TRADE_UPDATE", "E": 8, "T": 7, "o": fields | changes}


def algo(status: str, **changes: Any) -> dict[str, Any]:
    fields = {"caid": "mine", "aid": 3, "s": "BTCUSDT", "X": status, "ai": ""} | changes
    return {"e": "ALGO_UPDATE", "E": 8, "T": 7, "o": fields}


def told(stream: UserStream, event: object) -> list[Output]:
    return stream.on_frame("account", msgspec.json.encode(event), NOW)


def test_a_fill_carries_its_fee() -> None:
    (fill,) = told(a_stream(), order())
    assert isinstance(fill, OrderFilled)
    assert (fill.trade_id, fill.price, fill.fee, fill.fee_asset, fill.maker) == ("9", "100", "0.02", "USDT", True)


def test_an_event_in_an_envelope_is_the_same_event() -> None:
    assert told(a_stream(), {"stream": "key", "data": order()}) == told(a_stream(), order())


FORCED = [
    ("autoclose-1568879465650", ForcedCause.LIQUIDATION),
    ("adl_autoclose", ForcedCause.AUTO_DELEVERAGING),
    ("settlement_autoclose-1", ForcedCause.SETTLEMENT),
    ("delivery_autoclose-1", ForcedCause.DELIVERY),
    ("0123456789abcdef0123456789abcdef", None),
]


@pytest.mark.parametrize(("client_order_id", "cause"), FORCED)
def test_orders_of_the_venue_itself_are_recognised(client_order_id: str, cause: ForcedCause | None) -> None:
    assert forced_cause(client_order_id) is cause
    closed = [
        output for output in told(a_stream(), order(c=client_order_id)) if isinstance(output, PositionForceClosed)
    ]
    assert [each.cause for each in closed] == ([cause] if cause else [])


def test_a_fill_without_its_fee_is_left_to_the_event_that_has_it() -> None:
    assert told(a_stream(), {"e": "TRADE_LITE", "E": 8, "T": 7, "s": "BTCUSDT", "t": 9}) == []


def test_what_was_triggered_goes_on_under_the_algo_orders_client_id() -> None:
    stream = a_stream()
    (waiting,) = told(stream, algo("NEW"))
    (triggered,) = told(stream, algo("TRIGGERED", ai="5"))
    assert isinstance(waiting, OrderAccepted)
    assert isinstance(triggered, OrderAccepted)
    assert (waiting.venue_order_id, triggered.venue_order_id) == ("algo-3", "5")
    (fill,) = told(stream, order(c="another id"))
    assert isinstance(fill, OrderFilled)
    assert fill.client_order_id == "mine"


def test_a_stop_that_fails_when_triggered_is_rejected_with_the_reason() -> None:
    (rejected,) = told(a_stream(), algo("REJECTED", rm="Margin is insufficient."))
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason == "Margin is insufficient."


def test_an_expired_listen_key_is_asked_for_again() -> None:
    stream = a_stream()
    stream.on_link_up()
    (request,) = told(stream, {"e": "listenKeyExpired", "E": 8, "listenKey": "old"})
    assert isinstance(request, HttpRequest)
    assert (request.method, request.url, stream.is_heard) == ("POST", "http://v/fapi/v1/listenKey", False)


SILENT = [{"result": ["key"], "id": 1}, {"e": "MARGIN_CALL", "E": 1, "cw": "1", "p": []}]


@pytest.mark.parametrize("frame", SILENT)
def test_what_says_nothing_about_orders_is_passed_over(frame: object) -> None:
    assert told(a_stream(), frame) == []


BAD = [
    (b"\xff", True),
    (b'{"e":"ORDER_TRADE_UPDATE"}', True),
    (b'{"e":"ORDER_TRADE_UPDATE","o":{"s":"BTCUSDT"}}', True),
    (b'{"e":"SOMETHING_NEW","E":1}', False),
    (b'{"e":"ACCOUNT_UPDATE","T":"x"}', False),
]


@pytest.mark.parametrize(("payload", "drops"), BAD)
def test_an_event_about_orders_that_cannot_be_read_costs_the_link(payload: bytes, drops: bool) -> None:
    (bad,) = a_stream().on_frame("account", payload, NOW)
    assert isinstance(bad, BadFrame)
    assert bad.drop_link is drops
