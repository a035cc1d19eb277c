"""What a person does to a running desk: asked of the gateway, written down and put in force by the order manager."""

from enum import Enum

from runtime.message import Message


class OperatorAction(Enum):
    SUBMIT = "SUBMIT"
    CANCEL = "CANCEL"
    FLATTEN = "FLATTEN"
    HALT = "HALT"
    """The risk checker refuses new orders until `RESUME`."""
    RESUME = "RESUME"
    CHANGE_LIMIT = "CHANGE_LIMIT"
    RECONFIGURE = "RECONFIGURE"
    """A strategy or a venue is added or removed, or symbols go to other connectors."""


NEVER_REFUSED = frozenset({OperatorAction.CANCEL, OperatorAction.FLATTEN, OperatorAction.HALT})
"""They only make the desk safer, so they go also while the journal cannot be written."""


class OperatorActed(Message, frozen=True, array_like=True, tag=True):
    """gateway → order manager, and as it is into the journal. Answered by `OperatorRecorded`."""

    who: str
    """`user@host`, as the client says: whoever reaches the gateway is trusted."""
    client: str
    action: OperatorAction
    arguments: dict[str, str]
    request: int
    """Number of the gateway's question."""


class OperatorRecorded(Message, frozen=True, array_like=True, tag=True):
    """order manager → gateway: it is in the journal, and what it changed is in force for every later order."""

    request: int
    problem: str
    """Why it was refused; "" if it was not."""
    halted: str
    limits: dict[str, str]


class VenuesChanged(Message, frozen=True, array_like=True, tag=True):
    """gateway → order manager, risk checker, router, portfolio: the venues of the desk from now on.

    Told before a new one's connector is started, and again after: who was restarted meanwhile knows it either way.
    """

    venues: str
    """JSON of the settings, by name."""


class FeedsMoved(Message, frozen=True, array_like=True, tag=True):
    """gateway → who publishes and who reads market data: these symbols come from these connectors from now on.

    Of two each publishes all of it, and each event is to be taken once. Told again as long as something moves.
    """

    venue: str
    publishers: dict[str, tuple[str, ...]]
    """Symbol → names of connectors; the one that keeps it comes first."""


class ControlsChanged(Message, frozen=True, array_like=True, tag=True):
    """order manager → risk checker, before every order that it hands over later and after every earlier snapshot."""

    halted: str
    """Who halted the desk and why; "" while it trades."""
    limits: dict[str, str]
    """Limits that differ from the configuration: name → value."""
    epoch: int
    """Of the order manager that tells it."""
