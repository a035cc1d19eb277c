"""USD-M contracts and their filters as instruments.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Exchange-Information.
The endpoint takes no parameters: it always answers all contracts. A filter value of zero means that the rule is off.
"""

from collections.abc import Sequence

import msgspec

from actors.model.instrument import Instrument
from actors.venues.binance.instruments import filter_value
from actors.venues.binance_api.payloads import RateLimit
from actors.venues.binance_usdm.payloads import ContractInfo, Filter, FuturesExchangeInfo
from runtime.actor import HttpRequest

WEIGHT = 1
REQUEST = "instruments"

_decoder = msgspec.json.Decoder(FuturesExchangeInfo)


def ask(rest_url: str) -> HttpRequest:
    return HttpRequest(REQUEST, "GET", f"{rest_url}/fapi/v1/exchangeInfo", timeout_ns=30_000_000_000)


class Listing(msgspec.Struct, frozen=True):
    instruments: dict[str, Instrument]
    rate_limits: list[RateLimit]


def read(venue: str, symbols: Sequence[str], body: bytes) -> Listing:
    """Raises `msgspec.MsgspecError` or `ValueError` for what is no such answer."""
    info = _decoder.decode(body)
    wanted = set(symbols)
    listed = {contract.symbol: _instrument(venue, contract) for contract in info.symbols if contract.symbol in wanted}
    return Listing(listed, info.rate_limits)


def _instrument(venue: str, info: ContractInfo) -> Instrument:
    filters = {filter.filter_type: filter for filter in info.filters}
    none = Filter("")
    price, lot = filters.get("PRICE_FILTER", none), filters.get("LOT_SIZE", none)
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
        min_notional=filter_value(filters.get("MIN_NOTIONAL", none).notional),
        trading=info.status == "TRADING",
        margin=info.margin_asset,
    )
