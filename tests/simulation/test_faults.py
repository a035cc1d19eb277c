"""Everything that can be made to go wrong at the fake venue, without sockets: values in, values out."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.corruption import corrupted
from actors.simulation.faults import (
    Ban,
    ClockSkew,
    Closing,
    Corrupt,
    Corruption,
    Cut,
    Delay,
    Delivery,
    Drop,
    Duplicate,
    DuplicateFill,
    Fault,
    Freeze,
    LateFill,
    LinkRole,
    LostAck,
    RateLimit,
    RefuseConnect,
    Reject,
    Reorder,
    ServerError,
    ServerShutdown,
    StreamTerminated,
    Timeout,
)
from actors.simulation.http_reply import HttpReply
from tests.simulation.faulty import TAKE, add, trades
from tests.simulation.pure import HOST, START, PureClient

BUY = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "60000"}
STREAM = LinkRole.STREAM


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT", "ETHUSDT")))


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Drop(link=STREAM), [2, 3, 4, 5]),
        (Drop(link=STREAM, after=1, count=2), [1, 4, 5]),
        (Drop(link=STREAM, count=None), []),
        (Drop(subject="btcusdt@tr*", after=4), [1, 2, 3, 4]),
        (Drop(subject="ethusdt@*"), [1, 2, 3, 4, 5]),
        (Drop(link=LinkRole.USER), [1, 2, 3, 4, 5]),
        (Drop(link=STREAM, probability=0.0), [1, 2, 3, 4, 5]),
        (Duplicate(link=STREAM, after=1), [1, 2, 2, 3, 4, 5]),
        (Reorder(link=STREAM, after=1), [1, 3, 2, 4, 5]),
    ],
)
def test_frames_are_dropped_doubled_and_reordered_where_it_was_asked(
    client: PureClient, fault: Fault, seen: list[int]
) -> None:
    session = client.connect("/ws/btcusdt@trade")
    add(client, fault)
    assert trades(client, session, 5) == seen


def test_a_delayed_frame_holds_back_what_is_behind_it(client: PureClient) -> None:
    session = client.connect("/ws/btcusdt@trade")
    add(client, Delay(link=STREAM, delay_ms=300))
    assert trades(client, session, 3) == []
    client.wait(299)
    assert client.frames(session) == []
    client.wait(1)
    assert [frame["q"] for frame in client.frames(session)] == ["0.01000000", "0.02000000", "0.03000000"]


def test_a_probability_is_drawn_from_the_venues_seed(client: PureClient) -> None:
    def seen(seed: int) -> list[int]:
        client = PureClient(FakeBinance(START, seed=seed, rate=0))
        session = client.connect("/ws/btcusdt@trade")
        add(client, Drop(link=STREAM, count=None, probability=0.5))
        return trades(client, session, 20)

    assert 3 < len(seen(1)) < 17
    assert seen(1) == seen(1) != seen(2)


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        (Cut(link=STREAM, after=1), Closing(None)),
        (Cut(link=STREAM, after=1, close_code=1001), Closing(1001)),
    ],
)
def test_a_cut_ends_the_link_instead_of_carrying_the_frame(client: PureClient, fault: Cut, last: Closing) -> None:
    session, other = client.connect("/ws/btcusdt@trade"), client.connect("/ws-api/v3")
    add(client, fault)
    assert trades(client, session, 3) == [1]
    assert client.sent[session][-1] == last
    assert client.call(other, "account.status")["status"] == 200


def test_half_a_frame_is_cut_off_in_the_middle(client: PureClient) -> None:
    session = client.connect("/ws/btcusdt@trade")
    add(client, Cut(link=STREAM, half_frame=True))
    assert trades(client, session, 1) == []
    (closing,) = client.sent[session]
    assert isinstance(closing, Closing)
    assert msgspec.json.decode(closing.half)["e"] == "trade"


@pytest.mark.parametrize(("link", "cut"), [(STREAM, 2), (LinkRole.USER, 1), (None, 3)])
def test_all_links_of_a_role_are_cut_at_once(client: PureClient, link: LinkRole | None, cut: int) -> None:
    for path in ("/ws", "/stream", "/ws-api/v3"):
        client.connect(path)
    add(client, Cut(link=link, at_once=True))
    client.wait(0)
    assert list(client.sent.values()) == [[Closing(None)]] * cut


def test_a_frozen_link_is_silent_both_ways_and_catches_up_after_the_thaw(client: PureClient) -> None:
    session, stream = client.user(), client.connect("/ws/btcusdt@trade")
    add(client, Freeze(link=LinkRole.WS_API, duration_ms=500, at_once=True))
    assert client.venue.is_frozen(session)
    assert not client.venue.is_frozen(stream)
    before = len(client.frames(session))
    client.send(session, "order.place", symbol="BTCUSDT", **BUY | {"newClientOrderId": "frozen"})
    client.order(**TAKE)
    client.wait(499)
    assert len(client.frames(session)) == before
    assert "frozen" not in client.ledger()["orders"]
    assert len(client.frames(stream)) == 1
    client.wait(1)
    assert not client.venue.is_frozen(session)
    assert client.ledger()["orders"]["frozen"][0]["status"] == "NEW"
    assert [event["x"] for event in client.events(session, "executionReport")] == ["NEW", "TRADE", "NEW"]


def test_what_is_frozen_for_ever_goes_on_when_the_fault_is_taken_away(client: PureClient) -> None:
    session = client.connect("/ws/btcusdt@trade")
    add(client, Freeze(link=STREAM))
    assert trades(client, session, 2) == []
    client.wait(60_000)
    assert client.frames(session) == []
    assert client.http("DELETE", "/fake/faults").status == 200
    client.wait(0)
    assert len(client.frames(session)) == 2


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Corruption.HALF, b'{"s":"BTCUSDT","p":"1.'),
        (Corruption.WRONG_TYPES, b'{"s":{"":"BTCUSDT"},"p":{"":"1.00"},"t":"7","m":null,"b":null}'),
        (Corruption.UNKNOWN_SYMBOL, b'{"s":"NOSUCHCOIN","p":"1.00","t":7,"m":true,"b":[["1","2"]]}'),
        (Corruption.HUGE, b'{"e":"' + b"x" * 92 + b'"}'),
    ],
)
def test_a_payload_is_corrupted_as_asked(how: Corruption, expected: bytes) -> None:
    payload = b'{"s":"BTCUSDT","p":"1.00","t":7,"m":true,"b":[["1","2"]]}'
    left = corrupted(payload, Corrupt(how=how, size_bytes=100), Random(1))
    assert left == expected if how is not Corruption.HALF else payload.startswith(left)
    assert how is not Corruption.HALF or len(left) == len(payload) // 2


def test_ten_megabytes_come_in_one_frame_and_garbage_is_no_json(client: PureClient) -> None:
    session = client.connect("/ws/btcusdt@trade")
    add(client, Corrupt(link=STREAM, how=Corruption.HUGE), Corrupt(link=STREAM, how=Corruption.GARBAGE))
    client.order(**TAKE)
    (frame,) = client.sent[session]
    assert isinstance(frame, bytes)
    assert len(frame) == 10 * 1024 * 1024
    client.order(**TAKE)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(client.sent[session][1])  # type: ignore[arg-type]


def test_the_report_of_a_trade_comes_late_and_is_overtaken(client: PureClient) -> None:
    session = client.user()
    add(client, LateFill(delay_ms=200))
    client.order(**TAKE)
    assert [event["e"] for event in client.events(session)] == ["executionReport", "outboundAccountPosition"]
    client.wait(200)
    late = client.events(session)[-1]
    assert (late["e"], late["x"], late["X"]) == ("executionReport", "TRADE", "FILLED")


def test_the_report_of_a_trade_is_told_twice_with_one_trade_id(client: PureClient) -> None:
    session = client.user()
    add(client, DuplicateFill())
    client.order(**TAKE)
    fills = [event for event in client.events(session, "executionReport") if event["x"] == "TRADE"]
    assert len(fills) == 2
    assert fills[0] == fills[1]
    assert len(client.ledger()["fills"]) == 1


REFUSALS: list[tuple[Fault, int, int, str | None, bool]] = [
    (Reject(), 400, -2010, None, False),
    (Reject(code=-1013, message="Filter failure: LOT_SIZE"), 400, -1013, None, False),
    (RateLimit(retry_after_s=7), 429, -1003, "7", False),
    (Ban(retry_after_s=240), 418, -1003, "240", False),
    (ServerError(status=502), 502, -1001, None, False),
    (ServerError(carried_out=True), 503, -1001, None, True),
    (Timeout(), 504, -1007, None, False),
    (Timeout(carried_out=True), 504, -1007, None, True),
]


@pytest.mark.parametrize(("fault", "status", "code", "retry_after", "carried_out"), REFUSALS)
def test_a_request_is_refused_and_carried_out_or_not_by_rest(
    client: PureClient, fault: Fault, status: int, code: int, retry_after: str | None, carried_out: bool
) -> None:
    add(client, fault)
    reply = client.signed("POST", "/api/v3/order", symbol="BTCUSDT", newClientOrderId="x", **BUY)
    assert (reply.status, msgspec.json.decode(reply.body)["code"]) == (status, code)
    assert reply.headers.get("Retry-After") == retry_after
    assert ("x" in client.ledger()["orders"]) is carried_out
    assert client.query("x")["code" if not carried_out else "status"] == ("NEW" if carried_out else -2013)


@pytest.mark.parametrize(("fault", "status", "code", "retry_after", "carried_out"), REFUSALS)
def test_a_request_is_refused_and_carried_out_or_not_on_a_socket(
    client: PureClient, fault: Fault, status: int, code: int, retry_after: str | None, carried_out: bool
) -> None:
    session = client.user()
    add(client, fault)
    answer = client.call(session, "order.place", symbol="BTCUSDT", newClientOrderId="x", **BUY)
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    if retry_after is not None:
        data = answer["error"]["data"]
        assert data["retryAfter"] - data["serverTime"] == int(retry_after) * 1000
    assert ("x" in client.ledger()["orders"]) is carried_out
    assert len(client.events(session, "executionReport")) == carried_out


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_answer_is_lost_whether_the_order_was_carried_out_or_not(client: PureClient, carried_out: bool) -> None:
    session = client.user()
    add(client, LostAck(subject="order.place", count=2, carried_out=carried_out))
    before = len(client.frames(session))
    client.send(session, "order.place", symbol="BTCUSDT", newClientOrderId="socket", **BUY)
    assert all("event" in frame for frame in client.frames(session)[before:])
    reply = client.signed("POST", "/api/v3/order", symbol="BTCUSDT", newClientOrderId="rest", **BUY)
    assert reply.delivery is Delivery.CUT
    assert set(client.ledger()["orders"]) == ({"socket", "rest"} if carried_out else set())
    assert len(client.events(session, "executionReport")) == (2 if carried_out else 0)


@pytest.mark.parametrize(
    ("fault", "delivery", "delay_ns", "carried_out"),
    [
        (Cut(link=LinkRole.REST), Delivery.CUT, 0, True),
        (Drop(subject="POST /api/v3/order"), Delivery.NEVER, 0, True),
        (Freeze(subject="order.place"), Delivery.NEVER, 0, False),
        (RefuseConnect(link=LinkRole.REST), Delivery.CUT, 0, False),
        (Delay(link=LinkRole.REST, delay_ms=5), Delivery.WHOLE, 5_000_000, True),
    ],
)
def test_an_http_answer_is_cut_silenced_or_delayed(
    client: PureClient, fault: Fault, delivery: Delivery, delay_ns: int, carried_out: bool
) -> None:
    add(client, fault)
    reply = client.signed("POST", "/api/v3/order", symbol="BTCUSDT", newClientOrderId="x", **BUY)
    assert (reply.delivery, reply.delay_ns) == (delivery, delay_ns)
    assert ("x" in client.ledger()["orders"]) is carried_out


@pytest.mark.parametrize(("status", "reply_status", "delivery"), [(None, 0, Delivery.CUT), (503, 503, Delivery.WHOLE)])
def test_connections_are_refused_for_as_long_as_asked(
    client: PureClient, status: int | None, reply_status: int, delivery: Delivery
) -> None:
    add(client, RefuseConnect(link=STREAM, status=status, count=None, for_ms=1_000))
    for _ in range(3):
        refused = client.venue.connect(HOST, "/ws", client.now)
        assert isinstance(refused, HttpReply)
        assert (refused.status, refused.delivery) == (reply_status, delivery)
    client.connect("/ws-api/v3")
    client.wait(1_000)
    client.connect("/ws")


@pytest.mark.parametrize(("offset_ms", "code"), [(-1_500, -1021), (6_000, -1021), (-900, None), (4_000, None)])
def test_the_venues_clock_is_off_by_as_much_as_asked(client: PureClient, offset_ms: int, code: int | None) -> None:
    add(client, ClockSkew(offset_ms=offset_ms))
    shown = msgspec.json.decode(client.http("GET", "/api/v3/time").body)["serverTime"]
    assert shown == START // 1_000_000 + offset_ms
    assert client.order(**BUY).get("code") == code
    client.http("DELETE", "/fake/faults")
    assert msgspec.json.decode(client.http("GET", "/api/v3/time").body)["serverTime"] == START // 1_000_000


def test_market_data_goes_on_while_the_clock_is_off(client: PureClient) -> None:
    client = PureClient(FakeBinance(START, rate=50))
    session = client.connect("/ws/btcusdt@depth@100ms")
    for offset_ms in (-5_000, 5_000):
        before = len(client.frames(session))
        add(client, ClockSkew(offset_ms=offset_ms))
        client.wait(1_000)
        frames = client.frames(session)[before:]
        assert len(frames) >= 8
        assert all(abs(frame["E"] - client.now // 1_000_000 - offset_ms) <= 1_000 for frame in frames)


def test_a_shutdown_is_announced_on_every_session(client: PureClient) -> None:
    raw, combined, user = client.connect("/ws"), client.connect("/stream"), client.user()
    add(client, ServerShutdown())
    client.wait(0)
    event = {"e": "serverShutdown", "E": START // 1_000_000}
    assert client.frames(raw) == [event]
    assert client.frames(combined) == [{"stream": "!serverShutdown", "data": event}]
    assert client.frames(user)[-1] == {"event": event}


def test_account_events_end_and_say_so(client: PureClient) -> None:
    session = client.user()
    add(client, StreamTerminated())
    client.wait(0)
    client.order(**BUY)
    assert [event["e"] for event in client.events(session)] == ["eventStreamTerminated"]
    assert client.call(session, "userDataStream.subscribe.signature")["result"] == {"subscriptionId": 1}


FRAME_FAULTS = st.lists(
    st.builds(Drop, link=st.just(STREAM), after=st.integers(0, 4), count=st.integers(1, 3))
    | st.builds(Duplicate, link=st.just(STREAM), after=st.integers(0, 4))
    | st.builds(Reorder, link=st.just(STREAM), after=st.integers(0, 4))
    | st.builds(Delay, link=st.just(STREAM), after=st.integers(0, 4), delay_ms=st.integers(0, 900))
    | st.builds(
        LateFill, link=st.just(STREAM), subject=st.none(), after=st.integers(0, 4), delay_ms=st.integers(0, 900)
    )
    | st.builds(Freeze, link=st.just(STREAM), after=st.integers(0, 4), duration_ms=st.integers(0, 900))
    | st.builds(Cut, link=st.just(STREAM), after=st.integers(0, 4)),
    max_size=4,
)


@given(FRAME_FAULTS)
def test_faults_lose_nothing_that_they_were_not_told_to_lose(faults: list[Fault]) -> None:
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",)))
    session = client.connect("/ws/btcusdt@trade")
    add(client, *faults)
    trades(client, session, 6)
    client.wait(6_000)
    kinds = {type(fault) for fault in faults}
    seen = {round(float(frame["q"]) * 100) for frame in client.frames(session)}
    if not kinds & {Drop, Cut, Reorder}:
        assert seen == {1, 2, 3, 4, 5, 6}
    if not kinds & {Duplicate}:
        assert len(client.frames(session)) == len(seen)
    if not kinds & {Reorder, LateFill, Duplicate}:
        order = [frame["t"] for frame in client.frames(session)]
        assert order == sorted(order)
