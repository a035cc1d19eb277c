"""Order lists at the fake venue: OCO, OTO, OTOCO; what becomes of each order, of the funds, and who is told."""

from decimal import Decimal
from typing import Any

import pytest

from actors.simulation.accounts import Account
from actors.simulation.binance.venue import FakeBinance
from tests.simulation.pure import START, PureClient

SELL_OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "67260",
    "aboveClientOrderId": "limit",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "67240",
    "belowClientOrderId": "stop",
    "listClientOrderId": "pair",
    "newOrderRespType": "RESULT",
}
OTO = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingTimeInForce": "GTC",
    "workingSide": "BUY",
    "workingPrice": "67245",
    "workingQuantity": "0.1",
    "workingClientOrderId": "first",
    "pendingType": "LIMIT",
    "pendingTimeInForce": "GTC",
    "pendingSide": "SELL",
    "pendingPrice": "70000",
    "pendingQuantity": "0.1",
    "pendingClientOrderId": "second",
    "listClientOrderId": "chain",
    "newOrderRespType": "RESULT",
}
OTOCO = {name: value for name, value in OTO.items() if not name.startswith("pending")} | {
    "pendingSide": "SELL",
    "pendingQuantity": "0.1",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "70000",
    "pendingAboveClientOrderId": "above",
    "pendingBelowType": "STOP_LOSS_LIMIT",
    "pendingBelowStopPrice": "67000",
    "pendingBelowPrice": "66990",
    "pendingBelowTimeInForce": "GTC",
    "pendingBelowClientOrderId": "below",
}


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",)))


def place(client: PureClient, kind: str, params: dict[str, str], **changed: str) -> Any:
    return client.ask("POST", f"/api/v3/orderList/{kind}", **params | changed)


def statuses(client: PureClient, *ids: str) -> list[tuple[str, str | None]]:
    rows = [client.query(client_order_id) for client_order_id in ids]
    return [(row["status"], row.get("expiryReason")) for row in rows]


def locked(client: PureClient, asset: str) -> Decimal:
    return Decimal(client.ledger()["balances"]["demo-key"][asset]["locked"])


def list_events(client: PureClient, session: str) -> list[tuple[str, str]]:
    return [(event["l"], event["L"]) for event in client.events(session, "listStatus")]


def move(client: PureClient, side: str, quantity: str = "3") -> None:
    """Trade through the book."""
    client.order(side=side, type="MARKET", quantity=quantity)


