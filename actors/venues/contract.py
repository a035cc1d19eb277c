"""What a venue protocol is: commands and bytes in; frames, requests and events out. No I/O, no clock, no randomness.

The connector drives it. It keeps every link that the protocol asked for open (with backoff), carries the outputs out in
their order, publishes market data and tells execution events to the order manager.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import msgspec

from actors.messages import (
    AmendAtVenue,
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    PlaceOrder,
    PlaceOrderList,
    QueryAccount,
    QueryFills,
    QueryHistory,
    QueryOpenOrders,
    QueryOrder,
    ReplaceAtVenue,
)
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.leases import LeasedBucket
from runtime.message import Lane, Message

Command = PlaceOrder | CancelAtVenue | QueryOrder | QueryOpenOrders | QueryFills | QueryAccount

Batch = Sequence[PlaceOrder | CancelAtVenue]
"""Commands that go together."""

Change = AmendAtVenue | ReplaceAtVenue | PlaceOrderList
"""Commands that not every venue knows."""


class OpenLink(msgspec.Struct, frozen=True):
    """Keep this WebSocket open from now on; asked again for a link that is open, reopen it (new address or reset)."""

    link: str
    url: str
    lane: Lane


class CloseLink(msgspec.Struct, frozen=True):
    link: str


class SendFrame(msgspec.Struct, frozen=True, gc=False):
    link: str
    payload: bytes


class WakeUp(msgspec.Struct, frozen=True):
    """Call `on_wake_up(tag)` when the time has passed."""

    delay_ns: int
    tag: str


class BadFrame(msgspec.Struct, frozen=True):
    """This frame could not be understood: counted and kept for diagnosis; `drop_link` to resynchronise."""

    link: str
    payload: bytes
    reason: str
    drop_link: bool


class Resynchronised(msgspec.Struct, frozen=True):
    """A book went INVALID because of a gap and is being built anew: counted."""

    symbol: str
    reason: str


class Capability(Enum):
    """What a venue does for orders besides limit and market orders that rest, fill or are cancelled."""

    POST_ONLY = "post only"
    STOP = "stop"
    TAKE_PROFIT = "take profit"
    TRAILING = "trailing"
    ICEBERG = "iceberg"
    QUOTE_QUANTITY = "quote quantity"
    REDUCE_ONLY = "reduce only"
    AMEND = "amend"
    REPLACE = "replace"
    ORDER_LISTS = "order lists"
    HISTORY = "history"
    """Of its market data."""


class ConnectLimit(msgspec.Struct, frozen=True):
    """How many times one address may connect within a span of time."""

    attempts: int
    window_ns: int


Effect = OpenLink | CloseLink | SendFrame | HttpRequest | WakeUp | BadFrame | Resynchronised
Output = Effect | Message
"""A `Message` is an event for the desk: market data is published, everything else told to the order manager.

