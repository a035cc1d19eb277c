"""Each check on both sides of its boundary."""

from typing import Any

import pytest

from actors.messages import OpenOrdersReported, OrderReported
from actors.model.order import Side
from actors.model.order_state import OrderState
from tests.risk.desk import NOW, RiskDesk, account, quote

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"quantity": "0.1"}, ""),
        ({"quantity": "0.15"}, "INVALID_QUANTITY: 0.15 is not a multiple of 0.1"),
        ({"quantity": "0.0"}, "INVALID_QUANTITY: '0.0'"),
        ({"quantity": "-1"}, "INVALID_QUANTITY: '-1'"),
        ({"quantity": "NaN"}, "INVALID_QUANTITY: 'NaN'"),
        ({"quantity": "Infinity"}, "INVALID_QUANTITY: 'Infinity'"),
        ({"quantity": "ten"}, "INVALID_QUANTITY: 'ten'"),
        ({"quantity": "50", "price": "80"}, ""),
        ({"quantity": "50.1", "price": "79"}, "INVALID_QUANTITY: 50.1, at most 50"),
        ({"quantity": "40"}, ""),
        ({"quantity": "40.1"}, "INVALID_NOTIONAL: 4010.0, at most 4000"),
        ({"quantity": "0.1", "price": "99.99"}, "INVALID_NOTIONAL: 9.999, at least 10"),
    ],
)
def test_quantity(order: dict[str, Any], reason: str) -> None:
    assert RiskDesk().check(**order) == reason


def test_our_own_order_size() -> None:
    desk = RiskDesk(max_order_quantity={"binance.BTCUSDT": "2"})
    assert desk.check(quantity="2") == ""
    assert desk.check(quantity="2.1") == "MAX_ORDER_QUANTITY: 2.1, limit 2"


def test_our_own_order_notional() -> None:
    desk = RiskDesk(max_order_notional="200")
    assert desk.check(quantity="2") == ""
    assert desk.check(quantity="2.1") == "MAX_ORDER_NOTIONAL: 210.0, limit 200"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"price": "100.01"}, ""),
        ({"price": "100.001"}, "INVALID_PRICE: 100.001 is not a multiple of 0.01"),
        ({"price": "110"}, ""),
        ({"price": "110.01"}, "PRICE_BAND: buy at 110.01, at most 110.0"),
        ({"price": "10.01"}, ""),
        ({"price": "89.10", "side": SELL}, ""),
        ({"price": "89.09", "side": SELL}, "PRICE_BAND: sell at 89.09, at least 89.1"),
        ({"price": "1000", "side": SELL}, ""),
        ({"price": "1000.01", "side": SELL}, "INVALID_PRICE: 1000.01, at most 1000"),
        ({"price": "0", "side": SELL}, "INVALID_PRICE: '0'"),
        ({"price": "-5"}, "INVALID_PRICE: '-5'"),
        ({"price": "NaN"}, "INVALID_PRICE: 'NaN'"),
        ({"price": None}, ""),
    ],
)
def test_price(order: dict[str, Any], reason: str) -> None:
    assert RiskDesk().check(**order) == reason


def test_no_order_without_a_quote() -> None:
    desk = RiskDesk()
    assert desk.check(symbol="ETHUSDT") == "NO_PRICE: no quote of binance.ETHUSDT yet"
    assert desk.check(symbol="ETHUSDT", price=None) == "NO_PRICE: no quote of binance.ETHUSDT yet"
    desk.receive(quote(symbol="ETHUSDT"))
    assert desk.check(symbol="ETHUSDT") == ""


def test_open_orders_of_the_whole_desk() -> None:
    desk = RiskDesk(max_open_orders=2)
    assert [desk.check(), desk.check()] == ["", ""]
    assert desk.check() == "MAX_OPEN_ORDERS: 2 open, limit 2"
    desk.update("CANCELED", number=1)
    assert desk.check() == ""


