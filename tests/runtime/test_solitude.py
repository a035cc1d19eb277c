"""How long a host's supervisor could not be reached."""

from runtime.clock import NS_PER_S
from runtime.host.solitude import Solitude


def after(solitude: Solitude, *seconds: int) -> list[bool]:
    return [solitude.lasts_too_long(1_000 * NS_PER_S + second * NS_PER_S) for second in seconds]


def test_it_lasts_too_long_when_heartbeats_have_come_back_for_longer_than_the_limit() -> None:
    assert after(Solitude(30 * NS_PER_S), 0, 10, 20, 30, 31) == [False, False, False, False, True]


def test_it_is_over_when_none_came_back_for_a_while() -> None:
    assert after(Solitude(30 * NS_PER_S), 0, 10, 26, 36, 46, 56, 57) == [False] * 6 + [True]


def test_without_a_limit_it_never_lasts_too_long() -> None:
    assert after(Solitude(0), 0, 10, 20, 10_000) == [False] * 4
