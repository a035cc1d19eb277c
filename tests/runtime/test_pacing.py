"""The token bucket: never more than the limit in any span of time, and who goes first when little is left."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.pacing import TokenBucket

S = 1_000_000_000
NOW = 1_700_000_040 * S
"""A full minute."""


def test_what_was_taken_comes_back_a_whole_window_later() -> None:
    bucket = TokenBucket(10, 64 * S)
    assert bucket.take(6, 0, NOW) == 0
    assert bucket.take(4, 0, NOW + 10 * S) == 0
    assert bucket.take(1, 0, NOW + 20 * S) == 44 * S
    assert bucket.take(7, 0, NOW + 20 * S) == 54 * S
    assert bucket.take(6, 0, NOW + 64 * S) == 0
    assert bucket.used(NOW + 64 * S) == 10


def test_an_aligned_window_ends_when_that_of_the_counterpart_does() -> None:
    bucket = TokenBucket(10, 60 * S, aligned=True)
    margin = 60 * S // 64
    assert bucket.take(10, 0, NOW + 59 * S - margin) == 0
    assert bucket.delay(1, 0, NOW + 59 * S) == S + margin
    assert bucket.take(10, 0, NOW + 60 * S + margin) == 0


def test_what_is_taken_just_before_the_end_of_an_aligned_window_may_be_counted_in_the_next() -> None:
    bucket = TokenBucket(10, 60 * S, aligned=True)
    margin = 60 * S // 64
    assert bucket.take(10, 0, NOW + 60 * S - 1) == 0
    assert bucket.used(NOW + 60 * S + margin) == 10
    assert bucket.used(NOW + 120 * S + margin) == 0


def test_each_lane_leaves_a_reserve_to_those_before_it() -> None:
    bucket = TokenBucket(100, 60 * S, (1.0, 0.9, 0.5))
    assert bucket.take(50, 2, NOW) == 0
    assert bucket.take(1, 2, NOW) > 0
    assert bucket.take(40, 1, NOW) == 0
    assert bucket.take(1, 1, NOW) > 0
    assert bucket.take(10, 0, NOW) == 0
    assert bucket.take(1, 0, NOW) > 0


def test_what_others_took_is_learned_and_what_is_known_is_not_taken_twice() -> None:
    bucket = TokenBucket(100, 60 * S)
    bucket.take(30, 0, NOW)
    bucket.learn(20, NOW)
    assert bucket.used(NOW) == 30
    bucket.learn(95, NOW)
    assert bucket.take(6, 0, NOW) > 0
    assert bucket.take(5, 0, NOW) == 0


def test_given_back_tokens_can_be_taken_again() -> None:
    bucket = TokenBucket(5, 64 * S)
    bucket.take(3, 0, NOW)
    bucket.take(2, 0, NOW + 10 * S)
    bucket.give_back(4, NOW + 10 * S)
    assert bucket.used(NOW + 10 * S) == 1
    assert bucket.used(NOW + 64 * S) == 1
    bucket.give_back(9, NOW + 64 * S)
    assert bucket.take(5, 0, NOW + 64 * S) == 0


def test_a_cost_above_the_limit_goes_when_nothing_else_is_out() -> None:
    bucket = TokenBucket(5, 64 * S)
    assert bucket.take(1, 0, NOW) == 0
    assert bucket.take(50, 0, NOW) == 64 * S
    assert bucket.take(50, 0, NOW + 64 * S) == 0


@given(st.lists(st.tuples(st.integers(0, 5 * S), st.integers(1, 4)), max_size=200), st.booleans())
def test_no_window_ever_sees_more_than_the_limit(steps: list[tuple[int, int]], aligned: bool) -> None:
    bucket = TokenBucket(7, 10 * S, aligned=aligned)
    now, taken = NOW, []
    for pause, cost in steps:
        now += pause
        if bucket.take(cost, 0, now) == 0:
            taken.append((now, cost))
    starts = range(NOW, now + 1, 10 * S) if aligned else [at for at, _ in taken]
    for start in starts:
        assert sum(cost for at, cost in taken if start <= at < start + 10 * S) <= 7


@given(st.lists(st.integers(1, 4), min_size=1, max_size=50))
def test_after_the_announced_delay_it_is_granted(costs: list[int]) -> None:
    bucket, now = TokenBucket(7, 10 * S), NOW
    for cost in costs:
        delay = bucket.take(cost, 0, now)
        if delay:
            now += delay
            assert bucket.take(cost, 0, now) == 0
