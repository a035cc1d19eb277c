"""A venue's limits, shared by all connectors at one address or account: who spent what, who may, who must be silent."""

from typing import ClassVar

import msgspec

from runtime.leases import Lease, Use
from runtime.message import Lane, Message


class BudgetUse(msgspec.Struct, frozen=True, array_like=True):
    scope: str
    """Which address or account at which venue."""
    limit: str
    """Which of its limits."""
    use: Use


class BudgetLease(msgspec.Struct, frozen=True, array_like=True):
    scope: str
    limit: str
    lease: Lease


class UsesReported(Message, frozen=True, array_like=True, tag=True):
    """connector → limiter: everything that this one knows of what it shares."""

    lane: ClassVar[Lane] = Lane.CONTROL

    connector: str
    life: int
    scopes: dict[str, int]
    """Scope → how many share it, as far as is known here."""
    uses: list[BudgetUse]


class LeasesGranted(Message, frozen=True, array_like=True, tag=True):
    """limiter → connector."""

    lane: ClassVar[Lane] = Lane.CONTROL

    scopes: dict[str, int]
    """Scope → how many share it."""
    leases: list[BudgetLease]


class SendingForbidden(Message, frozen=True, array_like=True, tag=True):
    """The venue has forbidden something to an address or account: connector that was told → limiter → the others."""

    lane: ClassVar[Lane] = Lane.CONTROL

    scope: str
    what: str
    """`BAN`: everything, cancels too; `REQUESTS`: everything but cancels; `ORDERS`: new orders."""
    until: int
    connector: str
    """Who was told."""