def test_orders_that_the_desk_did_not_make_count_as_open() -> None:
    desk = RiskDesk(max_open_orders=2)
    foreign = OrderReported("binance", "by-hand", "v", "BTCUSDT", BUY, "1", "0", OrderState.ACCEPTED, NOW)
    desk.receive(OpenOrdersReported("binance", [foreign], NOW))
    assert desk.check() == ""
    assert desk.check() == "MAX_OPEN_ORDERS: 2 open, limit 2"


def test_a_position_counts_open_orders_at_their_worst() -> None:
    desk = RiskDesk(max_position={"binance.BTCUSDT": "5"})
    assert desk.check(quantity="3") == ""
    assert desk.check(quantity="2") == ""
    assert desk.check(quantity="0.1") == "MAX_POSITION: 5.1 of binance.BTCUSDT at worst, limit 5"
    assert desk.check(quantity="5", side=SELL) == ""
    assert desk.check(quantity="0.1", side=SELL) == "MAX_POSITION: 5.1 of binance.BTCUSDT at worst, limit 5"


def test_a_position_at_its_limit_can_be_reduced() -> None:
    desk = RiskDesk(max_position={"binance.BTCUSDT": "5"})
    desk.fill("6")
    assert desk.check(quantity="0.1") == "MAX_POSITION: 6.1 of binance.BTCUSDT at worst, limit 5"
    assert desk.check(quantity="11", side=SELL) == ""
    assert desk.check(quantity="0.1", side=SELL) == "MAX_POSITION: 5.1 of binance.BTCUSDT at worst, limit 5"


def test_an_unknown_order_counts_as_if_it_were_there() -> None:
    desk = RiskDesk(max_position={"binance.BTCUSDT": "5"})
    desk.check(quantity="5")
    desk.update("UNKNOWN", quantity="5")
    assert desk.check(quantity="0.1") == "MAX_POSITION: 5.1 of binance.BTCUSDT at worst, limit 5"


def test_exposure_over_all_instruments() -> None:
    desk = RiskDesk(max_exposure="1990")
    desk.receive(quote("99", "100", symbol="ETHUSDT"))
    assert desk.check(quantity="10") == ""  # 10 × 99.5
    assert desk.check(quantity="10", symbol="ETHUSDT") == ""
    assert desk.check(quantity="0.1") == "MAX_EXPOSURE: 1999.95 at worst, limit 1990"


def test_exposure_follows_the_price() -> None:
    desk = RiskDesk(max_exposure="1000")
    desk.fill("10")
    assert desk.check(quantity="0.1") == "MAX_EXPOSURE: 1004.95 at worst, limit 1000"
    desk.receive(quote("89", "91"))
    assert desk.check(quantity="1", price="90") == ""


def test_what_lowers_the_exposure_is_always_allowed() -> None:
    desk = RiskDesk(max_exposure="1000")
    desk.fill("30")
    assert desk.check(quantity="30", side=SELL) == ""


def test_a_buyer_has_the_money_and_the_fee() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="100.1"))
    assert desk.check() == ""
    desk.receive(account(USDT="100.09"))
    assert desk.check().startswith("INSUFFICIENT_CAPITAL: ")


def test_the_fee_is_part_of_what_a_buyer_needs() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="100.09"))
    assert desk.check() == "INSUFFICIENT_CAPITAL: 100.100 USDT at binance, available 100.09"


def test_a_seller_has_the_goods() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="0", BTC="2"))
    assert desk.check(quantity="2", side=SELL) == ""
    assert desk.check(quantity="0.1", side=SELL) == "INSUFFICIENT_CAPITAL: 0.1 BTC at binance, available 0"


def test_a_market_buyer_has_the_money_for_the_edge_of_the_band() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="110.11"))
    assert desk.check(price=None) == ""
    desk = RiskDesk()
    desk.receive(account(USDT="110.10"))
    assert desk.check(price=None) == "INSUFFICIENT_CAPITAL: 110.1100 USDT at binance, available 110.10"


def test_capital_is_not_asked_for_when_it_is_not_to_be_checked() -> None:
    desk = RiskDesk(check_capital=False)
    desk.receive(account(USDT="0"))
    assert desk.check() == ""
