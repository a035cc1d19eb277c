"""Client order ids: 128 bits as 32 lowercase hex characters, legal on every venue, that tell who made them.

    epoch 16 bits · actor 16 · strategy 16 · time in ms 48 · sequence 32

An id is a function of its inputs alone, so whoever replays the same inputs gets the same id, and an orphan found at a
venue says which life of which strategy sent it. Lengths allowed: OKX `clOrdId` 32 alphanumerics, Kraken `cl_ord_id`
32 hex, Hyperliquid `cloid` 128 bits, Binance and Bybit 36, Coinbase 128.
"""

import hashlib
import re

import msgspec

_LEGAL = re.compile(r"[0-9a-f]{32}")
_CHILDREN = 1024
_IS_CHILD = 1 << 31
"""Highest bit of the sequence."""


class OrderIdParts(msgspec.Struct, frozen=True):
    epoch: int
    actor: int
    strategy: int
    time_ms: int
    sequence: int


def order_id(epoch: int, actor: str, strategy: str, now: int, sequence: int) -> str:
    """`now` in nanoseconds. Unique while a maker does not use a sequence number twice within a millisecond.

    A number too large for its part wraps around; the highest bit of the sequence is left to children.
    """
    return (
        f"{epoch & 0xFFFF:04x}{fingerprint(actor):04x}{fingerprint(strategy):04x}"
        f"{now // 1_000_000 & 0xFFFF_FFFF_FFFF:012x}{sequence & (_IS_CHILD - 1):08x}"
    )


def child_id(parent: str, index: int) -> str:
    """Id of the parent's slice `index`, 0 to 1023: the parent's maker and time, and a sequence that no order has.

    Exact, not hashed: children of one parent differ, and so do children of parents that differ in their sequence
    modulo 2²¹ or in anything before it. A child has no children.
    """
    if not 0 <= index < _CHILDREN:
        raise ValueError(f"index of a child order is 0 to {_CHILDREN - 1}, not {index}")
    sequence = parts(parent).sequence
    if sequence & _IS_CHILD:
        raise ValueError(f"a child order has no children: {parent}")
    return f"{parent[:24]}{_IS_CHILD | sequence * _CHILDREN & (_IS_CHILD - 1) | index:08x}"


def parts(client_order_id: str) -> OrderIdParts:
    if not is_order_id(client_order_id):
        raise ValueError(f"not an order id: {client_order_id!r}")
    epoch, actor, strategy, time_ms, sequence = (
        int(client_order_id[start:end], 16) for start, end in ((0, 4), (4, 8), (8, 12), (12, 24), (24, 32))
    )
    return OrderIdParts(epoch, actor, strategy, time_ms, sequence)


def is_order_id(text: str) -> bool:
    return _LEGAL.fullmatch(text) is not None


def fingerprint(name: str) -> int:
    """16 bits that stand for a name in an id."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=2).digest(), "big")
