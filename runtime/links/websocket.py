"""One WebSocket to a peer (RFC 6455, client side) on picows: opened once; reopening is its owner's business."""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

from runtime.clock import Clock
from runtime.links.contract import FRAMES_AT_ONCE, LinkEvents

CLOSE_GRACE_S = 1.0
"""A peer that does not take the goodbye within this time is cut off."""

FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "name not found"),
    (ConnectionRefusedError, "connection refused"),
    (WSInvalidStatusError, "upgrade refused"),
    (WSHandshakeError, "handshake failed"),
    (WSProtocolError, "peer broke the protocol"),
    (WSError, "address not usable"),
    (ValueError, "address not usable"),
    (OSError, "network failed"),
)
"""Every way in which a link can end by an exception; the first that fits."""

SILENT = logging.getLogger("picows.outcry")
SILENT.setLevel(logging.CRITICAL + 1)
"""What picows would log is told to the owner as the reason of `link_down`."""

TEXT = WSMsgType.TEXT
BINARY = WSMsgType.BINARY
CONTINUATION = WSMsgType.CONTINUATION


@dataclass(frozen=True)
class WebSocketLimits:
    connect_timeout_s: float = 5.0
    """For name, socket, TLS and upgrade together."""
    max_message_bytes: int = 64 * 1024 * 1024


class WebSocketLink(WSListener):
    """Guarantees: events in the order of the contract; nothing is delivered after `close` or after the peer's goodbye.

    Pings are answered with their payload before the frames that follow them are delivered.
    """

    def __init__(self, url: str, events: LinkEvents, clock: Clock, limits: WebSocketLimits) -> None:
        self._url = url
        self._events = events
        self._clock = clock
        self._limits = limits
        self._transport: WSTransport | None = None
        self._closed = False
        self._deaf = False
        self._paused = False
        self._reading = True
        self._payloads: list[bytes] = []
        self._ts_turn = 0
        self._fragments: list[bytes] | None = None

    # ---- Link ----

    def send(self, payload: bytes) -> bool:
        transport = self._transport
        if transport is None or self._paused or transport.is_close_frame_sent or transport.is_disconnected:
            return False
        transport.send(TEXT, payload)
        return True

    def pause_reading(self) -> None:
        self._set_reading(False)

    def resume_reading(self) -> None:
        self._set_reading(True)

    def _set_reading(self, reading: bool) -> None:
        if reading is self._reading or self._transport is None:
            return
        socket = self._transport.underlying_transport
        if not socket.is_closing():
            self._reading = reading
            if reading:
                socket.resume_reading()
            else:
                socket.pause_reading()

    def close(self) -> None:
        self._closed = self._deaf = True
        if self._transport is not None:
            self._leave(self._transport)

    # ---- life ----

    async def run(self, tls: ssl.SSLContext | None) -> None:
        """Connect, stay until the link is down, tell the owner. Ends early only when cancelled."""
        reason = await self._live(tls)
        self._deliver()
        if not self._closed:
            self._closed = True
            self._events.link_down(reason)

    async def _live(self, tls: ssl.SSLContext | None) -> str:
        timeout_s = self._limits.connect_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                transport, _ = await ws_connect(
                    lambda: self,
                    self._url,
                    ssl_context=tls,
                    websocket_handshake_timeout=timeout_s,
                    logger_name=SILENT,
                    enable_auto_pong=False,
                    max_frame_size=self._limits.max_message_bytes,
                    max_redirects=0,
                )
            await transport.wait_disconnected()
        except Exception as error:
            return self._failure(error)
        if self._transport is None:
            return "handshake failed: closed by the peer"
        return goodbye(transport)

    def _failure(self, error: Exception) -> str:
        for kind, words in FAILURES:
            if isinstance(error, kind):
                return f"{words}: {detail(error)}"
        asyncio.get_running_loop().call_exception_handler({"message": "link failed by a bug", "exception": error})
        return f"bug: {type(error).__name__}"

    def _leave(self, transport: WSTransport) -> None:
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        asyncio.get_running_loop().call_later(CLOSE_GRACE_S, transport.disconnect, False)

    # ---- called by picows ----

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if self._closed:
            self._leave(transport)
        else:
            self._events.link_up()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if self._deaf:
            pass
        elif kind == TEXT and self._fragments is None and frame.fin:
            if not self._ts_turn:
                self._ts_turn = self._clock.now()
            self._payloads.append(frame.get_payload_as_bytes())
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._deliver()
            self._deaf = True
            self._leave(transport)
        elif kind in (TEXT, BINARY, CONTINUATION):
            self._reassemble(kind, frame)
        if frame.last_in_buffer:
            if self._ts_turn:
                self._deliver()
                self._ts_turn = 0
                self._events.turn_over()
        elif len(self._payloads) == FRAMES_AT_ONCE:
            self._deliver()

    def _deliver(self) -> None:
        payloads, self._payloads = self._payloads, []
        if payloads and not self._closed:
            self._events.frames(payloads, self._ts_turn)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    def _reassemble(self, kind: WSMsgType, frame: WSFrame) -> None:
        """RFC 6455 section 5.4: a message is one data frame, then continuations, the last of them with FIN."""
        if (kind == CONTINUATION) != (self._fragments is not None):
            self._deaf = True
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "fragments out of order")
        fragments = [] if self._fragments is None else self._fragments
        fragments.append(frame.get_payload_as_bytes())
        if sum(map(len, fragments)) > self._limits.max_message_bytes:
            self._deaf = True
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "fragments exceed the largest message allowed")
        if not frame.fin:
            self._fragments = fragments
            return
        self._fragments = None
        if not self._ts_turn:
            self._ts_turn = self._clock.now()
        self._payloads.append(b"".join(fragments))


def detail(error: Exception) -> str:
    """Words of the error without the address, which may carry a session's key."""
    if isinstance(error, WSInvalidStatusError) and error.response is not None:
        return f"HTTP {int(error.response.status)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, WSProtocolError):
        return f"{int(error.code)} {error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def goodbye(transport: WSTransport) -> str:
    """Why a link went down without an exception, with the peer's close code if it gave one."""
    handshake = transport.close_handshake
    if handshake is None or handshake.recv is None:
        return "connection lost"
    return f"closed by the peer: {int(handshake.recv.code.value)} {handshake.recv.reason or ''}".rstrip()
