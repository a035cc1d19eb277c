"""What one actor reads of the market, and from whom: a symbol is read wherever it is published."""

from collections.abc import Iterable, Mapping, Sequence

from actors import names
from actors.arbitration import Arbiter
from actors.settings import VenueSettings
from actors.shards import Publishers
from runtime.actor import Context


class MarketFeeds:
    """Made for each life of its actor; `venues` are those of the whole desk."""

    def __init__(self, venues: Mapping[str, VenueSettings]) -> None:
        self._publishers = Publishers(venues)
        self.arbiter: Arbiter | None = None
        """Where something is published by more than one."""
        self._read: dict[tuple[str, str], dict[str, None]] = {}
        """(venue, symbol) → kinds."""

    def read(self, venue: str, symbols: Sequence[str], kinds: Iterable[str], ctx: Context) -> None:
        kinds = tuple(kinds)
        for symbol in symbols:
            self._read.setdefault((venue, symbol), {}).update(dict.fromkeys(kinds))
        shares = self._shares(venue, symbols, ctx)
        for publisher, share in shares.items():
            ctx.subscribe(publisher, *(f"{kind}.{venue}.{symbol}" for symbol in share for kind in kinds))

    def read_venue(self, venue: str, symbols: Sequence[str], ctx: Context) -> None:
        """Its state and its account, and the quotes of these symbols."""
        patterns = {names.connector(venue): [f"venue.{venue}"]}
        for publisher, share in self._shares(venue, symbols, ctx).items():
            patterns.setdefault(publisher, []).extend(f"quote.{venue}.{symbol}" for symbol in share)
        for symbol in symbols:
            self._read.setdefault((venue, symbol), {})["quote"] = None
        for publisher, wanted in patterns.items():
            ctx.subscribe(publisher, *wanted)

    def _shares(self, venue: str, symbols: Sequence[str], ctx: Context) -> dict[str, list[str]]:
        """Publisher → what of these it publishes. What comes from more than one is arbitrated from now on."""
        several = {one for symbol in symbols if len(of := self._publishers.of(venue, symbol)) > 1 for one in of}
        if several:
            self.arbiter = self.arbiter or Arbiter(ctx.refresh)
            ctx.merge(self.arbiter, *sorted(several))
        return dict(self._publishers.by_publisher(venue, symbols))

    def leave(self, venue: str, symbols: Sequence[str], kinds: Iterable[str], ctx: Context) -> None:
        kinds = tuple(kinds)
        for symbol in symbols:
            read = self._read.get((venue, symbol), {})
            for kind in kinds:
                read.pop(kind, None)
            if not read:
                self._read.pop((venue, symbol), None)
        for publisher, share in self._publishers.by_publisher(venue, symbols):
            ctx.unsubscribe(publisher, *(f"{kind}.{venue}.{symbol}" for symbol in share for kind in kinds))

    def counters(self) -> dict[str, int]:
        """Of what is published by more than one: what came again, and trades that none of them brought."""
        if self.arbiter is None:
            return {}
        counts = self.arbiter.counts()
        return {"repeated": counts.repeated, "missed": counts.gaps}

    def on_venues(self, venues: Mapping[str, VenueSettings]) -> None:
        """There are others now, or some are gone: nobody reads those any longer."""
        self._publishers.on_venues(venues)
        for venue, symbol in list(self._read):
            if venue not in venues:
                del self._read[venue, symbol]

    def of(self, instrument: str) -> tuple[str, ...]:
        """Who publishes it, e.g. `binance.BTCUSDT`; who will keep it comes first."""
        venue, _, symbol = instrument.partition(".")
        return self._publishers.of(venue, symbol)