def test_the_answer_to_an_oco_shows_the_list_and_both_orders(client: PureClient) -> None:
    answer = place(client, "oco", SELL_OCO)
    reports = answer.pop("orderReports")
    assert answer == {
        "orderListId": 0,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": "pair",
        "transactionTime": START // 1_000_000,
        "symbol": "BTCUSDT",
        "orders": [
            {"symbol": "BTCUSDT", "orderId": reports[0]["orderId"], "clientOrderId": "stop"},
            {"symbol": "BTCUSDT", "orderId": reports[1]["orderId"], "clientOrderId": "limit"},
        ],
    }
    assert [(report["type"], report["status"], report["workingTime"]) for report in reports] == [
        ("STOP_LOSS", "NEW", -1),
        ("LIMIT_MAKER", "NEW", START // 1_000_000),
    ]
    assert {report["orderListId"] for report in reports} == {0}


def test_the_funds_of_a_pair_are_set_aside_once(client: PureClient) -> None:
    place(client, "oco", SELL_OCO)
    assert locked(client, "BTC") == Decimal("0.5")
    assert [order["orderListId"] for order in client.ask("GET", "/api/v3/openOrders")] == [0, 0]


def test_a_limit_leg_that_trades_ends_the_stop(client: PureClient) -> None:
    session = client.user()
    place(client, "oco", SELL_OCO)
    move(client, "BUY")
    assert statuses(client, "limit", "stop") == [("FILLED", None), ("EXPIRED", "OCO_TRIGGER")]
    assert locked(client, "BTC") == 0
    assert list_events(client, session) == [("EXEC_STARTED", "EXECUTING"), ("ALL_DONE", "ALL_DONE")]
    assert client.ask("GET", "/api/v3/openOrderList") == []
    ended = [event for event in client.events(session, "executionReport") if event["x"] == "EXPIRED"]
    assert [(event["c"], event["eR"], event["g"]) for event in ended] == [("stop", "OCO_TRIGGER", 0)]


def test_a_stop_leg_that_is_reached_ends_the_limit(client: PureClient) -> None:
    place(client, "oco", SELL_OCO)
    move(client, "SELL")
    assert statuses(client, "limit", "stop") == [("EXPIRED", "OCO_TRIGGER"), ("FILLED", None)]
    assert locked(client, "BTC") == 0


def test_a_buying_oco_sets_aside_the_dearer_leg_and_pays_what_it_costs(client: PureClient) -> None:
    buy = {
        **SELL_OCO,
        "side": "BUY",
        "aboveType": "STOP_LOSS_LIMIT",
        "aboveStopPrice": "67260",
        "abovePrice": "67300",
        "aboveTimeInForce": "GTC",
        "aboveClientOrderId": "stop",
        "belowType": "LIMIT_MAKER",
        "belowPrice": "67240",
        "belowClientOrderId": "limit",
    }
    del buy["belowStopPrice"]
    place(client, "oco", buy)
    assert locked(client, "USDT") == Decimal("33650")
    move(client, "SELL")
    assert statuses(client, "limit", "stop") == [("FILLED", None), ("EXPIRED", "OCO_TRIGGER")]
    assert locked(client, "USDT") == 0


@pytest.mark.parametrize("by", ["list", "leg", "all"])
def test_whatever_is_cancelled_the_whole_list_is(client: PureClient, by: str) -> None:
    session = client.user()
    place(client, "oco", SELL_OCO)
    match by:
        case "list":
            answer = client.ask("DELETE", "/api/v3/orderList", symbol="BTCUSDT", listClientOrderId="pair")
        case "leg":
            answer = client.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="limit")
        case _:
            (answer,) = client.ask("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (answer["listStatusType"], answer["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [row["clientOrderId"] for row in answer["orders"]] == ["stop", "limit"]
    assert [(row["origClientOrderId"], row["status"]) for row in answer["orderReports"]] == [
        ("stop", "CANCELED"),
        ("limit", "CANCELED"),
    ]
    assert statuses(client, "limit", "stop") == [("CANCELED", None), ("CANCELED", None)]
    assert locked(client, "BTC") == 0
    assert list_events(client, session)[-1] == ("ALL_DONE", "ALL_DONE")
    again = client.ask("DELETE", "/api/v3/orderList", symbol="BTCUSDT", orderListId=0)
    assert again == {"code": -2011, "msg": "Unknown order sent."}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"abovePrice": "67200"}, -2010),
        ({"belowStopPrice": "67300"}, -2010),
        ({"side": "BUY"}, -1165),
        ({"aboveType": "MARKET", "abovePrice": ""}, -1105),
        ({"belowType": "LIMIT_MAKER", "belowPrice": "67000", "belowStopPrice": ""}, -1105),
        ({"aboveType": "LIMIT", "aboveTimeInForce": "GTC"}, -1158),
        ({"belowClientOrderId": "limit"}, -2010),
        ({"quantity": "20000000"}, -1013),
        ({"quantity": "30"}, None),
    ],
)
def test_a_pair_that_is_none_is_refused_whole(client: PureClient, changed: dict[str, str], code: int | None) -> None:
    assert place(client, "oco", SELL_OCO, **changed).get("code") == code
    assert len(client.ask("GET", "/api/v3/openOrders")) == (2 if code is None else 0)


def test_a_pending_order_waits_until_the_working_one_is_filled_whole(client: PureClient) -> None:
    session = client.user()
    reports = place(client, "oto", OTO)["orderReports"]
    assert [(row["status"], row["workingTime"] > 0) for row in reports] == [("NEW", True), ("PENDING_NEW", False)]
    assert (locked(client, "USDT"), locked(client, "BTC")) == (Decimal("6724.5"), Decimal(0))
    move(client, "SELL")
    assert statuses(client, "first", "second") == [("FILLED", None), ("NEW", None)]
    assert (locked(client, "USDT"), locked(client, "BTC")) == (Decimal(0), Decimal("0.1"))
    assert list_events(client, session) == [("EXEC_STARTED", "EXECUTING")] * 2
    told = [(event["c"], event["x"], event["X"]) for event in client.events(session, "executionReport")]
    assert [row for row in told if row[0] in ("first", "second")] == [
        ("first", "NEW", "NEW"),
        ("second", "NEW", "PENDING_NEW"),
        ("first", "TRADE", "FILLED"),
        ("second", "NEW", "NEW"),
    ]


