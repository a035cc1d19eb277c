"""Which connector publishes what: a venue's symbols shared out over its shards, as a pure function of the settings.

Shard 0 is `connector.<venue>` and has the orders and the account besides its share; `connector.<venue>.<k>` are market
data only. While a symbol moves two of them have it: the one that it moves to, and the one that it leaves.
"""

from collections.abc import Iterator, Mapping, Sequence

from actors import names
from actors.model.rendezvous import owner
from actors.settings import VenueSettings


def shard_of(settings: VenueSettings, symbol: str) -> int:
    """Who has it when nothing moves."""
    return settings.pinned[symbol] if symbol in settings.pinned else owner(symbol, settings.shards)


def shards_of(settings: VenueSettings, symbol: str) -> tuple[int, ...]:
    """Everybody who has it now, the one that will keep it first."""
    shard, leaves = shard_of(settings, symbol), settings.leaving.get(symbol)
    return (shard,) if leaves is None or leaves == shard else (shard, leaves)


def symbols_of(settings: VenueSettings, shard: int) -> list[str]:
    """What this shard has, in the order of the configuration."""
    if settings.connectors == 1:
        return settings.symbols
    return [symbol for symbol in settings.symbols if shard in shards_of(settings, symbol)]


class Publishers:
    """Who publishes a symbol's market data now. A venue that is not known has one connector, which has everything."""

    def __init__(self, venues: Mapping[str, VenueSettings]) -> None:
        self._venues = dict(venues)

    def on_venues(self, venues: Mapping[str, VenueSettings]) -> None:
        self._venues = dict(venues)

    def of(self, venue: str, symbol: str) -> tuple[str, ...]:
        """Names of actors, those that may carry orders first; with more than one each event comes more than once."""
        settings = self._venues.get(venue)
        if settings is None:
            return (names.connector(venue),)
        shards = (0,) if settings.connectors == 1 else shards_of(settings, symbol)
        connectors = tuple(names.connector(venue, shard) for shard in shards)
        return (*connectors, *(names.standby(venue, shard) for shard in shards)) if settings.standby else connectors

    def by_publisher(self, venue: str, symbols: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """(actor, what of these symbols it publishes)."""
        shares: dict[str, list[str]] = {}
        for symbol in symbols:
            for publisher in self.of(venue, symbol):
                shares.setdefault(publisher, []).append(symbol)
        yield from shares.items()
