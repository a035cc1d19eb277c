"""Binance's symbols and filters as instruments.

Source: github.com/binance/binance-spot-api-docs, rest-api.md, "Exchange information", and filters.md. A filter value of
zero means that the rule is off. The endpoint refuses the whole request (−1121) when one of the symbols does not exist;
then all symbols are asked for and ours picked.
"""

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote

import msgspec

from actors.model.instrument import Instrument
from actors.venues.binance.payloads import ExchangeInfo, Filter, SymbolInfo
from actors.venues.binance_api.payloads import RateLimit
from runtime.actor import HttpRequest

WEIGHT = 20
REQUEST = "instruments"
REQUEST_ALL = "instruments-all"

BAD_SYMBOL = -1121

_decoder = msgspec.json.Decoder(ExchangeInfo)


def ask(rest_url: str, symbols: Sequence[str]) -> HttpRequest:
    wanted = quote(msgspec.json.encode(list(symbols)).decode())
    return HttpRequest(REQUEST, "GET", f"{rest_url}/api/v3/exchangeInfo?symbols={wanted}")


def ask_all(rest_url: str) -> HttpRequest:
    return HttpRequest(REQUEST_ALL, "GET", f"{rest_url}/api/v3/exchangeInfo", timeout_ns=60_000_000_000)


class Listing(msgspec.Struct, frozen=True):
    instruments: dict[str, Instrument]
    rate_limits: list[RateLimit]


def read(venue: str, symbols: Sequence[str], body: bytes) -> Listing:
    """Raises `msgspec.MsgspecError` or `ValueError` for what is no such answer."""
    info = _decoder.decode(body)
    wanted = set(symbols)
    return Listing(
        {symbol.symbol: _instrument(venue, symbol) for symbol in info.symbols if symbol.symbol in wanted},
        info.rate_limits,
    )


def _instrument(venue: str, info: SymbolInfo) -> Instrument:
    filters = {filter.filter_type: filter for filter in info.filters}
    none = Filter("")
    price, lot = filters.get("PRICE_FILTER", none), filters.get("LOT_SIZE", none)
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL", none)
    return Instrument(
        venue=venue,
        symbol=info.symbol,
        base=info.base_asset,
        quote=info.quote_asset,
        tick_size=filter_value(price.tick_size),
        min_price=filter_value(price.min_price),
        max_price=filter_value(price.max_price),
        lot_size=filter_value(lot.step_size),
        min_quantity=filter_value(lot.min_qty),
        max_quantity=filter_value(lot.max_qty),
        min_notional=filter_value(notional.min_notional),
        max_notional=filter_value(notional.max_notional),
        trading=info.status == "TRADING",
    )


def filter_value(text: str) -> Decimal | None:
    """None for zero, which switches a filter off; raises `ValueError` for what is no number."""
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise ValueError(f"not a number: {text[:40]!r}") from error
    if not value.is_finite() or value <= 0:
        return None
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
