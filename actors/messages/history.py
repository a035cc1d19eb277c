"""What was on the market before: asked of a connector, answered in pages."""

from actors.messages.market_data import AggregateTrade, Kline
from runtime.message import Message


class QueryHistory(Message, frozen=True, array_like=True, tag=True):
    """To a connector. Answered by every `HistoryPage` in its order, the last one `complete`; or by `HistoryFailed`."""

    reply_to: str
    """Name of the actor that gets the answer."""
    request_id: str
    kind: str
    """`kline_<interval>`, e.g. `kline_1m`, or `aggtrade`."""
    symbol: str
    start: int
    end: int
    """Exclusive."""


class HistoryPage(Message, frozen=True, array_like=True, tag=True):
    reply_to: str
    request_id: str
    venue: str
    kind: str
    symbol: str
    klines: list[Kline]
    trades: list[AggregateTrade]
    gaps: list[tuple[int, int]]
    """What is missing before or within this page, end exclusive: times of klines, ids of trades."""
    complete: bool


class HistoryFailed(Message, frozen=True, array_like=True, tag=True):
    """The pages that came before are right; the rest is not known."""

    reply_to: str
    request_id: str
    reason: str
