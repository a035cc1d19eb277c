"""A connector's subscribers: what a new one begins with, and which streams the venue is asked for because of them."""

from collections.abc import Callable
from typing import Any

from actors.connector.audience import LINGER_NS, Audience, AudienceDue
from actors.connector.desk import DeskTeller
from actors.connector.publisher import MarketPublisher
from actors.venues.contract import Output, VenueProtocol
from runtime.actor import Context, RefreshRequested, Subscribed

CarryOut = Callable[[list[Output], Context], None]


class Readers:
    def __init__(
        self, venue: str, protocol: VenueProtocol, market: MarketPublisher, desk: DeskTeller, carry_out: CarryOut
    ) -> None:
        self._protocol = protocol
        self._market = market
        self._desk = desk
        self._carry_out = carry_out
        self._audience = Audience(venue, protocol.symbols)
        self.handlers: dict[type, Callable[[Any, Context], None]] = {
            Subscribed: self._on_subscribed,
            AudienceDue: self._on_audience_due,
            RefreshRequested: self._on_refresh,
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

    def _on_refresh(self, refresh: RefreshRequested, ctx: Context) -> None:
        self._market.refresh(refresh.topic, self._protocol.book, ctx)
