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


def publishers_of(venue: str, settings: VenueSettings, symbol: str) -> tuple[str, ...]:
    """Names of actors, those that may carry orders first; with more than one each event comes more than once."""
    shards = (0,) if settings.connectors == 1 else shards_of(settings, symbol)
    connectors = tuple(names.connector(venue, shard) for shard in shards)
    return (*connectors, *(names.standby(venue, shard) for shard in shards)) if settings.standby else connectors


def from_to(venue: str, settings: VenueSettings, symbol: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who publishes a symbol that just moves: (those that it leaves, those that it comes to)."""
    to, *leaves = (
        (names.connector(venue, shard), *((names.standby(venue, shard),) if settings.standby else ()))
        for shard in shards_of(settings, symbol)
    )
    return (leaves[0] if leaves else ()), to


class Publishers:
    """Who publishes a symbol's market data now. A venue that is not known has one connector, which has everything."""

    def __init__(self, venues: Mapping[str, VenueSettings]) -> None:
        self._venues = dict(venues)
        self._moved: dict[tuple[str, str], tuple[str, ...]] = {}
        """What was said since."""

    def on_venues(self, venues: Mapping[str, VenueSettings]) -> None:
        """Those that are new come, and those that are gone go; the others change by `move` only."""
        self._venues = {name: self._venues.get(name, settings) for name, settings in venues.items()}
        self._moved = {(venue, symbol): to for (venue, symbol), to in self._moved.items() if venue in venues}

    def move(self, venue: str, symbol: str, publishers: tuple[str, ...]) -> None:
        self._moved[venue, symbol] = publishers

    def of(self, venue: str, symbol: str) -> tuple[str, ...]:
        if self._moved and (moved := self._moved.get((venue, symbol))) is not None:
            return moved
        settings = self._venues.get(venue)
        return (names.connector(venue),) if settings is None else publishers_of(venue, settings, symbol)

    def by_publisher(self, venue: str, symbols: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """(actor, what of these symbols it publishes)."""
        shares: dict[str, list[str]] = {}
        for symbol in symbols:
            for publisher in self.of(venue, symbol):
                shares.setdefault(publisher, []).append(symbol)
        yield from shares.items()