def test_the_answer_comes_before_what_an_immediate_fill_brings_about(client: PureClient) -> None:
    reports = place(client, "oto", OTO, workingPrice="67300")["orderReports"]
    assert [row["status"] for row in reports] == ["FILLED", "PENDING_NEW"]
    assert statuses(client, "first", "second") == [("FILLED", None), ("NEW", None)]


def test_a_working_order_that_expires_takes_the_pending_one_with_it(client: PureClient) -> None:
    place(client, "oto", OTO, workingTimeInForce="IOC", workingPrice="67000")
    assert statuses(client, "first", "second") == [
        ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED"),
        ("EXPIRED", "OTO_PHASE_ONE_EXPIRED"),
    ]
    assert client.ask("GET", "/api/v3/orderList", origClientOrderId="chain")["listOrderStatus"] == "ALL_DONE"


def test_a_pending_order_without_funds_is_rejected_when_its_time_comes() -> None:
    account = Account("demo-key", "demo-secret", 1, {"USDT": Decimal(7_000), "BTC": Decimal(10)})
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), accounts=[account]))
    place(client, "oto", OTO, pendingQuantity="170", pendingSide="BUY", pendingPrice="50000")
    move(client, "SELL")
    assert statuses(client, "first", "second") == [("FILLED", None), ("EXPIRED", "REJECTED")]


def test_an_otoco_becomes_a_pair_after_its_first_order(client: PureClient) -> None:
    session = client.user()
    answer = place(client, "otoco", OTOCO)
    assert (answer["contingencyType"], len(answer["orders"])) == ("OTO", 3)
    assert statuses(client, "first", "below", "above") == [("NEW", None)] + [("PENDING_NEW", None)] * 2
    move(client, "SELL")
    assert statuses(client, "first", "below", "above") == [("FILLED", None), ("NEW", None), ("NEW", None)]
    assert locked(client, "BTC") == Decimal("0.1")
    client.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="above")
    assert statuses(client, "below", "above") == [("CANCELED", None)] * 2
    assert list_events(client, session)[-1] == ("ALL_DONE", "ALL_DONE")


def test_lists_count_as_many_orders_as_they_have() -> None:
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), order_limit=4))
    reply = client.signed("POST", "/api/v3/orderList/otoco", **OTOCO)
    assert reply.headers["X-MBX-ORDER-COUNT-10S"] == "3"
    refused = client.signed("POST", "/api/v3/orderList/oco", **SELL_OCO)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "10")


def test_the_old_form_of_an_oco_still_works(client: PureClient) -> None:
    params = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.5",
        "price": "67300",
        "stopPrice": "67200",
        "stopLimitPrice": "67190",
        "stopLimitTimeInForce": "GTC",
    }
    answer = client.ask("POST", "/api/v3/order/oco", **params)
    assert answer["contingencyType"] == "OCO"
    types = [order["type"] for order in client.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT")]
    assert types == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]


def test_lists_are_found_by_their_ids_and_by_time(client: PureClient) -> None:
    place(client, "oco", SELL_OCO)
    client.now += 1_000_000_000
    place(client, "oto", OTO)
    assert [row["listClientOrderId"] for row in client.ask("GET", "/api/v3/openOrderList")] == ["pair", "chain"]
    assert [row["orderListId"] for row in client.ask("GET", "/api/v3/allOrderList")] == [1, 0]
    late = client.ask("GET", "/api/v3/allOrderList", startTime=client.now // 1_000_000)
    assert [row["orderListId"] for row in late] == [1]
    assert client.ask("GET", "/api/v3/orderList", orderListId=0)["listClientOrderId"] == "pair"
    assert client.ask("GET", "/api/v3/orderList", orderListId=7)["code"] == -2013


def test_lists_are_placed_and_cancelled_on_a_socket(client: PureClient) -> None:
    session = client.user()
    answer = client.call(session, "orderList.place.oco", **SELL_OCO)
    assert (answer["status"], answer["result"]["contingencyType"]) == (200, "OCO")
    status = client.call(session, "openOrderLists.status")
    assert [row["listClientOrderId"] for row in status["result"]] == ["pair"]
    canceled = client.call(session, "orderList.cancel", symbol="BTCUSDT", orderListId=0)
    assert canceled["result"]["listStatusType"] == "ALL_DONE"
