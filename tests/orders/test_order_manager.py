import msgspec
import pytest

from actors.messages import (
    CancelAtVenue,
    CancelOrder,
    CancelRejected,
    CheckOrder,
    DeskSnapshot,
    FillRecorded,
    FillsReported,
    OpenOrdersReported,
    OrderDenied,
    OrderNotFound,
    OrderRouted,
    OutcomeUnknown,
    QueryAccount,
    QueryFailed,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    SubmitOrder,
    VenueUp,
)
from actors.model.order import Stamps
from actors.model.order_state import OrderState
from actors.orders.records import decode
from runtime.actor import ActorDown, ActorUp, Subscribed, Undelivered
from runtime.address import Address, StreamKind
from tests.orders.desk import (
    BINANCE,
    MS,
    NOW,
    ONE,
    ManagerDesk,
    S,
    accepted,
    account,
    canceled,
    fill,
    order_id,
    reported,
    sent,
    spec,
    submit,
)

CONNECTOR_UP = ActorUp(Address("connector.binance", 2, StreamKind.UNIX, "/run/x.sock"))


def test_the_intent_is_in_the_journal_before_the_risk_checker_hears_of_it() -> None:
    desk = ManagerDesk()
    seen = desk.seen_when_telling(lambda: len(desk.ctx.journal))
    desk.receive(submit())
    assert seen == [2]  # the epoch, then the intent
    assert decode(desk.ctx.journal[1]).event == submit()
    assert desk.ctx.told == [
        ("risk_checker", CheckOrder(spec(), Stamps(market_recv=5, submitted=6, journaled=NOW), 1, NOW + S))
    ]
    assert desk.ctx.published == []  # nothing in the way of the order: that it is PENDING its strategy knows


def test_an_order_submitted_twice_is_one_order() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), submit())
    assert len(desk.ctx.told_to("risk_checker")) == 1
    assert desk.states() == ["PENDING"]  # to the second, as an answer
    desk.life()
    desk.receive(submit())
    assert desk.ctx.told_to("risk_checker") == []


def test_without_a_journal_new_orders_are_denied_and_cancels_still_go() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), sent(1), accepted(1))
    desk.clear()
    desk.ctx.journal_broken = "disk full"
    desk.receive(submit(2), CancelOrder(ONE, "maker"))
    assert desk.updates()[0].reason == "JOURNAL_UNAVAILABLE: disk full"
    assert desk.states() == ["DENIED", "PENDING_CANCEL"]
    assert [type(message) for message in desk.connector()] == [CancelAtVenue]
    assert desk.ctx.told_to("risk_checker") == []
    desk.ctx.journal_broken = ""
    desk.receive(canceled())
    assert [type(decode(record).event).__name__ for record in desk.ctx.journal][-2:] == ["CancelOrder", "OrderCanceled"]


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (msgspec.structs.replace(spec(), client_order_id="X"), "INVALID_ID: not 32 lowercase hex characters"),
        (spec(quantity="NaN"), "INVALID_QUANTITY: 'NaN'"),
        (spec(quantity="-1"), "INVALID_QUANTITY: '-1'"),
        (spec(price="abc"), "INVALID_PRICE: 'abc'"),
        (spec(venue="nowhere"), "UNKNOWN_VENUE: no account at 'nowhere'"),
    ],
)
def test_what_is_no_order_is_refused(order: object, reason: str) -> None:
    desk = ManagerDesk()
    desk.receive(SubmitOrder(order, Stamps()))  # type: ignore[arg-type]
    assert [(update.state.value, update.reason) for update in desk.updates()] == [("DENIED", reason)]
    assert len(desk.ctx.journal) == 1


def test_the_strategy_hears_of_every_change_and_each_fill_once() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), fill("t1"), fill("t1"), fill("t2"))
    assert desk.states() == ["SENT", "ACCEPTED", "PARTIALLY_FILLED", "FILLED"]
    fills = [(topic, event.fill.trade_id) for topic, event in desk.ctx.published if isinstance(event, FillRecorded)]
    assert fills == [("fills.maker", "t1"), ("fills.maker", "t2")]
    last = desk.updates()[-1]
    assert (last.filled_quantity, last.average_price, last.venue_order_id) == ("2", "100", "v1")


