"""The links of a connector: reopening, silence, bad frames."""

import msgspec

from actors.venues.contract import (
    BadFrame,
    CloseLink,
    ConnectLimit,
    OpenLink,
)
from runtime.actor import (
    LinkDown,
    LinkUp,
)
from runtime.message import Lane
from tests.actors.bench import NOW, QUOTE, Bench, S


def test_a_dropped_link_is_reopened_with_growing_jittered_delays() -> None:
    bench = Bench()
    ceilings = [S, 2 * S, 4 * S, 8 * S, 8 * S]
    for ceiling in ceilings:
        bench.ctx.links.pop("feed", None)
        bench.tell(LinkDown("feed", "reset"))
        (timer,) = [timer for timer in bench.ctx.timers if getattr(timer.message, "link", "") == "feed"]
        assert 0 <= timer.due - bench.ctx.time <= ceiling
        bench.pass_time(timer.due - bench.ctx.time)
        assert bench.ctx.links["feed"] == "wss://venue/stream"
    assert bench.counter("reconnects") == len(ceilings)
    assert bench.links == {"feed": "OPENING", "orders": "UP"}


def test_a_link_that_stayed_up_a_while_is_retried_soon_again() -> None:
    bench = Bench()
    for _ in range(6):
        bench.tell(LinkDown("feed", "reset"))
        bench.pass_time(9 * S)
    bench.tell(LinkUp("feed"))
    bench.ctx.time += 11 * S
    bench.tell(LinkDown("feed", "reset"))
    (timer,) = [timer for timer in bench.ctx.timers if getattr(timer.message, "link", "") == "feed"]
    assert timer.due - bench.ctx.time <= S


def test_the_protocol_hears_of_each_end_of_a_link_once() -> None:
    bench = Bench()
    bench.tell(LinkDown("feed", "reset"))
    bench.tell(LinkDown("feed", "reset"))
    assert bench.protocol.calls == [("down", "feed", "reset")]


def test_a_silent_link_is_dropped_and_reopened() -> None:
    bench = Bench()
    bench.ctx.time += 50 * S
    bench.frame(link="orders")
    bench.pass_time(15 * S)
    assert ("down", "feed", "STALE: nothing heard for 60 s") in bench.protocol.calls
    assert "feed" not in bench.ctx.links
    assert bench.links == {"feed": "DOWN", "orders": "UP"}
    bench.pass_time(S)
    assert "feed" in bench.ctx.links


def test_a_protocol_may_have_an_open_link_reopened_at_another_address() -> None:
    bench = Bench()
    bench.frame(OpenLink("feed", "wss://elsewhere", Lane.FEED))
    assert bench.protocol.calls[-1] == ("down", "feed", "REOPENED: as the protocol asked")
    bench.pass_time(S)
    assert bench.ctx.links["feed"] == "wss://elsewhere"


def test_a_closed_link_stays_closed() -> None:
    bench = Bench()
    bench.frame(CloseLink("feed"))
    bench.pass_time(600 * S)
    assert "feed" not in bench.ctx.links
    assert bench.links == {"orders": "DOWN"}


def test_market_data_still_queued_when_its_link_went_down_is_not_processed() -> None:
    bench = Bench()
    bench.tell(LinkDown("feed", "reset"))
    bench.tell(LinkDown("orders", "reset"))
    bench.protocol.calls.clear()
    bench.frame(QUOTE)
    bench.frame(link="orders")
    assert bench.protocol.calls == [("frame", "orders", b"frame")]
    assert bench.ctx.published == []


def test_bad_frames_are_counted_and_the_last_few_are_kept() -> None:
    bench = Bench()
    for number in range(20):
        bench.frame(BadFrame("feed", b"\xff" * 1000, f"reason {number}", drop_link=False))
    report = bench.connector.report()
    assert report.counters["bad_frames"] == 20
    assert [bad["reason"] for bad in report.state["last_bad_frames"]] == [
        f"reason {number}" for number in range(12, 20)
    ]
    assert len(report.state["last_bad_frames"][0]["payload"]) == 300
    assert bench.links["feed"] == "UP"
    msgspec.msgpack.encode(report)


def test_a_bad_frame_may_drop_its_link() -> None:
    bench = Bench()
    bench.frame(BadFrame("feed", b"?", "cut in half", drop_link=True))
    assert bench.links["feed"] == "DOWN"
    assert bench.protocol.calls[-1] == ("down", "feed", "BAD_FRAME: cut in half")


def test_200_links_that_drop_again_and_again_never_exceed_the_connect_limit() -> None:
    bench = Bench(connect_limit=ConnectLimit(300, 300 * S))
    names = [f"feed-{number}" for number in range(198)]
    bench.frame(*[OpenLink(name, "wss://venue/stream", Lane.FEED) for name in names])
    opened = [NOW] * 200
    up = {*names, "feed", "orders"}
    while bench.ctx.time < NOW + 1800 * S:
        bench.ctx.links.clear()
        for name in sorted(up):
            bench.tell(LinkUp(name))
            bench.tell(LinkDown(name, "cut"))
        due = min(timer.due for timer in bench.ctx.timers)
        bench.pass_time(due - bench.ctx.time)
        up = set(bench.ctx.links)
        opened += [bench.ctx.time] * len(up)
    most = max(sum(1 for other in opened if first <= other < first + 300 * S) for first in set(opened))
    assert most == 300
    assert bench.counter("connects_held_back") > 0
    assert len(opened) > 1500
