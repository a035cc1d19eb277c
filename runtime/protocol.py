"""What hosts and the supervisor say to each other: opening a stream, liveness, the directory, starting, stopping."""

from enum import Enum
from typing import Any, ClassVar

import msgspec

from runtime.address import Address, StreamKind
from runtime.message import Lane, Message
from runtime.spec import ActorSpec

SUPERVISOR = "supervisor"
"""Its name in every run."""


class ControlMessage(Message, frozen=True, array_like=True, tag=True):
    lane: ClassVar[Lane] = Lane.CONTROL


# ---- the first frames of a stream -------------------------------------------------------------------------------


class StreamPurpose(Enum):
    TELL = "tell"
    """The dialling side sends to one actor."""
    FEED = "feed"
    """The dialling side receives what one actor publishes on the feed lane."""


ANY_INCARNATION = 0


class Hello(ControlMessage, frozen=True, array_like=True, tag=True):
    purpose: StreamPurpose
    sender: Address
    target: str
    incarnation: int
    """The life that is meant; `ANY_INCARNATION` for whichever is there."""
    patterns: tuple[str, ...] = ()
    """For a feed: what to receive."""


class Welcome(ControlMessage, frozen=True, array_like=True, tag=True):
    """What follows will be delivered to this life."""

    incarnation: int


class Refused(ControlMessage, frozen=True, array_like=True, tag=True):
    """Nothing sent on this stream was or will be delivered."""

    reason: str


class PatternsChanged(ControlMessage, frozen=True, array_like=True, tag=True):
    patterns: tuple[str, ...]


class TopicShed(ControlMessage, frozen=True, array_like=True, tag=True):
    """subscriber → publisher: events of this topic were shed here, publish its whole state again."""

    name: str


# ---- liveness ----------------------------------------------------------------------------------------------------


class ActorVitals(msgspec.Struct, frozen=True, array_like=True):
    name: str
    incarnation: int
    depth: int
    waiting_ns: int
    handled: int
    dropped: int


class Heartbeat(ControlMessage, frozen=True, array_like=True, tag=True):
    """host → supervisor, from the loop that runs the actors, so that a stuck loop shows.

    It says everything about the host: a supervisor that has just begun to live knows its hosts after one of each.
    """

    host: str
    incarnation: int
    pid: int
    node: str
    kind: StreamKind
    endpoint: str
    directory: int
    """Version of the directory it has, -1 for none; an older one is answered with `DirectoryChanged`."""
    actors: list[ActorVitals]
    machine: str = ""
    tcp: str = ""
    carrier: str = ""
    """`HostSpec.carrier`."""
    asks: int = 0
    """Answered by `HeartbeatHeard` with the same number; 0 wants no answer."""

    def address(self, actor: str, incarnation: int) -> Address:
        return Address(actor, incarnation, self.kind, self.endpoint, self.host, self.machine, self.tcp)


class HeartbeatHeard(ControlMessage, frozen=True, array_like=True, tag=True):
    """supervisor → host."""

    asks: int


class Reported(ControlMessage, frozen=True, array_like=True, tag=True):
    """An actor's own report; `final` is the last of its life."""

    name: str
    incarnation: int
    counters: dict[str, int]
    state: dict[str, Any]
    final: bool = False


class ActorFailed(ControlMessage, frozen=True, array_like=True, tag=True):
    """An exception ended this life; its host goes on."""

    name: str
    incarnation: int
    error: str
    needs_somebody: bool = False
    """Trying again at once is no use: stored data or the configuration is wrong."""


# ---- what the supervisor tells a host -----------------------------------------------------------------------------


class DirectoryChanged(ControlMessage, frozen=True, array_like=True, tag=True):
    """Every actor that lives now, and who is not listed is down; or what is different since an earlier version."""

    version: int
    addresses: list[Address]
    lives: dict[str, int] = msgspec.field(default_factory=dict)
    """Host → its first incarnation that may still speak: a machine that was cut off does not know that it was given up,
    and what it wrote meanwhile arrives when it is back."""
    since: int = -1
    """-1 for everything; otherwise only for who has this version, the others wait for everything."""
    gone: list[str] = msgspec.field(default_factory=list)
    """Who is down since then."""


class StartActor(ControlMessage, frozen=True, array_like=True, tag=True):
    actor: ActorSpec
    settings: str = ""
    """Instead of the host's own, if they have changed since it was launched."""


class StopActors(ControlMessage, frozen=True, array_like=True, tag=True):
    """Let these handle `Stopping`, bring to an end what they have under way, and report for the last time."""

    names: list[str]


class StopHost(ControlMessage, frozen=True, array_like=True, tag=True):
    """The same for every actor that is left; then the host ends."""


class HostReplaced(ControlMessage, frozen=True, array_like=True, tag=True):
    """It was given up while it was frozen or cut off, another has its name: end at once, with nobody's last words."""


# ---- asking from outside ----------------------------------------------------------------------------------------


class AskTable(ControlMessage, frozen=True, array_like=True, tag=True):
    """Answered by `TableTold` to the asking address."""

    reply_to: Address


class StopRun(ControlMessage, frozen=True, array_like=True, tag=True):
    """Stop every host, in phases."""

    reason: str


class Asked(Message, frozen=True, array_like=True, tag=True):
    """A question from outside to an actor that answers some: `payload` is between the two. Answered by `Answered`."""

    reply_to: Address
    number: int
    payload: bytes


class Answered(ControlMessage, frozen=True, array_like=True, tag=True):
    number: int
    payload: bytes


class Reconfigure(ControlMessage, frozen=True, array_like=True, tag=True):
    """Start and stop hosts until those run that `settings` asks for. Answered by `Reconfigured`; what stops may still
    be at it then."""

    reply_to: Address
    settings: str


class Reconfigured(ControlMessage, frozen=True, array_like=True, tag=True):
    problem: str
    """Why nothing was changed; "" if it was."""


class ActorRow(msgspec.Struct, frozen=True):
    """One line of the supervisor's table."""

    name: str
    host: str
    state: str
    pid: int
    node: str
    incarnation: int
    restarts: int
    reason: str
    """Why it was restarted or is parked; "" if it never was."""
    depth: int
    waiting_ns: int
    handled: int
    dropped: int
    counters: dict[str, int]
    report: dict[str, Any]
    address: Address | None = None
    """None while it is down."""


class TableTold(ControlMessage, frozen=True, array_like=True, tag=True):
    rows: list[ActorRow]
    stopping: bool
    spares: int = 0
    """Warm processes that could become a host now."""