def test_an_order_that_could_not_reach_the_risk_checker_is_denied() -> None:
    desk = ManagerDesk()
    desk.receive(submit())
    check = desk.ctx.told_to("risk_checker")[0]
    desk.receive(Undelivered("risk_checker", check, "nobody there"))
    assert desk.updates()[-1].reason == "RISK_CHECKER_UNAVAILABLE: nobody there"
    assert desk.state() == "DENIED"


def test_silence_until_the_deadline_is_asked_about_and_not_found_counts_only_when_it_cannot_arrive_any_more() -> None:
    desk = ManagerDesk()
    desk.receive(submit())
    desk.pass_time(1200 * MS)
    assert desk.state() == "PENDING"
    desk.pass_time(100 * MS)
    assert desk.state() == "UNKNOWN"
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "UNKNOWN"
    desk.clear()
    desk.pass_time(1600 * MS)  # deadline 1 s, recvWindow 1 s, clocks 1 s apart
    assert desk.connector() == []
    desk.pass_time(200 * MS)
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "DENIED"
    assert desk.updates()[-1].reason == "EXPIRED_UNSENT: it has not arrived and cannot arrive any more"


def test_an_order_whose_cancel_waits_and_that_was_asked_about_too_early_is_asked_about_again() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), CancelOrder(ONE, "maker"), OpenOrdersReported("binance", [], NOW))
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(OrderNotFound("binance", ONE, NOW))
    desk.clear()
    desk.pass_time(3200 * MS)
    assert desk.state() == "UNKNOWN"
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "DENIED"


def test_an_unknown_order_is_asked_about_with_backoff_until_the_venue_answers() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), OutcomeUnknown("binance", ONE, "TIMEOUT", NOW))
    desk.pass_time(30 * S)
    questions = len(desk.connector())
    assert 8 <= questions <= 14
    desk.receive(reported(OrderState.PARTIALLY_FILLED, "1"))
    assert desk.connector()[questions:] == [QueryFills("BTCUSDT", "v1", NOW - S), QueryOrder(ONE, "BTCUSDT")]
    desk.receive(FillsReported("binance", "BTCUSDT", [fill("t1", named=False)], NOW))
    assert desk.state() == "PARTIALLY_FILLED"
    desk.clear()
    desk.pass_time(30 * S)
    assert desk.connector() == []


def test_what_the_venue_had_and_does_not_know_any_more_stays_unknown() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), OutcomeUnknown("binance", ONE, "TIMEOUT", NOW))
    desk.pass_time(20 * S)
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "UNKNOWN"
    assert desk.manager.report().counters["missing_at_venue"] == 1


def test_an_order_whose_venue_was_never_told_is_asked_for_everywhere() -> None:
    desk = ManagerDesk({"binance": BINANCE, "other": BINANCE})
    desk.receive(SubmitOrder(spec(venue=""), Stamps()))
    desk.pass_time(5 * S)
    assert QueryOrder(ONE, "BTCUSDT") in desk.ctx.told_to("connector.other")
    desk.receive(OrderNotFound("other", ONE, NOW))
    assert desk.state() == "UNKNOWN"
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "UNKNOWN"  # the questions that were answered had been asked too early
    desk.clear()
    desk.pass_time(5 * S)
    desk.receive(OrderNotFound("other", ONE, NOW))
    assert desk.state() == "UNKNOWN"
    desk.receive(OrderNotFound("binance", ONE, NOW))
    assert desk.state() == "DENIED"


def test_a_cancel_does_not_overtake_its_order() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), CancelOrder(ONE, "maker"))
    assert desk.connector() == []
    assert desk.state() == "PENDING_CANCEL"
    desk.receive(sent())
    assert desk.connector() == [CancelAtVenue(ONE, "", "BTCUSDT", 1, NOW + S)]
    desk.receive(accepted(), canceled())
    assert desk.state() == "CANCELED"
    assert len(desk.connector()) == 1


