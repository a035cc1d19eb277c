"""What a client asks of the gateway, and what it answers: MessagePack, the same over every way that leads there.

Prices and quantities are decimal strings; times are nanoseconds since the epoch. New fields go last, with a default.
"""

from enum import Enum
from typing import Any

import msgspec

PROTOCOL = 1
"""A client and a desk that speak different ones say so, instead of misunderstanding each other."""


class Request(msgspec.Struct, frozen=True, tag=True):
    """Base of what only looks."""


class Command(Request, frozen=True, tag=True):
    """Base of what changes something: refused to who only reads, and written into the journal before it is done."""


# ---- looking


class GetTable(Request, frozen=True, tag=True):
    """Answered by a `Status` as plain data, with `halted` and `limits` besides."""


class GetOrders(Request, frozen=True, tag=True):
    """Answered by a list of open orders."""


class GetPositions(Request, frozen=True, tag=True):
    """Answered by a list of positions."""


class GetQuotes(Request, frozen=True, tag=True):
    """Answered by the last quote of each instrument that has one."""

    instruments: tuple[str, ...] = ()
    """All of the configuration if empty."""


class GetLimits(Request, frozen=True, tag=True):
    """Answered by the limits in force."""


class Follow(Request, frozen=True, tag=True):
    """Begin a stream; answered by its name."""

    kinds: tuple[str, ...]
    """Of `quotes`, `orders` and `fills`."""
    instruments: tuple[str, ...] = ()


class Poll(Request, frozen=True, tag=True):
    """What has come since event `after`; answered as soon as there is something, or with nothing after `wait_ms`."""

    stream: str
    after: int
    wait_ms: int


# ---- operating


class Submit(Command, frozen=True, tag=True):
    """Answered by the order when the venue, or whoever refused it, has spoken, or after some seconds as it is then."""

    side: str
    instrument: str
    quantity: str
    price: str | None = None
    time_in_force: str = "GTC"
    post_only: bool = False


class Cancel(Command, frozen=True, tag=True):
    """Answered by the order when it is done."""

    client_order_id: str


class Flatten(Command, frozen=True, tag=True):
    """Cancel open orders, then close positions at the market."""

    instruments: tuple[str, ...] = ()
    """Everything if empty."""


class Halt(Command, frozen=True, tag=True):
    reason: str = ""


class Resume(Command, frozen=True, tag=True):
    pass


class ChangeLimit(Command, frozen=True, tag=True):
    name: str
    """`max_exposure`, `max_position.binance.BTCUSDT`, …"""
    value: str


class AddStrategy(Command, frozen=True, tag=True):
    """Answered when it is ready; one that cannot start is taken away again, and the reason says why."""

    name: str
    settings: dict[str, Any]
    """As in the configuration: `class`, `instruments`, `parameters`."""


class RemoveStrategy(Command, frozen=True, tag=True):
    """Answered when it has cancelled its orders and is gone."""

    name: str


class AddVenue(Command, frozen=True, tag=True):
    """Answered when it is connected, or with what keeps it from that; it stays then and goes on trying."""

    name: str
    settings: dict[str, Any]
    """As in the configuration, secrets only as references: `kind`, `symbols`, `credentials`, …"""


class RemoveVenue(Command, frozen=True, tag=True):
    """Refused while a strategy needs it or an order is open there."""

    name: str


class SetShards(Command, frozen=True, tag=True):
    """Answered when the symbols are shared out so; if that cannot be, all is as it was and the reason says why."""

    venue: str
    shards: int


class MoveSymbol(Command, frozen=True, tag=True):
    """The same for one symbol, which stays there."""

    instrument: str
    shard: int


AnyRequest = (
    GetTable
    | GetOrders
    | GetPositions
    | GetQuotes
    | GetLimits
    | Follow
    | Poll
    | Submit
    | Cancel
    | Flatten
    | Halt
    | Resume
    | ChangeLimit
    | AddStrategy
    | RemoveStrategy
    | AddVenue
    | RemoveVenue
    | SetShards
    | MoveSymbol
)


class Call(msgspec.Struct, frozen=True):
    """One question."""

    protocol: int
    who: str
    """`user@host`."""
    client: str
    read_only: bool
    request: AnyRequest


class Problem(Enum):
    REFUSED = "REFUSED"
    """Not done, and asking again does not help: the reason says what would."""
    UNAVAILABLE = "UNAVAILABLE"
    """Somebody did not answer; of a command it is not known whether it was done."""
    NO_STREAM = "NO_STREAM"
    """The gateway started again since, or nobody asked for so long that it was ended: begin a new one."""


class Answer(msgspec.Struct, frozen=True):
    value: Any = None
    problem: Problem | None = None
    reason: str = ""


class Refusal(Exception):
    """Ends the answering of a question: what the client is told instead."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason


def refused(reason: str) -> Refusal:
    return Refusal(Problem.REFUSED, reason)
