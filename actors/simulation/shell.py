"""The shell of a fake venue: one port for HTTP and WebSocket, plain or TLS, and nothing of the protocol.

Frames are written in the same turn of the loop in which they arise, all frames for one session as one write. A session
that does not read loses its connection when `_MOST_UNREAD` bytes wait for it; only a replay without a speed waits for
its readers instead. Faults of sockets are carried out here: cuts, with and without a close frame, half frames, silence.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from actors.simulation.faults import Closing, Delivery
from actors.simulation.http_reply import HttpReply
from actors.simulation.outbox import Payload
from runtime.clock import NS_PER_S, WallClock
from runtime.errors import ConfigError

_PING_INTERVAL_S = 20.0
_PONG_TIMEOUT_S = 60.0
_SESSION_LIMIT_S = 86_400.0
_MOST_UNREAD = 64 * 1024 * 1024
_FULL = 1024 * 1024
_WAIT_FOR_READERS_S = 0.001
_TEXT_FRAME = 0x81


class Venue(Protocol):
    """What the shell needs of a fake venue; see `FakeBinance` for the meaning."""

    @property
    def waits_for_readers(self) -> bool: ...

    def connect(self, host: str, path: str, now: int) -> str | HttpReply: ...

    def receive(self, session: str, text: str, now: int) -> None: ...

    def disconnect(self, session: str, now: int | None = None) -> None: ...

    def http(
        self, method: str, host: str, path: str, query: str, headers: Mapping[str, str], body: str, now: int
    ) -> HttpReply: ...

    def advance(self, now: int) -> None: ...

    def next_due(self) -> int | None: ...

    def take_outbox(self) -> Sequence[tuple[str, Payload]]: ...

    def is_frozen(self, session: str) -> bool: ...

    def shut_down(self, now: int) -> None: ...


class _Session:
    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, now: float) -> None:
        self.socket = socket
        self.transport = transport
        self.opened = now
        self.unanswered_since: float | None = None


class Server:
    """A venue behind a listening socket. Made by `serve`; `close` says goodbye on every socket and frees the port."""

    def __init__(self, venue: Venue, ping_interval_s: float, pong_timeout_s: float, session_limit_s: float) -> None:
        self.port = 0
        self._venue = venue
        self._ping_interval_s = ping_interval_s
        self._pong_timeout_s = pong_timeout_s
        self._session_limit_s = session_limit_s
        self._clock = WallClock()
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, _Session] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=context, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(f"port: cannot listen on {host}:{port}: {error.strerror or error}") from None
        self.port = self._runner.addresses[0][1]
        self._spawn(self._ping())
        self._arm()

    async def close(self) -> None:
        self._closing.set()
        self._venue.shut_down(self._clock.now())
        self._flush()
        if self._timer is not None:
            self._timer.cancel()
        for session in list(self._sessions.values()):
            await session.socket.close(code=WSCloseCode.GOING_AWAY)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._converse(request)
        path, _, query = request.raw_path.partition("?")
        body = await request.text()
        reply = self._venue.http(request.method, request.host, path, query, request.headers, body, self._clock.now())
        self._loop.call_soon(self._after_call)
        return await self._answer(request, reply)

    async def _answer(self, request: web.BaseRequest, reply: HttpReply) -> web.StreamResponse:
        """Answer, or do to the connection what the reply says."""
        if reply.delay_ns:
            await asyncio.sleep(reply.delay_ns / NS_PER_S)
        match reply.delivery:
            case Delivery.WHOLE:
                pass
            case Delivery.CUT:
                if request.transport is not None:
                    request.transport.abort()
            case Delivery.NEVER:
                await self._closing.wait()
        return _response(reply)

    async def _converse(self, request: web.BaseRequest) -> web.StreamResponse:
        opened = self._venue.connect(request.host, request.raw_path, self._clock.now())
        if isinstance(opened, HttpReply):
            return await self._answer(request, opened)
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            self._venue.disconnect(opened, self._clock.now())
            return socket
        session = self._sessions[opened] = _Session(socket, transport, self._loop.time())
        self._after_call()
        try:
            await self._read(opened, session)
        finally:
            self._sessions.pop(opened, None)
            self._venue.disconnect(opened, self._clock.now())
        return socket

    async def _read(self, name: str, session: _Session) -> None:
        async for message in session.socket:
            match message.type:
                case WSMsgType.TEXT:
                    self._venue.receive(name, message.data, self._clock.now())
                    self._after_call()
                case WSMsgType.PING:
                    if not self._venue.is_frozen(name):
                        await session.socket.pong(message.data)
                case WSMsgType.PONG:
                    session.unanswered_since = None
                case _:
                    return

    def _after_call(self) -> None:
        self._flush()
        self._arm()

    def _drive(self) -> None:
        self._timer = None
        if self._venue.waits_for_readers and self._is_congested():
            self._timer = self._loop.call_later(_WAIT_FOR_READERS_S, self._drive)
            return
        self._venue.advance(self._clock.now())
        self._after_call()

    def _arm(self) -> None:
        due = self._venue.next_due()
        if self._timer is not None:
            if due == self._armed_for:
                return
            self._timer.cancel()
            self._timer = None
        self._armed_for = due
        if due is not None:
            delay_s = max(0.0, (due - self._clock.now()) / NS_PER_S)
            self._timer = self._loop.call_later(delay_s, self._drive)

    def _flush(self) -> None:
        writes: dict[str, list[bytes]] = {}
        for name, payload in self._venue.take_outbox():
            match payload:
                case bytes():
                    writes.setdefault(name, []).extend((_header(len(payload)), payload))
                case None:
                    self._write(name, writes.pop(name, []))
                    self._drop(name, WSCloseCode.POLICY_VIOLATION)
                case Closing():
                    half = _header(len(payload.half)) + payload.half if payload.half else b""
                    self._write(name, [*writes.pop(name, []), half[: len(half) // 2]])
                    self._cut(name, payload.code)
        for name, parts in writes.items():
            self._write(name, parts)

    def _write(self, name: str, parts: list[bytes]) -> None:
        session = self._sessions.get(name)
        if session is None or session.transport.is_closing():
            return
        session.transport.write(b"".join(parts))
        if session.transport.get_write_buffer_size() > _MOST_UNREAD:
            session.transport.abort()

    def _is_congested(self) -> bool:
        return any(session.transport.get_write_buffer_size() > _FULL for session in self._sessions.values())

    def _drop(self, name: str, code: int) -> None:
        session = self._sessions.get(name)
        if session is not None:
            self._spawn(session.socket.close(code=code))

    def _cut(self, name: str, code: int | None) -> None:
        """With a close frame, or without a word: what was written leaves first."""
        session = self._sessions.get(name)
        if session is None:
            return
        if code is None:
            session.transport.close()
        else:
            self._drop(name, code)

    async def _ping(self) -> None:
        """As the venue: a ping every 20 s; who has not answered for a minute, or is a day old, is cut off."""
        while True:
            await asyncio.sleep(self._ping_interval_s)
            now = self._loop.time()
            for name, session in list(self._sessions.items()):
                if self._venue.is_frozen(name):
                    continue
                unanswered = session.unanswered_since
                if unanswered is not None and now - unanswered >= self._pong_timeout_s:
                    session.transport.abort()
                elif now - session.opened >= self._session_limit_s:
                    self._drop(name, WSCloseCode.POLICY_VIOLATION)
                else:
                    session.unanswered_since = now if unanswered is None else unanswered
                    with contextlib.suppress(ConnectionError):
                        await session.socket.ping(str(self._clock.now() // 1_000_000).encode())

    def _spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def serve(
    venue: Venue,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: tuple[str, str] | None = None,
    *,
    ping_interval_s: float = _PING_INTERVAL_S,
    pong_timeout_s: float = _PONG_TIMEOUT_S,
    session_limit_s: float = _SESSION_LIMIT_S,
) -> Server:
    """Start to serve. `tls` is the certificate file and the key file. Port 0 takes a free one: see `Server.port`."""
    server = Server(venue, ping_interval_s, pong_timeout_s, session_limit_s)
    await server.start(host, port, _tls_context(tls))
    return server


def _response(reply: HttpReply) -> web.Response:
    reason = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else ""
    return web.Response(status=reply.status or 503, reason=reason, headers=reply.headers, body=reply.body)


def _header(length: int) -> bytes:
    """Of an unmasked, whole text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((_TEXT_FRAME, length))
    if length < 65536:
        return bytes((_TEXT_FRAME, 126)) + length.to_bytes(2, "big")
    return bytes((_TEXT_FRAME, 127)) + length.to_bytes(8, "big")


def _tls_context(tls: tuple[str, str] | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(*tls)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls: {tls[0]} and {tls[1]} are not a certificate and its key: {error}") from None
    return context
