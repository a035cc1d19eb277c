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
    PENDING_UPDATE = "PENDING_UPDATE"
    """It works, and a change of its price or quantity is on its way."""
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    """The venue said no."""
    DENIED = "DENIED"
    """We said no; it was never at the venue."""


class OrderEvent(Enum):
    """What can happen to an order, with what the ledger knows of its fills already looked up."""

    SENT = "sent"
    """Its frame has left."""
    ACCEPTED = "accepted"
    """The venue has it and nothing is filled."""
    WORKING = "working"
    """The venue has it and a part is filled."""
    PARTIAL_FILL = "partial fill"
    """A fill was counted and a rest is left; by itself it does not say that the rest still works."""
    LAST_FILL = "last fill"
    """A fill was counted and nothing is left."""
    CANCEL_REQUESTED = "cancel requested"
    CANCEL_REJECTED = "cancel rejected"
    """Mostly because the order is done already, so nobody knows before the venue was asked."""
    UPDATE_REQUESTED = "update requested"
    UPDATED = "updated"
    """It works as changed."""
    UPDATE_DENIED = "update denied"
    """The change has certainly not left: the order works as before."""
    UPDATE_REJECTED = "update rejected"
    """The venue said no to the change. The order may be done already, so nobody knows before the venue was asked."""
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DENIED = "denied"
    LOST = "lost"
    """Nobody can say what the venue made of it: timeout, lost link, restart, or fills that are still to be fetched."""


FINAL = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.DENIED})
"""Nothing more is expected and no exposure is left. A late message may still tell something else: see the table."""

_S, _E = OrderState, OrderEvent

