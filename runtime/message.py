"""What a message is: a frozen, tagged value with a lane and a named overflow.

The type *is* the protocol. Commands are imperative (`StopActor`), events are in the past tense (`ActorStarted`).
New fields go last and have a default, so that an older reader still understands a newer writer.
"""

from enum import Enum, IntEnum
from typing import ClassVar

import msgspec


class Lane(IntEnum):
    """A mailbox hands out a lower lane first."""

    CONTROL = 0
    COMMANDS = 1
    FEED = 2


class Overflow(Enum):
    """What happens to a message when its lane is full."""

    REFUSE = "refuse"
    """The sender is told at once (`Undelivered`); never dropped silently."""
    DROP_OLDEST = "drop_oldest"
    """The oldest of the lane goes, counted."""
    LATEST = "latest"
    """Only the newest of a topic is kept, counted: each one is the whole truth about its topic."""
    REFRESH = "refresh"
    """All of the topic go and its publisher is asked for a fresh state (`RefreshRequested`): they only make sense in
    an unbroken chain."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of everything that crosses a mailbox. On the wire: a MessagePack array that starts with the class name."""

    lane: ClassVar[Lane] = Lane.COMMANDS
    overflow: ClassVar[Overflow] = Overflow.REFUSE
    refreshes: ClassVar[bool] = False
    """True for an event that ends a `REFRESH`: it carries the whole state of its topic."""

    @property
    def topic(self) -> str:
        """What an event is published on, and what conflation goes by."""
        return type(self).__name__


class Measured(Message, frozen=True, array_like=True, tag=True):
    """A host to the actor that collects them: the durations of one (stage, label) since the last such message."""

    lane: ClassVar[Lane] = Lane.CONTROL
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    stage: str
    label: str
    histogram: dict[int, int]
    """Plain form of a `runtime.telemetry.histogram.Histogram`."""
