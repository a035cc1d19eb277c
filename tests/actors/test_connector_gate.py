"""What a connector may send: while its address is banned, while others are, and while nobody hears it."""

from collections.abc import Sequence

from actors.messages import CancelAtVenue, CancelRejected, OrderDenied, SendingForbidden, UsesReported
from actors.names import LIMITER
from actors.sharing import Sharing
from actors.status import held_back
from actors.venues.binance_api.limits import RateLimits
from actors.venues.contract import Command, Output, SendFrame
from runtime.actor import ActorDown, HttpAnswered, HttpFailed, HttpRequest, LinkDown
from runtime.protocol import SUPERVISOR
from tests.actors.bench import ID, NOW, Bench, S, ScriptedProtocol, actor_up, cancel, place

ADDRESS = "binance api.binance.com"
ASK = HttpRequest("ask", "GET", "https://venue/ask")
LIMITED = CancelRejected("venue", ID, "RATE_LIMITED", "for 9000 ms more", NOW)
BANNED = SendingForbidden(ADDRESS, "BAN", NOW + 10 * S, "connector.other")


class LimitedProtocol(ScriptedProtocol):
    """With Binance's limits, and a switch that says whether it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = RateLimits()
        self.refuses = False
        """Cancels: they are too many."""

    def execute(self, command: Command, now: int) -> list[Output]:
        outputs = self._answer("execute", command)
        return [LIMITED, *outputs] if self.refuses and isinstance(command, CancelAtVenue) else outputs

    def count_again(self, now: int) -> list[Output]:
        return self._answer("count", now)

    def hold_switch(self, held: bool, now: int) -> list[Output]:
        return self._answer("hold", held)

    def report(self, final: bool) -> dict[str, object]:
        return {"books": {}}


class SharingBench(Bench):
    """One of two at its address."""

    def __init__(self) -> None:
        self.limited = LimitedProtocol()
        super().__init__(protocol=self.limited, sharing=Sharing(ADDRESS, 2))

    def calls(self, name: str) -> Sequence[tuple[object, ...]]:
        return [call for call in self.limited.calls if call[0] == name]


def test_without_its_supervisor_it_sends_nothing_new_and_still_cancels() -> None:
    bench = SharingBench()
    bench.tell(ActorDown(SUPERVISOR, 0, "has not heard this host for 5.0 s"))
    bench.tell(place())
    [denied] = bench.ctx.told_to("order_manager")
    words = "RIGHT_LAPSED: the supervisor has not heard this host for 5.0 s"
    assert denied == OrderDenied(ID, words, "connector.venue")
    bench.tell(cancel())
    assert bench.calls("execute") == [("execute", cancel())]
    assert held_back(bench.connector.report().state) == [
        "right to trade lapsed: the supervisor has not heard this host for 5.0 s"
    ]
    bench.tell(actor_up(SUPERVISOR))
    bench.tell(place())
    assert bench.calls("execute") == [("execute", cancel()), ("execute", place())]
    assert bench.calls("hold") == [("hold", False), ("hold", True)]


def test_banned_it_asks_nothing_opens_nothing_and_sends_no_frame() -> None:
    bench = SharingBench()
    bench.tell(BANNED)
    bench.frame(ASK, SendFrame("orders", b"probe"), SendFrame("feed", b"subscribe"))
    assert bench.ctx.requests == []
    assert bench.ctx.frames == [("feed", b"subscribe")]
    assert bench.calls("not sent") == [("not sent", b"probe")]
    assert HttpFailed("ask", "BANNED: the venue answers nobody here", False) in [t.message for t in bench.ctx.timers]
    bench.tell(LinkDown("feed", "cut"))
    bench.pass_time(9 * S)
    assert bench.links["feed"] == "DOWN"
    assert held_back(bench.connector.report().state)[0].startswith("has banned this address until ")
    bench.pass_time(2 * S)
    assert bench.links["feed"] == "OPENING"
    bench.frame(ASK, link="orders")
    assert bench.ctx.requests == [ASK]


def test_a_ban_that_it_is_told_goes_to_the_others_at_once() -> None:
    bench = SharingBench()
    bench.tell(actor_up(LIMITER))
    bench.limited.limits.ban(NOW + 7 * S)
    bench.tell(HttpAnswered("ask", 418, {}, b"", NOW))
    assert bench.ctx.told_to(LIMITER) == [SendingForbidden(ADDRESS, "BAN", NOW + 7 * S, "connector.venue")]


def test_a_cancel_that_is_limited_waits_here_and_leaves_when_it_may() -> None:
    bench = SharingBench()
    bench.limited.refuses = True
    bench.tell(cancel())
    bench.pass_time(2 * S)
    bench.pass_time(2 * S)
    assert bench.calls("execute") == [("execute", cancel())] * 3, "its deadline has passed and does not count"
    assert bench.connector.report().state["cancels_held"] == 1
    bench.limited.refuses = False
    bench.pass_time(S)
    assert bench.calls("execute") == [("execute", cancel())] * 4
    bench.pass_time(S)
    assert bench.calls("execute") == [("execute", cancel())] * 4, "it has left"
    assert bench.ctx.told_to("order_manager") == []


def test_alone_it_reports_nothing_to_anybody() -> None:
    bench = Bench(protocol=LimitedProtocol())
    bench.pass_time(5 * S)
    assert bench.ctx.told_to(LIMITER) == []


def test_sharing_it_reports_what_it_spends_and_where() -> None:
    bench = SharingBench()
    bench.tell(actor_up(LIMITER))
    bench.pass_time(S)
    report = bench.ctx.told_to(LIMITER)[0]
    assert isinstance(report, UsesReported)
    assert report.scopes == {ADDRESS: 2}
    assert [(use.limit, use.use.limit, use.use.own) for use in report.uses] == [("REQUEST_WEIGHT 1 MINUTE", 6000, 750)]
