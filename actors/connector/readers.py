"""A connector's subscribers: what a new one begins with, and which streams the venue is asked for because of them."""

from collections.abc import Callable, Collection
from typing import Any

from actors.connector.audience import ALWAYS, LINGER_NS, Audience, AudienceDue
from actors.connector.desk import DeskTeller
from actors.connector.publisher import MarketPublisher
from actors.messages import FeedsMoved
from actors.names import shards_among
from actors.venues.contract import Output, Shareable, VenueProtocol
from runtime.actor import Context, RefreshRequested, Subscribed

CarryOut = Callable[[list[Output], Context], None]


class Readers:
    def __init__(
        self,
        venue: str,
        protocol: VenueProtocol,
        market: MarketPublisher,
        desk: DeskTeller,
        carry_out: CarryOut,
        moving: Collection[str] = (),
    ) -> None:
        self._protocol = protocol
        self._market = market
        self._desk = desk
        self._carry_out = carry_out
        self._audience = Audience(venue, protocol.symbols)
        self._moving = {symbol for symbol in protocol.symbols if symbol in moving}
        """Somebody else has them, too."""
        self.handlers: dict[type, Callable[[Any, Context], None]] = {
            Subscribed: self._on_subscribed,
            AudienceDue: self._on_audience_due,
            RefreshRequested: self._on_refresh,
            FeedsMoved: self._on_moved,
        }

    def report(self) -> dict[str, Any]:
        """Of each symbol that just moves, here or away: whether the venue sends it here, and who reads it here."""
        protocol = self._protocol
        if not self._moving or not isinstance(protocol, Shareable):
            return {}
        return {
            "moving": {
                symbol: {"carried": protocol.carries(symbol), "readers": self._audience.readers(symbol)}
                for symbol in sorted(self._moving)
            }
        }

    def _on_subscribed(self, subscribed: Subscribed, ctx: Context) -> None:
        now = ctx.now()
        had_leavers = self._audience.anything_left
        for kind, symbol in self._audience.follow(subscribed.subscriber, subscribed.patterns, now):
            self._market.expect(kind, symbol)
            self._carry_out(self._protocol.follow(kind, symbol, now), ctx)
        if self._audience.anything_left and not had_leavers:
            ctx.after(LINGER_NS, AudienceDue())
        self._market.begin(subscribed.patterns, self._protocol.book, ctx)
        self._desk.begin(subscribed.patterns, ctx)

    def _on_audience_due(self, due: AudienceDue, ctx: Context) -> None:
        now = ctx.now()
        for kind, symbol in self._audience.take_left(now):
            self._carry_out(self._protocol.unfollow(kind, symbol, now), ctx)
            self._market.forget(kind, symbol)
        if self._audience.anything_left:
            ctx.after(LINGER_NS, due)

    def _on_moved(self, moved: FeedsMoved, ctx: Context) -> None:
        """Begin with what is here now, end what is not any more."""
        protocol = self._protocol
        if not isinstance(protocol, Shareable):
            return
        here = {symbol for symbol, publishers in moved.publishers.items() if ctx.name in publishers}
        self._moving -= moved.publishers.keys()
        self._moving |= {symbol for symbol in here if len(shards_among(moved.publishers[symbol])) > 1}
        before = protocol.symbols
        symbols = [symbol for symbol in before if symbol in here or symbol not in moved.publishers]
        symbols += sorted(here.difference(before))
        if symbols == list(before):
            return
        self._audience.of(symbols)
        self._carry_out(protocol.carry(symbols, ctx.now()), ctx)
        for symbol in symbols:
            self._market.expect("book", symbol)
        for symbol in set(before).difference(symbols):
            for kind in ALWAYS:
                self._market.forget(kind, symbol)

    def _on_refresh(self, refresh: RefreshRequested, ctx: Context) -> None:
        self._market.refresh(refresh.topic, self._protocol.book, ctx)
