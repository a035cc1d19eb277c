"""Amending, cancel-replace, icebergs and self-trade prevention at the fake venue."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.simulation.binance.venue import FakeBinance
from tests.simulation.pure import START, PureClient

BID = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
ASK = BID | {"side": "SELL"}


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), order_limit=20))


def amend(client: PureClient, **params: object) -> Any:
    return client.ask("PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", **params)


def replace(client: PureClient, **params: object) -> Any:
    return client.signed("POST", "/api/v3/order/cancelReplace", symbol="BTCUSDT", **params)


def level(client: PureClient, price: str) -> str | None:
    book = msgspec.json.decode(client.http("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=5000").body)
    return dict(book["bids"] + book["asks"]).get(f"{price}0000000")


# ---- amend


def test_an_amended_order_is_smaller_and_keeps_its_place(client: PureClient) -> None:
    session = client.user()
    client.order(**BID, quantity="2", price="67249.5", newClientOrderId="early")
    client.order(**BID, quantity="1", price="67249.5", newClientOrderId="late")
    shown = Decimal(level(client, "67249.5") or 0)
    answer = amend(client, origClientOrderId="early", newQty="0.5", newClientOrderId="smaller")
    assert {name: answer["amendedOrder"][name] for name in ("origClientOrderId", "clientOrderId", "qty", "status")} == {
        "origClientOrderId": "early",
        "clientOrderId": "smaller",
        "qty": "0.50000000",
        "status": "NEW",
    }
    assert Decimal(level(client, "67249.5") or 0) == shown - Decimal("1.5")
    replaced = client.events(session, "executionReport")[-1]
    assert (replaced["x"], replaced["X"], replaced["c"], replaced["C"]) == ("REPLACED", "NEW", "smaller", "early")
    assert Decimal(client.ledger()["balances"]["demo-key"]["USDT"]["locked"]) == Decimal("67249.5") * Decimal("1.5")
    client.order(**ASK, quantity="0.5", price="67249.5")
    assert [client.query(name)["status"] for name in ("smaller", "late")] == ["FILLED", "NEW"]
    assert client.query("early")["clientOrderId"] == "smaller"


def test_amendments_are_remembered(client: PureClient) -> None:
    placed = client.order(**BID, quantity="2", price="60000", newClientOrderId="a")
    amend(client, orderId=placed["orderId"], newQty="1.5", newClientOrderId="a")
    amend(client, orderId=placed["orderId"], newQty="1", newClientOrderId="b")
    rows = client.ask("GET", "/api/v3/order/amendments", symbol="BTCUSDT", orderId=placed["orderId"])
    assert [(row["origClientOrderId"], row["newClientOrderId"], row["origQty"], row["newQty"]) for row in rows] == [
        ("a", "a", "2.00000000", "1.50000000"),
        ("a", "b", "1.50000000", "1.00000000"),
    ]
    later = client.ask(
        "GET", "/api/v3/order/amendments", symbol="BTCUSDT", orderId=1, fromExecutionId=rows[1]["executionId"]
    )
    assert later == []


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("3", "Order amend (quantity increase) is not supported."),
        ("2", "The requested action would change no state; rejecting"),
    ],
)
def test_an_order_only_ever_becomes_smaller(client: PureClient, quantity: str, message: str) -> None:
    client.order(**BID, quantity="2", price="60000", newClientOrderId="a")
    assert amend(client, origClientOrderId="a", newQty=quantity) == {"code": -2038, "msg": message}


def test_an_order_is_amended_ten_times_at_most_and_it_costs_no_order(client: PureClient) -> None:
    client.order(**BID, quantity="2", price="60000", newClientOrderId="a")
    codes = [
        amend(client, origClientOrderId="a", newQty=f"1.{99 - number}", newClientOrderId="a").get("code")
        for number in range(11)
    ]
    assert codes == [None] * 10 + [-2038]
    assert client.ask("GET", "/api/v3/rateLimit/order")[0]["count"] == 1


def test_both_legs_of_a_pair_become_smaller(client: PureClient) -> None:
    session = client.user()
    pair = {"aboveType": "LIMIT_MAKER", "abovePrice": "68000", "belowType": "STOP_LOSS", "belowStopPrice": "66000"}
    ids = {"aboveClientOrderId": "above", "belowClientOrderId": "below"}
    client.ask("POST", "/api/v3/orderList/oco", symbol="BTCUSDT", side="SELL", quantity="1", **pair, **ids)
    answer = amend(client, origClientOrderId="above", newQty="0.4", newClientOrderId="renamed")
    assert answer["listStatus"]["orders"][1]["clientOrderId"] == "renamed"
    assert [client.query(name)["origQty"] for name in ("renamed", "below")] == ["0.40000000"] * 2
    assert Decimal(client.ledger()["balances"]["demo-key"]["BTC"]["locked"]) == Decimal("0.4")
    assert client.events(session, "listStatus")[-1]["l"] == "UPDATED"


# ---- cancel-replace


@pytest.mark.parametrize(
    ("mode", "cancel_works", "place_works", "status", "code", "results"),
    [
        ("STOP_ON_FAILURE", True, True, 200, None, ("SUCCESS", "SUCCESS")),
        ("STOP_ON_FAILURE", False, True, 400, -2022, ("FAILURE", "NOT_ATTEMPTED")),
        ("STOP_ON_FAILURE", True, False, 409, -2021, ("SUCCESS", "FAILURE")),
        ("ALLOW_FAILURE", True, True, 200, None, ("SUCCESS", "SUCCESS")),
        ("ALLOW_FAILURE", False, True, 409, -2021, ("FAILURE", "SUCCESS")),
        ("ALLOW_FAILURE", True, False, 409, -2021, ("SUCCESS", "FAILURE")),
        ("ALLOW_FAILURE", False, False, 400, -2022, ("FAILURE", "FAILURE")),
    ],
)
def test_cancel_replace_answers_as_the_venues_table_says(
    client: PureClient,
    mode: str,
    cancel_works: bool,
    place_works: bool,
    status: int,
    code: int | None,
    results: tuple[str, str],
) -> None:
    client.order(**BID, quantity="1", price="60000", newClientOrderId="old")
    order = {"side": "BUY", "type": "LIMIT_MAKER", "quantity": "1", "price": "60001" if place_works else "70000"}
    reply = replace(client, cancelReplaceMode=mode, cancelOrigClientOrderId="old" if cancel_works else "none", **order)
    body = msgspec.json.decode(reply.body)
    data = body["data"] if code is not None else body
    assert (reply.status, body.get("code")) == (status, code)
    assert (data["cancelResult"], data["newOrderResult"]) == results
    assert client.query("old")["status"] == ("CANCELED" if cancel_works else "NEW")
    assert client.ask("GET", "/api/v3/rateLimit/order")[0]["count"] == 2


@pytest.mark.parametrize(
    ("at_limit", "mode", "status", "code", "old"),
    [
        ("DO_NOTHING", "STOP_ON_FAILURE", 429, -1015, "NEW"),
        ("CANCEL_ONLY", "STOP_ON_FAILURE", 429, -2021, "CANCELED"),
        ("CANCEL_ONLY", "ALLOW_FAILURE", 409, -2021, "CANCELED"),
    ],
)
def test_over_the_order_limit_only_the_cancel_is_done_if_wanted(
    at_limit: str, mode: str, status: int, code: int, old: str
) -> None:
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), order_limit=1))
    client.order(**BID, quantity="1", price="60000", newClientOrderId="old")
    reply = replace(
        client,
        cancelReplaceMode=mode,
        orderRateLimitExceededMode=at_limit,
        cancelOrigClientOrderId="old",
        **BID,
        quantity="1",
        price="60001",
    )
    assert (reply.status, msgspec.json.decode(reply.body)["code"]) == (status, code)
    assert client.query("old")["status"] == old


# ---- icebergs


def test_only_the_tip_of_an_iceberg_is_in_the_book_and_each_new_tip_queues_again(client: PureClient) -> None:
    placed = client.order(**BID, quantity="1", price="67249.5", icebergQty="0.2", newClientOrderId="iceberg")
    assert placed["icebergQty"] == "0.20000000"
    book = msgspec.json.decode(client.http("GET", "/api/v3/depth", "symbol=BTCUSDT").body)
    before = dict(book["bids"]).get("67249.50000000")
    assert before == "0.20000000"
    client.order(**BID, quantity="0.3", price="67249.5", newClientOrderId="plain")
    client.order(**ASK, quantity="0.4", price="67249.5")
    assert [client.query(name)["executedQty"] for name in ("iceberg", "plain")] == ["0.20000000", "0.20000000"]
    client.order(**ASK, quantity="0.9", price="67249.5")
    assert [client.query(name)["status"] for name in ("iceberg", "plain")] == ["FILLED", "FILLED"]


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"icebergQty": "2"}, (-2010, "IcebergQty exceeds QTY.")),
        ({"icebergQty": "0.09"}, (-1013, "Filter failure: ICEBERG_PARTS")),
        ({"icebergQty": "0.5", "timeInForce": "IOC"}, (-1014, "Unsupported order combination.")),
    ],
)
def test_an_iceberg_that_is_none_is_refused(
    client: PureClient, changed: dict[str, str], answer: tuple[int, str]
) -> None:
    refused = client.order(**BID | {"quantity": "1", "price": "60000"} | changed)
    assert (refused["code"], refused["msg"]) == answer


# ---- self-trade prevention: the scenarios of the venue's page


def self_trade(client: PureClient, mode: str, maker: str = "1", taker: str = "3") -> Any:
    client.order(**BID, quantity=maker, price="67249.5", newClientOrderId="maker")
    return client.order(**ASK, quantity=taker, price="67249.5", newClientOrderId="taker", selfTradePreventionMode=mode)


@pytest.mark.parametrize(
    ("mode", "maker", "taker", "statuses", "prevented"),
    [
        ("EXPIRE_MAKER", "1", "3", ("EXPIRED_IN_MATCH", "NEW"), ("1.00000000", None)),
        ("EXPIRE_TAKER", "1", "3", ("NEW", "EXPIRED_IN_MATCH"), (None, "3.00000000")),
        ("EXPIRE_BOTH", "1", "3", ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"), ("1.00000000", "3.00000000")),
        ("DECREMENT", "6", "2", ("NEW", "EXPIRED_IN_MATCH"), ("2.00000000", "2.00000000")),
        ("TRANSFER", "2", "6", ("EXPIRED_IN_MATCH", "NEW"), ("2.00000000", "2.00000000")),
    ],
)
def test_nobody_trades_with_himself(
    client: PureClient,
    mode: str,
    maker: str,
    taker: str,
    statuses: tuple[str, str],
    prevented: tuple[str | None, str | None],
) -> None:
    session = client.user()
    answer = self_trade(client, mode, maker, taker)
    rows = [client.query(name) for name in ("maker", "taker")]
    assert tuple(row["status"] for row in rows) == statuses
    assert tuple(row.get("preventedQuantity") for row in rows) == prevented
    assert client.ledger()["fills"] == []
    (found,) = answer["preventedMatches"]
    assert (found["preventedMatchId"], found["price"]) == (0, "67249.50000000")
    assert (found.get("makerPreventedQuantity"), found.get("takerPreventedQuantity")) == prevented
    told = [event for event in client.events(session, "executionReport") if event["x"] == "TRADE_PREVENTION"]
    assert [event["B"] for event in told] == [quantity for quantity in prevented if quantity is not None]
    assert {(event["v"], event["l"], event["L"]) for event in told} == {(0, "0.00000000", "0.00000000")}
    (match,) = client.ask("GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", preventedMatchId=0)
    assert (match["selfTradePreventionMode"], match["makerOrderId"]) == (mode, rows[0]["orderId"])
    left = sum(
        Decimal(row["origQty"]) - Decimal(row.get("preventedQuantity", "0")) for row in rows if row["status"] == "NEW"
    )
    locked = client.ledger()["balances"]["demo-key"]
    price = Decimal("67249.5") if rows[0]["status"] == "NEW" else 1
    assert Decimal(locked["USDT" if rows[0]["status"] == "NEW" else "BTC"]["locked"]) == left * price


def test_without_prevention_an_account_trades_with_itself(client: PureClient) -> None:
    assert self_trade(client, "NONE")["executedQty"] == "1.00000000"
    assert client.query("maker")["status"] == "FILLED"


def test_a_market_order_goes_past_its_owners_orders_and_pays_what_it_locked(client: PureClient) -> None:
    client.order(**ASK, quantity="1", price="67250.5", newClientOrderId="maker")
    bought = client.order(side="BUY", type="MARKET", quoteOrderQty="700000", selfTradePreventionMode="EXPIRE_MAKER")
    assert client.query("maker")["status"] == "EXPIRED_IN_MATCH"
    assert Decimal(bought["cummulativeQuoteQty"]) <= 700000
    balances = client.ledger()["balances"]["demo-key"]
    assert Decimal(balances["USDT"]["locked"]) == Decimal(balances["BTC"]["locked"]) == 0


@pytest.mark.parametrize(
    ("time_in_force", "price", "status", "reason"),
    [
        ("IOC", "60000", "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED"),
        ("FOK", "67251", "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED"),
        ("GTC", "60000", "NEW", None),
    ],
)
def test_an_order_that_expires_says_why(
    client: PureClient, time_in_force: str, price: str, status: str, reason: str | None
) -> None:
    session = client.user()
    placed = client.order(**BID | {"timeInForce": time_in_force}, quantity="50", price=price)
    assert (placed["status"], placed.get("expiryReason")) == (status, reason)
    assert client.events(session, "executionReport")[-1].get("eR") == reason
