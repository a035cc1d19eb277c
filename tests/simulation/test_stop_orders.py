"""Orders that wait for a price at the fake venue: stops, take profits, trailing ones, and what their owner is told."""

from decimal import Decimal
from typing import Any

import pytest

from actors.model.order import Side, TimeInForce
from actors.simulation.binance.orders import ResponseType, Ticket, VenueOrderType
from actors.simulation.binance.stops import Trigger
from actors.simulation.binance.venue import FakeBinance
from tests.simulation.pure import START, PureClient

LOW, HIGH = "60000", "70000"


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",)))


def push_up(client: PureClient) -> Decimal:
    """Buy through the book, so that the last price is higher; returns it."""
    bought = client.order(side="BUY", type="MARKET", quantity="3")
    return Decimal(bought["fills"][-1]["price"])


def reports(client: PureClient, session: str, client_order_id: str) -> list[tuple[str, str, bool]]:
    """(execution, status, on the book) of one order."""
    events = client.events(session, "executionReport")
    return [(event["x"], event["X"], event["w"]) for event in events if event["c"] == client_order_id]


def test_a_stop_waits_beside_the_book_and_becomes_a_market_order(client: PureClient) -> None:
    session = client.user()
    placed = client.order(
        side="BUY",
        type="STOP_LOSS",
        quantity="0.01",
        stopPrice="67251",
        newClientOrderId="stop",
        newOrderRespType="FULL",
    )
    assert (placed["status"], placed["workingTime"], placed["stopPrice"]) == ("NEW", -1, "67251.00000000")
    waiting = client.query("stop")
    assert (waiting["isWorking"], waiting["executedQty"]) == (False, "0.00000000")
    client.now += 1_000_000_000
    last = push_up(client)
    assert last >= 67251
    done = client.query("stop")
    assert (done["status"], done["isWorking"], done["type"]) == ("FILLED", True, "STOP_LOSS")
    assert done["workingTime"] == client.now // 1_000_000 == done["time"] + 1_000
    assert reports(client, session, "stop") == [
        ("NEW", "NEW", False),
        ("NEW", "NEW", True),
        ("TRADE", "FILLED", False),
    ]


def test_a_stop_limit_rests_at_its_price_after_it_was_reached(client: PureClient) -> None:
    client.order(
        side="BUY",
        type="STOP_LOSS_LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price=LOW,
        stopPrice="67251",
        newClientOrderId="stop",
    )
    push_up(client)
    resting = client.query("stop")
    assert (resting["status"], resting["isWorking"], resting["price"]) == ("NEW", True, "60000.00000000")
    assert Decimal(client.ledger()["balances"]["demo-key"]["USDT"]["locked"]) == 600


@pytest.mark.parametrize(
    ("kind", "side", "stop_price"),
    [
        ("STOP_LOSS", "BUY", LOW),
        ("STOP_LOSS", "SELL", HIGH),
        ("TAKE_PROFIT", "BUY", HIGH),
        ("TAKE_PROFIT", "SELL", LOW),
    ],
)
def test_a_stop_on_the_wrong_side_of_the_market_is_refused(
    client: PureClient, kind: str, side: str, stop_price: str
) -> None:
    refused = client.order(side=side, type=kind, quantity="0.01", stopPrice=stop_price)
    assert refused == {"code": -2010, "msg": "Order would trigger immediately."}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"type": "STOP_LOSS", "quantity": "1"}, -1102),
        ({"type": "STOP_LOSS", "stopPrice": HIGH}, -1102),
        ({"type": "STOP_LOSS", "quantity": "1", "stopPrice": HIGH, "price": LOW}, -1106),
        ({"type": "STOP_LOSS_LIMIT", "quantity": "1", "stopPrice": HIGH, "price": LOW}, -1102),
        ({"type": "LIMIT", "quantity": "1", "timeInForce": "GTC", "price": LOW, "stopPrice": HIGH}, -1106),
        ({"type": "MARKET", "quantity": "1", "trailingDelta": "100"}, -1106),
        ({"type": "STOP_LOSS", "quantity": "1", "trailingDelta": "2001"}, -1013),
        ({"type": "STOP_LOSS", "quantity": "1", "stopPrice": "67251.001"}, -1013),
        ({"type": "STOP_LOSS", "quantity": "1", "stopPrice": HIGH, "icebergQty": "0.5"}, -1014),
    ],
)
def test_what_a_stop_needs_and_must_not_have_is_checked(client: PureClient, order: dict[str, Any], code: int) -> None:
    assert client.order(side="BUY", **order)["code"] == code


