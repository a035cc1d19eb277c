"""The shell of a fake venue: one port for HTTP and WebSocket, plain or TLS, and nothing of the protocol.

`serve` runs a venue on the current event loop; `run_venue` is a whole process. Frames are written in the same turn of
the loop in which they arise, all frames for one session as one write. A session that does not read loses its
connection when `_MOST_UNREAD` bytes wait for it; only a replay without a speed waits for its readers instead.
"""

import argparse
import asyncio
import contextlib
import ctypes
import signal
import ssl
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from actors.simulation.binance.rest import HttpReply
from actors.simulation.binance.venue import DEFAULT_SYMBOLS, FakeBinance
from actors.simulation.capture import Capture
from runtime.clock import NS_PER_S, WallClock
from runtime.errors import ConfigError

_PING_INTERVAL_S = 20.0
_PONG_TIMEOUT_S = 60.0
_SESSION_LIMIT_S = 86_400.0
_MOST_UNREAD = 64 * 1024 * 1024
_FULL = 1024 * 1024
_WAIT_FOR_READERS_S = 0.001
_TEXT_FRAME = 0x81
_PR_SET_PDEATHSIG = 1


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

    def take_outbox(self) -> list[tuple[str, bytes | None]]: ...

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
        return _response(reply)

    async def _converse(self, request: web.BaseRequest) -> web.StreamResponse:
        opened = self._venue.connect(request.host, request.raw_path, self._clock.now())
        if isinstance(opened, HttpReply):
            return _response(opened)
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
            if payload is None:
                self._drop(name)
            else:
                writes.setdefault(name, []).extend((_header(len(payload)), payload))
        for name, parts in writes.items():
            session = self._sessions.get(name)
            if session is None or session.transport.is_closing():
                continue
            session.transport.write(b"".join(parts))
            if session.transport.get_write_buffer_size() > _MOST_UNREAD:
                session.transport.abort()

    def _is_congested(self) -> bool:
        return any(session.transport.get_write_buffer_size() > _FULL for session in self._sessions.values())

    def _drop(self, name: str) -> None:
        session = self._sessions.get(name)
        if session is not None:
            self._spawn(session.socket.close(code=WSCloseCode.POLICY_VIOLATION))

    async def _ping(self) -> None:
        """As the venue: a ping every 20 s; who has not answered for a minute, or is a day old, is cut off."""
        while True:
            await asyncio.sleep(self._ping_interval_s)
            now = self._loop.time()
            for name, session in list(self._sessions.items()):
                unanswered = session.unanswered_since
                if unanswered is not None and now - unanswered >= self._pong_timeout_s:
                    session.transport.abort()
                elif now - session.opened >= self._session_limit_s:
                    self._drop(name)
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


def run_venue(
    kind: str,
    port: int,
    tls: tuple[str, str] | None = None,
    replay: str | None = None,
    speed: float = 1.0,
    seed: int = 1,
    ready: Callable[[int], None] | None = None,
    symbols: Sequence[str] = DEFAULT_SYMBOLS,
    rate: float = 20.0,
    host: str = "127.0.0.1",
    order_limit: int = 100,
) -> None:
    """Serve until SIGINT or SIGTERM. Prints one line and calls `ready(port)` once it listens; raises `ConfigError`."""
    if kind != "binance":
        raise ConfigError(f"venue: there is no fake venue {kind!r}; there is binance")
    capture = Capture.load(replay) if replay is not None else None

    async def main() -> None:
        venue = FakeBinance(
            WallClock().now(),
            seed=seed,
            symbols=symbols,
            rate=rate,
            replay=capture,
            speed=speed,
            order_limit=order_limit,
        )
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        server = await serve(venue, host, port, tls)
        print(f"{kind} venue listening on {'https' if tls else 'http'}://{host}:{server.port}", flush=True)
        if ready is not None:
            ready(server.port)
        await stop.wait()
        await server.close()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m actors.simulation.server binance --port P …`, for whoever starts a venue as a child process."""
    parser = argparse.ArgumentParser(prog="python -m actors.simulation.server", description="Run a fake venue.")
    parser.add_argument("kind", choices=["binance"])
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one, which is printed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--replay", metavar="CAPTURE", help="the common beginning of a recording's file names")
    parser.add_argument("--speed", type=float, default=1.0, help="of the replay; 0 is as fast as it is read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--symbols", default=",".join(DEFAULT_SYMBOLS))
    parser.add_argument("--rate", type=float, default=20.0, help="steps of order flow a second and symbol")
    parser.add_argument("--order-limit", type=int, default=100, help="unfilled orders per 10 seconds")
    parser.add_argument("--parent-death", action="store_true", help="end when the parent process ends (Linux)")
    options = parser.parse_args(arguments)
    if options.parent_death:
        _end_with_parent()
    try:
        run_venue(
            options.kind,
            options.port,
            tls=tuple(options.tls) if options.tls else None,
            replay=options.replay,
            speed=options.speed,
            seed=options.seed,
            symbols=options.symbols.split(","),
            rate=options.rate,
            host=options.host,
            order_limit=options.order_limit,
        )
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _response(reply: HttpReply) -> web.Response:
    status, headers, body = reply
    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return web.Response(status=status, reason=reason, headers=headers, body=body)


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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _end_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
