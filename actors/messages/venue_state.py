"""The state of a venue: told to order manager, risk checker and router, published on `venue.<venue>`."""

from typing import ClassVar

from actors.model.instrument import Instrument
from runtime.message import Lane, Message


class VenueUp(Message, frozen=True, array_like=True, tag=True):
    """Orders may go, and it is time to reconcile: told again when `degraded` has changed.

    Market data is another matter: it may be degraded or absent while orders may go.
    """

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    connector: str
    ts: int
    degraded: str = ""
    """Why a link for orders or the account's events is down, while orders go by REST or executions are polled; "" when
    logged in and hearing the account's events."""


class VenueDown(Message, frozen=True, array_like=True, tag=True):
    """Orders cannot go; those in flight have been told as `OutcomeUnknown`."""

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    reason: str
    ts: int


class InstrumentsListed(Message, frozen=True, array_like=True, tag=True):
    """Instruments of a venue with their filters, after each (re)connect."""

    lane: ClassVar[Lane] = Lane.CONTROL

    venue: str
    instruments: list[Instrument]