The connector puts its own name into `OrderDenied.by` and `VenueUp.connector`.
"""


class VenueProtocol(Protocol):
    """One account at one venue. Every method returns its outputs in the order in which they have to happen."""

    @property
    def symbols(self) -> Sequence[str]:
        """Every symbol of the configuration, traded there or not: quotes, trades and book of each always come."""
        ...

    @property
    def connect_limit(self) -> ConnectLimit | None:
        """The connector opens no more links than that; None where the venue sets no limit."""
        ...

    def start(self, now: int) -> list[Output]: ...

    def on_link_up(self, link: str, now: int) -> list[Output]: ...

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        """Books fed by it become INVALID; commands in flight on it end as `OutcomeUnknown`."""
        ...

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        """Never raises for what a peer sent: garbage is a `BadFrame`."""
        ...

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]: ...

    def on_wake_up(self, tag: str, now: int) -> list[Output]: ...

    def execute(self, command: Command, now: int) -> list[Output]:
        """A command that certainly cannot be sent comes back as `OrderDenied`, `CancelRejected` or `QueryFailed`.

        Its frame or request, if it gets one, is the first `SendFrame` or `HttpRequest` of the outputs.
        """
        ...

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        """This frame certainly did not leave: what it carried was not done."""
        ...

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        """The state to start a subscriber with; None for a symbol that is not traded here."""
        ...

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        """Somebody reads `<kind>.<venue>.<symbol>`: have the venue send it.

        Nothing happens for what is sent anyway, or is not known.
        """
        ...

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        """Nobody reads it any longer."""
        ...

    def report(self, final: bool) -> dict[str, Any]:
        """State for the connector's report, plain data: at least `books` (symbol → state) and `unknown_symbols`.

        `degraded`, if it is there: what goes on by other means → why.
        `final` adds `digests`: symbol → sequence and digest of each whole book.
        """
        ...


@runtime_checkable
class BatchReader(Protocol):
    """A venue protocol that reads several frames faster together than one after the other."""

    def on_frames(self, link: str, payloads: Sequence[bytes], ts_recv: int) -> tuple[list[Output], int]:
        """As `on_frame` of the first so many, of which only the last may close a link; the others are left to it."""
        ...


@runtime_checkable
class HistorySource(Protocol):
    """A venue protocol that can be asked for the past."""

    def query_history(self, query: QueryHistory, now: int) -> list[Output]:
        """Answered, now or later, by `HistoryPage` and `HistoryFailed` among the outputs."""
        ...


@runtime_checkable
class Shareable(Protocol):
    """A venue protocol whose symbols may change while it runs."""

    def carry(self, symbols: Sequence[str], now: int) -> list[Output]:
        """`symbols` are these from now on: quotes, trades and book of each come, those of others end."""
        ...

    def carries(self, symbol: str) -> bool:
        """The venue has said that it sends all of them."""
        ...


@runtime_checkable
class Rehearsing(Protocol):
    """A venue protocol that can go through an order without one."""

    def rehearse(self, command: PlaceOrder, now: int) -> None:
        """Make the frame that `execute` would make, and remember nothing of it."""
        ...


@runtime_checkable
class FallsBack(Protocol):
    """A venue protocol that goes on by other means while its links are down or silent."""

    @property
    def watch_ns(self) -> int:
        """How far apart `watch` is called; 0 for never."""
        ...

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        """`heard`: each link that is up → when something was heard over it last."""
        ...


class LimitScope(Enum):
    """Whom a venue's limit counts together."""

    ADDRESS = "address"
    ACCOUNT = "account"


class SharedLimits(Protocol):
    """What a venue lets one address and one account do, of which others may spend too."""

    def share(self, scope: LimitScope, holders: int, now: int) -> None:
        """From now on so many spend of it, this one included; more than has its own share needs a lease."""
        ...

    def leased(self) -> Iterable[tuple[LimitScope, str, LeasedBucket]]:
        """The limits that are shared, by name."""
        ...

    def forbidden(self, now: int) -> Iterable[tuple[LimitScope, str, int]]:
        """What the venue has forbidden (as in `SendingForbidden.what`), and until when."""
        ...

    def forbid(self, what: str, until: int) -> None: ...

    def banned_for(self, now: int) -> int:
        """Nanoseconds for which nothing at all may be sent."""
        ...


@runtime_checkable
class Limited(Protocol):
    """A venue protocol that keeps within limits which count more than this one connector."""

    @property
    def limits(self) -> SharedLimits: ...

    def count_again(self, now: int) -> list[Output]:
        """Have the venue say how much of the address's limits is used, by a request that costs next to nothing."""
        ...


@runtime_checkable
class DeadManSwitch(Protocol):
    """A venue protocol that can have the venue empty the book when nothing is heard any longer."""

    def hold_switch(self, held: bool, now: int) -> list[Output]:
        """Let go of it and the venue acts when its time is over; hold it again and it is renewed at once."""
        ...


@runtime_checkable
class BatchTrader(Protocol):
    """A venue protocol that can send several commands at once."""

    def execute_batch(self, batch: Batch, now: int) -> list[Output]:
        """As `execute` of each, in fewer requests."""
        ...


@runtime_checkable
class OrderChanger(Protocol):
    """A venue protocol that can do more to orders than place and cancel them."""

    def change(self, command: Change, now: int) -> list[Output]:
        """As `execute`: what certainly cannot be sent comes back refused."""
        ...
