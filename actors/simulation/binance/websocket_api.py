"""The WebSocket API: requests and answers on one socket, and the account's events on it.

Source: https://developers.binance.com/docs/binance-spot-api-docs/websocket-api
"""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.simulation.accounts import Account
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.operations import Operation, PublicOperation, charge
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance.security import Security
from actors.simulation.binance.streams import Send

_MAX_SUBSCRIPTIONS = 1_000
_SESSION_WEIGHT = 2

_encode = msgspec.json.Encoder().encode


class ApiSession:
    def __init__(self, session: str, now: int, show_limits: bool) -> None:
        self.session = session
        self.connected_ms = to_ms(now)
        self.show_limits = show_limits
        self.subscriptions: dict[int, str] = {}
        """Subscription id to account key."""
        self.next_subscription = 0


class _Request(msgspec.Struct):
    id: object
    method: str
    values: dict[str, str]
    parameters: Parameters


class WebSocketApi:
    """`tell` is how the account's events reach those who subscribed. An answer always goes before what it caused."""

    def __init__(self, operations: dict[str, Operation], security: Security, limits: Limits, send: Send) -> None:
        self._operations = operations
        self._security = security
        self._limits = limits
        self._send = send
        self._sessions: dict[str, ApiSession] = {}
        self._session_methods = {
            "session.status": self._status,
            "session.subscriptions": self._subscriptions,
            "session.logon": self._logon,
            "session.logout": self._status,
            "userDataStream.subscribe": self._subscribe_logged_on,
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def open(self, session: str, path: str, now: int) -> None:
        self._limits.charge(_SESSION_WEIGHT, now)
        show = parse_qs(urlsplit(path).query).get("returnRateLimits", ["true"])[0] != "false"
        self._sessions[session] = ApiSession(session, now, show)

    def close(self, session: str) -> None:
        self._sessions.pop(session, None)

    def __contains__(self, session: str) -> bool:
        return session in self._sessions

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    @property
    def subscriptions(self) -> int:
        return sum(len(state.subscriptions) for state in self._sessions.values())

    def tell(self, account: Account, event: dict[str, object]) -> None:
        payload = b""
        for state in self._sessions.values():
            for subscription, key in state.subscriptions.items():
                if key == account.key:
                    payload = payload or _encode(event)
                    self._send(state.session, b'{"subscriptionId":%d,"event":%b}' % (subscription, payload))

    def announce(self, event: dict[str, object]) -> None:
        """To every session, subscribed or not."""
        for session in self._sessions:
            self._send(session, _encode({"event": event}))

    def receive(self, session: str, text: str, now: int) -> bytes:
        """The answer; the caller sends it ahead of the events that the request has caused."""
        state = self._sessions[session]
        show_limits, counts_orders = state.show_limits, False
        answer: dict[str, object] = {"id": None}
        try:
            request = _parse(text)
            answer["id"] = request.id
            show_limits = _shows_limits(request, show_limits)
            counts_orders, result = self._run(state, request, now)
            answer |= {"status": 200, "result": result}
        except Refusal as refusal:
            answer |= {"status": refusal.status, "error": refusal.body()}
        if show_limits:
            orders = self._limits.order_usage(now) if counts_orders else []
            answer["rateLimits"] = [*orders, self._limits.weight_usage(now)]
        return _encode(answer)

    def _run(self, state: ApiSession, request: _Request, now: int) -> tuple[bool, object]:
        session_method = self._session_methods.get(request.method)
        if session_method is not None:
            self._limits.charge(_SESSION_WEIGHT, now)
            return False, session_method(state, request, now)
        operation = self._operations.get(request.method)
        if operation is None:
            raise Refusal(-1130, "Data sent for parameter 'method' is not valid.")
        weight = charge(operation, request.parameters, self._limits, now)
        if isinstance(operation, PublicOperation):
            return False, operation.run(request.parameters, now)
        account = self._security.check_message(request.values, request.parameters, now)
        result = operation.run(account, request.parameters, now)
        if operation.counts_orders:
            self._limits.refund(weight, now)
        return operation.counts_orders, result

    def _status(self, state: ApiSession, request: _Request, now: int) -> object:
        return {
            "apiKey": None,
            "authorizedSince": None,
            "connectedSince": state.connected_ms,
            "returnRateLimits": state.show_limits,
            "serverTime": to_ms(now),
            "userDataStream": bool(state.subscriptions),
        }

    def _subscriptions(self, state: ApiSession, request: _Request, now: int) -> object:
        return [{"subscriptionId": subscription} for subscription in state.subscriptions]

    def _logon(self, state: ApiSession, request: _Request, now: int) -> object:
        self._security.check_message(request.values, request.parameters, now)
        raise Refusal(-4056, "HMAC_SHA256 API key is not supported.")

    def _subscribe_logged_on(self, state: ApiSession, request: _Request, now: int) -> object:
        raise Refusal(-1002, "You are not authorized to execute this request.", status=401)

    def _subscribe(self, state: ApiSession, request: _Request, now: int) -> object:
        account = self._security.check_message(request.values, request.parameters, now)
        request.parameters.done()
        if account.key in state.subscriptions.values():
            raise Refusal(-2035, "User Data Stream subscription already active.")
        if len(state.subscriptions) >= _MAX_SUBSCRIPTIONS:
            raise Refusal(-2042, "Maximum subscription ID reached for this connection.")
        subscription = state.next_subscription
        state.next_subscription += 1
        state.subscriptions[subscription] = account.key
        return {"subscriptionId": subscription}

    def _unsubscribe(self, state: ApiSession, request: _Request, now: int) -> object:
        asked = request.parameters.integer("subscriptionId")
        if asked is not None and asked not in state.subscriptions:
            raise Refusal(-2036, "User Data Stream subscription not active.")
        for subscription in list(state.subscriptions) if asked is None else [asked]:
            del state.subscriptions[subscription]
            event = {"e": "eventStreamTerminated", "E": to_ms(now)}
            self._send(state.session, _encode({"subscriptionId": subscription, "event": event}))
        return {}


def _parse(text: str) -> _Request:
    """Numbers keep the text they were sent in, because it is what was signed."""
    try:
        message = json.loads(text, parse_float=str, parse_int=_integer)
    except ValueError:
        raise Refusal(-1135, "Invalid JSON Request") from None
    if not isinstance(message, dict):
        raise Refusal(-1135, "Invalid JSON Request")
    if not isinstance(message.get("id"), int | str | None):
        raise Refusal(-1130, "Data sent for parameter 'id' is not valid.")
    method = message.get("method")
    if not isinstance(method, str):
        raise mandatory("method")
    params = message.get("params") or {}
    if not isinstance(params, dict):
        raise Refusal(-1135, "JSON sent for parameter 'params' is not valid")
    values = {name: _text(value) for name, value in params.items() if value is not None}
    return _Request(message.get("id"), method.removeprefix("v3/"), values, Parameters(values))


def _integer(text: str) -> int | str:
    return int(text) if len(text) < 20 else text


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, separators=(",", ":"))
        case _:
            return str(value)


def _shows_limits(request: _Request, default: bool) -> bool:
    asked = request.parameters.flag("returnRateLimits")
    return default if asked is None else asked
