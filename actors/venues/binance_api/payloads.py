"""What all of Binance's interfaces write in the same way: numbers, rate limits, errors."""

from typing import Annotated

import msgspec
from msgspec import Meta, field

Millis = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]
"""Since the epoch."""
Id = Annotated[int, Meta(ge=-1, le=2**63 - 1)]


class RateLimit(msgspec.Struct, gc=False):
    type: str = field(name="rateLimitType")
    interval: str
    number: int = field(name="intervalNum")
    limit: int
    count: int = 0


class ErrorData(msgspec.Struct, rename="camel"):
    retry_after: Millis = 0
    """When requests may go again, milliseconds since the epoch."""
    cancel_result: str = ""
    """Of a cancel-replace: SUCCESS, FAILURE or NOT_ATTEMPTED, and what came of each part."""
    new_order_result: str = ""
    cancel_response: msgspec.Raw = msgspec.Raw()
    new_order_response: msgspec.Raw = msgspec.Raw()


class ErrorBody(msgspec.Struct):
    code: int
    msg: str = ""
    data: ErrorData | None = None


class ServerTime(msgspec.Struct, rename="camel"):
    server_time: Millis
