"""Asks a venue that is not simulated whether it trades what a configuration names, before anything is started.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints#exchange-information
"""

import json
from collections.abc import Sequence
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import msgspec

TIMEOUT_S = 5.0
BAD_SYMBOL = -1121

EXCHANGE_INFO = {"binance": "/api/v3/exchangeInfo", "binance-usdm": "/fapi/v1/exchangeInfo"}
TAKES_SYMBOLS = ("binance",)
"""Kinds that can be asked for some symbols only; the others always tell all."""


class _Listed(msgspec.Struct):
    symbol: str


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Listed]


class _Refusal(msgspec.Struct):
    code: int


def listed_symbols(kind: str, rest_url: str, symbols: Sequence[str]) -> list[str]:
    """`symbols` if the venue trades all of them, else everything that it trades.

    A venue that cannot be reached, or answers something else, is not the configuration's fault: then `symbols` too.
    """
    address = rest_url + EXCHANGE_INFO[kind]
    if kind not in TAKES_SYMBOLS:
        return _all_symbols(address, symbols)
    try:
        with urlopen(f"{address}?symbols={quote(json.dumps(list(symbols), separators=(',', ':')))}", timeout=TIMEOUT_S):
            return list(symbols)
    except HTTPError as refused:
        if not _is_bad_symbol(refused):
            return list(symbols)
    except OSError:
        return list(symbols)
    return _all_symbols(address, symbols)


def _all_symbols(address: str, symbols: Sequence[str]) -> list[str]:
    """`symbols` where they cannot be told."""
    try:
        with urlopen(address, timeout=TIMEOUT_S) as answer:
            return [listed.symbol for listed in msgspec.json.decode(answer.read(), type=_ExchangeInfo).symbols]
    except (OSError, msgspec.DecodeError):
        return list(symbols)


def _is_bad_symbol(refused: HTTPError) -> bool:
    with refused:
        try:
            return msgspec.json.decode(refused.read(), type=_Refusal).code == BAD_SYMBOL
        except (OSError, msgspec.DecodeError):
            return False
