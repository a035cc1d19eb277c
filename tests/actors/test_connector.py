"""The connector's commands and their fence, and who is told what: values in, values out."""

import msgspec
import pytest
from msgspec.structs import replace

from actors.messages import (
    BookDelta,
    CancelRejected,
    OrderAccepted,
    OrderDenied,
    OrderFilled,
    OrderSent,
    QueryFailed,
    QueryOpenOrders,
    QueryOrder,
    ReplaceAtVenue,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.order import Side, Stamps
from actors.venues.contract import (
    Command,
    Output,
    Resynchronised,
    SendFrame,
    WakeUp,
)
from runtime.actor import (
    HttpFailed,
    HttpRequest,
    RefreshRequested,
    Stopping,
    Subscribed,
    Undelivered,
)
from tests.actors.bench import ID, LISTED, LOST, NOW, QUOTE, SNAPSHOT, Bench, S, actor_up, cancel, place


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


def test_the_order_that_takes_anothers_place_is_told_as_sent_when_its_frame_left() -> None:
    change = ReplaceAtVenue("f" * 32, "v", place().order, Stamps(market_recv=5), 1, NOW + S)
    bench = Bench()
    bench.tell(change, SendFrame("orders", b"replace"))
    sent = OrderSent(ID, "venue", Stamps(market_recv=5, sent=NOW))
    assert bench.ctx.told == [("order_manager", sent), ("latency_monitor", sent)]
    bench.ctx.told.clear()
    bench.ctx.links_up.remove("orders")
    bench.tell(change, SendFrame("orders", b"replace"))
    assert bench.ctx.told == []
    assert bench.protocol.calls[-1] == ("not sent", b"replace")


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


def test_a_new_order_manager_shuts_its_predecessor_out_by_asking() -> None:
    bench = Bench()
    bench.tell(QueryOpenOrders(epoch=2))
    bench.tell(place(epoch=1), SendFrame("orders", b"order"))
    assert bench.ctx.frames == []
    [denied] = bench.ctx.told_to("order_manager")
    assert denied == OrderDenied(ID, "STALE_EPOCH: sent in epoch 1, the present one is 2", "connector.venue")


def test_an_order_is_stamped_with_the_time_at_which_its_deadline_was_looked_at() -> None:
    """A process frozen between the two would stamp what is late as new, and the venue would take it."""
    bench = Bench()
    times = iter([NOW, NOW + 60 * S])
    executed: list[int] = []

    def execute(command: Command, now: int) -> list[Output]:
        executed.append(now)
        return []

    bench.ctx.now = lambda: next(times)  # type: ignore[method-assign]
    bench.protocol.execute = execute  # type: ignore[method-assign]
    bench.tell(place(deadline=NOW))
    assert executed == [NOW]


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


def test_the_desk_is_told_the_state_of_the_venue_and_late_comers_too() -> None:
    bench = Bench()
    bench.frame(LISTED, VenueUp("venue", "", NOW))
    up = VenueUp("venue", "connector.venue", NOW)
    for name in ("order_manager", "risk_checker", "router"):
        assert bench.ctx.told_to(name) == [LISTED, up]
    assert bench.ctx.published == [("venue.venue", LISTED), ("venue.venue", up)]
    assert sorted(bench.ctx.watched) == ["order_manager", "risk_checker", "router", "supervisor"]
    bench.tell(actor_up("router"))
    assert bench.ctx.told_to("router") == [LISTED, up, LISTED, up]
    assert bench.connector.report().state["connected"]
    down = VenueDown("venue", "LINK_DOWN: reset", NOW)
    bench.frame(down)
    bench.tell(actor_up("risk_checker"))
    assert bench.ctx.told_to("risk_checker") == [LISTED, up, down, LISTED, down]
    assert not bench.connector.report().state["connected"]


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
    assert bench.counter("messages") == 1


def test_how_old_market_data_is_is_measured_once_for_each_read() -> None:
    bench = Bench()
    trade = Trade("venue", "BTC", "1", "1", "1", Side.BUY, NOW - 5, NOW)
    delta = BookDelta("venue", "BTC", 7, 8, [], [], NOW - 3, NOW)
    bench.frame(trade, delta, trade)
    bench.frame(replace(delta, ts_recv=NOW + 1), trade)
    assert bench.ctx.measured == [("feed_venue", "venue", 5), ("feed_venue", "venue", 4), ("feed_venue", "venue", 5)]


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
