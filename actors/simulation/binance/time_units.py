"""Times in microseconds for clients that ask for them (`timeUnit`, `X-MBX-TIME-UNIT`).

The venue's own times have milliseconds, so the last three digits are zero.
Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information
"""

from enum import Enum
from typing import Any

import msgspec

from actors.simulation.binance.refusal import Refusal

_FIRST_MS = 10**12
_LAST_MS = 10**13
"""Between these a number is a time: from the year 2001 to 2286. Ids of the fake venue are far smaller."""


class TimeUnit(Enum):
    MILLISECOND = "MILLISECOND"
    MICROSECOND = "MICROSECOND"

    @classmethod
    def parse(cls, text: str) -> "TimeUnit":
        """An empty text is the default."""
        try:
            return cls(text.upper() or "MILLISECOND")
        except ValueError:
            message = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
            raise Refusal(-1194, message) from None


def in_unit(payload: bytes, unit: TimeUnit) -> bytes:
    """The payload with its times in this unit."""
    if unit is TimeUnit.MILLISECOND:
        return payload
    return msgspec.json.encode(_in_microseconds(msgspec.json.decode(payload)))


def _in_microseconds(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() if _FIRST_MS <= value < _LAST_MS:
            return value * 1_000
        case dict():
            return {name: _in_microseconds(item) for name, item in value.items()}
        case list():
            return [_in_microseconds(item) for item in value]
        case _:
            return value
