import ast
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from actors.messages import (
    Approved,
    CheckOrder,
    DeskSnapshot,
    Holding,
    InstrumentsListed,
    OrderDenied,
    OrderUpdated,
    Quote,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, Side, Stamps
from actors.model.order_state import OrderState
from actors.risk.desk_state import DeskState
from actors.settings import RiskLimits
from runtime.actor import Undelivered
from runtime.errors import ConfigError
from tests.risk.desk import BTC, ETH, NOW, VENUE, RiskDesk, S, account, quote

ROOT = Path(__file__).parents[2]


def test_nothing_but_the_risk_checker_makes_an_approval() -> None:
    makers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("actors", "runtime", "scripts")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "Approved")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "Approved")
        )
    ]
    assert makers == ["actors/risk/checker.py"]


def test_it_asks_for_what_it_needs() -> None:
    desk = RiskDesk(ready=False)
    assert desk.ctx.subscriptions == [
        ("order_manager", ("orders.*", "fills.*")),
        ("connector.binance", ("venue.binance", "quote.binance.BTCUSDT", "quote.binance.ETHUSDT")),
    ]


def test_it_denies_until_it_knows_the_desk_the_instruments_and_the_balances() -> None:
    desk = RiskDesk(ready=False)
    desk.receive(quote())
    assert desk.check() == "REBUILDING: no snapshot of the desk yet"
    desk.receive(DeskSnapshot([], {}, True))
    assert desk.check() == "REBUILDING: instruments of binance not known yet"
    desk.receive(InstrumentsListed("binance", [BTC, ETH]))
    assert desk.check() == "REBUILDING: balances at binance not known yet"
    desk.receive(account(complete=False, USDT="1000"))
    assert desk.check() == "REBUILDING: balances at binance not known yet"
    desk.receive(account(USDT="1000"))
    assert desk.check() == ""


def test_an_order_manager_that_was_replaced_gets_nothing_approved_or_reserved() -> None:
    desk = RiskDesk()
    desk.receive(DeskSnapshot([], {}, False, epoch=2))
    assert desk.check() == "STALE_EPOCH: sent in epoch 1, the present one is 2"
    assert desk.checker.report().state["open_orders"] == 0


def test_an_approval_carries_the_order_on_unchanged() -> None:
    desk = RiskDesk()
    spec = desk.spec()
    desk.receive(CheckOrder(spec, Stamps(1, 2, 3), 7, NOW + S))
    assert desk.ctx.told == [("router", Approved(spec, Stamps(1, 2, 3, NOW), 7, NOW + S, 1))]


def test_what_is_late_is_denied() -> None:
    desk = RiskDesk()
    desk.ctx.time = NOW + S + 1
    assert desk.check() == "DEADLINE: passed before the check"


def test_what_is_traded_nowhere_is_denied() -> None:
    desk = RiskDesk()
    assert desk.check(symbol="XRPUSDT") == "UNKNOWN_INSTRUMENT: binance.XRPUSDT"
    assert desk.check(symbol="XRPUSDT", venue="") == "UNKNOWN_INSTRUMENT: XRPUSDT at no venue"


def test_an_approval_that_does_not_reach_the_router_is_a_denial() -> None:
    desk = RiskDesk()
    desk.check()
    approved = Approved(desk.spec(), Stamps(), 1, NOW)
    desk.receive(Undelivered("router", approved, "queue full"))
    denied = OrderDenied(approved.order.client_order_id, "ROUTER_UNAVAILABLE: queue full", "risk_checker")
    assert desk.ctx.told[-1] == ("order_manager", denied)


def test_an_approved_order_holds_its_money_until_it_is_over() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="150"))
    assert desk.check() == ""
    assert desk.check() == "INSUFFICIENT_CAPITAL: 100.100 USDT at binance, available 49.900"
    desk.update("REJECTED", number=1)
    assert desk.check() == ""


def test_money_that_the_venue_has_locked_is_not_held_twice() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="250"))
    assert desk.check() == ""
    desk.update("ACCEPTED")
    desk.receive(account(complete=False, USDT="149.9"))
    assert desk.check() == ""


def test_balances_told_before_the_order_arrived_do_not_free_its_money() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="150"))
    assert desk.check() == ""
    desk.receive(account(USDT="150"))
    assert desk.check() == "INSUFFICIENT_CAPITAL: 100.100 USDT at binance, available 49.900"


def test_the_money_of_a_filled_order_is_held_until_the_venue_has_told_the_balance() -> None:
    desk = RiskDesk()
    desk.receive(account(USDT="150"))
    desk.check()
    desk.update("FILLED", "1")
    assert desk.check() == "INSUFFICIENT_CAPITAL: 100.100 USDT at binance, available 49.900"
    desk.receive(account(complete=False, USDT="120"))
    assert desk.check() == ""