def test_at_most_five_stops_wait_on_one_symbol(client: PureClient) -> None:
    stop = {"side": "BUY", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": HIGH}
    assert [client.order(**stop).get("code") for _ in range(6)] == [None] * 5 + [-1013]


def test_a_waiting_stop_is_cancelled_and_its_funds_are_free_again(client: PureClient) -> None:
    client.order(side="BUY", type="STOP_LOSS", quantity="1", stopPrice=HIGH, newClientOrderId="stop")
    assert client.ledger()["balances"]["demo-key"]["USDT"]["locked"] == "70000"
    canceled = client.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="stop")
    assert (canceled["status"], canceled["stopPrice"]) == ("CANCELED", "70000.00000000")
    assert Decimal(client.ledger()["balances"]["demo-key"]["USDT"]["locked"]) == 0
    push_up(client)
    assert client.query("stop")["status"] == "CANCELED"


# ---- the scenarios that the venue's page on trailing stops walks through


def ticket(side: Side, kind: str, delta: int | None, stop_price: str | None) -> Ticket:
    return Ticket(
        symbol="BTCUSDT",
        side=side,
        type=VenueOrderType(kind),
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1),
        quote_quantity=None,
        price=None,
        client_order_id=None,
        response_type=ResponseType.ACK,
        stop_price=None if stop_price is None else Decimal(stop_price),
        trailing_delta=delta,
    )


@pytest.mark.parametrize(
    ("side", "kind", "delta", "stop_price", "prices", "reached_at"),
    [
        (Side.SELL, "STOP_LOSS_LIMIT", 1000, "39000", "41500 39000 37000 41000 36901 36900", "36900"),
        (Side.BUY, "TAKE_PROFIT_LIMIT", 850, "38000", "42000 38000 37000 39000 38000 40144 40145", "40145"),
        (Side.SELL, "TAKE_PROFIT_LIMIT", 750, "42000", "41500 39000 42000 45000 44000 46500 43013 43012.5", "43012.5"),
        (Side.SELL, "STOP_LOSS_LIMIT", 700, None, "42000 39500 45500 42316 42315", "42315"),
        (Side.BUY, "STOP_LOSS", None, "41000", "40500 40999 41000 42000", "41000"),
        (Side.SELL, "TAKE_PROFIT", None, "41000", "40500 40999 41001", "41001"),
        (Side.SELL, "STOP_LOSS", None, "39000", "41000 39001 38000", "38000"),
    ],
)
def test_a_trigger_is_reached_where_the_venue_says(
    side: Side, kind: str, delta: int | None, stop_price: str | None, prices: str, reached_at: str
) -> None:
    trigger = Trigger(ticket(side, kind, delta, stop_price), Decimal(40_000), 0)
    reached = (price for price in prices.split() if trigger.is_reached(Decimal(price), 1))
    assert next(reached, None) == reached_at


def test_a_trailing_stop_tells_since_when_it_tracks_the_price(client: PureClient) -> None:
    session = client.user()
    placed = client.order(
        side="SELL", type="STOP_LOSS", quantity="0.01", trailingDelta="100", newOrderRespType="RESULT"
    )
    assert (placed["trailingDelta"], placed["trailingTime"]) == (100, START // 1_000_000)
    assert "stopPrice" not in placed
    later = client.order(
        side="SELL",
        type="TAKE_PROFIT",
        quantity="0.01",
        trailingDelta="10",
        stopPrice="67251",
        newOrderRespType="RESULT",
    )
    assert later["trailingTime"] == -1
    assert client.events(session, "executionReport")[0]["d"] == 100
    push_up(client)
    assert client.query(later["clientOrderId"])["trailingTime"] == START // 1_000_000
