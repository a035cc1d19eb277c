"""Market data: published by a connector on `<kind>.<venue>.<symbol>`."""

from typing import ClassVar

from actors.model.order import Side
from runtime.message import Lane, Message, Overflow

Level = tuple[str, str]
"""(price, quantity)."""


class MarketEvent(Message, frozen=True, array_like=True, tag=True):
    """`kind` is the first part of the topic."""

    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.LATEST
    kind: ClassVar[str] = ""

    venue: str
    symbol: str

    @property
    def topic(self) -> str:
        return f"{self.kind}.{self.venue}.{self.symbol}"

    @property
    def instrument(self) -> str:
        """As a configuration and a strategy name it: `<venue>.<SYMBOL>`."""
        return f"{self.venue}.{self.symbol}"


class Quote(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """Best bid and ask changed. Topic `quote.<venue>.<symbol>`."""

    kind: ClassVar[str] = "quote"

    bid: str
    bid_quantity: str
    ask: str
    ask_quantity: str
    ts_venue: int
    """0 where the venue gives none."""
    ts_recv: int
    degraded: bool = False
    """Asked for by REST because its stream is down: it may be older and rarer than what the stream would tell."""
    sequence: int = 0
    """The venue's own number of this change of its book; 0 where it gives none."""


class Trade(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """Somebody traded. Topic `trade.<venue>.<symbol>`."""

    kind: ClassVar[str] = "trade"
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    trade_id: str
    price: str
    quantity: str
    aggressor: Side
    ts_venue: int
    ts_recv: int
    degraded: bool = False
    """As of a quote."""


class BookSnapshot(MarketEvent, frozen=True, array_like=True, tag=True):
    """The whole book as it is after update `sequence`. Topic `book.<venue>.<symbol>`, as for the next two."""

    kind: ClassVar[str] = "book"
    refreshes: ClassVar[bool] = True

    sequence: int
    bids: list[Level]
    """Best first."""
    asks: list[Level]
    ts_venue: int
    ts_recv: int
    degraded: bool = False
    """As of a quote. It holds the best levels only, and no `BookDelta` continues it: another snapshot replaces it."""


class BookDelta(MarketEvent, frozen=True, array_like=True, tag=True):
    """Levels that changed; a quantity is absolute, zero removes the level.

    Applies only to a book whose sequence equals `previous`.
    """

    kind: ClassVar[str] = "book"
    overflow: ClassVar[Overflow] = Overflow.REFRESH

    previous: int
    sequence: int
    bids: list[Level]
    asks: list[Level]
    ts_venue: int
    ts_recv: int


class BookInvalidated(MarketEvent, frozen=True, array_like=True, tag=True):
    """Nobody may trade on this book until a `BookSnapshot` follows."""

    kind: ClassVar[str] = "book"

    reason: str
    ts_recv: int


class MarkPrice(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """What a contract is valued and liquidated at, and its funding. Topic `mark.<venue>.<symbol>`."""

    kind: ClassVar[str] = "mark"

    mark_price: str
    index_price: str
    funding_rate: str
    """For one interval, as a fraction: what longs pay shorts; "" for a contract without funding."""
    next_funding: int
    """When it is paid next, nanoseconds since the epoch; 0 for a contract without funding."""
    ts_venue: int
    ts_recv: int


class Liquidation(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """Somebody's position was closed by the venue. Topic `liquidation.<venue>.<symbol>`."""

    kind: ClassVar[str] = "liquidation"
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    side: Side
    """Of the order that closed it."""
    price: str
    average_price: str
    quantity: str
    ts_venue: int
    ts_recv: int


class AggregateTrade(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """All that one taker order traded at one price. Topic `aggtrade.<venue>.<symbol>`."""

    kind: ClassVar[str] = "aggtrade"
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    trade_id: str
    price: str
    quantity: str
    aggressor: Side
    first_trade_id: str
    last_trade_id: str
    ts_venue: int
    ts_recv: int


class Ticker(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """The last 24 hours up to `ts_venue`. Topic `ticker.<venue>.<symbol>`."""

    kind: ClassVar[str] = "ticker"

    last: str
    last_quantity: str
    bid: str
    """"", as the next three, where the venue does not tell it here."""
    bid_quantity: str
    ask: str
    ask_quantity: str
    open: str
    high: str
    low: str
    volume: str
    """Base asset."""
    quote_volume: str
    average: str
    """Weighted by volume."""
    change: str
    change_percent: str
    trades: int
    ts_venue: int
    ts_recv: int


class MiniTicker(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """The last 24 hours in short. Topic `miniticker.<venue>.<symbol>`."""

    kind: ClassVar[str] = "miniticker"

    last: str
    open: str
    high: str
    low: str
    volume: str
    quote_volume: str
    ts_venue: int
    ts_recv: int


class Kline(MarketEvent, frozen=True, array_like=True, tag=True, gc=False):
    """The venue's own bar, told while it grows and once more when `closed`.

    Topic `kline_<interval>.<venue>.<symbol>`, the interval as the venue writes it: `kline_1m.binance.BTCUSDT`.
    """

    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    interval: str
    start: int
    end: int
    """Exclusive: the start of the next one."""
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int
    taker_buy_volume: str
    taker_buy_quote_volume: str
    closed: bool
    ts_venue: int
    ts_recv: int

    @property
    def topic(self) -> str:
        return f"kline_{self.interval}.{self.venue}.{self.symbol}"


class BookLevels(MarketEvent, frozen=True, array_like=True, tag=True):
    """The best `depth` levels of each side, whole. Topic `depth<depth>.<venue>.<symbol>`, e.g. `depth20.…`."""

    depth: int
    sequence: int
    bids: list[Level]
    """Best first."""
    asks: list[Level]
    ts_venue: int
    """0 where the venue gives none."""
    ts_recv: int

    @property
    def topic(self) -> str:
        return f"depth{self.depth}.{self.venue}.{self.symbol}"


class EventQuarantined(Message, frozen=True, array_like=True, tag=True):
    """An event that made no sense and was not published. Topic `quarantine.<venue>`."""

    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.DROP_OLDEST

    venue: str
    symbol: str
    reason: str
    """Name of the rule that it broke."""
    event: str
    """The event as JSON."""
    ts_recv: int

    @property
    def topic(self) -> str:
        return f"quarantine.{self.venue}"