TRANSITIONS: dict[tuple[OrderState, OrderEvent], OrderState] = {
    # in order
    (_S.PENDING, _E.SENT): _S.SENT,
    (_S.PENDING, _E.DENIED): _S.DENIED,
    (_S.SENT, _E.ACCEPTED): _S.ACCEPTED,
    (_S.SENT, _E.REJECTED): _S.REJECTED,
    (_S.ACCEPTED, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.ACCEPTED, _E.LAST_FILL): _S.FILLED,
    (_S.ACCEPTED, _E.CANCELED): _S.CANCELED,
    (_S.ACCEPTED, _E.EXPIRED): _S.EXPIRED,
    (_S.PARTIALLY_FILLED, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _E.LAST_FILL): _S.FILLED,
    (_S.PARTIALLY_FILLED, _E.CANCELED): _S.CANCELED,
    (_S.PARTIALLY_FILLED, _E.EXPIRED): _S.EXPIRED,
    # a cancel under way; one asked for before the order was sent waits for that
    (_S.PENDING, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.SENT, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.ACCEPTED, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.PARTIALLY_FILLED, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.SENT): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.ACCEPTED): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.WORKING): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.PARTIAL_FILL): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _E.LAST_FILL): _S.FILLED,
    (_S.PENDING_CANCEL, _E.CANCEL_REJECTED): _S.UNKNOWN,
    (_S.PENDING_CANCEL, _E.CANCELED): _S.CANCELED,
    (_S.PENDING_CANCEL, _E.EXPIRED): _S.EXPIRED,
    (_S.PENDING_CANCEL, _E.REJECTED): _S.REJECTED,
    (_S.PENDING_CANCEL, _E.DENIED): _S.DENIED,
    # a change under way; the order can be filled, cancelled or end as it can without
    (_S.ACCEPTED, _E.UPDATE_REQUESTED): _S.PENDING_UPDATE,
    (_S.PARTIALLY_FILLED, _E.UPDATE_REQUESTED): _S.PENDING_UPDATE,
    (_S.PENDING_UPDATE, _E.UPDATED): _S.ACCEPTED,
    (_S.PENDING_UPDATE, _E.UPDATE_DENIED): _S.ACCEPTED,
    (_S.PENDING_UPDATE, _E.UPDATE_REJECTED): _S.UNKNOWN,
    (_S.PENDING_UPDATE, _E.SENT): _S.PENDING_UPDATE,
    (_S.PENDING_UPDATE, _E.ACCEPTED): _S.PENDING_UPDATE,
    (_S.PENDING_UPDATE, _E.WORKING): _S.PENDING_UPDATE,
    (_S.PENDING_UPDATE, _E.PARTIAL_FILL): _S.PENDING_UPDATE,
    (_S.PENDING_UPDATE, _E.LAST_FILL): _S.FILLED,
    (_S.PENDING_UPDATE, _E.CANCEL_REQUESTED): _S.PENDING_CANCEL,
    (_S.PENDING_UPDATE, _E.CANCEL_REJECTED): _S.UNKNOWN,
    (_S.PENDING_UPDATE, _E.CANCELED): _S.CANCELED,
    (_S.PENDING_UPDATE, _E.EXPIRED): _S.EXPIRED,
    (_S.PENDING_UPDATE, _E.REJECTED): _S.REJECTED,
    (_S.PENDING_UPDATE, _E.LOST): _S.UNKNOWN,
    **{
        (state, event): state
        for state in (
            *(_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.UNKNOWN),
            *(_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.DENIED),
        )
        for event in (_E.UPDATED, _E.UPDATE_DENIED, _E.UPDATE_REJECTED)
    },
    # the outcome is lost; only the venue's word about the order itself ends that, a fill that is not the last does not
    (_S.PENDING, _E.LOST): _S.UNKNOWN,
    (_S.SENT, _E.LOST): _S.UNKNOWN,
    (_S.ACCEPTED, _E.LOST): _S.UNKNOWN,
    (_S.PARTIALLY_FILLED, _E.LOST): _S.UNKNOWN,
    (_S.PENDING_CANCEL, _E.LOST): _S.UNKNOWN,
    (_S.UNKNOWN, _E.LOST): _S.UNKNOWN,
    (_S.UNKNOWN, _E.SENT): _S.UNKNOWN,
    (_S.UNKNOWN, _E.ACCEPTED): _S.ACCEPTED,
    (_S.UNKNOWN, _E.WORKING): _S.PARTIALLY_FILLED,
    (_S.UNKNOWN, _E.PARTIAL_FILL): _S.UNKNOWN,
    (_S.UNKNOWN, _E.LAST_FILL): _S.FILLED,
    (_S.UNKNOWN, _E.CANCEL_REQUESTED): _S.UNKNOWN,
    (_S.UNKNOWN, _E.CANCEL_REJECTED): _S.UNKNOWN,
    (_S.UNKNOWN, _E.CANCELED): _S.CANCELED,
    (_S.UNKNOWN, _E.EXPIRED): _S.EXPIRED,
    (_S.UNKNOWN, _E.REJECTED): _S.REJECTED,
    (_S.UNKNOWN, _E.DENIED): _S.DENIED,
    # out of order: the later message came first, or the earlier one never comes
    (_S.PENDING, _E.ACCEPTED): _S.ACCEPTED,
    (_S.PENDING, _E.WORKING): _S.PARTIALLY_FILLED,
    (_S.PENDING, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PENDING, _E.LAST_FILL): _S.FILLED,
    (_S.PENDING, _E.CANCELED): _S.CANCELED,
    (_S.PENDING, _E.EXPIRED): _S.EXPIRED,
    (_S.PENDING, _E.REJECTED): _S.REJECTED,
    (_S.SENT, _E.SENT): _S.SENT,
    (_S.SENT, _E.WORKING): _S.PARTIALLY_FILLED,
    (_S.SENT, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.SENT, _E.LAST_FILL): _S.FILLED,
    (_S.SENT, _E.CANCELED): _S.CANCELED,
    (_S.SENT, _E.EXPIRED): _S.EXPIRED,
    (_S.SENT, _E.DENIED): _S.DENIED,
    (_S.ACCEPTED, _E.SENT): _S.ACCEPTED,
    (_S.ACCEPTED, _E.ACCEPTED): _S.ACCEPTED,
    (_S.ACCEPTED, _E.WORKING): _S.PARTIALLY_FILLED,
    (_S.ACCEPTED, _E.CANCEL_REJECTED): _S.ACCEPTED,
    (_S.ACCEPTED, _E.REJECTED): _S.REJECTED,
    (_S.PARTIALLY_FILLED, _E.SENT): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _E.ACCEPTED): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _E.WORKING): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _E.CANCEL_REJECTED): _S.PARTIALLY_FILLED,
    # late: the order is done already and stays so
    **{
        (state, event): state
        for state in (_S.FILLED, _S.CANCELED, _S.EXPIRED)
        for event in (
            _E.SENT,
            _E.ACCEPTED,
            _E.WORKING,
            _E.CANCEL_REQUESTED,
            _E.CANCEL_REJECTED,
            _E.LOST,
        )
    },
    **{
        (state, event): state
        for state in (_S.REJECTED, _S.DENIED)
        for event in (_E.SENT, _E.CANCEL_REQUESTED, _E.CANCEL_REJECTED, _E.LOST)
    },
    (_S.CANCELED, _E.CANCELED): _S.CANCELED,
    (_S.EXPIRED, _E.EXPIRED): _S.EXPIRED,
    (_S.REJECTED, _E.REJECTED): _S.REJECTED,
    (_S.DENIED, _E.DENIED): _S.DENIED,
    # late fills count always: they are money
    (_S.FILLED, _E.LAST_FILL): _S.FILLED,
    (_S.CANCELED, _E.PARTIAL_FILL): _S.CANCELED,
    (_S.CANCELED, _E.LAST_FILL): _S.FILLED,
    (_S.EXPIRED, _E.PARTIAL_FILL): _S.EXPIRED,
    (_S.EXPIRED, _E.LAST_FILL): _S.FILLED,
    # the venue has what it refused or what we took for unsent: an order is never lost, so ask
    (_S.REJECTED, _E.ACCEPTED): _S.UNKNOWN,
    (_S.REJECTED, _E.WORKING): _S.UNKNOWN,
    (_S.REJECTED, _E.PARTIAL_FILL): _S.UNKNOWN,
    (_S.REJECTED, _E.LAST_FILL): _S.FILLED,
    (_S.DENIED, _E.ACCEPTED): _S.UNKNOWN,
    (_S.DENIED, _E.WORKING): _S.UNKNOWN,
    (_S.DENIED, _E.PARTIAL_FILL): _S.UNKNOWN,
    (_S.DENIED, _E.LAST_FILL): _S.FILLED,
}
"""What is not in here is illegal: counted and reported, never applied."""


def mermaid() -> str:
    """The table as a Mermaid state diagram; what leaves a state as it is is left out."""
    lines = ["stateDiagram-v2", "    [*] --> PENDING"]
    lines += [
        f"    {state.value} --> {following.value}: {event.value}"
        for (state, event), following in TRANSITIONS.items()
        if state is not following
    ]
    lines += [f"    {state.value} --> [*]" for state in OrderState if state in FINAL]
    return "\n".join(lines) + "\n"
