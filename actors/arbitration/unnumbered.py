"""Events without a number that rises: known by all that the venue said of them.

A trade's id stands for all of it. Otherwise the same words may be true twice, so each source's are counted: an event
passes when its source has told it more often than any other has before. Nothing says what is missing between two of
them, so no gap is counted here.
"""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from actors.messages import AggregateTrade, MarketEvent, Trade

REMEMBERED = 4_096
"""Different events; older ones are forgotten."""

NOTHING: tuple[MarketEvent, ...] = ()


class UnnumberedLine:
    def __init__(self) -> None:
        self.repeated = 0
        self.gaps = 0
        self.due = 0
        self._told: OrderedDict[object, tuple[int, dict[str, int]]] = OrderedDict()
        """Event → how often it passed, and how often each source has told it."""

    def take(self, source: str, event: MarketEvent, now: int) -> Sequence[MarketEvent]:
        known = event.trade_id if isinstance(event, Trade | AggregateTrade) else _words(event)
        passed, by_source = self._told.get(known, (0, {}))
        count = 1 if isinstance(event, Trade | AggregateTrade) else by_source.get(source, 0) + 1
        by_source[source] = count
        self._told[known] = max(passed, count), by_source
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        if count > passed:
            return (event,)
        self.repeated += 1
        return NOTHING

    def gone(self, source: str, reason: str, now: int) -> Sequence[MarketEvent]:
        """Nothing that passed may pass again: the counts stay, but what a later life tells begins anew."""
        for _, by_source in self._told.values():
            by_source.pop(source, None)
        return NOTHING

    def shed(self) -> None:
        """What the reader lost of these is lost."""

    def release(self, now: int) -> Sequence[MarketEvent]:
        return NOTHING


def _words(event: MarketEvent) -> bytes:
    """All but when it was read."""
    return msgspec.msgpack.encode(msgspec.structs.replace(event, ts_recv=0))
