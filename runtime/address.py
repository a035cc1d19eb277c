"""Where an actor is, and which of its lives is meant."""

from enum import Enum

import msgspec


class StreamKind(Enum):
    UNIX = "unix"
    TCP = "tcp"


class Address(msgspec.Struct, frozen=True, array_like=True):
    """A message to an earlier incarnation is never delivered to a later one; its sender is told.

    `endpoint` is the path of the unix socket of its host. With `StreamKind.UNIX` everybody is on one machine and dials
    that; with `StreamKind.TCP` only who is on `machine` does, and all others dial `tcp`.
    """

    actor: str
    incarnation: int
    kind: StreamKind
    endpoint: str
    host: str = ""
    """Name of the host that holds the actor; actors with the same host share a process."""
    machine: str = ""
    tcp: str = ""
    """`ip:port`."""
