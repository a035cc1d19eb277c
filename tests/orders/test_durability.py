"""Intents wait until the journal's follower has them, in order; nothing else waits for it."""

from actors.messages import (
    CancelAtVenue,
    CancelOrder,
    CheckChange,
    CheckOrder,
    ModifyOrder,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
)
from actors.model.order import Stamps
from actors.orders.records import decode
from runtime.actor import JournalCopied, JournalCopyChanged
from tests.orders.desk import MS, ONE, ManagerDesk, accepted, order_id, sent, submit

PATIENCE_NS = 500 * MS


def copied_desk() -> ManagerDesk:
    desk = ManagerDesk()
    desk.receive(JournalCopyChanged(""))
    return desk


def checked(desk: ManagerDesk) -> list[str]:
    """Client order ids of the orders that the risk checker was asked about."""
    told = desk.ctx.told_to("risk_checker")
    return [check.order.client_order_id for check in told if isinstance(check, CheckOrder)]


def test_an_order_goes_on_when_its_intent_is_copied_and_not_before() -> None:
    desk = copied_desk()
    desk.receive(submit(1), submit(2), submit(3))
    assert checked(desk) == []
    intents = len(desk.ctx.journal)
    desk.receive(JournalCopied(intents - 1))
    assert checked(desk) == [order_id(1), order_id(2)]
    desk.receive(JournalCopied(intents - 1), JournalCopied(intents))
    assert checked(desk) == [order_id(1), order_id(2), order_id(3)]


def test_without_a_follower_new_orders_are_refused_at_once_and_written_nowhere() -> None:
    desk = copied_desk()
    desk.receive(JournalCopyChanged("the follower is down: killed"))
    written = len(desk.ctx.journal)
    desk.receive(submit())
    (update,) = desk.updates()
    assert update.state.value == "DENIED"
    assert update.reason == "NOT_DURABLE: no follower has a copy of the journal: the follower is down: killed"
    assert len(desk.ctx.journal) == written
    desk.receive(JournalCopyChanged(""), submit(2))
    desk.receive(JournalCopied(len(desk.ctx.journal)))
    assert checked(desk) == [order_id(2)]


def test_an_order_that_waits_for_too_long_is_denied_and_never_goes() -> None:
    desk = copied_desk()
    desk.receive(submit())
    desk.pass_time(PATIENCE_NS + 100 * MS)
    assert desk.state() == "DENIED"
    assert desk.updates()[-1].reason.startswith("NOT_DURABLE: no follower has a copy of it")
    desk.receive(JournalCopied(len(desk.ctx.journal)))
    assert checked(desk) == []
    desk.life()
    assert desk.state() == "DENIED"


def test_cancels_go_without_a_follower() -> None:
    desk = copied_desk()
    desk.receive(submit())
    desk.receive(JournalCopied(len(desk.ctx.journal)))
    desk.receive(sent(), accepted())
    desk.receive(JournalCopyChanged("the follower does not answer"))
    desk.receive(CancelOrder(ONE, "maker"))
    assert [type(message) for message in desk.connector()] == [CancelAtVenue]


def test_a_change_waits_and_is_refused_as_an_order_is() -> None:
    desk = copied_desk()
    desk.receive(submit())
    desk.receive(JournalCopied(len(desk.ctx.journal)), sent(), accepted())
    desk.clear()
    desk.receive(ModifyOrder(ONE, "maker", order_id(7), "", "99", Stamps()))
    assert desk.ctx.told_to("risk_checker") == []
    desk.receive(JournalCopied(len(desk.ctx.journal)))
    assert [type(message) for message in desk.ctx.told_to("risk_checker")] == [CheckChange]
    desk.clear()
    desk.receive(JournalCopyChanged("it is gone"), ModifyOrder(ONE, "maker", order_id(8), "", "98", Stamps()))
    assert desk.ctx.told_to("risk_checker") == []


def test_before_the_journal_is_open_orders_are_refused_changes_come_to_nothing_and_cancels_wait() -> None:
    desk = copied_desk()
    desk.receive(submit())
    desk.receive(JournalCopied(len(desk.ctx.journal)), sent(), accepted())
    desk.clear()
    assert desk.manager.before_open(submit(2), desk.ctx) is None
    (update,) = desk.updates()
    assert (update.state.value, update.order.client_order_id) == ("DENIED", order_id(2))
    assert update.reason.startswith("NOT_DURABLE: it is not known yet")
    assert not desk.manager.ledger.knows(order_id(2))
    cancel = CancelOrder(ONE, "maker")
    assert desk.manager.before_open(cancel, desk.ctx) is cancel
    desk.clear()
    desk.receive(desk.manager.before_open(ModifyOrder(ONE, "maker", order_id(7), "", "99", Stamps()), desk.ctx))
    assert desk.ctx.told_to("risk_checker") == []
    assert [(update.state.value, update.order.price) for update in desk.updates()] == [("ACCEPTED", "100")]


def acted(action: OperatorAction, request: int = 1) -> OperatorActed:
    return OperatorActed("me@here", "test", action, {"reason": "lunch"}, request)


def answers(desk: ManagerDesk) -> list[tuple[int, str]]:
    told = desk.ctx.told_to("gateway")
    return [(answer.request, answer.problem) for answer in told if isinstance(answer, OperatorRecorded)]


def test_an_operator_hears_that_a_halt_is_in_force_when_it_is_copied() -> None:
    desk = copied_desk()
    desk.receive(acted(OperatorAction.HALT))
    assert desk.ctx.told_to("risk_checker") != []
    assert answers(desk) == []
    desk.receive(JournalCopied(len(desk.ctx.journal)))
    assert answers(desk) == [(1, "")]


def test_an_operator_hears_when_a_halt_is_in_force_and_not_copied() -> None:
    desk = copied_desk()
    desk.receive(acted(OperatorAction.HALT))
    desk.pass_time(PATIENCE_NS + 100 * MS)
    ((_, problem),) = answers(desk)
    assert problem.startswith("NOT_DURABLE")
    assert problem.endswith("it is written down and in force here")


def test_an_operator_cancels_without_a_follower() -> None:
    desk = copied_desk()
    desk.receive(JournalCopyChanged("it is gone"))
    desk.receive(acted(OperatorAction.CANCEL), acted(OperatorAction.SUBMIT, 2))
    assert answers(desk)[0] == (1, "")
    assert answers(desk)[1][1].startswith("NOT_DURABLE: no follower has a copy of the journal: it is gone")
    assert [type(decode(record).event).__name__ for record in desk.ctx.journal][-1] == "OperatorActed"
