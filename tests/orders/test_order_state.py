from hypothesis import given
from hypothesis import strategies as st

from actors.model.order_state import FINAL, TRANSITIONS, OrderEvent, OrderState, mermaid

S, E = OrderState, OrderEvent
EVENTS = st.lists(st.sampled_from(OrderEvent), max_size=30)


def run(events: list[OrderEvent], state: OrderState = S.PENDING) -> OrderState:
    for event in events:
        state = TRANSITIONS.get((state, event), state)
    return state


def test_the_plain_way_of_an_order_ends_filled() -> None:
    assert run([E.SENT, E.ACCEPTED, E.PARTIAL_FILL, E.LAST_FILL]) is S.FILLED


def test_a_fill_that_is_told_before_the_acceptance_counts() -> None:
    assert run([E.SENT, E.PARTIAL_FILL, E.WORKING, E.LAST_FILL]) is S.FILLED
    assert run([E.LAST_FILL, E.SENT, E.ACCEPTED]) is S.FILLED


def test_a_late_fill_leaves_a_canceled_order_canceled_unless_nothing_is_left() -> None:
    assert TRANSITIONS[S.CANCELED, E.PARTIAL_FILL] is S.CANCELED
    assert TRANSITIONS[S.CANCELED, E.LAST_FILL] is S.FILLED
    assert TRANSITIONS[S.EXPIRED, E.PARTIAL_FILL] is S.EXPIRED


def test_silence_makes_unknown_and_a_fill_that_is_not_the_last_does_not_end_that() -> None:
    assert run([E.SENT, E.LOST, E.PARTIAL_FILL]) is S.UNKNOWN
    assert run([E.SENT, E.LOST, E.WORKING]) is S.PARTIALLY_FILLED


def test_what_the_venue_has_is_never_taken_for_unsent() -> None:
    assert (S.ACCEPTED, E.DENIED) not in TRANSITIONS
    assert TRANSITIONS[S.DENIED, E.ACCEPTED] is S.UNKNOWN
    assert TRANSITIONS[S.REJECTED, E.PARTIAL_FILL] is S.UNKNOWN


def test_every_state_has_an_answer_to_every_fill() -> None:
    legal = {state for state, event in TRANSITIONS if event is E.LAST_FILL}
    assert legal == set(OrderState)


def test_a_canceled_filled_or_expired_order_never_becomes_open_again() -> None:
    done = {S.FILLED, S.CANCELED, S.EXPIRED}
    assert all(after in FINAL for (before, _), after in TRANSITIONS.items() if before in done)


def test_every_open_state_can_become_unknown_and_unknown_can_become_everything_final() -> None:
    assert all(TRANSITIONS[state, E.LOST] is S.UNKNOWN for state in OrderState if state not in FINAL)
    assert {after for (before, _), after in TRANSITIONS.items() if before is S.UNKNOWN} >= FINAL


def test_an_order_that_is_being_changed_can_still_be_filled_cancelled_and_ended() -> None:
    pending = [E.SENT, E.ACCEPTED, E.UPDATE_REQUESTED]
    assert run(pending) is run([*pending, E.PARTIAL_FILL, E.WORKING, E.ACCEPTED]) is S.PENDING_UPDATE
    assert run([*pending, E.LAST_FILL]) is S.FILLED
    assert run([*pending, E.CANCEL_REQUESTED]) is S.PENDING_CANCEL
    assert run([*pending, E.CANCELED]) is S.CANCELED
    assert run([*pending, E.EXPIRED]) is S.EXPIRED


def test_only_a_change_that_has_not_left_is_known_to_have_changed_nothing() -> None:
    pending = [E.SENT, E.ACCEPTED, E.UPDATE_REQUESTED]
    assert run([*pending, E.UPDATE_DENIED]) is run([*pending, E.UPDATED]) is S.ACCEPTED
    assert run([*pending, E.UPDATE_REJECTED]) is run([*pending, E.LOST]) is S.UNKNOWN
    assert run([*pending, E.LOST, E.UPDATED]) is S.UNKNOWN


def test_only_an_order_that_works_can_be_changed() -> None:
    assert {state for state, event in TRANSITIONS if event is E.UPDATE_REQUESTED} == {S.ACCEPTED, S.PARTIALLY_FILLED}


@given(EVENTS)
def test_told_twice_in_a_row_is_told_once(events: list[OrderEvent]) -> None:
    state = run(events)
    for event in OrderEvent:
        once = run([event], state)
        if event is not E.LOST and state not in FINAL:
            assert run([event], once) is once or once is S.UNKNOWN


def test_the_diagram_has_one_line_for_each_change() -> None:
    lines = mermaid().splitlines()
    assert lines[:4] == [
        "stateDiagram-v2",
        "    [*] --> PENDING",
        "    PENDING --> SENT: sent",
        "    PENDING --> DENIED: denied",
    ]
    assert lines[-1] == "    DENIED --> [*]"
    assert len(lines) == 2 + len([1 for (before, _), after in TRANSITIONS.items() if before is not after]) + 5
