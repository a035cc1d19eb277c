"""One framed stream: a socket's protocol that turns reads into frames and collects writes until the turn ends."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Protocol, cast

from runtime.errors import PeerFault
from runtime.message import Message
from runtime.transport.wire import LENGTH, MAX_FRAME_BYTES, Codec, frame_header

WRITE_HIGH_BYTES = 128 * 1024
MESSAGES_PER_FRAME = 64
"""More would make the first of a flood wait until all of its frame are decoded."""


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
    """What was read and not yet taken: bytes, and the messages of the frame that was decoded last."""

    def __init__(self, codec: Codec) -> None:
        self._decode = codec.decode
        self._data = b""
        self._position = 0
        self._batch: list[Message] = []
        self._taken = 0

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._position :] + data if self._position < len(self._data) else data
        self._position = 0

    def next(self) -> Message | None:
        """The next whole message, or None; raises `PeerFault` for what is not one."""
        if self._taken == len(self._batch):
            self._batch, self._taken = self.take(), 0
            if not self._batch:
                return None
        message = self._batch[self._taken]
        self._taken += 1
        return message

    def give_back(self, batch: list[Message], taken: int) -> None:
        """Only so many of what `take` returned could be handled."""
        self._batch, self._taken = batch, taken

    def take(self) -> list[Message]:
        """Messages in order, those that share a frame; none when no frame is whole. Raises `PeerFault`."""
        if self._taken < len(self._batch):
            batch = self._batch[self._taken :]
            self._batch, self._taken = [], 0
            return batch
        data, position = self._data, self._position
        start = position + 4
        if start > len(data):
            return []
        length = LENGTH.unpack_from(data, position)[0]
        if length > MAX_FRAME_BYTES:
            raise PeerFault(f"a frame of {length} bytes")
        end = start + length
        if end > len(data):
            return []
        self._position = end
        batch = self._decode(memoryview(data)[start:end])
        if not batch:
            raise PeerFault("a frame without a message")
        return batch


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
        self._descriptor = -1
        """Of a socket that takes our bytes as they are."""
        self._frames = bytearray()
        self._messages = bytearray()
        self._count = 0
        """How many messages are in the frame that is being filled."""
        self._reader = FrameReader(codec)
        self._reading_paused = False

    # -- sending

    def send(self, message: Message) -> None:
        self.send_encoded(self._codec.encode(message))

    def send_encoded(self, message: bytes) -> None:
        if not self._count and not self._frames:
            self._dirty(self)
        elif self._count == MESSAGES_PER_FRAME:
            self._end_frame()
        self._messages += message
        self._count += 1

    def send_all(self, messages: list[Message]) -> None:
        """As `send` for each; raises before any of them is taken if one cannot be encoded."""
        frames = bytearray()
        for start in range(0, len(messages), MESSAGES_PER_FRAME):
            payload = self._codec.encode_all(messages[start : start + MESSAGES_PER_FRAME])
            frames += LENGTH.pack(len(payload))
            frames += payload
        if self._count:
            self._end_frame()
        elif not self._frames:
            self._dirty(self)
        self._frames += frames

    def _end_frame(self) -> None:
        self._frames += frame_header(self._count, len(self._messages))
        self._frames += self._messages
        self._messages.clear()
        self._count = 0

    @property
    def backlog(self) -> int:
        """Bytes that wait to be written."""
        waiting = len(self._frames) + len(self._messages)
        return waiting + (self._transport.get_write_buffer_size() if self._transport is not None else 0)

    def flush(self) -> None:
        """Write what this turn has collected."""
        if self._transport is None or self.closed:
            return
        if self._count:
            self._end_frame()
        if self._frames:
            frames, self._frames = self._frames, bytearray()
            self._write(self._transport, frames)

    def _write(self, transport: asyncio.Transport, frames: bytearray) -> None:
        """At once if the socket takes it: an event loop would only write when the turn of every stream is over."""
        written = 0
        if self._descriptor >= 0 and not transport.get_write_buffer_size() and not transport.is_closing():
            with contextlib.suppress(OSError):
                written = os.write(self._descriptor, frames)
        if written < len(frames):
            transport.write(memoryview(frames)[written:] if written else frames)

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
        if transport.get_extra_info("sslcontext") is None:
            socket = transport.get_extra_info("socket")
            self._descriptor = -1 if socket is None else socket.fileno()
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
