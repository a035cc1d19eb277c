"""What the order manager's journal holds: every event that changed an order's life, in the order it was applied.

One record is one MessagePack array `[ts, epoch, [event's class name, field, …]]`. Replaying the records through a
`Ledger` gives its state again, exactly.
"""

import msgspec

from actors.messages import (
    AmendRejected,
    CancelOrder,
    CancelRejected,
    ChangeDenied,
    OperatorActed,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReported,
    OrderRouted,
    OrderSent,
    OutcomeUnknown,
    SubmitOrder,
    SubmitOrderList,
)
from actors.model.order import OrderSpec
from runtime.message import Message


class EpochBegan(Message, frozen=True, array_like=True, tag=True):
    """A new life of the order manager: whatever an earlier one may have sent is UNKNOWN until the venue was asked."""

    new_run: bool = False
    """Limits are those of the configuration again; a halt stays."""


class ChangeIntended(Message, frozen=True, array_like=True, tag=True):
    """An open order is to become `order`: where it is, or another in its place if the client order id is another."""

    client_order_id: str
    order: OrderSpec


OneOrder = (
    CancelOrder
    | OrderDenied
    | OrderRouted
    | OrderSent
    | OrderAccepted
    | OrderRejected
    | OrderCanceled
    | OrderExpired
    | CancelRejected
    | OutcomeUnknown
    | OrderReported
    | ChangeIntended
    | OrderAmended
    | AmendRejected
    | ChangeDenied
)
"""What happens to one order that is known by its client order id."""

Event = EpochBegan | SubmitOrder | SubmitOrderList | OrderFilled | OperatorActed | OneOrder
"""`SubmitOrder`, `SubmitOrderList` and `ChangeIntended` are intents, written before anything leaves. What an answer of
the venue did not change is not written: a fill that counts already, a report that tells nothing new."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    ts: int
    """When it was written, nanoseconds since the epoch."""
    epoch: int
    """Life of the order manager that wrote it; never falls."""
    event: Event


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(data: bytes) -> Record:
    """Raises `msgspec.DecodeError` (or its subclass `ValidationError`) for anything else than a record."""
    return _decoder.decode(data)
