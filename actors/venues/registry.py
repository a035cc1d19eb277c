"""Which protocol speaks to which kind of venue: one line for each."""

from collections.abc import Callable

from actors.credentials import Keys, read_keys
from actors.settings import VenueSettings
from actors.venues.binance import BinanceSpot
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import VenueProtocol

PROTOCOLS: dict[str, Callable[[str, VenueSettings, Keys | None], VenueProtocol]] = {
    "binance": BinanceSpot,
    "binance-usdm": BinanceUsdm,
}


def make_protocol(name: str, settings: VenueSettings) -> VenueProtocol:
    """The protocol of the venue that the configuration calls `name`.

    Reads the account's secrets where the settings say they are; raises `ConfigError` that names what is missing.
    """
    keys = read_keys(settings.credentials) if settings.credentials else None
    return PROTOCOLS[settings.kind](name, settings, keys)
