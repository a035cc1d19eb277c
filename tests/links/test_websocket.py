"""A WebSocket link against real peers on the loopback interface."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import picows
import pytest
import websockets
from picows import WSError
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from runtime.clock import WallClock
from runtime.links import NetworkIo
from runtime.links.websocket import FAILURES
from tests.links.recorder import RecordedEvents

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def peer(handler: Handler, **options: object) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:  # type: ignore[arg-type]
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream?key=session-key"


@asynccontextmanager
async def listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A TCP server that has closed all its connections when the block ends."""
    talks: list[asyncio.Task[None]] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        if talks:
            await asyncio.wait(talks, timeout=60)


@asynccontextmanager
async def raw_peer(
    answer: bytes, then_close: bool = False, deaf_until: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """Takes the upgrade, writes `answer`, then reads to the end, or nothing until `deaf_until` and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        accept = websockets.utils.accept_key(key.decode())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n" + answer
        )
        if deaf_until is not None:
            await deaf_until.wait()
            return
        if not then_close:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    async with listening(talk) as url:
        yield url


@asynccontextmanager
async def network(**options: float) -> AsyncIterator[NetworkIo]:
    io = NetworkIo(WallClock(), **options)  # type: ignore[arg-type]
    try:
        yield io
    finally:
        await io.close()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_a_link_comes_up_sends_at_once_and_delivers_what_comes_back() -> None:
    async with peer(echo) as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        assert link.send(b"too early") is False
        await events.until("up")
        assert link.send(b"hello") is True
        await events.until(b"hello", "turn")
        assert events.events == ["up", b"hello", "turn"]


async def test_a_link_sends_text_frames_without_delay() -> None:
    kinds: list[type] = []

    async def note(connection: ServerConnection) -> None:
        kinds.append(type(await connection.recv()))

    async with peer(note) as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        await events.until("up")
        transport = link._transport.underlying_transport  # type: ignore[attr-defined]
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        link.send(b"text")
        assert await events.until_down() == "closed by the peer: 1000"
        assert kinds == [str]


async def test_frames_of_one_socket_read_share_their_time_and_end_in_one_turn() -> None:
    three = b"\x81\x01a" + b"\x82\x01b" + b"\x81\x01c"
    async with raw_peer(three) as url, network() as io:
        events = RecordedEvents()
        before = WallClock().now()
        io.open_link(url, events)
        await events.until("turn")
        assert events.events == ["up", b"a", b"b", b"c", "turn"]
        assert len(set(events.times)) == 1
        assert before - 1_000_000_000 < events.times[0] <= WallClock().now() + 1_000_000_000


async def test_a_turn_ends_even_if_a_ping_is_the_last_of_a_read() -> None:
    async with raw_peer(b"\x81\x01a" + b"\x89\x01p") as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        await events.until("turn")
        assert events.events == ["up", b"a", "turn"]


async def test_a_message_in_fragments_arrives_whole_with_a_ping_in_between() -> None:
    fragments = b"\x01\x03one" + b"\x89\x00" + b"\x00\x03two" + b"\x80\x05three" + b"\x81\x04next"
    async with raw_peer(fragments) as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        await events.until(b"next")
        assert events.received == [b"onetwothree", b"next"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x80\x01x", "peer broke the protocol: 1002 fragments out of order"),
        (b"\x01\x01a\x81\x01b", "peer broke the protocol: 1002 fragments out of order"),
        (b"\x83\x00", "peer broke the protocol: 1002 Received frame with invalid opcode=0x3"),
        (
            b"\x01\x7e\x04\x00" + b"x" * 1024 + b"\x80\x01x",
            "peer broke the protocol: 1009 fragments exceed the largest message allowed",
        ),
        (
            b"\x81\x7e\x04\x01" + b"x" * 1025,
            "peer broke the protocol: 1009 Received frame with payload size exceeding max allowed size, 1025 > 1024",
        ),
    ],
)
async def test_a_peer_that_breaks_the_protocol_is_left(answer: bytes, reason: str) -> None:
    async with raw_peer(answer) as url, network(max_message_bytes=1024) as io:
        events = RecordedEvents()
        io.open_link(url, events)
        assert await events.until_down() == reason
        assert events.events == ["up", ("down", reason)]


async def test_nothing_is_delivered_after_the_goodbye_of_the_peer() -> None:
    async with raw_peer(b"\x81\x01a" + b"\x88\x0c\x0f\xa0maintenance"[:14] + b"\x81\x01b") as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        assert await events.until_down() == "closed by the peer: 4000 maintenanc"
        assert events.received == [b"a"]
        assert link.send(b"late") is False


async def test_a_goodbye_without_a_code_is_understood() -> None:
    async with raw_peer(b"\x88\x00") as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        assert await events.until_down() == "closed by the peer: 0"


async def test_a_cut_connection_takes_the_link_down() -> None:
    async with raw_peer(b"\x81\x01a", then_close=True) as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        assert await events.until_down() == "connection lost"
        assert events.events == ["up", b"a", "turn", ("down", "connection lost")]
        assert link.send(b"late") is False


async def test_a_ping_is_answered_with_its_payload() -> None:
    async def ping(connection: ServerConnection) -> None:
        await (await connection.ping(b"1735689600000"))
        await connection.send("answered")

    async with peer(ping) as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        await events.until(b"answered")


async def test_a_message_of_sixteen_megabytes_arrives_whole() -> None:
    big = "x" * (16 * 1024 * 1024)

    async def send_big(connection: ServerConnection) -> None:
        await connection.send(big)
        await connection.wait_closed()

    async with peer(send_big) as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        await events.until(big.encode())


async def test_a_link_closed_by_its_owner_is_told_nothing_more() -> None:
    closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def flood(connection: ServerConnection) -> None:
        try:
            while True:
                await connection.send("x")
                await asyncio.sleep(0)
        except websockets.ConnectionClosed:
            closed.set_result(connection.close_code)

    async with peer(flood) as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        events.on_frame = lambda payload: link.close()
        async with asyncio.timeout(60):
            assert await closed == 1000
        assert events.deliveries == 1
        assert not any(isinstance(event, tuple) for event in events.events)
        assert link.send(b"late") is False


async def test_a_link_closed_while_it_connects_never_comes_up() -> None:
    async with peer(echo) as url:
        events = RecordedEvents()
        async with network() as io:
            io.open_link(url, events).close()
        assert events.events == []


async def test_a_peer_that_stops_reading_is_sent_no_more() -> None:
    release = asyncio.Event()
    async with raw_peer(b"", deaf_until=release) as url, network() as io:
        events = RecordedEvents()
        link = io.open_link(url, events)
        await events.until("up")
        sent = 0
        while link.send(b"x" * 65536):
            sent += 1
            assert sent < 1000
            await asyncio.sleep(0)
        release.set()
        await events.until_down()


async def test_a_refused_connection_is_told_as_link_down() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with network() as io:
            events = RecordedEvents()
            io.open_link(f"ws://127.0.0.1:{taken.getsockname()[1]}/", events)
            reason = await events.until_down()
            assert reason.startswith("connection refused: ")
            assert events.events == [("down", reason)]


async def test_a_refused_upgrade_names_the_status_and_not_the_address() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(403, "no")

    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    async with peer(echo, process_request=refuse) as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        assert await events.until_down() == "upgrade refused: HTTP 403"


async def test_an_unusable_address_is_told_as_link_down_without_the_address() -> None:
    async with network() as io:
        events = RecordedEvents()
        io.open_link("http://127.0.0.1/secret", events)
        assert await events.until_down() == "address not usable: WSInvalidURL"


async def test_a_peer_that_never_answers_the_upgrade_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(mute) as url, network(connect_timeout_s=0.1) as io:
        events = RecordedEvents()
        io.open_link(url, events)
        assert (await events.until_down()).startswith("timeout: ")


async def test_a_peer_that_hangs_up_before_the_upgrade_is_told_as_link_down() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with listening(hang_up) as url, network() as io:
        events = RecordedEvents()
        io.open_link(url, events)
        assert await events.until_down() == "handshake failed: closed by the peer"


async def test_a_bug_of_the_owner_takes_the_link_down_and_is_reported() -> None:
    reported: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context["exception"]))

    def fail(payload: bytes) -> None:
        raise KeyError("bug")

    async with raw_peer(b"\x81\x01a") as url, network() as io:
        events = RecordedEvents()
        events.on_frame = fail
        io.open_link(url, events)
        assert await events.until_down() == "bug: KeyError"
        assert [type(error) for error in reported] == [KeyError]


def test_every_exception_of_picows_has_words() -> None:
    foreign = [kind for kind in vars(picows).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert WSError in foreign
    assert all(any(issubclass(kind, known) for known, _ in FAILURES) for kind in foreign)
