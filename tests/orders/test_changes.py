"""Changes of open orders in the order manager: what it lets through, and what becomes of them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages import (
    AmendRejected,
    CancelAtVenue,
    CancelOrder,
    CancelRejected,
    ChangeDenied,
    CheckChange,
    CheckOrder,
    ModifyOrder,
    OpenOrdersReported,
    OrderAmended,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    QueryOrder,
    VenueUp,
)
from actors.model.order import OrderSpec, Stamps
from actors.model.order_state import OrderState
from actors.orders.ledger import Ledger
from actors.orders.records import ChangeIntended, decode
from actors.settings import VenueSettings
from runtime.actor import ActorDown, Undelivered
from tests.orders.desk import (
    BINANCE,
    DEMO,
    MS,
    NOW,
    ONE,
    ManagerDesk,
    S,
    accepted,
    canceled,
    fill,
    order_id,
    reported,
    sent,
    spec,
    submit,
)

TWO = order_id(2)
USDM = VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"], credentials=DEMO)
"""Changes every order where it is."""
LATE = 20 * S
"""By then nothing that was sent can arrive any more."""


def modify(quantity: str = "", price: str = "", number: int = 1, new: int = 2, strategy: str = "maker") -> ModifyOrder:
    return ModifyOrder(order_id(number), strategy, order_id(new), quantity, price, Stamps(7, 8))


def a_desk(*events: object, venue: VenueSettings = BINANCE) -> ManagerDesk:
    """Order 1 works: 2 at 100."""
    desk = ManagerDesk({"binance": venue})
    desk.receive(submit(), sent(), accepted(), *events)
    desk.clear()
    return desk


def replacement(quantity: str = "2", price: str = "101") -> OrderSpec:
    return msgspec.structs.replace(spec(2, quantity, price), replaces=ONE)


def intents(desk: ManagerDesk) -> list[ChangeIntended]:
    return [event for record in desk.ctx.journal if isinstance(event := decode(record).event, ChangeIntended)]


def the_same_after_replay(desk: ManagerDesk) -> bool:
    replayed = Ledger()
    for record in desk.ctx.journal:
        replayed.apply(decode(record))
    return replayed.digest() == desk.manager.ledger.digest()


def order(desk: ManagerDesk, number: int = 1) -> OrderSpec:
    known = desk.manager.ledger.order(order_id(number))
    assert known is not None
    return known.spec


def test_less_at_the_same_price_is_changed_where_it_is_and_journaled_first() -> None:
    desk = a_desk()
    written = desk.seen_when_telling(lambda: len(intents(desk)))
    desk.receive(modify("1.5"))
    assert written == [1]
    after = spec(1, "1.5")
    assert intents(desk) == [ChangeIntended(ONE, after)]
    check = CheckChange(spec(), after, "0", "v1", Stamps(7, 8, NOW), 1, NOW + S)
    assert desk.ctx.told == [("risk_checker", check)]
    assert desk.state() == "PENDING_UPDATE"
    desk.receive(OrderAmended("binance", ONE, "1.50000000", NOW, NOW))
    assert [(update.state, update.order, update.pending) for update in desk.updates()] == [
        (OrderState.ACCEPTED, after, None)
    ]
    assert the_same_after_replay(desk)


@pytest.mark.parametrize(
    ("quantity", "price", "after"),
    [("", "101", replacement()), ("3", "", replacement("3", "100")), ("1", "99", replacement("1", "99"))],
)
def test_anything_else_on_spot_is_another_order_in_its_place(quantity: str, price: str, after: OrderSpec) -> None:
    desk = a_desk()
    desk.receive(modify(quantity, price))
    assert intents(desk) == [ChangeIntended(ONE, after)]
    assert (desk.state(1), desk.state(2)) == ("PENDING_UPDATE", "PENDING")
    desk.receive(sent(2), canceled(), accepted(2))
    assert (desk.state(1), desk.state(2)) == ("CANCELED", "ACCEPTED")
    assert list(desk.manager.ledger.open) == [TWO]
    assert the_same_after_replay(desk)


def test_what_is_filled_already_is_not_ordered_again() -> None:
    desk = a_desk(fill("t1", "0.5"))
    desk.receive(modify(price="101"))
    [check] = desk.ctx.told_to("risk_checker")
    assert isinstance(check, CheckChange)
    assert (check.order.quantity, check.filled) == ("1.5", "0.5")


def test_a_venue_that_changes_price_and_quantity_in_place_keeps_the_order() -> None:
    desk = a_desk(fill("t1", "0.5"), venue=USDM)
    desk.receive(modify("3", "101"))
    assert intents(desk) == [ChangeIntended(ONE, spec(1, "3", "101"))]
    desk.receive(OrderAmended("binance", ONE, "3", NOW, NOW, "101.0"))
    assert (order(desk), desk.state()) == (spec(1, "3", "101"), "PARTIALLY_FILLED")
    desk.clear()
    desk.receive(OrderAmended("binance", ONE, "3.0", NOW, NOW, "101.00"))
    assert (order(desk), desk.updates()) == (spec(1, "3", "101"), []), "told by the answer and by the stream"
    desk.receive(OrderAmended("binance", ONE, "2.5", NOW, NOW, "101.00"))
    assert order(desk).quantity == "2.5", "somebody else has changed it"


@pytest.mark.parametrize(
    ("before", "asked", "reason"),
    [
        ([], modify("2"), "NO_CHANGE: it is so already"),
        ([], modify("2.0", "100.00"), "NO_CHANGE: it is so already"),
        ([], modify("0"), "INVALID_QUANTITY: '0'"),
        ([], modify("ten"), "INVALID_QUANTITY: 'ten'"),
        ([], modify(price="-1"), "INVALID_PRICE: '-1'"),
        ([fill("t1", "1")], modify("1"), "INVALID_QUANTITY: 1, 1 is filled already"),
        ([], modify(price="101", new=1), f"INVALID_ID: '{ONE}' is no new client order id"),
        ([CancelOrder(ONE, "maker")], modify("1"), "NOT_WORKING: PENDING_CANCEL"),
        ([OutcomeUnknown("binance", ONE, "x", NOW)], modify("1"), "NOT_WORKING: UNKNOWN"),
        ([canceled()], modify("1"), "NOT_WORKING: CANCELED"),
        ([modify("1.5")], modify("1"), "NOT_WORKING: PENDING_UPDATE"),
    ],
)
def test_what_cannot_be_changed_stays_as_it_is_and_the_strategy_hears_why(
    before: list[Any], asked: ModifyOrder, reason: str
) -> None:
    desk = a_desk(*before)
    desk.clear()
    state, journal = desk.manager.ledger.digest(), len(desk.ctx.journal)
    desk.receive(asked)
    assert [update.reason for update in desk.updates()] == [reason]
    assert (desk.manager.ledger.digest(), len(desk.ctx.journal), desk.ctx.told) == (state, journal, [])


def test_nobody_changes_the_order_of_another_strategy() -> None:
    desk = a_desk()
    desk.receive(modify("1", strategy="other"), modify("1", number=9))
    assert (desk.ctx.told, desk.ctx.published, desk.state()) == ([], [], "ACCEPTED")


def test_nothing_is_changed_while_the_journal_cannot_be_written() -> None:
    desk = a_desk()
    desk.ctx.journal_broken = "disk full"
    desk.receive(modify(price="101"))
    assert [update.reason for update in desk.updates()] == ["JOURNAL_UNAVAILABLE: disk full"]
    assert (desk.ctx.told, desk.state(), desk.manager.ledger.order(TWO)) == ([], "ACCEPTED", None)


@pytest.mark.parametrize("filled", [[], [fill("t1", "0.5")]])
def test_a_denied_change_leaves_the_order_and_says_why(filled: list[Any]) -> None:
    desk = a_desk(*filled)
    desk.receive(modify(price="101"), ChangeDenied(ONE, "MAX_POSITION: 4, limit 3", "risk_checker"))
    state = "PARTIALLY_FILLED" if filled else "ACCEPTED"
    assert (desk.state(1), desk.state(2)) == (state, "DENIED")
    assert [update.reason for update in desk.updates()] == ["MAX_POSITION: 4, limit 3"] * 2
    assert the_same_after_replay(desk)


def test_a_risk_checker_that_is_not_there_leaves_the_order() -> None:
    desk = a_desk()
    desk.receive(modify("1"))
    [check] = desk.ctx.told_to("risk_checker")
    desk.receive(Undelivered("risk_checker", check, "gone"))
    assert desk.state() == "ACCEPTED"
    assert desk.updates()[-1].reason == "RISK_CHECKER_UNAVAILABLE: gone"


def test_a_change_that_the_venue_refuses_is_followed_by_the_question_what_there_is() -> None:
    desk = a_desk()
    desk.receive(modify("1"), AmendRejected("binance", ONE, "-2038", "no", NOW))
    assert (desk.state(), desk.updates()[-1].reason) == ("UNKNOWN", "-2038: no")
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(reported(OrderState.ACCEPTED))
    assert (desk.state(), order(desk).quantity) == ("ACCEPTED", "2")


def test_a_replacement_that_fails_after_the_cancel_leaves_nothing() -> None:
    desk = a_desk()
    desk.receive(modify(price="101"), sent(2), canceled(), OrderRejected("binance", TWO, "-2010", "no funds", NOW))
    assert (desk.state(1), desk.state(2)) == ("CANCELED", "REJECTED")
    assert desk.manager.ledger.open == {}


def test_a_replacement_whose_cancel_fails_leaves_the_first_as_the_venue_has_it() -> None:
    desk = a_desk()
    desk.receive(modify(price="101"), sent(2), CancelRejected("binance", ONE, "-2011", "restricted", NOW))
    desk.receive(OrderRejected("binance", TWO, "NOT_ATTEMPTED", "", NOW))
    assert (desk.state(1), desk.state(2)) == ("UNKNOWN", "REJECTED")
    desk.receive(reported(OrderState.PARTIALLY_FILLED, "1"), fill("t1", "1"))
    assert desk.state(1) == "PARTIALLY_FILLED"
    assert desk.manager.ledger.positions["binance.BTCUSDT"].quantity == 1
    desk.receive(modify(price="101", new=3))
    assert desk.state(1) == "PENDING_UPDATE"


def test_fills_while_a_change_is_in_flight_count_once() -> None:
    desk = a_desk()
    desk.receive(modify("1.5"), fill("t1", "0.5"), fill("t1", "0.5"))
    assert desk.state() == "PENDING_UPDATE"
    desk.receive(OrderAmended("binance", ONE, "1.5", NOW, NOW), fill("t1", "0.5"), fill("t2", "1"))
    assert desk.state() == "FILLED"
    assert desk.manager.ledger.positions["binance.BTCUSDT"].quantity == Decimal("1.5")


def test_an_order_made_as_small_as_what_is_filled_of_it_is_done() -> None:
    desk = a_desk()
    desk.receive(modify("1"), fill("t1", "1"), OrderAmended("binance", ONE, "1", NOW, NOW))
    assert (desk.state(), desk.manager.ledger.open) == ("FILLED", {})


def test_a_replacement_of_which_less_is_left_is_that_much_smaller() -> None:
    desk = a_desk(fill("t1", "0.5"))
    desk.receive(modify(price="101"), sent(2), fill("t2", "0.5"), canceled("1"))
    desk.receive(OrderAmended("binance", TWO, "1.0", NOW, NOW), accepted(2))
    assert (desk.state(2), order(desk, 2).quantity) == ("ACCEPTED", "1.0")
    desk.receive(fill("t3", "1", number=2))
    assert desk.state(2) == "FILLED"
    assert desk.manager.ledger.positions["binance.BTCUSDT"].quantity == 2


def test_a_cancel_while_a_replacement_is_on_its_way_means_both() -> None:
    desk = a_desk()
    desk.receive(modify(price="101"), CancelOrder(ONE, "maker"))
    assert (desk.state(1), desk.state(2)) == ("PENDING_CANCEL", "PENDING_CANCEL")
    assert [one.client_order_id for one in desk.connector() if isinstance(one, CancelAtVenue)] == [ONE]
    desk.receive(sent(2))
    assert [one.client_order_id for one in desk.connector() if isinstance(one, CancelAtVenue)] == [ONE, TWO]
    desk.receive(canceled(), canceled(number=2))
    assert desk.manager.ledger.open == {}


def test_a_cancel_that_comes_after_the_replacement_means_the_replacement() -> None:
    desk = a_desk()
    desk.receive(modify(price="101"), sent(2), canceled(), accepted(2), CancelOrder(ONE, "maker"))
    assert desk.state(2) == "PENDING_CANCEL"


def test_a_cancel_while_an_amendment_is_on_its_way_ends_the_order() -> None:
    desk = a_desk()
    desk.receive(modify("1"), CancelOrder(ONE, "maker"), OrderAmended("binance", ONE, "1", NOW, NOW))
    assert desk.state() == "PENDING_CANCEL"
    desk.receive(canceled())
    assert desk.state() == "CANCELED"


@pytest.mark.parametrize(
    "lost",
    [
        lambda desk: desk.receive(OutcomeUnknown("binance", ONE, "TIMEOUT", NOW)),
        lambda desk: desk.receive(ActorDown("connector.binance", 1, "killed")),
        lambda desk: desk.life(),
    ],
    ids=["timeout", "connector dies", "manager dies"],
)
@pytest.mark.parametrize("happened", [True, False])
def test_a_change_that_nobody_knows_of_is_asked_of_the_venue(lost: Any, happened: bool) -> None:
    desk = a_desk(venue=USDM)
    desk.receive(modify("3", "101"))
    lost(desk)
    assert desk.state() == "UNKNOWN"
    report = msgspec.structs.replace(reported(OrderState.ACCEPTED), price="100")
    desk.receive(report)
    assert desk.state() == "UNKNOWN", "it may still arrive"
    if happened:
        desk.receive(msgspec.structs.replace(report, quantity="3.0", price="101.0"))
        assert (desk.state(), order(desk)) == ("ACCEPTED", spec(1, "3", "101"))
    else:
        for _ in range(100):
            desk.clear()
            desk.pass_time(400 * MS)
            if any(isinstance(one, QueryOrder) for one in desk.connector()):
                desk.receive(report)
        assert (desk.state(), order(desk)) == ("ACCEPTED", spec())
    assert the_same_after_replay(desk)


def test_a_new_life_asks_again_about_a_change_that_the_list_of_open_orders_does_not_show() -> None:
    desk = a_desk()
    desk.receive(modify("1.5"), ActorDown("connector.binance", 1, "killed"))
    desk.life()
    desk.receive(VenueUp("binance", "connector.binance", NOW))
    desk.clear()
    desk.receive(OpenOrdersReported("binance", [reported(OrderState.ACCEPTED)], NOW))
    assert desk.state() == "UNKNOWN"
    assert QueryOrder(ONE, "BTCUSDT") in desk.connector()


def test_a_replacement_is_as_small_as_the_venue_reports_it() -> None:
    desk = a_desk(fill("t1", "0.5"))
    desk.receive(modify(price="101"), sent(2), fill("t2", "0.5"), canceled("1"))
    desk.receive(OutcomeUnknown("binance", TWO, "LINK_DOWN", NOW))
    report = msgspec.structs.replace(reported(OrderState.ACCEPTED, number=2), quantity="1.0")
    desk.receive(report)
    assert (desk.state(2), order(desk, 2).quantity) == ("ACCEPTED", "1.0")
    desk.receive(msgspec.structs.replace(report, quantity="1.5"))
    assert order(desk, 2).quantity == "1.0", "it never becomes larger by what was said before"


def test_silence_about_a_change_is_not_an_answer() -> None:
    desk = a_desk()
    desk.receive(modify("1"))
    desk.pass_time(LATE)
    assert desk.state() == "UNKNOWN"
    assert QueryOrder(ONE, "BTCUSDT") in desk.connector()


def test_a_replacement_that_never_left_is_over_when_it_cannot_arrive_any_more() -> None:
    desk = a_desk()
    desk.receive(modify(price="101"))
    desk.life()
    desk.receive(VenueUp("binance", "connector.binance", NOW))
    assert (desk.state(1), desk.state(2)) == ("UNKNOWN", "UNKNOWN")
    for _ in range(60):
        desk.clear()
        desk.pass_time(400 * MS)
        for question in desk.connector():
            if isinstance(question, QueryOrder) and question.client_order_id == TWO:
                desk.receive(OrderNotFound("binance", TWO, NOW))
            elif isinstance(question, QueryOrder):
                desk.receive(reported(OrderState.ACCEPTED))
    assert (desk.state(1), desk.state(2)) == ("ACCEPTED", "DENIED")
    desk.receive(modify(price="101", new=3))
    assert desk.state(1) == "PENDING_UPDATE"


def test_an_order_that_has_not_left_is_not_changed() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), modify("1"))
    assert [type(message) for message in desk.ctx.told_to("risk_checker")] == [CheckOrder]
    assert desk.updates()[-1].reason == "NOT_WORKING: PENDING"
