"""Who sent a request: key, time and signature (HMAC-SHA256, Ed25519 or RSA), written from the venue's documentation.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security and
https://developers.binance.com/docs/binance-spot-api-docs/websocket-api/request-security
"""

import hashlib
import hmac
import re
from decimal import Decimal

from actors.simulation.accounts import Account
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory

_DEFAULT_RECV_WINDOW_MS = Decimal(5_000)
_MAX_RECV_WINDOW_MS = 60_000
_MAX_AHEAD_US = 1_000_000
_MICROSECONDS_FROM = 10**14


class Security:
    def __init__(self, accounts: dict[str, Account]) -> None:
        self._accounts = accounts

    def check_rest(self, key: str, query: str, body: str, parameters: Parameters, now: int) -> Account:
        """The payload is the query string, as it was sent, followed by the body, both without the signature."""
        self._check_time(parameters, now)
        account = self.account(key)
        payload = _without_signature(query) + _without_signature(body)
        _check_signature(account, payload.encode(), parameters.required("signature"))
        return account

    def check_message(
        self, params: dict[str, str], parameters: Parameters, now: int, logged_on: Account | None = None
    ) -> Account:
        """The payload of a WebSocket API request is its parameters in the order of their names.

        Who has logged on may leave out key and signature.
        """
        self._check_time(parameters, now)
        if logged_on is not None and not parameters.given("apiKey"):
            parameters.text("signature")
            return logged_on
        account = self.account(parameters.required("apiKey"))
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "signature")
        _check_signature(account, payload.encode(), parameters.required("signature"))
        return account

    def account(self, key: str) -> Account:
        if not re.match(r"^[A-Za-z0-9_-]+$", key):
            raise Refusal(-2014, "API-key format invalid.", status=401)
        account = self._accounts.get(key)
        if account is None:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        return account

    def _check_time(self, parameters: Parameters, now: int) -> None:
        sent = parameters.integer("timestamp")
        if sent is None:
            raise mandatory("timestamp")
        window = parameters.text("recvWindow")
        if window is not None and not re.match(r"^[0-9]{1,8}(\.[0-9]{1,3})?$", window):
            raise mandatory("recvWindow")
        window_ms = Decimal(window) if window is not None else _DEFAULT_RECV_WINDOW_MS
        if window_ms > _MAX_RECV_WINDOW_MS:
            message = f"'recvWindow' contains unexpected value. Cannot be greater than {_MAX_RECV_WINDOW_MS}."
            raise Refusal(-1102, message)
        if sent >= _MICROSECONDS_FROM:
            sent_us, now_us = sent, now // 1_000
        else:
            sent_us, now_us = sent * 1_000, now // 1_000_000 * 1_000
        if sent_us >= now_us + _MAX_AHEAD_US:
            raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now_us - sent_us > window_ms * 1_000:
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _without_signature(text: str) -> str:
    return "&".join(pair for pair in text.split("&") if not pair.startswith("signature="))


def _check_signature(account: Account, payload: bytes, signature: str) -> None:
    if account.public_key is not None:
        if not account.public_key.verifies(signature, payload):
            raise Refusal(-1022, "Signature for this request is not valid.")
        return
    expected = hmac.new(account.secret.encode(), payload, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise Refusal(-1022, "Signature for this request is not valid.")
