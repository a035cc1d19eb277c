"""One framed stream: a socket's protocol that turns reads into frames and collects writes until the turn ends."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from runtime.errors import PeerFault
from runtime.message import Message
from runtime.transport.wire import LENGTH, MAX_FRAME_BYTES, Codec

WRITE_HIGH_BYTES = 128 * 1024


class StreamOwner(Protocol):
    """What reacts to a stream. Called on the host's loop, never re-entrantly."""

    def stream_up(self, stream: "Stream") -> None: ...

    def stream_read(self, stream: "Stream", messages: "FrameReader") -> None:
        """Take messages from `messages`; what is not taken stays for `stream.go_on()`."""
        ...

    def stream_writable(self, stream: "Stream") -> None:
        """The peer reads again after `stream.congested` was True."""
        ...

    def stream_down(self, stream: "Stream", reason: str) -> None: ...


class FrameReader:
    """Bytes that were read and not yet decoded; iterating takes one message after the other."""

    def __init__(self, codec: Codec) -> None:
        self._decode = codec.decode
        self._data = b""
        self._position = 0

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._position :] + data if self._position < len(self._data) else data
        self._position = 0

    def next(self) -> Message | None:
        """The next whole message, or None; raises `PeerFault` for what is not one."""
        data, position = self._data, self._position
        start = position + 4
        if start > len(data):
            return None
        length = LENGTH.unpack_from(data, position)[0]
        if length > MAX_FRAME_BYTES:
            raise PeerFault(f"a frame of {length} bytes")
        end = start + length
        if end > len(data):
            return None
        self._position = end
        return self._decode(memoryview(data)[start:end])


class Stream(asyncio.Protocol):
    """Guarantees: messages leave in the order of `send`; what was sent in one turn leaves with one write.

    `congested` tells that the peer reads slowly; the owner then conflates or refuses instead of queueing here.
    """

    def __init__(self, codec: Codec, owner: StreamOwner, dirty: Callable[["Stream"], None]) -> None:
        self.congested = False
        self.closed = False
        self._codec = codec
        self._owner = owner
        self._dirty = dirty
        self._transport: asyncio.Transport | None = None
        self._outgoing = bytearray()
        self._reader = FrameReader(codec)
        self._reading_paused = False

    # -- sending

    def send(self, message: Message) -> None:
        self.send_frame(self._codec.frame(message))

    def send_frame(self, frame: bytes) -> None:
        if not self._outgoing:
            self._dirty(self)
        self._outgoing += frame

    @property
    def backlog(self) -> int:
        """Bytes that wait to be written."""
        waiting = len(self._outgoing)
        return waiting + (self._transport.get_write_buffer_size() if self._transport is not None else 0)

    def flush(self) -> None:
        """Write what this turn has collected."""
        if self._outgoing and self._transport is not None and not self.closed:
            outgoing, self._outgoing = self._outgoing, bytearray()
            self._transport.write(outgoing)

    def close(self) -> None:
        """Write what is left and close; the owner is not told."""
        if self._transport is not None and not self.closed:
            self.flush()
            self._transport.close()
        self.closed = True

    # -- reading

    def pause(self) -> None:
        """Read nothing more until `go_on`."""
        if not self._reading_paused and self._transport is not None and not self.closed:
            self._reading_paused = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Offer what was left, then read again unless the owner pauses anew."""
        if self.closed:
            return
        if self._reading_paused:
            self._reading_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        self._offer()

    def _offer(self) -> None:
        try:
            self._owner.stream_read(self, self._reader)
        except PeerFault as fault:
            self._lose(f"PeerFault: {fault}")

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self._owner.stream_up(self)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if not self._reading_paused:
            self._offer()

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        if not self.closed:
            self._owner.stream_writable(self)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._owner.stream_down(self, str(error) if error else "closed by the peer")

    def _lose(self, reason: str) -> None:
        if not self.closed:
            self.closed = True
            if self._transport is not None:
                self._transport.abort()
            self._owner.stream_down(self, reason)