def test_a_cancel_of_an_order_that_is_denied_before_it_left_is_over() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), CancelOrder(ONE, "maker"), OrderDenied(ONE, "MAX_POSITION: 3, limit 2", "risk_checker"))
    assert desk.state() == "DENIED"
    desk.pass_time(10 * S)
    assert desk.connector() == []


def test_a_cancel_that_did_not_reach_the_connector_goes_when_it_is_back() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), CancelOrder(ONE, "maker"))
    command = desk.connector()[-1]
    desk.receive(Undelivered("connector.binance", command, "nobody there"))
    desk.clear()
    desk.receive(CONNECTOR_UP)
    assert CancelAtVenue(ONE, "v1", "BTCUSDT", 1, NOW + S) in desk.connector()


def test_a_refused_cancel_is_asked_about_and_sent_again_while_the_order_works() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), CancelOrder(ONE, "maker"))
    desk.clear()
    desk.receive(CancelRejected("binance", ONE, "-1003", "too many requests", NOW))
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT")]
    desk.receive(reported(OrderState.ACCEPTED))
    assert [type(message) for message in desk.connector()] == [QueryOrder, CancelAtVenue]
    desk.receive(CancelRejected("binance", ONE, "-1003", "too many requests", NOW))
    assert len(desk.connector()) == 2  # not at the pace of the venue's refusals
    assert desk.state() == "UNKNOWN"


def test_a_strategy_cancels_its_own_orders_only() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), CancelOrder(ONE, "somebody else"), CancelOrder(order_id(9), "maker"))
    assert desk.state() == "ACCEPTED"
    assert desk.manager.report().counters["cancels_refused"] == 2


def test_a_new_life_asks_about_every_open_order_and_has_a_higher_epoch() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), sent(1), accepted(1), fill("t1"), submit(2), submit(3), OrderDenied(order_id(3), "NO", "x"))
    desk.life()
    assert [desk.state(number) for number in (1, 2, 3)] == ["UNKNOWN", "UNKNOWN", "DENIED"]
    assert desk.connector() == [QueryOrder(ONE, "BTCUSDT"), QueryOrder(order_id(2), "BTCUSDT")]
    assert desk.manager.epoch == 2
    desk.receive(fill("t1"))
    assert desk.manager.report().state["fills"] == 1
    assert desk.manager.report().state["positions"] == {"binance.BTCUSDT": "1"}
    desk.life()
    assert desk.manager.epoch == 3


def test_every_venue_up_begins_a_reconciliation() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), sent(1), accepted(1), submit(2), sent(2), accepted(2))
    desk.clear()
    desk.receive(VenueUp("binance", "connector.binance", NOW))
    assert desk.connector() == [QueryOpenOrders(epoch=1), QueryAccount()]
    desk.receive(OpenOrdersReported("binance", [reported(OrderState.PARTIALLY_FILLED, "0.5")], NOW))
    assert desk.connector()[2:] == [
        QueryFills("BTCUSDT", "v1", NOW - S),
        QueryOrder(ONE, "BTCUSDT"),
        QueryOrder(order_id(2), "BTCUSDT"),
    ]


def test_an_order_on_its_way_is_not_missed_in_the_list_of_open_orders() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), OpenOrdersReported("binance", [], NOW))
    assert desk.state() == "SENT"
    assert desk.connector() == []


def test_foreign_orders_are_counted_and_left_alone() -> None:
    desk = ManagerDesk()
    foreign = msgspec.structs.replace(reported(OrderState.ACCEPTED), client_order_id="by-hand")
    desk.receive(OpenOrdersReported("binance", [foreign], NOW))
    assert desk.manager.report().state["venues"]["binance"]["foreign_orders"] == 1
    assert desk.connector() == []
    assert desk.ctx.told_to("risk_checker") == [OpenOrdersReported("binance", [foreign], NOW)]


