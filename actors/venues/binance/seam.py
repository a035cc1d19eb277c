"""Where the streams of one socket are continued by another: each event is let through once, in its order.

While two sockets carry the same streams, every event comes twice; whichever comes first is taken. Book updates need no
seam where their own rule ignores what the book already has, as that of spot does.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import field

from actors.venues.binance.streams import BOOK, INTERVALS, QUOTE, TRADE
from actors.venues.binance_api.payloads import Id, Millis


class UpdateNumber(msgspec.Struct, gc=False):
    number: Id = field(name="u")


class _TradeNumber(msgspec.Struct, gc=False):
    number: Id = field(name="t")


class AggregateNumber(msgspec.Struct, gc=False):
    number: Id = field(name="a")


class _LevelsNumber(msgspec.Struct, gc=False):
    number: Id = field(name="lastUpdateId")


class _EventTime(msgspec.Struct, gc=False):
    number: Millis = field(name="E")


class _KlineStart(msgspec.Struct, gc=False):
    start: Millis = field(name="t")


class KlineNumber(msgspec.Struct):
    """A kline may be closed and the next one begun in the same millisecond."""

    time: Millis = field(name="E")
    bar: _KlineStart = field(name="k")

    @property
    def number(self) -> int:
        return self.bar.start * 10**13 + self.time


Numbered = KlineNumber | UpdateNumber | _TradeNumber | AggregateNumber | _LevelsNumber | _EventTime

SPOT_NUMBERS: dict[str, type[Numbered]] = {
    QUOTE: UpdateNumber,
    TRADE: _TradeNumber,
    "aggtrade": AggregateNumber,
    "depth5": _LevelsNumber,
    "depth10": _LevelsNumber,
    "depth20": _LevelsNumber,
    **{f"kline_{interval}": KlineNumber for interval in INTERVALS},
}
"""What orders the events of a stream; all others go by their time."""


class Seam:
    def __init__(self, numbers: Mapping[str, type[Numbered]]) -> None:
        self._numbers = numbers
        self._last: dict[str, int] = {}
        self._decoders: dict[str, Callable[[msgspec.Raw], Numbered]] = {}

    def repeats(self, kind: str, stream: str, data: msgspec.Raw) -> bool:
        """This event, or a later one, has been let through. Raises `msgspec.MsgspecError` for one without a number."""
        if kind == BOOK and BOOK not in self._numbers:
            return False
        decode = self._decoders.get(kind)
        if decode is None:
            decode = self._decoders[kind] = msgspec.json.Decoder(self._numbers.get(kind, _EventTime)).decode
        number = decode(data).number
        if number <= self._last.get(stream, -1):
            return True
        self._last[stream] = number
        return False
