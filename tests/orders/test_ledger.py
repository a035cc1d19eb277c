from decimal import Decimal

import msgspec

from actors.messages import CancelOrder, CancelRejected, OrderDenied, OrderRejected, OrderRouted, OutcomeUnknown
from actors.model.order import Side
from actors.model.order_state import OrderState
from actors.orders.ledger import Anomaly, Ledger, Outcome
from actors.orders.records import EpochBegan, Event, Record
from tests.orders.desk import (
    NOW,
    ONE,
    accepted,
    canceled,
    expired,
    fill,
    order_id,
    reported,
    sent,
    spec,
    submit,
)


def apply(ledger: Ledger, *events: Event) -> Outcome:
    outcome = Outcome()
    for event in events:
        outcome = ledger.apply(Record(NOW, 1, event))
    return outcome


def state(ledger: Ledger, number: int = 1) -> str:
    order = ledger.order(order_id(number))
    assert order is not None
    return order.state.value


def test_two_fills_complete_an_order_and_make_the_position() -> None:
    ledger = Ledger()
    apply(ledger, submit(), sent(), accepted(), fill("t1", "0.5", "99"), fill("t2", "1.5", "100"))
    order = ledger.order(ONE)
    assert order is not None
    assert (order.state, order.filled, order.average_price) == (OrderState.FILLED, Decimal("2.0"), Decimal("99.75"))
    position = ledger.positions["binance.BTCUSDT"]
    assert (position.quantity, position.average_price, position.fees) == (
        Decimal("2.0"),
        Decimal("99.75"),
        {"USDT": Decimal("0.2")},
    )
    assert ledger.strategy_positions["maker"]["binance.BTCUSDT"] == position
    assert ledger.open == {}
    assert ledger.fills == 2


def test_a_fill_told_again_counts_once() -> None:
    ledger = Ledger()
    apply(ledger, submit(), sent(), accepted(), fill("t1"))
    outcome = apply(ledger, fill("t1"))
    assert (outcome.news, outcome.fill, outcome.anomalies) == (False, None, [Anomaly.DUPLICATE_FILL])
    assert ledger.positions["binance.BTCUSDT"].quantity == 1


def test_both_sides_of_a_trade_with_oneself_count() -> None:
    ledger = Ledger()
    apply(ledger, submit(1), submit(2, side=Side.SELL), fill("t1"), fill("t1", number=2, side=Side.SELL))
    assert ledger.fills == 2
    assert ledger.positions["binance.BTCUSDT"].quantity == 0


def test_a_fill_without_our_id_is_found_by_the_venues() -> None:
    ledger = Ledger()
    outcome = apply(ledger, submit(), accepted(), fill("t1", named=False))
    assert outcome.fill is not None
    assert outcome.fill.client_order_id == ONE
    assert apply(ledger, fill("t1")).anomalies == [Anomaly.DUPLICATE_FILL]


def test_a_fill_that_another_venue_of_the_same_account_tells_counts_where_the_order_is() -> None:
    ledger = Ledger()
    elsewhere = msgspec.structs.replace(fill("t1"), venue="beside")
    outcome = apply(ledger, submit(), sent(), accepted(), elsewhere)
    assert outcome.fill == fill("t1")
    assert list(ledger.positions) == ["binance.BTCUSDT"]
    assert apply(ledger, fill("t1")).anomalies == [Anomaly.DUPLICATE_FILL]


def test_a_fill_of_nobodys_order_is_reported_and_moves_no_position() -> None:
    ledger = Ledger()
    assert apply(ledger, fill("t1")).anomalies == [Anomaly.FOREIGN]
    assert ledger.positions == {}


def test_a_late_fill_counts_and_the_order_stays_canceled() -> None:
    ledger = Ledger()
    outcome = apply(ledger, submit(), accepted(), canceled("0"), fill("t1"))
    assert outcome.anomalies == [Anomaly.LATE_FILL]
    assert state(ledger) == "CANCELED"
    assert ledger.positions["binance.BTCUSDT"].quantity == 1


def test_a_fill_beyond_the_order_counts_and_is_reported() -> None:
    ledger = Ledger()
    outcome = apply(ledger, submit(), accepted(), fill("t1", "1.5"), fill("t2", "1"))
    assert outcome.anomalies == [Anomaly.OVERFILL]
    assert state(ledger) == "FILLED"
    assert ledger.positions["binance.BTCUSDT"].quantity == Decimal("2.5")
    assert apply(ledger, fill("t3", "1")).anomalies == [Anomaly.LATE_FILL, Anomaly.OVERFILL]


def test_an_order_is_not_over_before_the_fills_that_the_venue_told_of_are_here() -> None:
    ledger = Ledger()
    apply(ledger, submit(), accepted(), canceled("1.5"), fill("t1", "1"))
    assert state(ledger) == "UNKNOWN"
    apply(ledger, fill("t2", "0.5"))
    assert state(ledger) == "CANCELED"
    assert ledger.open == {}


