"""The lease of a host: it lasts as long as its supervisor is known to have heard it, by the host's own clock."""

from runtime.host.lease import Lease

S = 1_000_000_000
NOW = 1_700_000_000 * S


def test_it_lasts_from_the_heartbeat_that_was_answered_and_not_from_its_answer() -> None:
    lease = Lease(5 * S)
    assert lease.asks(NOW) == NOW
    assert not lease.answered(NOW, NOW + 3 * S)
    assert not lease.lapses(NOW + 5 * S)
    assert lease.lapses(NOW + 5 * S + 1)
    assert not lease.lapses(NOW + 6 * S), "it is told once"


def test_answers_that_waited_in_a_frozen_supervisor_renew_nothing() -> None:
    lease = Lease(5 * S)
    lease.answered(NOW, NOW)
    assert lease.lapses(NOW + 20 * S)
    assert not lease.answered(NOW + 1 * S, NOW + 20 * S)
    assert lease.is_lapsed
    assert lease.answered(NOW + 20 * S, NOW + 20 * S)
    assert not lease.lapses(NOW + 24 * S)


def test_it_asks_ten_times_within_one_and_never_without_one() -> None:
    lease = Lease(5 * S)
    asked = [lease.asks(NOW + index * S // 10) for index in range(50)]
    assert sum(bool(number) for number in asked) == 10
    assert Lease(0).asks(NOW) == 0


def test_nobody_is_told_before_the_first_answer() -> None:
    assert not Lease(5 * S).lapses(NOW + 100 * S)
