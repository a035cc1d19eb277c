"""What can be traded and by which rules of the venue."""

from decimal import Decimal

import msgspec


class Instrument(msgspec.Struct, frozen=True, array_like=True):
    """One symbol of one venue. A filter that the venue does not set is None."""

    venue: str
    symbol: str
    base: str
    quote: str
    tick_size: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    lot_size: Decimal | None = None
    """Step of a quantity."""
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    trading: bool = True
    margin: str = ""
    """Asset in which a contract is margined and settled; "" where base and quote change hands."""