def test_a_report_of_a_filled_order_waits_for_its_fills() -> None:
    ledger = Ledger()
    apply(ledger, submit(), sent(), reported(OrderState.FILLED, "2"))
    assert state(ledger) == "UNKNOWN"
    apply(ledger, fill("t1", "2"))
    assert state(ledger) == "FILLED"


def test_a_report_that_was_asked_for_before_the_end_changes_nothing() -> None:
    ledger = Ledger()
    outcome = apply(ledger, submit(), accepted(), canceled(), reported(OrderState.ACCEPTED))
    assert outcome.news is False
    assert state(ledger) == "CANCELED"


def test_an_expiry_with_its_fills_ends_the_order() -> None:
    ledger = Ledger()
    apply(ledger, submit(), sent(), fill("t1", "0.5"), expired("0.5"))
    assert state(ledger) == "EXPIRED"


def test_a_denial_of_what_the_venue_has_is_illegal_and_changes_nothing() -> None:
    ledger = Ledger()
    apply(ledger, submit(), accepted(), OutcomeUnknown("binance", ONE, "timeout", NOW))
    before = ledger.digest()
    outcome = apply(ledger, OrderDenied(ONE, "LATE", "connector.binance"))
    assert (outcome.news, outcome.anomalies) == (False, [Anomaly.ILLEGAL])
    assert ledger.digest() == before


def test_an_order_that_was_refused_and_is_there_all_the_same_is_asked_about() -> None:
    ledger = Ledger()
    outcome = apply(ledger, submit(), OrderRejected("binance", ONE, "-1", "no", NOW), accepted())
    assert outcome.anomalies == [Anomaly.RESURRECTED]
    assert state(ledger) == "UNKNOWN"
    assert list(ledger.open) == [ONE]


def test_a_cancel_that_the_venue_refuses_leaves_the_order_unknown() -> None:
    ledger = Ledger()
    apply(ledger, submit(), accepted(), CancelOrder(ONE, "maker"))
    assert state(ledger) == "PENDING_CANCEL"
    apply(ledger, CancelRejected("binance", ONE, "-2011", "unknown order", NOW))
    assert state(ledger) == "UNKNOWN"


def test_the_routers_choice_becomes_the_orders_venue() -> None:
    ledger = Ledger()
    open_venue = submit()
    apply(ledger, type(open_venue)(spec(venue=""), open_venue.stamps))
    apply(ledger, OrderRouted(ONE, "binance", "connector.binance", ["binance: chosen"], NOW))
    assert ledger.open[ONE].spec.venue == "binance"


def test_a_restart_makes_every_open_order_unknown_and_leaves_the_others() -> None:
    ledger = Ledger()
    apply(ledger, submit(1), submit(2), submit(3), accepted(2), accepted(3), canceled(number=3))
    apply(ledger, EpochBegan())
    assert [state(ledger, number) for number in (1, 2, 3)] == ["UNKNOWN", "UNKNOWN", "CANCELED"]


def test_an_id_is_used_once_even_after_its_order_has_left_memory() -> None:
    ledger = Ledger(keep=2, keep_ids=2)
    for number in (1, 2, 3, 4, 5, 6):
        apply(ledger, submit(number), OrderDenied(order_id(number), "NO", "risk_checker"))
    assert [number for number in range(1, 7) if ledger.order(order_id(number))] == [5, 6]
    assert [number for number in range(1, 7) if ledger.knows(order_id(number))] == [3, 4, 5, 6]
    assert apply(ledger, submit(4)).anomalies == [Anomaly.DUPLICATE_ORDER]
    assert ledger.counts[OrderState.DENIED] == 6


def test_a_short_position_earns_when_it_is_bought_back_lower() -> None:
    ledger = Ledger()
    apply(ledger, submit(1, "3", side=Side.SELL), submit(2, "5"))
    apply(ledger, fill("t1", "1", "100", side=Side.SELL), fill("t2", "2", "106", side=Side.SELL))
    apply(ledger, fill("t3", "4", "90", number=2))
    position = ledger.positions["binance.BTCUSDT"]
    assert (position.quantity, position.average_price, position.realized_pnl) == (Decimal(1), Decimal(90), Decimal(42))


def test_a_fill_of_another_symbol_or_side_than_its_order_does_not_count() -> None:
    ledger = Ledger()
    apply(ledger, submit(), accepted())
    other = msgspec.structs.replace(fill("t1", "1"), symbol="NOSUCHCOIN")
    assert apply(ledger, other).anomalies == [Anomaly.ILLEGAL]
    assert apply(ledger, fill("t1", "1", side=Side.SELL)).anomalies == [Anomaly.ILLEGAL]
    assert (ledger.fills, ledger.positions) == (0, {})
    assert apply(ledger, fill("t1", "1")).anomalies == []
    assert ledger.fills == 1
