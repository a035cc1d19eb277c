"""What an actor is, and all it may do: the contract between `receive` and its host.

An actor is a plain class. It gets one message at a time, holds no socket, no loop and no clock, never blocks and never
waits for a reply. What it needs from outside it asks of its `Context` and gets back as a message, so the same class
runs in a Ray actor, in a plain process and under a virtual clock.
"""

from collections.abc import Awaitable, Iterator, Sequence
from random import Random
from typing import Any, Protocol, runtime_checkable

import msgspec

from runtime.address import Address
from runtime.message import Lane, Message


class Timer(Protocol):
    def cancel(self) -> None: ...


class Logger(Protocol):
    """structlog's shape: an event name and key/values. Secrets are redacted by the host."""

    def debug(self, event: str, **values: Any) -> None: ...
    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def error(self, event: str, **values: Any) -> None: ...


class Context(Protocol):
    """Everything an actor may do besides changing its own state. No call blocks, none waits for a reply."""

    @property
    def name(self) -> str: ...

    @property
    def incarnation(self) -> int:
        """1 for the first life of this name within a run, then 2, 3, …"""
        ...

    @property
    def random(self) -> Random: ...

    @property
    def log(self) -> Logger: ...

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    def tell(self, to: str | Address, message: Message) -> None:
        """Send to the present life of a name, or to exactly one incarnation.

        In order per (sender, receiver, lane). What certainly did not leave comes back as `Undelivered`. What the
        actor appended to the journal before is as durable as configured before this leaves the process.
        """
        ...

    def publish(self, topic: str, event: Message) -> None:
        """Hand an event to whoever subscribed to `topic` of this actor; costs next to nothing if nobody did."""
        ...

    def subscribe(self, publisher: str, *patterns: str) -> None:
        """Receive what `publisher` publishes on topics that match (`*` matches any run of characters).

        The subscription outlives either side's restarts; the publisher gets `Subscribed` each time it takes effect.
        """
        ...

    def unsubscribe(self, publisher: str, *patterns: str) -> None: ...

    def merge(self, merger: "Merger | None", *publishers: str) -> None:
        """From now on what these publishers publish goes through `merger` before it is in the mailbox; None ends that.

        Whatever else this actor subscribes to is not touched by it.
        """
        ...

    def refresh(self, publisher: str, topic: str) -> None:
        """Have `publisher` publish the whole state of a topic again, if it is up."""
        ...

    def watch(self, name: str) -> None:
        """Get `ActorUp` and `ActorDown` for each life of `name`, beginning with its present state if it is up."""
        ...

    def after(self, delay_ns: int, message: object) -> Timer:
        """Put `message` into the own mailbox, control lane, when the time has passed."""
        ...

    def open_link(self, link: str, url: str, lane: Lane = Lane.FEED) -> None:
        """Open a WebSocket; answered by `LinkUp` or `LinkDown`, then `FramesReceived` for what the peer sends.

        `lane` is the mailbox lane of its frames. Pings of the peer are answered by the host. A link that the actor
        closes itself is not answered.
        """
        ...

    def send_frame(self, link: str, payload: bytes) -> bool:
        """Write one text frame at once; False when the link is not up (then nothing has left)."""
        ...

    def close_link(self, link: str) -> None: ...

    def request(self, request: "HttpRequest") -> None:
        """Make an HTTP request; answered by `HttpAnswered` or `HttpFailed` with the same id."""
        ...

    def append(self, record: bytes) -> int:
        """Append to the actor's journal and return the record's sequence number; raises `Unavailable`."""
        ...

    def read_journal(self) -> Iterator[tuple[int, bytes]]:
        """What earlier lives appended, in order: (sequence number, record)."""
        ...

    def measure(self, stage: str, label: str, duration_ns: int) -> None:
        """Record one duration in the host's histogram of (stage, label); shipped as `Measured` twice a second."""
        ...


class Report(msgspec.Struct, frozen=True):
    """An actor's own view of itself. Counters are summed over incarnations, state is the last one seen."""

    counters: dict[str, int] = {}
    state: dict[str, Any] = {}
    """Plain MessagePack data only: str, int, float, bool, None, list, dict."""


class Merger(Protocol):
    """Makes one stream out of those of several publishers; plain calculation, called by the host."""

    def take(self, source: str, event: Any, now: int) -> Sequence[Message]:
        """What passes now that the publisher `source` has published `event`."""
        ...

    def gone(self, source: str, reason: str, now: int, kept: Sequence[str] = ()) -> Sequence[Message]:
        """A life of a publisher is over, or only what matches the patterns `kept` is still subscribed to. What passes
        because of it."""
        ...

    def shed(self, topic: str) -> None:
        """Events of this topic that had passed were shed; all publishers are asked for its whole state."""
        ...

    @property
    def due(self) -> int:
        """When `release` is to be called, nanoseconds since the epoch; 0 for never."""
        ...

    def release(self, now: int) -> Sequence[Message]: ...


class Actor(Protocol):
    def receive(self, message: Any, ctx: Context) -> Awaitable[None] | None:
        """Handle one message. An awaitable is awaited before the next message is taken; an exception ends this life."""
        ...

    def report(self) -> Report:
        """Called twice a second and at the end, between two messages."""
        ...


@runtime_checkable
class Finishing(Protocol):
    """An actor with something to bring to an end after `Stopping`: its host waits for it, for some seconds."""

    def is_finished(self) -> bool: ...


# ---- what the host tells an actor; these never cross a process --------------------------------------------------


class Started(msgspec.Struct, frozen=True):
    """First message of each life."""


class Stopping(msgspec.Struct, frozen=True):
    """Last message of a life that ends in order."""


class ActorUp(msgspec.Struct, frozen=True):
    address: Address


class ActorDown(msgspec.Struct, frozen=True):
    """That life is over or cannot be reached; a later one is announced by its own `ActorUp`."""

    name: str
    incarnation: int
    reason: str


class Undelivered(msgspec.Struct, frozen=True):
    """`message` certainly did not reach `to`: nobody there, another incarnation, or its queue is full."""

    to: str
    message: Message
    reason: str


class Subscribed(msgspec.Struct, frozen=True):
    """`subscriber` receives topics that match `patterns` from now on: publish what it needs to begin with.

    Without patterns it receives nothing any longer: it unsubscribed, or its link or its life is over.
    """

    subscriber: str
    patterns: Sequence[str]


class RefreshRequested(msgspec.Struct, frozen=True):
    """Events of `topic` were shed for a slow subscriber: publish its whole state again."""

    topic: str


class LinkUp(msgspec.Struct, frozen=True):
    link: str


class LinkDown(msgspec.Struct, frozen=True):
    link: str
    reason: str


class FramesReceived(msgspec.Struct, frozen=True):
    """Whole WebSocket messages in order, one at least: those, or some of those, that one read of the socket brought.

    `ts_recv` is when their bytes were read, nanoseconds since the epoch.
    """

    link: str
    payloads: list[bytes]
    ts_recv: int


class HttpRequest(msgspec.Struct, frozen=True):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    timeout_ns: int = 10_000_000_000


class HttpAnswered(msgspec.Struct, frozen=True):
    id: str
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    ts_recv: int


class HttpFailed(msgspec.Struct, frozen=True):
    """No answer: whether the request was carried out is not known, unless `sent` is False."""

    id: str
    reason: str
    sent: bool
