"""When a link counts as lost, frozen or well: a table of looks."""

from actors.venues.binance_api.link_watch import Health, LinkWatch

AFTER = 100


def test_a_link_that_is_down_is_lost_only_after_a_while() -> None:
    watch = LinkWatch(AFTER)
    assert [watch.look(0, now) for now in (1000, 1099, 1100)] == [Health.UNSURE, Health.UNSURE, Health.LOST]
    watch.on_up(1200)
    assert watch.look(0, 1250) is Health.UNSURE
    assert watch.look(1210, 1250) is Health.HEARD
    watch.on_down("reset", 1300)
    watch.on_down("reopened", 1390)
    assert watch.reason == "LINK_DOWN: reset"
    assert [watch.look(1210, now) for now in (1399, 1400)] == [Health.UNSURE, Health.LOST]


def test_a_silent_link_is_asked_once_and_frozen_if_it_does_not_answer() -> None:
    watch = LinkWatch(AFTER)
    watch.on_up(1000)
    looks = [watch.look(1050, now) for now in (1149, 1150, 1200, 1249, 1250)]
    assert looks == [Health.HEARD, Health.QUIET, Health.UNSURE, Health.UNSURE, Health.FROZEN]
    watch.on_frozen(1250)
    watch.on_down("reopened", 1250)
    assert watch.look(0, 1251) is Health.LOST
    assert watch.reason == "FROZEN: no answer for 1e-07 s"


def test_a_silent_link_that_answers_is_asked_again_and_again() -> None:
    watch = LinkWatch(AFTER)
    watch.on_up(1000)
    assert watch.look(0, 1100) is Health.QUIET
    assert watch.look(1105, 1150) is Health.HEARD
    assert watch.look(1105, 1205) is Health.QUIET
    assert watch.look(1210, 1300) is Health.HEARD


def test_a_link_that_may_not_answer_at_all_is_frozen_only_after_it_once_did() -> None:
    watch = LinkWatch(AFTER, answers=False)
    watch.on_up(1000)
    assert [watch.look(0, now) for now in (1100, 1300, 9000)] == [Health.QUIET, Health.UNSURE, Health.UNSURE]
    assert watch.look(9010, 9020) is Health.HEARD
    assert [watch.look(9010, now) for now in (9110, 9300)] == [Health.QUIET, Health.UNSURE]
    assert watch.look(9310, 9320) is Health.HEARD
    assert [watch.look(9310, now) for now in (9410, 9510)] == [Health.QUIET, Health.UNSURE]
    watch = LinkWatch(AFTER, answers=False)
    watch.on_up(1000)
    assert [watch.look(0, 1100), watch.look(1105, 1110)] == [Health.QUIET, Health.HEARD]
    assert [watch.look(1105, now) for now in (1205, 1305)] == [Health.QUIET, Health.FROZEN]
