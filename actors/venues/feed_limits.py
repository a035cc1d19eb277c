"""What one address may open at a venue, and whether a configuration's symbols fit: a pure function of the settings."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from actors import names
from actors.placing import labels_of
from actors.settings import VenueSettings
from actors.shards import shard_of
from actors.venues.binance import spot
from actors.venues.binance.interface import SPOT, Interface
from actors.venues.binance.market_data import STREAMS_PER_LINK
from actors.venues.binance_usdm import usdm
from actors.venues.binance_usdm.market_data import STREAMS_PER_LINK as USDM_STREAMS_PER_LINK
from actors.venues.binance_usdm.market_data import USDM
from actors.venues.contract import ConnectLimit
from runtime.clock import NS_PER_S

FOR_ORDERS = 4
"""Links that one address may need besides: for orders and the account, and those that replace them."""


class FeedLimits(NamedTuple):
    always: tuple[int, ...]
    """How many streams of a symbol always come, at each place that serves some; one link is to one place."""
    streams_per_link: int
    connects: ConnectLimit
    """Of one address. All links are opened at the start, so no more may be needed than one window allows."""

    def links(self, symbols: int) -> int:
        """That a connector needs for so many."""
        return sum(-(-symbols // max(1, self.streams_per_link // kinds)) for kinds in self.always)

    def fits(self) -> int:
        """So many symbols one address can have."""
        low, high = 0, self.connects.attempts * self.streams_per_link
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.links(middle) <= self.room else (low, middle - 1)
        return low

    @property
    def room(self) -> int:
        return self.connects.attempts - FOR_ORDERS


def _limits(interface: Interface, streams_per_link: int, connects: ConnectLimit) -> FeedLimits:
    return FeedLimits(tuple(len(address.always) for address in interface.addresses), streams_per_link, connects)


LIMITS: Mapping[str, FeedLimits] = {
    "binance": _limits(SPOT, STREAMS_PER_LINK, spot.CONNECT_LIMIT),
    "binance-usdm": _limits(USDM, USDM_STREAMS_PER_LINK, usdm.CONNECT_LIMIT),
}
"""By kind of venue."""


def on_each_address(name: str, settings: VenueSettings, placement: Mapping[str, Mapping[str, str]]) -> list[list[int]]:
    """Shards that are placed alike may be on one machine."""
    addresses: dict[str, list[int]] = {}
    for shard in range(settings.shards):
        labels = labels_of(names.connector(name, shard), placement)
        addresses.setdefault(repr(sorted(labels.items())), []).append(shard)
    return list(addresses.values())


def objection(settings: VenueSettings, limits: FeedLimits, addresses: Iterable[Sequence[int]]) -> str:
    """Why it cannot run so, and what would be right; "" if it can. `addresses`: the shards that share each of them."""
    symbols = _symbols_of_each(settings)
    for shards in addresses:
        needed = sum(limits.links(symbols[shard]) for shard in shards)
        if needed > limits.room:
            count = sum(symbols[shard] for shard in shards)
            window_s = limits.connects.window_ns // NS_PER_S
            return (
                f"{count} symbols need {needed} links from one address, and the venue lets {limits.connects.attempts} "
                f"be opened in {window_s} s, of which {FOR_ORDERS} are for orders; with {limits.streams_per_link} "
                f"streams on a link {limits.fits()} symbols fit: give `shards: {_enough(settings, limits)}` and put "
                "each on a machine of its own (`placement`), or name fewer symbols"
            )
    return ""


def _symbols_of_each(settings: VenueSettings) -> Counter[int]:
    """Shard → how many symbols it has, when nothing moves."""
    return Counter(shard_of(settings, symbol) for symbol in settings.symbols)


def _enough(settings: VenueSettings, limits: FeedLimits) -> int:
    """The least number of shards of which each fits on an address of its own."""
    number = max(1, -(-len(settings.symbols) // limits.fits()))
    while True:
        symbols = _symbols_of_each(settings.model_copy(update={"shards": number, "pinned": {}}))
        if all(limits.links(count) <= limits.room for count in symbols.values()):
            return number
        number += 1
