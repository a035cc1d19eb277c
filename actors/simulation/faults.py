"""What can be made to go wrong at a fake venue: values, the same from a test and over HTTP.

A fault says on which occasions it happens (`link`, `subject`, `after`, `count`, `probability`, `for_ms`) and, by its
type, what happens then. As JSON the type is the field `kind`: `{"kind": "cut", "link": "stream", "after": 100}`.
"""

from enum import Enum

import msgspec


class LinkRole(Enum):
    """What a frame or a request belongs to."""

    STREAM = "stream"
    """Market data frames."""
    WS_API = "ws-api"
    """Requests and answers on a WebSocket."""
    USER = "user"
    """Events of an account, on whichever socket they come."""
    REST = "rest"


class Delivery(Enum):
    """How an HTTP answer reaches the client."""

    WHOLE = "whole"
    CUT = "cut"
    """The connection is closed instead of an answer."""
    NEVER = "never"
    """The connection stays open and silent."""


class Closing(msgspec.Struct, frozen=True):
    """The end of a session: with a close frame of this `code`, or abruptly; before it, half of the frame of `half`."""

    code: int | None = None
    half: bytes = b""


class Corruption(Enum):
    HALF = "half"
    """The first half of the payload, in a whole frame."""
    GARBAGE = "garbage"
    """Printable characters that mean nothing."""
    HUGE = "huge"
    """`size_bytes` of valid JSON."""
    WRONG_TYPES = "wrong_types"
    """Strings become objects, numbers strings, lists null."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """Every symbol is one that nobody lists."""


class _Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Occasions. `subject` is a glob over the name of the stream, operation or event; None matches everything.
    The first `after` occasions pass; `count` is how often it happens (None: until it is taken away); `for_ms` is how
    long it can happen, from the moment it was added.
    """

    link: LinkRole | None = None
    subject: str | None = None
    after: int = 0
    count: int | None = 1
    probability: float = 1.0
    for_ms: int | None = None


# ---- frames on their way to a client, and answers to HTTP requests


class Cut(_Fault, frozen=True, kw_only=True, tag="cut"):
    """The link closes instead of carrying the frame; an HTTP request is carried out and its connection closed.

    `close_code` None is abrupt, without a close frame; `half_frame` writes half of the frame's bytes before;
    `at_once` closes every matching session now and waits for no frame.
    """

    close_code: int | None = None
    half_frame: bool = False
    at_once: bool = False


class Freeze(_Fault, frozen=True, kw_only=True, tag="freeze"):
    """The link stays open and silent, both ways, without pongs; None is for ever. What came meanwhile follows after.

    An HTTP request is not carried out and never answered.
    """

    duration_ms: int | None = None
    at_once: bool = False


class Delay(_Fault, frozen=True, kw_only=True, tag="delay"):
    """The frame, and everything behind it on its link, comes later."""

    delay_ms: int


class Drop(_Fault, frozen=True, kw_only=True, tag="drop"):
    """The frame is lost; an HTTP request is carried out and never answered."""


class Duplicate(_Fault, frozen=True, kw_only=True, tag="duplicate"):
    """The frame comes twice."""


class Reorder(_Fault, frozen=True, kw_only=True, tag="reorder"):
    """The frame comes after the next one of its link."""


class Corrupt(_Fault, frozen=True, kw_only=True, tag="corrupt"):
    how: Corruption
    size_bytes: int = 10 * 1024 * 1024


class LateFill(_Fault, frozen=True, kw_only=True, tag="late_fill"):
    """The report of a trade comes later; what happens meanwhile overtakes it."""

    delay_ms: int
    link: LinkRole | None = LinkRole.USER
    subject: str | None = "*/TRADE"


class DuplicateFill(_Fault, frozen=True, kw_only=True, tag="duplicate_fill"):
    """The report of a trade comes twice."""

    link: LinkRole | None = LinkRole.USER
    subject: str | None = "*/TRADE"


# ---- requests


class LostAck(_Fault, frozen=True, kw_only=True, tag="lost_ack"):
    """No answer: carried out or not, nothing is said. An HTTP connection is closed."""

    carried_out: bool = True


class Reject(_Fault, frozen=True, kw_only=True, tag="reject"):
    """Refused by the venue with this code; not carried out."""

    code: int = -2010
    message: str = "Account has insufficient balance for requested action."


class RateLimit(_Fault, frozen=True, kw_only=True, tag="rate_limit"):
    """429; not carried out."""

    retry_after_s: int = 1


class Ban(_Fault, frozen=True, kw_only=True, tag="ban"):
    """418; not carried out."""

    retry_after_s: int = 120


class ServerError(_Fault, frozen=True, kw_only=True, tag="server_error"):
    """5xx: the client cannot know whether it was carried out."""

    status: int = 503
    carried_out: bool = False


class Timeout(_Fault, frozen=True, kw_only=True, tag="timeout"):
    """The venue's own "status unknown" (-1007 at Binance)."""

    carried_out: bool = False


# ---- connections and the venue itself


class RefuseConnect(_Fault, frozen=True, kw_only=True, tag="refuse_connect"):
    """A WebSocket upgrade is refused with this status; None closes the connection without an answer. With the link
    "rest", an HTTP request.
    """

    status: int | None = None


class ClockSkew(_Fault, frozen=True, kw_only=True, tag="clock_skew"):
    """The venue's clock is off by so much, until the fault is taken away or `for_ms` is over."""

    offset_ms: int


class ServerShutdown(_Fault, frozen=True, kw_only=True, tag="server_shutdown"):
    """The venue says now, on every session, that it is about to close it."""


class StreamTerminated(_Fault, frozen=True, kw_only=True, tag="stream_terminated"):
    """Every subscription to account events ends now, and says so; the sockets stay."""


FrameFault = Cut | Freeze | Delay | Drop | Duplicate | Reorder | Corrupt | LateFill | DuplicateFill
RefusalFault = Reject | RateLimit | Ban | ServerError | Timeout
RequestFault = LostAck | RefusalFault
AnswerFault = RequestFault | RefuseConnect | Cut | Freeze | Delay | Drop | Corrupt
"""What can happen to an HTTP request."""
ImmediateFault = ClockSkew | ServerShutdown | StreamTerminated
"""They wait for no occasion."""
Fault = FrameFault | RequestFault | RefuseConnect | ImmediateFault
