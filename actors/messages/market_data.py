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
