"""Streams, books and snapshots of Binance Spot: captured frames, gaps, pacing, garbage."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import BookDelta, BookInvalidated, BookSnapshot, Quote, Trade
from actors.model.order import Side
from actors.venues.contract import BadFrame, OpenLink, Output, Resynchronised, SendFrame, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.message import Lane
from tests.venues.binance_spot import NOW, S, a_venue, depth, listing, of, stream, up, update
from tests.venues.captures import frames, needs_captures, snapshots

BIDS = [["100.00", "1.0"], ["99.00", "2.0"]]
ASKS = [["101.00", "3.0"]]


def in_step() -> Any:
    venue = a_venue()
    up(venue)
    venue.on_frame("feed-0", update(10, 12, [], []), NOW)
    venue.on_http(depth(12, BIDS, ASKS), NOW)
    return venue


def test_streams_are_spread_over_links_and_those_of_a_symbol_stay_together() -> None:
    venue = a_venue(("BTCUSDT", "ETHUSDT", "SOLUSDT"), keys=False, per_link=6)
    assert of(OpenLink, venue.start(NOW)) == [
        OpenLink(
            "feed-0",
            "wss://stream.binance.com:9443/stream?streams=btcusdt@bookTicker/btcusdt@trade/btcusdt@depth@100ms"
            "/ethusdt@bookTicker/ethusdt@trade/ethusdt@depth@100ms",
            Lane.FEED,
        ),
        OpenLink(
            "feed-1",
            "wss://stream.binance.com:9443/stream?streams=solusdt@bookTicker/solusdt@trade/solusdt@depth@100ms",
            Lane.FEED,
        ),
    ]


def test_a_book_ticker_is_a_quote() -> None:
    payload = stream("btcusdt@bookTicker", u=400900217, s="BTCUSDT", b="25.35190000", B="31.21", a="25.3652", A="40.66")
    assert a_venue().on_frame("feed-0", payload, NOW) == [
        Quote("binance", "BTCUSDT", "25.35190000", "31.21", "25.3652", "40.66", 0, NOW, False, 400900217)
    ]


@pytest.mark.parametrize(("buyer_is_maker", "aggressor"), [(True, Side.SELL), (False, Side.BUY)])
def test_a_trade_says_who_was_aggressive(buyer_is_maker: bool, aggressor: Side) -> None:
    payload = stream(
        "btcusdt@trade", e="trade", E=2, s="BTCUSDT", t=12345, p="0.001", q="100", T=1672515782136, m=buyer_is_maker
    )
    assert a_venue().on_frame("feed-0", payload, NOW) == [
        Trade("binance", "BTCUSDT", "12345", "0.001", "100", aggressor, 1672515782136000000, NOW)
    ]


def test_a_book_starts_with_the_first_update_then_the_snapshot_then_deltas() -> None:
    venue = a_venue()
    up(venue)
    assert of(HttpRequest, venue.on_frame("feed-0", update(10, 12, [["99.00", "0"]], []), NOW)) == [
        HttpRequest("depth:BTCUSDT", "GET", "https://api.binance.com/api/v3/depth?limit=5000&symbol=BTCUSDT")
    ]
    assert venue.on_frame("feed-0", update(13, 14, [], [["102.00", "4.0"]]), NOW) == []
    assert venue.book("BTCUSDT") == BookInvalidated("binance", "BTCUSDT", "UNSYNCED: no update received yet", 0)
    book = BookSnapshot(
        "binance",
        "BTCUSDT",
        14,
        [("100.00", "1.0")],
        [("101.00", "3.0"), ("102.00", "4.0")],
        1_700_000_000_000_000_000,
        NOW,
    )
    assert venue.on_http(depth(11, BIDS, ASKS), NOW) == [book]
    assert venue.book("BTCUSDT") == book
    assert venue.on_frame("feed-0", update(15, 16, [["100.50", "5.0"]], []), NOW + 1) == [
        BookDelta("binance", "BTCUSDT", 14, 16, [("100.50", "5.0")], [], 1_700_000_000_000_000_000, NOW + 1)
    ]
    assert venue.report(False)["books"] == {"BTCUSDT": "SYNCED"}


def test_a_gap_invalidates_the_book_before_anything_else_and_builds_it_anew() -> None:
    venue = in_step()
    outputs = venue.on_frame("feed-0", update(20, 22, [["98.00", "1"]], []), NOW + 60 * S)
    assert outputs == [
        BookInvalidated("binance", "BTCUSDT", "GAP: update 20 after 12", NOW + 60 * S),
        Resynchronised("BTCUSDT", "GAP: update 20 after 12"),
        HttpRequest("depth:BTCUSDT", "GET", "https://api.binance.com/api/v3/depth?limit=5000&symbol=BTCUSDT"),
    ]
    assert venue.on_frame("feed-0", update(23, 24, [], []), NOW + 60 * S) == []
    (book,) = venue.on_http(depth(22, BIDS, ASKS), NOW + 61 * S)
    assert isinstance(book, BookSnapshot)
    assert book.sequence == 24


def test_a_snapshot_older_than_the_first_update_is_asked_for_again_later() -> None:
    venue = a_venue()
    up(venue)
    venue.on_frame("feed-0", update(10, 12, [], []), NOW)
    assert venue.on_http(depth(5, BIDS, ASKS), NOW) == [WakeUp(S // 4, "snapshot:BTCUSDT")]
    assert len(of(HttpRequest, venue.on_wake_up("snapshot:BTCUSDT", NOW))) == 1
    assert venue.on_http(depth(6, BIDS, ASKS), NOW) == [WakeUp(S // 2, "snapshot:BTCUSDT")]


@pytest.mark.parametrize(
    "failure",
    [
        HttpFailed("depth:BTCUSDT", "timeout", sent=True),
        HttpAnswered("depth:BTCUSDT", 500, {}, b"", NOW),
        HttpAnswered("depth:BTCUSDT", 200, {}, b'{"lastUpdateId":', NOW),
    ],
)
def test_a_snapshot_that_fails_is_asked_for_again(failure: HttpAnswered | HttpFailed) -> None:
    venue = a_venue()
    up(venue)
    venue.on_frame("feed-0", update(10, 12, [], []), NOW)
    outputs = venue.on_http(failure, NOW) + venue.on_frame("feed-0", update(13, 14, [], []), NOW)
    assert of(WakeUp, outputs) == [WakeUp(S // 4, "snapshot:BTCUSDT")]


def test_a_crossed_book_is_built_anew() -> None:
    venue = in_step()
    outputs = venue.on_frame("feed-0", update(13, 13, [["101.50", "1"]], []), NOW)
    assert outputs == [
        BookInvalidated("binance", "BTCUSDT", "CROSSED: after update 13", NOW),
        Resynchronised("BTCUSDT", "CROSSED: after update 13"),
    ]
    assert venue.report(False)["books"] == {"BTCUSDT": "INVALID"}


def test_a_lost_link_invalidates_its_books_once() -> None:
    venue = in_step()
    assert venue.on_link_down("feed-0", "reset", NOW) == [
        BookInvalidated("binance", "BTCUSDT", "LINK_DOWN: reset", NOW)
    ]
    assert venue.on_link_down("feed-0", "reset", NOW) == []


@pytest.mark.parametrize(
    "payload",
    [
        update(13, 13, [["x", "1"]], []),
        update(13, 13, [["1", "x"]], []),
        update(13, 13, [["1", "-1"]], []),
        update(13, 2**70, [], []),
        stream("btcusdt@depth@100ms", e="depthUpdate"),
    ],
)
def test_a_malformed_update_costs_the_book_and_is_kept_for_diagnosis(payload: bytes) -> None:
    venue = in_step()
    outputs = venue.on_frame("feed-0", payload, NOW)
    assert len(of(BookInvalidated, outputs)) == 1
    (bad,) = of(BadFrame, outputs)
    assert (bad.payload, bad.drop_link) == (payload, False)
    assert venue.report(False)["books"] == {"BTCUSDT": "INVALID"}


def test_what_is_no_frame_at_all_drops_the_link() -> None:
    (bad,) = a_venue().on_frame("feed-0", b'{"stream":"btcusdt@tra', NOW)
    assert isinstance(bad, BadFrame)
    assert bad.drop_link


@pytest.mark.parametrize("quantity", ["x", "", ".", "1.2.3", "-1", "1e5"])
def test_a_quantity_that_is_no_number_makes_a_bad_frame(quantity: str) -> None:
    for payload in (
        stream("btcusdt@bookTicker", b="1", B=quantity, a="2", A="1"),
        stream("btcusdt@bookTicker", b="1", B="1", a="2", A=quantity),
        stream("btcusdt@trade", e="trade", E=1, s="BTCUSDT", t=1, p="1", q=quantity, T=1, m=True),
    ):
        (bad,) = a_venue().on_frame("feed-0", payload, NOW)
        assert isinstance(bad, BadFrame)
        assert not bad.drop_link


def test_answers_to_probes_are_silent_and_a_shutdown_opens_the_next_socket() -> None:
    venue = a_venue()
    up(venue)
    assert venue.on_frame("feed-0", b'{"result":true,"id":1}', NOW) == []
    (reopen,) = venue.on_frame("feed-0", stream("!serverShutdown", e="serverShutdown", E=1770123456789), NOW)
    assert isinstance(reopen, OpenLink)
    assert reopen.link == "feed-0.1"


def test_every_open_link_is_probed() -> None:
    venue = a_venue(("BTCUSDT", "ETHUSDT"), per_link=3)
    up(venue)
    assert [probe.link for probe in of(SendFrame, venue.on_wake_up("probe", NOW))] == ["feed-0", "feed-1", "orders"]


def test_snapshots_never_exceed_the_weight_limit_and_go_on_with_the_next_minute() -> None:
    symbols = tuple(f"C{number:02d}USDT" for number in range(40))
    venue = a_venue(symbols, keys=False)
    venue.start(NOW)
    venue.on_http(listing(*symbols), NOW)
    asked: list[str] = []
    wake_ups: list[WakeUp] = []
    queue: list[Output] = []
    for symbol in symbols:
        queue += venue.on_frame("feed-0", update(10, 12, [], [], symbol), NOW)
    while queue:
        output = queue.pop(0)
        if isinstance(output, HttpRequest):
            asked.append(output.id)
            answer = depth(12, BIDS, ASKS, output.id.removeprefix("depth:"))
            queue += venue.on_http(msgspec.structs.replace(answer, headers={}), NOW)
        elif isinstance(output, WakeUp):
            wake_ups.append(output)
    assert len(asked) == 19  # 19 × 250 and 20 for the instruments of 6000, one fifth of which is left to others
    assert [wake_up.tag for wake_up in wake_ups] == ["snapshots"]
    assert NOW % (60 * S) + wake_ups[0].delay_ns == 60 * S + 60 * S // 64  # the clock may be a little off
    assert len(of(HttpRequest, venue.on_wake_up("snapshots", NOW + wake_ups[0].delay_ns))) == 4


def test_no_snapshot_is_asked_for_while_the_venue_says_wait() -> None:
    venue = a_venue()
    up(venue)
    venue.on_frame("feed-0", update(10, 12, [], []), NOW)
    limited = HttpAnswered("depth:BTCUSDT", 429, {"retry-after": "7"}, b"{}", NOW)
    assert venue.on_http(limited, NOW) == [WakeUp(S // 4, "snapshot:BTCUSDT")]
    (wait,) = venue.on_wake_up("snapshot:BTCUSDT", NOW + S)
    assert isinstance(wait, WakeUp)
    assert wait.tag == "snapshots"
    assert 5.9 * S < wait.delay_ns < 6.1 * S


def test_the_final_report_has_the_digest_of_each_whole_book() -> None:
    venue = in_step()
    assert "digests" not in venue.report(False)
    assert venue.report(True)["digests"] == {
        "BTCUSDT": {
            "sequence": 12,
            # sha256 of "100.00:1.0\n99.00:2.0\n101.00:3.0\n"
            "digest": "ef63d12dddb99c656160ed2cef28cfc13be5de77d78a8c9e6f3ff251d30b8e82",
        }
    }


# ---- captured frames ----------------------------------------------------------------------------------------------

CAPTURED = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")


@needs_captures
def test_captured_books_come_out_as_an_independent_reconstruction_has_them() -> None:
    venue = a_venue(CAPTURED, keys=False)
    bodies = snapshots()
    kept: dict[str, list[dict[str, Any]]] = {symbol: [] for symbol in CAPTURED}
    for ts_recv, payload in frames():
        for output in venue.on_frame("feed-0", payload, ts_recv):
            if isinstance(output, HttpRequest):
                symbol = output.id.removeprefix("depth:")
                venue.on_http(HttpAnswered(output.id, 200, {}, bodies[symbol], ts_recv), ts_recv)
            assert not isinstance(output, Resynchronised)
        decoded = msgspec.json.decode(payload)
        if decoded["stream"].endswith("@depth@100ms"):
            kept[decoded["data"]["s"]].append(decoded["data"])
    for symbol in CAPTURED:
        snapshot = msgspec.json.decode(bodies[symbol])
        sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
        for change in kept[symbol]:
            if change["u"] > snapshot["lastUpdateId"]:
                for name, side in sides.items():
                    side.update(change[name])
        expected = {name: {p: q for p, q in side.items() if float(q)} for name, side in sides.items()}
        book = venue.book(symbol)
        assert isinstance(book, BookSnapshot)
        assert book.sequence == max(snapshot["lastUpdateId"], kept[symbol][-1]["u"])
        assert book.bids == sorted(expected["b"].items(), key=lambda level: -float(level[0]))
        assert book.asks == sorted(expected["a"].items(), key=lambda level: float(level[0]))


@needs_captures
@given(data=st.data())
def test_mutated_captured_frames_never_raise(data: st.DataObject) -> None:
    venue = a_venue(CAPTURED)
    up(venue)
    bodies = snapshots()
    for _, payload in frames()[:3]:
        venue.on_frame("feed-0", payload, NOW)
    venue.on_http(HttpAnswered("depth:NKNUSDT", 200, {}, bodies["NKNUSDT"], NOW), NOW)
    payload = data.draw(st.sampled_from([each for _, each in frames()]))
    for link in ("feed-0", "orders"):
        for mutant in (data.draw(mutants(payload)), data.draw(st.binary(max_size=200)), b"[" * 100_000):
            for output in venue.on_frame(link, mutant, NOW):
                msgspec.msgpack.encode(output)
    venue.on_http(HttpAnswered("depth:NKNUSDT", 200, {}, data.draw(st.binary(max_size=99)), NOW), NOW)


anything: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 2**63, 2**200, 1.5, "", "x", "9" * 5000, [], {}, [[]], [["1"]], [[1, 2]]]
)


@st.composite
def mutants(draw: st.DrawFn, payload: bytes) -> bytes:
    frame = msgspec.json.decode(payload)
    match draw(st.sampled_from(["drop", "replace", "cut", "flip"])):
        case "drop":
            frame["data"].pop(draw(st.sampled_from(sorted(frame["data"]))))
            return msgspec.json.encode(frame)
        case "replace":
            frame["data"][draw(st.sampled_from(sorted(frame["data"])))] = draw(anything)
            try:
                return msgspec.json.encode(frame)
            except OverflowError:
                return str(frame).replace("'", '"').encode()
        case "cut":
            return payload[: draw(st.integers(0, len(payload)))]
        case _:
            at = draw(st.integers(0, len(payload) - 1))
            return payload[:at] + bytes([draw(st.integers(0, 255))]) + payload[at + 1 :]
