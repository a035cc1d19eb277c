"""Signatures of Binance requests with an HMAC-SHA256 key. The two interfaces sign different strings.

Source: github.com/binance/binance-spot-api-docs, web-socket-api.md and rest-api.md, "SIGNED request example (HMAC)".
"""

import hmac
from collections.abc import Mapping
from urllib.parse import quote

from actors.credentials import Keys

Parameters = Mapping[str, str | int | bool]


class Signer:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._secret = keys.secret.reveal().encode()

    def sign_parameters(self, parameters: Parameters) -> dict[str, str | int | bool]:
        """`params` of a WebSocket API request: with `apiKey` and `signature` added.

        Signed is `name=value&…` in the alphabetical order of the names, in UTF-8 as it is.
        """
        signed = dict(parameters)
        signed["apiKey"] = self._keys.key.reveal()
        payload = "&".join([f"{name}={_text(signed[name])}" for name in sorted(signed)])
        signed["signature"] = self._signature(payload)
        return signed

    def sign_query(self, parameters: Parameters) -> str:
        """Query string of a REST request, in the order given, `signature` last.

        Percent-encoded before it is signed: anything else is refused (−1022) since 2026-01-15. The key goes into the
        header `X-MBX-APIKEY`.
        """
        payload = "&".join(
            [f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in parameters.items()]
        )
        return f"{payload}&signature={self._signature(payload)}"

    def _signature(self, payload: str) -> str:
        return hmac.digest(self._secret, payload.encode(), "sha256").hex()


def _text(value: str | int | bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