def test_reconciling_is_tried_again_and_repeated() -> None:
    desk = ManagerDesk()
    desk.receive(VenueUp("binance", "connector.binance", NOW))
    desk.clear()
    desk.receive(QueryFailed("binance", "QueryOpenOrders", "", "timeout"))
    desk.pass_time(1 * S)
    assert desk.connector() == [QueryOpenOrders(epoch=1), QueryAccount()]
    desk.pass_time(60 * S)
    assert len(desk.connector()) == 4


def test_the_death_of_a_connector_makes_what_it_had_in_hand_unknown() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), sent(1), submit(2), sent(2), accepted(2), submit(3))
    desk.receive(ActorDown("connector.binance", 1, "killed"))
    assert [desk.state(number) for number in (1, 2, 3)] == ["UNKNOWN", "ACCEPTED", "PENDING"]


def test_a_denial_after_the_order_left_is_not_believed() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), OrderDenied(ONE, "LATE: deadline passed", "connector.binance"))
    assert desk.state() == "UNKNOWN"


def test_a_strategy_begins_with_its_own_orders_and_positions() -> None:
    desk = ManagerDesk()
    theirs = SubmitOrder(spec(2, strategy="other"), Stamps())
    desk.receive(submit(1), accepted(1), fill("t1"), theirs, accepted(2), fill("t2", number=2))
    desk.receive(Subscribed("strategy.maker", ["orders.maker", "fills.maker"]))
    [snapshot] = desk.ctx.told_to("strategy.maker")
    assert isinstance(snapshot, DeskSnapshot)
    assert [update.order.client_order_id for update in snapshot.orders] == [ONE]
    assert snapshot.positions == {"binance.BTCUSDT": "1"}
    assert snapshot.recovering is False


def test_who_follows_the_whole_desk_begins_with_everything_and_the_balances() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), account(USDT="5"), Subscribed("risk_checker", ["orders.*", "fills.*"]))
    snapshot, balances = desk.ctx.told_to("risk_checker")[-2:]
    assert isinstance(snapshot, DeskSnapshot)
    assert len(snapshot.orders) == 1
    assert balances == account(USDT="5")


def test_when_everything_is_reconciled_the_desk_is_told_again() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted())
    desk.life()
    desk.receive(Subscribed("risk_checker", ["orders.*"]), OpenOrdersReported("binance", [], NOW))
    assert [m.recovering for m in desk.ctx.told_to("risk_checker") if isinstance(m, DeskSnapshot)] == [True]
    desk.receive(reported(OrderState.CANCELED))
    assert [m.recovering for m in desk.ctx.told_to("risk_checker") if isinstance(m, DeskSnapshot)] == [True, False]


def test_the_routing_decision_is_in_the_journal() -> None:
    desk = ManagerDesk()
    routed = OrderRouted(ONE, "binance", "connector.binance", ["binance: chosen"], NOW)
    desk.receive(submit(), routed)
    assert decode(desk.ctx.journal[-1]).event == routed


def test_what_changes_nothing_is_not_journaled() -> None:
    desk = ManagerDesk()
    desk.receive(submit(), sent(), accepted(), fill("t1"))
    before = len(desk.ctx.journal)
    desk.receive(fill("t1"), accepted(), reported(OrderState.PARTIALLY_FILLED, "1"), fill("t9", number=7))
    assert len(desk.ctx.journal) == before
    assert desk.manager.report().counters["duplicate_fill"] == 1
    assert desk.manager.report().counters["foreign"] == 1


def test_the_report_counts_orders_by_state_over_all_lives_and_is_plain_data() -> None:
    desk = ManagerDesk()
    desk.receive(submit(1), sent(1), accepted(1), fill("t1"), submit(2), OrderDenied(order_id(2), "NO: 1", "x"))
    desk.life()
    state = desk.manager.report().state
    assert {name: count for name, count in state["orders"].items() if count} == {"UNKNOWN": 1, "DENIED": 1}
    assert state["fills"] == 1
    assert state["open_orders"] == [
        {
            "client_order_id": ONE,
            "strategy": "maker",
            "venue": "binance",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "2",
            "price": "100",
            "filled": "1",
            "state": "UNKNOWN",
            "reason": "RESTARTED: not yet asked",
            "venue_order_id": "v1",
        }
    ]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state)) == state
