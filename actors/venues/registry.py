"""Which protocol speaks to which kind of venue: one line for each."""

from typing import Protocol

from actors.credentials import Keys, read_keys
from actors.settings import VenueSettings
from actors.venues.binance import BinanceSpot
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import VenueProtocol


class _Make(Protocol):
    def __call__(self, name: str, settings: VenueSettings, keys: Keys | None, *, shard: int = 0) -> VenueProtocol: ...


PROTOCOLS: dict[str, _Make] = {
    "binance": BinanceSpot,
    "binance-usdm": BinanceUsdm,
}


def make_protocol(name: str, settings: VenueSettings, shard: int = 0, standby: bool = False) -> VenueProtocol:
    """The protocol of the venue that the configuration calls `name`, for the symbols of this shard.

    For shard 0 it reads the account's secrets where the settings say they are, and raises `ConfigError` that names what
    is missing; no other shard has the account, and no standby.
    """
    keys = read_keys(settings.credentials) if settings.credentials and not shard and not standby else None
    return PROTOCOLS[settings.kind](name, settings, keys, shard=shard)