def test_a_new_life_continues_from_the_order_managers_truth() -> None:
    desk = RiskDesk(max_position={"binance.BTCUSDT": "5"}, max_exposure="700")
    before = desk.spec(quantity="3")
    open_order = OrderUpdated(before, OrderState.UNKNOWN, "1", None, "", "", NOW)
    holding = Holding("binance", "BTCUSDT", "2", "100", "0", {})
    desk.receive(DeskSnapshot([open_order], {"binance.BTCUSDT": "2"}, True, (holding,)))
    assert desk.checker.report().state["open_orders"] == 1
    assert desk.checker.report().state["exposure"] == "398.0"  # (2 held + 2 left) × 99.5
    assert desk.check(quantity="1.1") == "MAX_POSITION: 5.1 of binance.BTCUSDT at worst, limit 5"
    desk.receive(DeskSnapshot([], {}, False))
    assert desk.checker.report().state["exposure"] == "0.0"


def test_an_order_without_a_venue_has_to_pass_everywhere_and_holds_everywhere_until_it_is_routed() -> None:
    desk = RiskDesk(venues={"binance": VENUE, "other": VENUE}, max_position={"other.BTCUSDT": "1"})
    elsewhere = Instrument("other", "BTCUSDT", "BTC", "USDT")
    spec = desk.spec(venue="")
    assert desk.check(spec) == "REBUILDING: instruments of other not known yet"
    desk.receive(InstrumentsListed("other", [elsewhere]))
    desk.receive(account(USDT="1000").__class__("other", account(USDT="1000").balances, True, NOW))
    desk.receive(Quote("other", "BTCUSDT", "99", "5", "100", "5", NOW, NOW))
    assert desk.check(spec) == ""
    assert desk.check(venue="") == "MAX_POSITION: 2 of other.BTCUSDT at worst, limit 1"
    routed = OrderSpec(spec.client_order_id, "maker", "binance", "BTCUSDT", spec.side, spec.type, "1", "100")
    desk.receive(OrderUpdated(routed, OrderState.SENT, "0", None, "", "", NOW))
    assert desk.check(venue="") == ""


@pytest.fixture
def user_checks() -> object:
    module = ModuleType("user_checks")

    def no_mondays(order: OrderSpec, desk: DeskState) -> str | None:
        return "it is Monday" if order.quantity == "1" else None

    def broken(order: OrderSpec, desk: DeskState) -> str | None:
        raise KeyError("oops")

    module.no_mondays, module.broken = no_mondays, broken  # type: ignore[attr-defined]
    sys.modules["user_checks"] = module
    yield module
    del sys.modules["user_checks"]


@pytest.mark.usefixtures("user_checks")
def test_a_check_of_the_user_decides_too() -> None:
    desk = RiskDesk(checks=["user_checks:no_mondays"])
    assert desk.check() == "CUSTOM: user_checks:no_mondays: it is Monday"
    assert desk.check(quantity="2") == ""


@pytest.mark.usefixtures("user_checks")
def test_a_check_that_fails_denies() -> None:
    desk = RiskDesk(checks=["user_checks:broken"])
    assert desk.check() == "CHECK_FAILED: user_checks:broken raised KeyError: 'oops'"


@pytest.mark.parametrize("reference", ["nowhere:check", "actors.risk:nothing", "actors.risk"])
def test_a_check_that_is_not_there_is_an_error_of_the_configuration(reference: str) -> None:
    with pytest.raises(ConfigError, match=r"risk\.checks: cannot load"):
        RiskDesk(checks=[reference])


def test_the_time_of_a_check_does_not_grow_with_the_number_of_positions() -> None:
    def fastest(positions: int) -> float:
        symbols = [f"S{number}" for number in range(positions)]
        desk = RiskDesk(max_open_orders=10_000_000, max_exposure="1e12")
        holdings = [Holding("binance", symbol, "1", "100", "0", {}) for symbol in symbols]
        desk.receive(DeskSnapshot([], {}, False, tuple(holdings)), account(USDT="1e12"))
        orders = [CheckOrder(desk.spec(), Stamps(), 1, NOW + S) for _ in range(200)]
        times = []
        for order in orders:
            begin = time.perf_counter_ns()
            desk.receive(order)
            times.append(time.perf_counter_ns() - begin)
        return min(times)

    assert fastest(1000) < 3 * fastest(1)


def test_limits_have_a_place_for_the_users_checks() -> None:
    assert RiskLimits().checks == []


def test_sums_that_events_moved_are_those_of_a_new_beginning() -> None:
    desk = RiskDesk()
    for quantity, price in (("1", "100"), ("2.5", "99.5"), ("3", "101.25")):
        desk.check(quantity=quantity, price=price)
    desk.fill("1.5", "100.5", Side.SELL)
    desk.receive(quote("101", "102"))
    desk.update("CANCELED", number=2)
    moved = desk.checker.desk
    for instrument in moved.instruments.values():
        assert instrument.exposure == instrument.worst_case() * (instrument.price or 0)
    assert moved.exposure == sum(instrument.exposure for instrument in moved.instruments.values())
    assert moved.instruments["binance.BTCUSDT"].buying == 4
