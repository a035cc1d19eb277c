"""The states of an order and the one table of what may follow what."""

from enum import Enum


class OrderState(Enum):
    """`UNKNOWN` is a state: exposure counts at its worst case until the venue has been asked."""

    PENDING = "PENDING"
    """The intent is in the journal; nothing has left yet."""
    SENT = "SENT"
    """It may be at the venue from now on."""
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    """The venue said no."""
    DENIED = "DENIED"
    """We said no; it was never at the venue."""
