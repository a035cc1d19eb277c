"""A frame of Binance's combined streams: `{"stream":"<name>","data":{…}}`, and how it is read in one go.

Which stream a frame is of is seen by its first bytes, so that it is decoded once, as what that stream carries. A frame
that begins in another way is read by `StreamFrame` first.

Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md, "General WSS information".
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from actors.venues.binance_api.payloads import ErrorBody

Data = TypeVar("Data")

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""What a frame that is no event raises."""
HEAD = b'{"stream":"'
AFTER_HEAD = len(HEAD)


def head_of(stream: str) -> bytes:
    """How each of its frames begins, as far as the quotation mark that ends its name."""
    return HEAD + stream.encode()


class EventFrame(msgspec.Struct, Generic[Data], gc=False):
    data: Data


def frame_decoder(data: type[Data]) -> Callable[[bytes], EventFrame[Data]]:
    """Raises `msgspec.MsgspecError` for a frame that carries anything else."""
    frame: Any = EventFrame
    decoder: msgspec.json.Decoder[EventFrame[Data]] = msgspec.json.Decoder(frame[data])
    return decoder.decode


class StreamFrame(msgspec.Struct, gc=False):
    """Combined streams wrap each event; the answer to a request has an `id` instead."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    id: int | str | None = None
    code: int | None = None
    """Of a request that was refused, with the words for it; or both are within `error`."""
    msg: str = ""
    error: ErrorBody | None = None
