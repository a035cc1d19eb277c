"""The WebSocket API: requests and answers on one socket, and the account's events on it.

Source: https://developers.binance.com/docs/binance-spot-api-docs/websocket-api
"""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.simulation.accounts import Account
from actors.simulation.binance.fault_answers import Unanswered, answer_under
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.operations import Operation, PublicOperation, charge
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance.security import Security
from actors.simulation.binance.streams import Send
from actors.simulation.binance.time_units import TimeUnit, in_unit
from actors.simulation.fault_desk import FaultDesk
from actors.simulation.faults import LinkRole
from actors.simulation.keys import KeyKind

_MAX_SUBSCRIPTIONS = 1_000
_MAX_SUBSCRIPTIONS_EVER = 65_535
_SESSION_WEIGHT = 2

_encode = msgspec.json.Encoder().encode


class ApiSession:
    def __init__(self, session: str, now: int, show_limits: bool, unit: TimeUnit) -> None:
        self.session = session
        self.connected_ms = to_ms(now)
        self.show_limits = show_limits
        self.unit = unit
        self.logged_on: Account | None = None
        self.authorized_ms: int | None = None
        self.logon_subscription: int | None = None
        """The one that ends with the logon."""
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

    def __init__(
        self, operations: dict[str, Operation], security: Security, limits: Limits, faults: FaultDesk, send: Send
    ) -> None:
        self._operations = operations
        self._faults = faults
        self._security = security
        self._limits = limits
        self._send = send
        self._sessions: dict[str, ApiSession] = {}
        self._session_methods = {
            "session.status": self._status,
            "session.subscriptions": self._subscriptions,
            "session.logon": self._logon,
            "session.logout": self._logout,
            "userDataStream.subscribe": self._subscribe_logged_on,
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def open(self, session: str, path: str, now: int) -> None:
        self._limits.charge(_SESSION_WEIGHT, now)
        query = parse_qs(urlsplit(path).query)
        show = query.get("returnRateLimits", ["true"])[0] != "false"
        unit = TimeUnit.parse(query.get("timeUnit", [""])[0])
        self._sessions[session] = ApiSession(session, now, show, unit)

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
                    self._send_event(state, subscription, payload, _subject(event))

    def announce(self, event: dict[str, object]) -> None:
        """To every session, subscribed or not."""
        for session in self._sessions:
            self._send(session, _encode({"event": event}), _subject(event))

    def terminate_subscriptions(self, now: int) -> None:
        """End every subscription, and say so."""
        for state in self._sessions.values():
            for subscription in list(state.subscriptions):
                self._end(state, subscription, now)

    def receive(self, session: str, text: str, now: int) -> tuple[str, bytes | None]:
        """The method and the answer, None when a fault swallows it; the caller sends it ahead of the events that the
        request has caused.
        """
        state = self._sessions[session]
        show_limits, counts_orders, method = state.show_limits, False, ""
        answer: dict[str, object] = {"id": None}
        try:
            request = _parse(text)
            answer["id"], method = request.id, request.method
            show_limits = _shows_limits(request, show_limits)
            fault = self._faults.request_fault(LinkRole.WS_API, method, session, now)
            counts_orders, result = answer_under(fault, now, lambda: self._run(state, request, now))
            answer |= {"status": 200, "result": result}
        except Refusal as refusal:
            answer |= {"status": refusal.status, "error": _error(refusal, now)}
        except Unanswered:
            return method, None
        if show_limits:
            orders = self._limits.order_usage(now) if counts_orders else []
            answer["rateLimits"] = [*orders, self._limits.weight_usage(now)]
        return method, in_unit(_encode(answer), state.unit)

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
        account = self._security.check_message(request.values, request.parameters, now, state.logged_on)
        result = operation.run(account, request.parameters, now)
        if operation.counts_orders:
            self._limits.refund(weight, now)
        return operation.counts_orders, result

    def _status(self, state: ApiSession, request: _Request, now: int) -> object:
        return {
            "apiKey": state.logged_on.key if state.logged_on is not None else None,
            "authorizedSince": state.authorized_ms,
            "connectedSince": state.connected_ms,
            "returnRateLimits": state.show_limits,
            "serverTime": to_ms(now),
            "userDataStream": bool(state.subscriptions),
        }

    def _subscriptions(self, state: ApiSession, request: _Request, now: int) -> object:
        return [{"subscriptionId": subscription} for subscription in state.subscriptions]

    def _logon(self, state: ApiSession, request: _Request, now: int) -> object:
        account = self._security.check_message(request.values, request.parameters, now)
        request.parameters.done()
        kind = account.public_key.kind.value if account.public_key is not None else "HMAC_SHA256"
        if kind != KeyKind.ED25519.value:
            raise Refusal(-4056, f"{kind} API key is not supported.")
        state.logged_on, state.authorized_ms = account, to_ms(now)
        return self._status(state, request, now)

    def _logout(self, state: ApiSession, request: _Request, now: int) -> object:
        state.logged_on = state.authorized_ms = None
        if state.logon_subscription is not None:
            self._end(state, state.logon_subscription, now)
        return self._status(state, request, now)

    def _subscribe_logged_on(self, state: ApiSession, request: _Request, now: int) -> object:
        if state.logged_on is None:
            raise Refusal(-1002, "You are not authorized to execute this request.", status=401)
        state.logon_subscription = self._begin(state, state.logged_on)
        return {"subscriptionId": state.logon_subscription}

    def _subscribe(self, state: ApiSession, request: _Request, now: int) -> object:
        account = self._security.check_message(request.values, request.parameters, now)
        request.parameters.done()
        return {"subscriptionId": self._begin(state, account)}

    def _unsubscribe(self, state: ApiSession, request: _Request, now: int) -> object:
        asked = request.parameters.integer("subscriptionId")
        if asked is not None and asked not in state.subscriptions:
            raise Refusal(-2036, "User Data Stream subscription not active.")
        for subscription in list(state.subscriptions) if asked is None else [asked]:
            self._end(state, subscription, now)
        return {}

    def _begin(self, state: ApiSession, account: Account) -> int:
        if account.key in state.subscriptions.values():
            raise Refusal(-2035, "User Data Stream subscription already active.")
        if len(state.subscriptions) >= _MAX_SUBSCRIPTIONS or state.next_subscription >= _MAX_SUBSCRIPTIONS_EVER:
            raise Refusal(-2042, "Maximum subscription ID reached for this connection.")
        subscription = state.next_subscription
        state.next_subscription += 1
        state.subscriptions[subscription] = account.key
        return subscription

    def _end(self, state: ApiSession, subscription: int, now: int) -> None:
        del state.subscriptions[subscription]
        if subscription == state.logon_subscription:
            state.logon_subscription = None
        event: dict[str, object] = {"e": "eventStreamTerminated", "E": to_ms(now)}
        self._send_event(state, subscription, _encode(event), _subject(event))

    def _send_event(self, state: ApiSession, subscription: int, event: bytes, subject: str) -> None:
        payload = b'{"subscriptionId":%d,"event":%b}' % (subscription, in_unit(event, state.unit))
        self._send(state.session, payload, subject)


def _subject(event: dict[str, object]) -> str:
    """`executionReport/TRADE`, or the kind of event alone."""
    execution = event.get("x")
    return f"{event['e']}/{execution}" if execution is not None else str(event["e"])


def _error(refusal: Refusal, now: int) -> dict[str, object]:
    body = refusal.body()
    if refusal.retry_after_s is not None:
        body["data"] = {"serverTime": to_ms(now), "retryAfter": to_ms(now) + refusal.retry_after_s * 1_000}
    return body


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
