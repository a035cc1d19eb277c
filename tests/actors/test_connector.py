"""The connector as values in, values out: commands and their fence, links, market data, and who is told what."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from actors.connector import Connector
from actors.messages import (
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    CancelRejected,
    InstrumentsListed,
    OrderAccepted,
    OrderDenied,
    OrderFilled,
    OrderSent,
    PlaceOrder,
    QueryFailed,
    QueryOrder,
    Quote,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.venues.contract import (
    BadFrame,
    CloseLink,
    Command,
    OpenLink,
    Output,
    Resynchronised,
    SendFrame,
    WakeUp,
)
from runtime.actor import (
    ActorUp,
    FrameReceived,
    HttpAnswered,
    HttpFailed,
    HttpRequest,
    LinkDown,
    LinkUp,
    RefreshRequested,
    Started,
    Stopping,
    Subscribed,
    Undelivered,
)
from runtime.address import Address, StreamKind
from runtime.backoff import Backoff
from runtime.message import Lane
from tests.support.context import RecordingContext

S = 1_000_000_000
NOW = 1_700_000_000_000_000_000
ID = "0123456789abcdef0123456789abcdef"

FEED = OpenLink("feed", "wss://venue/stream", Lane.FEED)
ORDERS = OpenLink("orders", "wss://venue/orders", Lane.COMMANDS)
QUOTE = Quote("venue", "BTC", "1", "2", "3", "4", 0, NOW)
SNAPSHOT = BookSnapshot("venue", "BTC", 7, [("1", "2")], [("3", "4")], 0, NOW)
LOST = BookInvalidated("venue", "BTC", "GAP: for a test", NOW)
LISTED = InstrumentsListed("venue", [Instrument("venue", "BTC", "BTC", "USD")])


class ScriptedProtocol:
    """Answers with what the test put into `next`, and records what it was told."""

    def __init__(self, symbols: Sequence[str] = ("BTC",)) -> None:
        self.symbols = symbols
        self.next: list[Output] = []
        self.calls: list[tuple[Any, ...]] = []
        self.books: dict[str, BookSnapshot | BookInvalidated] = {}

    def _answer(self, *call: Any) -> list[Output]:
        self.calls.append(call)
        outputs, self.next = self.next, []
        return outputs

    def start(self, now: int) -> list[Output]:
        return [FEED, ORDERS]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        return self._answer("up", link)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        return self._answer("down", link, reason)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        return self._answer("frame", link, payload)

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        return self._answer("http", answer.id)

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        return self._answer("wake up", tag)

    def execute(self, command: Command, now: int) -> list[Output]:
        return self._answer("execute", command)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        return self._answer("not sent", frame.payload)

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        return self.books.get(symbol)

    def report(self, final: bool) -> dict[str, Any]:
        return {"books": {}, "unknown_symbols": [], "final": final}


class Bench:
    """A started connector with both links up."""

    def __init__(self, symbols: Sequence[str] = ("BTC",)) -> None:
        self.protocol = ScriptedProtocol(symbols)
        self.ctx = RecordingContext("connector.venue", time=NOW)
        self.connector = Connector("venue", self.protocol, 60 * S, Backoff(S, 8 * S))
        self.tell(Started())
        for link in ("feed", "orders"):
            self.ctx.links_up.add(link)
            self.tell(LinkUp(link))
        self.protocol.calls.clear()

    def tell(self, message: Any, *outputs: Output) -> None:
        """Hand it a message, with what its protocol shall answer."""
        self.protocol.next = list(outputs)
        self.connector.receive(message, self.ctx)

    def frame(self, *outputs: Output, link: str = "feed") -> None:
        self.tell(FrameReceived(link, b"frame", self.ctx.time), *outputs)

    def pass_time(self, duration_ns: int) -> None:
        self.ctx.time += duration_ns
        for message in self.ctx.due():
            self.tell(message)

    def counter(self, name: str) -> int:
        return self.connector.report().counters[name]

    @property
    def links(self) -> dict[str, str]:
        links: dict[str, str] = self.connector.report().state["links"]
        return links


def place(epoch: int = 1, deadline: int = NOW + S) -> PlaceOrder:
    order = OrderSpec(ID, "maker", "venue", "BTC", Side.BUY, OrderType.LIMIT, "1", "100")
    return PlaceOrder(order, Stamps(market_recv=5), epoch, deadline)


def cancel(epoch: int = 1, deadline: int = NOW + S) -> CancelAtVenue:
    return CancelAtVenue(ID, "", "BTC", epoch, deadline)


def actor_up(name: str) -> ActorUp:
    return ActorUp(Address(name, 1, StreamKind.UNIX, "/x"))


# ---- orders -------------------------------------------------------------------------------------------------------


def test_a_sent_order_is_told_with_the_time_at_which_its_frame_left() -> None:
    bench = Bench()
    bench.tell(place(), SendFrame("orders", b"order"), WakeUp(S, "timeouts"))
    assert bench.ctx.frames == [("orders", b"order")]
    sent = OrderSent(ID, "venue", Stamps(market_recv=5, sent=NOW))
    assert bench.ctx.told == [("order_manager", sent), ("latency_monitor", sent)]
    assert WakeUp(S, "timeouts") in [timer.message for timer in bench.ctx.timers]


def test_an_order_whose_frame_does_not_leave_is_never_told_as_sent() -> None:
    bench = Bench()
    bench.ctx.links_up.remove("orders")
    bench.tell(place(), SendFrame("orders", b"order"))
    assert bench.protocol.calls == [("execute", place()), ("not sent", b"order")]
    assert bench.ctx.told == []


@pytest.mark.parametrize(
    ("late", "code", "words"),
    [
        ({"deadline": NOW - 1_500_000}, "DEADLINE_PASSED", "1.500 ms too late"),
        ({"epoch": 1}, "STALE_EPOCH", "sent in epoch 1, the present one is 2"),
    ],
)
def test_late_and_outdated_commands_never_leave(late: dict[str, int], code: str, words: str) -> None:
    bench = Bench()
    bench.tell(place(epoch=2))
    bench.protocol.calls.clear()
    bench.tell(place(**{"epoch": 2, **late}))
    bench.tell(cancel(**{"epoch": 2, **late}))
    assert bench.protocol.calls == []
    assert bench.ctx.told_to("order_manager") == [
        OrderDenied(ID, f"{code}: {words}", "connector.venue"),
        CancelRejected("venue", ID, code, words, NOW),
    ]
    assert bench.counter("denied") == 1


def test_a_command_exactly_at_its_deadline_leaves() -> None:
    bench = Bench()
    bench.tell(place(deadline=NOW), SendFrame("orders", b"order"))
    assert bench.ctx.frames == [("orders", b"order")]


def test_a_denial_of_the_protocol_carries_the_name_of_the_connector() -> None:
    bench = Bench()
    bench.tell(place(), OrderDenied(ID, "NOT_CONNECTED: no", ""))
    assert bench.ctx.told == [("order_manager", OrderDenied(ID, "NOT_CONNECTED: no", "connector.venue"))]


def test_queries_are_executed_whatever_the_epoch() -> None:
    bench = Bench()
    failed = QueryFailed("venue", "QueryOrder", ID, "NOT_CONNECTED: no")
    bench.tell(QueryOrder(ID, "BTC"), failed)
    assert bench.ctx.told == [("order_manager", failed)]


def test_events_of_orders_go_to_the_order_manager_in_their_order() -> None:
    bench = Bench()
    accepted = OrderAccepted("venue", ID, "42", 1, NOW)
    fill = OrderFilled("venue", ID, "42", "BTC", "9", Side.BUY, "1", "1", "0", "", True, 1, NOW)
    bench.frame(accepted, fill, link="orders")
    assert bench.ctx.told_to("order_manager") == [accepted, fill]
    assert bench.ctx.told_to("latency_monitor") == [accepted]


def test_what_a_living_order_manager_could_not_take_is_told_again() -> None:
    bench = Bench()
    bench.tell(actor_up("order_manager"))
    accepted = OrderAccepted("venue", ID, "42", 1, NOW)
    bench.tell(Undelivered("order_manager", accepted, "queue full"))
    bench.pass_time(S)
    assert bench.ctx.told == [("order_manager", accepted)]


def test_what_a_dead_order_manager_did_not_get_is_not_told_to_the_next_one() -> None:
    bench = Bench()
    bench.tell(Undelivered("order_manager", OrderAccepted("venue", ID, "42", 1, NOW), "nobody there"))
    bench.pass_time(S)
    assert bench.ctx.told == []
    assert bench.counter("undelivered") == 1


# ---- the state of the venue ---------------------------------------------------------------------------------------


def test_the_desk_is_told_the_state_of_the_venue_and_late_comers_too() -> None:
    bench = Bench()
    bench.frame(LISTED, VenueUp("venue", "", NOW))
    up = VenueUp("venue", "connector.venue", NOW)
    for name in ("order_manager", "risk_checker", "router"):
        assert bench.ctx.told_to(name) == [LISTED, up]
    assert bench.ctx.published == [("venue.venue", LISTED), ("venue.venue", up)]
    assert sorted(bench.ctx.watched) == ["order_manager", "risk_checker", "router"]
    bench.tell(actor_up("router"))
    assert bench.ctx.told_to("router") == [LISTED, up, LISTED, up]
    assert bench.connector.report().state["connected"]
    down = VenueDown("venue", "LINK_DOWN: reset", NOW)
    bench.frame(down)
    bench.tell(actor_up("risk_checker"))
    assert bench.ctx.told_to("risk_checker") == [LISTED, up, down, LISTED, down]
    assert not bench.connector.report().state["connected"]


# ---- market data --------------------------------------------------------------------------------------------------


def test_market_data_is_published_on_its_topics() -> None:
    bench = Bench()
    trade = Trade("venue", "BTC", "1", "1", "1", Side.BUY, NOW - 5, NOW)
    delta = BookDelta("venue", "BTC", 7, 8, [], [], NOW - 3, NOW)
    bench.frame(QUOTE, trade, SNAPSHOT, delta, LOST)
    assert bench.ctx.published == [
        ("quote.venue.BTC", QUOTE),
        ("trade.venue.BTC", trade),
        ("book.venue.BTC", SNAPSHOT),
        ("book.venue.BTC", delta),
        ("book.venue.BTC", LOST),
    ]
    assert bench.ctx.measured == [("feed_venue", "venue", 5), ("feed_venue", "venue", 3)]
    assert bench.counter("messages") == 1


def test_a_new_subscriber_gets_the_present_book_and_the_last_quote() -> None:
    bench = Bench(("BTC", "ETH"))
    bench.frame(QUOTE)
    bench.ctx.published.clear()
    bench.protocol.books = {"BTC": SNAPSHOT, "ETH": msgspec.structs.replace(LOST, symbol="ETH")}
    bench.tell(Subscribed("strategy.maker", ("book.venue.*", "quote.venue.BTC")))
    assert bench.ctx.published == [
        ("book.venue.BTC", SNAPSHOT),
        ("book.venue.ETH", msgspec.structs.replace(LOST, symbol="ETH")),
        ("quote.venue.BTC", QUOTE),
    ]
    bench.ctx.published.clear()
    bench.tell(Subscribed("recorder", ("trade.*",)))
    assert bench.ctx.published == []


def test_a_refresh_publishes_that_book_again_and_is_no_resync() -> None:
    bench = Bench(("BTC", "ETH"))
    bench.protocol.books = {"BTC": SNAPSHOT, "ETH": msgspec.structs.replace(SNAPSHOT, symbol="ETH")}
    bench.tell(RefreshRequested("book.venue.BTC"))
    assert bench.ctx.published == [("book.venue.BTC", SNAPSHOT)]
    assert bench.counter("resyncs") == 0


def test_gaps_and_resyncs_are_counted_and_the_first_book_is_neither() -> None:
    bench = Bench()
    bench.frame(SNAPSHOT)
    assert (bench.counter("gaps"), bench.counter("resyncs")) == (0, 0)
    bench.frame(LOST, Resynchronised("BTC", "GAP: for a test"))
    assert (bench.counter("gaps"), bench.counter("resyncs")) == (1, 0)
    bench.frame(SNAPSHOT)
    assert (bench.counter("gaps"), bench.counter("resyncs")) == (1, 1)


# ---- links --------------------------------------------------------------------------------------------------------


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


# ---- the rest -----------------------------------------------------------------------------------------------------


def test_requests_timers_and_their_answers_pass_through() -> None:
    bench = Bench()
    request = HttpRequest("depth", "GET", "https://venue/depth")
    bench.frame(request, WakeUp(S, "probe"))
    assert bench.ctx.requests == [request]
    bench.tell(HttpFailed("depth", "reset", sent=True))
    bench.pass_time(S)
    assert bench.protocol.calls[1:] == [("http", "depth"), ("wake up", "probe")]


def test_the_last_report_is_the_final_one() -> None:
    bench = Bench()
    assert bench.connector.report().state["final"] is False
    bench.tell(Stopping())
    assert bench.connector.report().state["final"] is True


def test_a_message_that_it_does_not_know_is_counted() -> None:
    bench = Bench()
    bench.tell(object())
    assert bench.counter("unknown_messages") == 1
