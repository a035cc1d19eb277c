"""What a host needs from the network, and what it is told: implemented by real sockets and by the simulation."""

from collections.abc import Callable
from typing import Protocol

from runtime.actor import HttpAnswered, HttpFailed, HttpRequest

FRAMES_AT_ONCE = 64


class LinkEvents(Protocol):
    """Called on the event loop, one at a time: `link_up`, then frames, then `link_down`; or `link_down` alone."""

    def link_up(self) -> None: ...

    def frames(self, payloads: list[bytes], ts_recv: int) -> None:
        """Whole messages of the peer in their order, text or binary, reassembled if they came in fragments.

        One at least and `FRAMES_AT_ONCE` at most: one socket read may bring more, and tells them in several calls.
        `ts_recv` is when their last bytes were read, nanoseconds since the epoch, the same for all frames of one
        socket read. List and bytes are the receiver's to keep.
        """
        ...

    def turn_over(self) -> None:
        """All frames of one socket read have been delivered: time to write what they caused."""
        ...

    def link_down(self, reason: str) -> None:
        """Told once, unless this side closed the link. The reason holds no address and no secret."""
        ...


class Link(Protocol):
    def send(self, payload: bytes) -> bool:
        """Write one text frame at once.

        False when the link is not up, or when the peer has stopped reading and the socket's buffer is full: then
        nothing of it has left, nor ever will.
        """
        ...

    def pause_reading(self) -> None:
        """Leave with the peer what has not been read yet; what one read has brought still comes."""
        ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        """Say goodbye and leave. No event follows, not even `link_down`."""
        ...


class Io(Protocol):
    def open_link(self, url: str, events: LinkEvents) -> Link: ...

    def request(self, request: HttpRequest, done: Callable[[HttpAnswered | HttpFailed], None]) -> None:
        """`done` is called once on the event loop, never within this call; not at all after `close`."""
        ...

    async def close(self) -> None:
        """Close every link and give up every request; returns when their sockets are closed."""
        ...
