"""What an operator puts in force: written first, then told to the risk checker, and kept through every restart."""

from decimal import Decimal
from typing import Any

import pytest

from actors import names
from actors.messages import (
    ControlsChanged,
    DeskSnapshot,
    Holding,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
    OrderRehearsed,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_id import order_id
from actors.orders.manager import OrderManager
from actors.orders.records import decode
from actors.risk.controls import changed_limits
from actors.settings import RiskLimits
from runtime.actor import Started, Subscribed, Undelivered
from runtime.errors import ConfigError
from tests.orders.desk import BINANCE, submit
from tests.risk.desk import NOW, RiskDesk
from tests.support.context import RecordingContext

HALTED = "by jo@desk (notebook): news"


def acted(action: OperatorAction, request: int = 1, **arguments: str) -> OperatorActed:
    return OperatorActed("jo@desk", "notebook", action, arguments, request)


class Life:
    """One life of an order manager."""

    def __init__(self, ctx: RecordingContext) -> None:
        self.ctx = ctx
        self.manager = OrderManager({"binance": BINANCE})
        self.receive(Started())

    def receive(self, message: object) -> list[Any]:
        self.ctx.told.clear()
        self.manager.receive(message, self.ctx)
        return [message for _, message in self.ctx.told]

    def snapshot(self) -> DeskSnapshot:
        (snapshot, *_) = self.receive(Subscribed("risk_checker", ("orders.*",)))
        assert isinstance(snapshot, DeskSnapshot)
        return snapshot


def test_a_halt_is_in_the_journal_with_who_and_goes_to_the_risk_checker_before_the_answer() -> None:
    life = Life(RecordingContext(names.ORDER_MANAGER))
    action = acted(OperatorAction.HALT, reason="news")
    assert life.receive(action) == [ControlsChanged(HALTED, {}, 1), OperatorRecorded(1, "", HALTED, {})]
    assert decode(life.ctx.journal[-1]).event == action


def test_a_halt_outlives_the_order_manager_and_the_run_and_a_limit_outlives_the_order_manager() -> None:
    ctx = RecordingContext(names.ORDER_MANAGER)
    life = Life(ctx)
    life.receive(acted(OperatorAction.HALT, reason="news"))
    life.receive(acted(OperatorAction.CHANGE_LIMIT, name="max_open_orders", value="3"))
    ctx.incarnation = 2
    snapshot = Life(ctx).snapshot()
    assert (snapshot.halted, snapshot.limits) == (HALTED, {"max_open_orders": "3"})
    ctx.incarnation = 1  # another run with the same journal
    snapshot = Life(ctx).snapshot()
    assert (snapshot.halted, snapshot.limits) == (HALTED, {})
    life = Life(ctx)
    life.receive(acted(OperatorAction.RESUME))
    assert life.snapshot().halted == ""


def test_without_a_journal_nothing_is_put_in_force_but_what_makes_the_desk_safer() -> None:
    life = Life(RecordingContext(names.ORDER_MANAGER))
    life.receive(acted(OperatorAction.HALT, reason="news"))
    life.ctx.journal_broken = "disk full"
    problem = "JOURNAL_UNAVAILABLE: disk full"
    assert life.receive(acted(OperatorAction.RESUME)) == [OperatorRecorded(1, problem, HALTED, {})]
    again = life.receive(acted(OperatorAction.HALT, reason="disk"))
    assert again[-1] == OperatorRecorded(1, "", "by jo@desk (notebook): disk", {})
    life.ctx.journal_broken = ""
    life.receive(submit())
    events = [decode(record).event for record in life.ctx.journal]
    assert [type(event).__name__ for event in events] == ["EpochBegan", "OperatorActed", "OperatorActed", "SubmitOrder"]


def test_a_risk_checker_that_was_too_busy_to_hear_of_a_halt_is_told_again() -> None:
    life = Life(RecordingContext(names.ORDER_MANAGER))
    (changed, _) = life.receive(acted(OperatorAction.HALT, reason="news"))
    assert life.receive(Undelivered(names.RISK_CHECKER, changed, "Overloaded: its mailbox is full")) == []
    life.ctx.time += 100_000_000
    (retell, *_) = life.ctx.due()
    assert life.receive(retell) == [ControlsChanged(HALTED, {}, 1)]


def test_what_is_rehearsed_neither_answers_an_operator_nor_ends_a_halt() -> None:
    life = Life(RecordingContext(names.ORDER_MANAGER, time=NOW))
    rehearsed = OrderRehearsed(submit().order, Stamps(submitted=NOW))
    assert life.receive(rehearsed) == [rehearsed]
    life.receive(acted(OperatorAction.HALT, reason="news"))
    assert len([one for one in life.ctx.told if isinstance(one[1], OperatorRecorded)]) == 1
    life.ctx.time += 100_000_000
    rehearsed = OrderRehearsed(submit().order, Stamps(submitted=life.ctx.time))
    assert life.receive(rehearsed) == [rehearsed]
    assert life.snapshot().halted == HALTED
    assert len(life.ctx.journal) == 2, "the life and the halt"


def test_a_halted_risk_checker_refuses_every_order_until_it_hears_otherwise() -> None:
    desk = RiskDesk()
    assert desk.check() == ""
    desk.receive(ControlsChanged(HALTED, {}, 1))
    assert desk.check() == f"HALTED: {HALTED}"
    desk.receive(ControlsChanged("", {}, 1))
    assert desk.check() == ""


def test_an_order_manager_that_was_replaced_ends_no_halt() -> None:
    desk = RiskDesk()
    desk.receive(DeskSnapshot([], {}, False, epoch=2, halted=HALTED))
    desk.receive(ControlsChanged("", {}, 1), DeskSnapshot([], {}, False, epoch=1))
    assert desk.checker.report().state["halted"] == HALTED
    desk.receive(ControlsChanged("", {}, 2))
    assert desk.checker.report().state["halted"] == ""


def test_a_new_life_of_the_risk_checker_is_halted_by_the_snapshot() -> None:
    desk = RiskDesk()
    desk.receive(DeskSnapshot([], {}, False, halted=HALTED))
    assert desk.check() == f"HALTED: {HALTED}"


@pytest.mark.parametrize(
    ("actor", "side", "quantity", "reduce_only", "passes"),
    [
        (names.GATEWAY, Side.SELL, "2", True, True),
        (names.GATEWAY, Side.SELL, "2.1", True, False),  # more than there is
        (names.GATEWAY, Side.BUY, "1", True, False),
        (names.GATEWAY, Side.SELL, "2", False, False),
        ("strategy.maker", Side.SELL, "2", True, False),
    ],
)
def test_while_halted_only_an_operators_closing_order_passes_as_far_as_it_closes(
    actor: str, side: Side, quantity: str, reduce_only: bool, passes: bool
) -> None:
    desk = RiskDesk()
    holding = Holding("binance", "BTCUSDT", "2", "100", "0", {})
    desk.receive(DeskSnapshot([], {}, False, (holding,), halted=HALTED))
    spec = OrderSpec(
        order_id(1, actor, "maker", NOW, 1), "maker", "binance", "BTCUSDT", side, OrderType.MARKET, quantity,
        reduce_only=reduce_only,
    )  # fmt: skip
    assert desk.check(spec) == ("" if passes else f"HALTED: {HALTED}")


def test_two_closing_orders_together_close_no_more_than_there_is() -> None:
    desk = RiskDesk()
    holding = Holding("binance", "BTCUSDT", "2", "100", "0", {})
    desk.receive(DeskSnapshot([], {}, False, (holding,), halted=HALTED))
    answers = []
    for number in (1, 2):
        id = order_id(1, names.GATEWAY, "maker", NOW, number)
        spec = OrderSpec(id, "maker", "binance", "BTCUSDT", Side.SELL, OrderType.MARKET, "1.5", reduce_only=True)
        answers.append(desk.check(spec))
    assert answers == ["", f"HALTED: {HALTED}"]


def test_a_changed_limit_is_in_force_at_once_and_the_others_stay() -> None:
    desk = RiskDesk(max_open_orders=5, max_order_notional=1000)
    desk.receive(ControlsChanged("", {"max_order_notional": "50", "max_position.binance.BTCUSDT": "7"}, 1))
    assert desk.check() == "MAX_ORDER_NOTIONAL: 100, limit 50"
    desk.receive(ControlsChanged("", {"max_position.binance.BTCUSDT": "0.5"}, 1))
    assert desk.check() == "MAX_POSITION: 1 of binance.BTCUSDT at worst, limit 0.5"
    desk.receive(ControlsChanged("", {}, 1))
    assert desk.check() == ""


def test_a_limit_that_cannot_be_read_lets_nothing_pass() -> None:
    desk = RiskDesk()
    desk.receive(ControlsChanged("", {"max_everything": "1"}, 1))
    assert desk.check().startswith("HALTED: a limit that was changed cannot be read: risk.max_everything")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("max_everything", "1", "risk.max_everything: there is no such limit; there is max_open_orders, "),
        ("max_position", "1", "risk.max_position: there is no such limit"),
        ("max_exposure.binance.BTCUSDT", "1", "there is no such limit"),
        ("checks", "a:b", "there is no such limit"),
        ("max_exposure", "-1", "risk.max_exposure: Input should be greater than 0, not '-1'"),
        ("max_open_orders", "1.5", "risk.max_open_orders: "),
        ("max_position.nonsense", "1", "risk.max_position.nonsense"),
    ],
)
def test_what_is_no_limit_is_refused_with_its_name(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed_limits(RiskLimits(), {name: value})
    assert says in str(caught.value)


def test_limits_are_changed_by_instrument_and_for_the_desk() -> None:
    limits = changed_limits(
        RiskLimits(max_position={"binance.ETHUSDT": Decimal(1)}),
        {"max_position.binance.BTCUSDT": "2", "max_open_orders": "3", "check_capital": "false"},
    )
    assert limits.max_position == {"binance.ETHUSDT": Decimal(1), "binance.BTCUSDT": Decimal(2)}
    assert (limits.max_open_orders, limits.check_capital) == (3, False)
