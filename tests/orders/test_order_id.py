import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.order_id import child_id, fingerprint, is_order_id, order_id, parts

NAMES = st.text(min_size=1, max_size=20)
WORD = st.integers(0, 2**16 - 1)


def test_an_id_shows_who_made_it_when() -> None:
    made = order_id(3, "order_manager", "maker", 1_700_000_000_123_000_000, 7)
    assert made == f"0003{fingerprint('order_manager'):04x}{fingerprint('maker'):04x}018bcfe5687b00000007"
    found = parts(made)
    assert (found.epoch, found.time_ms, found.sequence) == (3, 1_700_000_000_123, 7)
    assert found.strategy == fingerprint("maker")


@given(WORD, NAMES, NAMES, st.integers(0, 2**62), st.integers(0, 2**31 - 1))
def test_an_id_is_legal_on_every_venue_and_a_function_of_its_inputs(
    epoch: int, actor: str, strategy: str, now: int, sequence: int
) -> None:
    made = order_id(epoch, actor, strategy, now, sequence)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert made == order_id(epoch, actor, strategy, now, sequence)
    found = parts(made)
    assert (found.epoch, found.time_ms, found.sequence) == (epoch, now // 1_000_000, sequence)


@given(st.lists(st.integers(0, 2**21 - 1), unique=True, min_size=1, max_size=20), st.integers(1, 1024))
def test_children_differ_from_each_other_and_from_every_order(sequences: list[int], slices: int) -> None:
    parents = [order_id(1, "a", "s", 10**18, sequence) for sequence in sequences]
    made = parents + [child_id(parent, index) for parent in parents for index in range(0, slices, 97)]
    assert len(set(made)) == len(made)
    assert all(is_order_id(one) for one in made)


def test_a_child_keeps_its_parents_maker_and_time() -> None:
    parent = order_id(1, "a", "s", 10**18, 5)
    assert child_id(parent, 2) == parent[:24] + "80001402"


@pytest.mark.parametrize(
    ("parent", "index"), [("0" * 31, 0), ("X" * 32, 0), ("0" * 32, -1), ("0" * 32, 1024), ("0" * 24 + "80000000", 0)]
)
def test_no_child_of_a_wrong_parent_or_index(parent: str, index: int) -> None:
    with pytest.raises(ValueError, match=r"order"):
        child_id(parent, index)
