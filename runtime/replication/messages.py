"""What the owner of a journal and the follower that keeps its copy say to each other.

`life` is the incarnation of the owner: a follower that has heard of a later one refuses what an earlier one says.
`number` is the owner's count of its attempts to attach: what still comes of an earlier attempt is not heard.
Positions are `str(Position)`; "" is the beginning.
"""

from enum import Enum
from typing import ClassVar

from runtime.address import Address
from runtime.message import Lane, Message


class Standing(Enum):
    """What a copy is worth to somebody who looks for the newest journal."""

    FIRST = "first"
    """In this run no owner has used it yet: it is what earlier runs left here."""
    CURRENT = "current"
    """It holds every record that was ever acknowledged."""
    UNKNOWN = "unknown"
    """It is new, or was away, and has not caught up yet."""


class _ToFollower(Message, frozen=True, array_like=True, tag=True):
    life: int
    number: int


class AttachCopy(_ToFollower, frozen=True, array_like=True, tag=True):
    """The fence: from now on nothing of an earlier life is taken. Answered by `CopyStands` or `LifeRefused`."""

    run: str
    owner: Address


class FollowFrom(_ToFollower, frozen=True, array_like=True, tag=True):
    """The copy is the beginning of the journal; it is as new when it holds `until`."""

    until: int


class StartCopyAnew(_ToFollower, frozen=True, array_like=True, tag=True):
    """The copy is of no use: put it aside. Answered by `CopyStands`."""


class JournalBytes(_ToFollower, frozen=True, array_like=True, tag=True):
    """What comes next in the owner's journal. Each is answered by a `Copied` of its own."""

    segment: int
    offset: int
    data: bytes


class SendCopy(_ToFollower, frozen=True, array_like=True, tag=True):
    """To a new owner, whose journal ends at `position`. Answered by `CopyBytes`, or `NotInCopy`."""

    position: str


class CopyTaken(_ToFollower, frozen=True, array_like=True, tag=True):
    """One `CopyBytes` is written: the next may come."""


class _ToOwner(Message, frozen=True, array_like=True, tag=True):
    lane: ClassVar[Lane] = Lane.CONTROL

    number: int


class CopyStands(_ToOwner, frozen=True, array_like=True, tag=True):
    position: str
    standing: Standing


class LifeRefused(_ToOwner, frozen=True, array_like=True, tag=True):
    """A later life owns the journal."""

    life: int


class Copied(_ToOwner, frozen=True, array_like=True, tag=True):
    """The copy holds every record up to this one."""

    sequence: int


class CopyFailed(_ToOwner, frozen=True, array_like=True, tag=True):
    """The follower could not write; nothing more of this attempt is taken."""

    reason: str


class NotInCopy(_ToOwner, frozen=True, array_like=True, tag=True):
    """The copy does not continue that position: the two have parted."""


class CopyBytes(_ToOwner, frozen=True, array_like=True, tag=True):
    segment: int
    offset: int
    data: bytes
    last: bool
    """Nothing comes after it."""


FROM_FOLLOWER = (CopyStands, LifeRefused, Copied, CopyFailed, NotInCopy, CopyBytes)
