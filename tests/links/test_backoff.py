"""Backoff: exponential, capped, with full jitter."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import Backoff

BACKOFF = Backoff(min_ns=100, max_ns=10_000)


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    assert [BACKOFF.ceiling(attempt) for attempt in range(9)] == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]


def test_a_seed_gives_the_same_delays_again() -> None:
    random = Random(7)
    assert [BACKOFF.delay(attempt, random) for attempt in range(6)] == [41, 38, 202, 666, 98, 296]


@given(attempt=st.integers(0, 10_000), seed=st.integers())
def test_every_delay_lies_between_zero_and_the_ceiling(attempt: int, seed: int) -> None:
    assert 0 <= BACKOFF.delay(attempt, Random(seed)) <= min(10_000, 100 * 2**attempt)


def test_delays_are_spread_over_the_whole_range() -> None:
    random = Random(1)
    delays = [BACKOFF.delay(20, random) for _ in range(1000)]
    assert min(delays) < 100
    assert max(delays) > 9_900
    assert 4_500 < sum(delays) / len(delays) < 5_500


@pytest.mark.parametrize(("min_ns", "max_ns"), [(0, 1), (-1, 1), (2, 1)])
def test_senseless_limits_are_refused(min_ns: int, max_ns: int) -> None:
    with pytest.raises(ValueError, match="backoff wants"):
        Backoff(min_ns, max_ns)
