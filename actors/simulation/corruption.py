"""What is left of a payload after a fault: half of it, garbage, too much, wrong types, symbols that nobody knows."""

from random import Random
from typing import Any

import msgspec

from actors.simulation.faults import Corrupt, Corruption

_PRINTABLE = bytes(range(33, 127))
_SYMBOL_FIELDS = ("s", "symbol")
_UNKNOWN_SYMBOL = "NOSUCHCOIN"


def corrupted(payload: bytes, fault: Corrupt, random: Random) -> bytes:
    match fault.how:
        case Corruption.HALF:
            return payload[: len(payload) // 2]
        case Corruption.GARBAGE:
            return bytes(random.choices(_PRINTABLE, k=max(1, len(payload))))
        case Corruption.HUGE:
            return b'{"e":"' + b"x" * max(0, fault.size_bytes - 8) + b'"}'
        case Corruption.WRONG_TYPES:
            return _changed(payload, _of_wrong_types)
        case Corruption.UNKNOWN_SYMBOL:
            return _changed(payload, _of_unknown_symbol)


def _changed(payload: bytes, change: Any) -> bytes:
    try:
        return msgspec.json.encode(change(msgspec.json.decode(payload)))
    except msgspec.DecodeError:
        return payload


def _of_wrong_types(value: Any) -> Any:
    match value:
        case dict():
            return {name: _of_wrong_types(item) for name, item in value.items()}
        case list() | bool():
            return None
        case int() | float():
            return str(value)
        case str():
            return {"": value}
        case _:
            return 0


def _of_unknown_symbol(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _UNKNOWN_SYMBOL if name in _SYMBOL_FIELDS else _of_unknown_symbol(item)
                for name, item in value.items()
            }
        case list():
            return [_of_unknown_symbol(item) for item in value]
        case _:
            return value
