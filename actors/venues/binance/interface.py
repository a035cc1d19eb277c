"""Which streams an interface of Binance serves, and where."""

from collections.abc import Mapping

import msgspec

from actors.venues.binance.feed_link import PROBE
from actors.venues.binance.seam import SPOT_NUMBERS, Numbered
from actors.venues.binance.streams import BOOK, QUOTE, STREAMS, TRADE


class Address(msgspec.Struct, frozen=True):
    """Where an interface serves some of its streams."""

    name: str
    """Its links are called `<name>-0`, `<name>-1`, …"""
    path: str
    always: tuple[str, ...]
    """Kinds that come of every configured symbol."""
    on_demand: tuple[str, ...]
    """Kinds that come while somebody reads them."""


class Interface(msgspec.Struct, frozen=True):
    addresses: tuple[Address, ...]
    streams: Mapping[str, str]
    """Kind → what follows `<symbol>@` in the name of its stream."""
    numbers: Mapping[str, type[Numbered]]
    """What orders the events of a kind; all others go by their time."""
    probe: bytes


SPOT = Interface(
    (Address("feed", "/stream", (QUOTE, TRADE, BOOK), tuple(STREAMS)),),
    STREAMS,
    SPOT_NUMBERS,
    PROBE,
)
