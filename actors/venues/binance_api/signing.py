"""Signatures of Binance requests, HMAC-SHA256 or Ed25519. REST and WebSocket API sign different strings.

Source: github.com/binance/binance-spot-api-docs, web-socket-api.md and rest-api.md, "SIGNED request example (HMAC)" and
"(Ed25519)".
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote

from actors.credentials import Keys
from runtime.errors import ConfigError

Parameters = Mapping[str, str | int | bool]


PEM = "-----BEGIN"


class Signer:
    """With the kind of key that the secret is: a PEM private key is an Ed25519 one, any other text an HMAC secret."""

    def __init__(self, keys: Keys) -> None:
        """Raises `ConfigError` for a PEM text that is no Ed25519 private key."""
        self._keys = keys
        self.can_log_on = keys.secret.reveal().startswith(PEM)
        """`session.logon` takes Ed25519 keys only; after it requests need no signature of their own."""
        self._signature = _ed25519(keys) if self.can_log_on else _hmac_sha256(keys)

    @property
    def key(self) -> str:
        """What the header `X-MBX-APIKEY` of a REST request carries."""
        return self._keys.key.reveal()

    def sign_parameters(self, parameters: Parameters) -> dict[str, str | int | bool]:
        """`params` of a WebSocket API request: with `apiKey` and `signature` added.

        Signed is `name=value&…` in the alphabetical order of the names, in UTF-8 as it is.
        """
        signed = dict(parameters)
        signed["apiKey"] = self.key
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
        return f"{payload}&signature={quote(self._signature(payload), safe='')}"


def _hmac_sha256(keys: Keys) -> Callable[[str], str]:
    """The secret is hashed once: to begin from it anew takes longer than the rest of a signature."""
    begun = hmac.new(keys.secret.reveal().encode(), digestmod="sha256")

    def sign(payload: str) -> str:
        signature = begun.copy()
        signature.update(payload.encode())
        return signature.hexdigest()

    return sign


def _ed25519(keys: Keys) -> Callable[[str], str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(keys.secret.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError("the secret begins as a PEM file, but is no private key without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("the secret is a private key, but not an Ed25519 one")
    return lambda payload: b64encode(key.sign(payload.encode())).decode()


def _text(value: str | int | bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
