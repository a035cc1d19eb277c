"""Sockets of market data that are replaced before they are cut off: nothing is missed, nothing comes twice."""

from typing import Any

from actors.messages import BookDelta, BookInvalidated, Quote, Trade
from actors.venues.contract import CloseLink, OpenLink, SendFrame, WakeUp
from tests.venues.binance_spot import NOW, S, a_venue, depth, of, stream, up, update

SHUTDOWN = stream("!serverShutdown", e="serverShutdown", E=1770123456789)
HOUR = 3600 * S


def a_venue_up() -> Any:
    venue = a_venue()
    up(venue)
    venue.on_frame("feed-0", update(10, 12, [["100", "1"]], [["101", "1"]]), NOW)
    venue.on_http(depth(12, [["100", "1"]], [["101", "1"]]), NOW)
    return venue


def trade(number: int) -> bytes:
    return stream("btcusdt@trade", e="trade", s="BTCUSDT", t=number, p="100", q="1", T=1_700_000_000_000, m=True)


def quote(number: int) -> bytes:
    return stream("btcusdt@bookTicker", u=number, s="BTCUSDT", b="100", B="1", a="101", A="1")


def test_an_announced_shutdown_opens_the_next_socket_before_the_old_one_is_closed() -> None:
    venue = a_venue_up()
    (opened,) = venue.on_frame("feed-0", SHUTDOWN, NOW)
    assert opened.link == "feed-0.1"
    assert (
        opened.url
        == "wss://stream.binance.com:9443/stream?streams=btcusdt@bookTicker/btcusdt@trade/btcusdt@depth@100ms"
    )
    assert venue.on_frame("feed-0", SHUTDOWN, NOW) == []
    outputs = venue.on_link_up("feed-0.1", NOW + S)
    assert of(CloseLink, outputs) == []
    (hand_over,) = [wake_up for wake_up in of(WakeUp, outputs) if wake_up.tag == "hand-over:feed-0.1"]
    outputs = venue.on_wake_up(hand_over.tag, NOW + S + hand_over.delay_ns)
    assert of(CloseLink, outputs) == [CloseLink("feed-0")]
    assert venue.on_link_down("feed-0", "closed", NOW + 4 * S) == []


def test_a_socket_is_replaced_before_its_24_hours_are_over() -> None:
    venue = a_venue()
    venue.start(NOW)
    (renew,) = [wake_up for wake_up in venue.on_link_up("feed-0", NOW) if isinstance(wake_up, WakeUp)]
    assert renew.delay_ns == 23.5 * HOUR
    assert of(OpenLink, venue.on_wake_up(renew.tag, NOW + renew.delay_ns))[0].link == "feed-0.1"


def test_a_socket_that_was_reopened_meanwhile_lives_its_own_24_hours() -> None:
    venue = a_venue()
    venue.start(NOW)
    (renew,) = venue.on_link_up("feed-0", NOW)
    assert isinstance(renew, WakeUp)
    venue.on_link_down("feed-0", "reset", NOW + 10 * HOUR)
    venue.on_link_up("feed-0", NOW + 10 * HOUR)
    assert venue.on_wake_up(renew.tag, NOW + renew.delay_ns) == []


def test_each_event_is_taken_once_whichever_socket_is_first() -> None:
    venue = a_venue_up()
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    venue.on_link_up("feed-0.1", NOW)
    frames = [
        ("feed-0", trade(1)),
        ("feed-0", trade(2)),
        ("feed-0.1", trade(2)),
        ("feed-0.1", trade(3)),
        ("feed-0", trade(3)),
        ("feed-0", quote(7)),
        ("feed-0.1", quote(7)),
        ("feed-0.1", quote(8)),
        ("feed-0", update(13, 14, [], [])),
        ("feed-0.1", update(13, 14, [], [])),
        ("feed-0.1", update(15, 16, [], [])),
        ("feed-0", update(15, 16, [], [])),
    ]
    events = [event for socket, frame in frames for event in venue.on_frame(socket, frame, NOW)]
    venue.on_wake_up("hand-over:feed-0.1", NOW + 2 * S)
    for late in (trade(3), quote(8), update(15, 16, [], [])):
        assert venue.on_frame("feed-0.1", late, NOW + 3 * S) == []
    events += venue.on_frame("feed-0.1", trade(4), NOW + 3 * S)
    events += venue.on_frame("feed-0.1", update(17, 17, [], []), NOW + 3 * S)
    assert [event.trade_id for event in of(Trade, events)] == ["1", "2", "3", "4"]
    assert len(of(Quote, events)) == 2
    assert [event.sequence for event in of(BookDelta, events)] == [14, 16, 17]
    assert of(BookInvalidated, events) == []


def test_a_cut_in_the_middle_of_it_leaves_the_book_whole() -> None:
    venue = a_venue_up()
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    venue.on_link_up("feed-0.1", NOW)
    assert of(CloseLink, venue.on_link_down("feed-0", "reset", NOW + S)) == [CloseLink("feed-0")]
    (delta,) = venue.on_frame("feed-0.1", update(13, 14, [], []), NOW + S)
    assert isinstance(delta, BookDelta)


def test_a_cut_before_the_next_socket_is_up_invalidates_and_the_next_one_goes_on() -> None:
    venue = a_venue_up()
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    assert of(BookInvalidated, venue.on_link_down("feed-0", "reset", NOW))
    assert of(CloseLink, venue.on_link_up("feed-0.1", NOW + S)) == [CloseLink("feed-0")]
    assert venue.on_frame("feed-0.1", update(20, 21, [], []), NOW + S) != []


def test_a_next_socket_that_fails_changes_nothing() -> None:
    venue = a_venue_up()
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    venue.on_link_up("feed-0.1", NOW)
    assert venue.on_link_down("feed-0.1", "reset", NOW + S) == []
    assert of(BookDelta, venue.on_frame("feed-0", update(13, 14, [], []), NOW + S))


def test_streams_asked_for_are_carried_over() -> None:
    venue = a_venue_up()
    venue.follow("ticker", "BTCUSDT", NOW)
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    outputs = venue.on_link_up("feed-0.1", NOW + S)
    assert [frame.link for frame in of(SendFrame, outputs)] == ["feed-0.1"]
    assert b"btcusdt@ticker" in of(SendFrame, outputs)[0].payload


def test_the_seam_ends_some_time_after_the_hand_over() -> None:
    venue = a_venue_up()
    venue.on_frame("feed-0", SHUTDOWN, NOW)
    venue.on_link_up("feed-0.1", NOW)
    venue.on_frame("feed-0", trade(5), NOW)
    (seam,) = of(WakeUp, venue.on_wake_up("hand-over:feed-0.1", NOW + 2 * S))
    venue.on_wake_up(seam.tag, NOW + 2 * S + seam.delay_ns)
    assert of(Trade, venue.on_frame("feed-0.1", trade(5), NOW + 100 * S))
