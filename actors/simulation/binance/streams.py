"""Market data streams: who listens to which, and the frames that go to each.

Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.simulation.binance.time_units import TimeUnit, in_unit

_MAX_STREAMS = 1024
_MAX_MESSAGES_PER_SECOND = 5
_NS_PER_S = 1_000_000_000
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")

Send = Callable[[str, bytes | None, str], None]
"""(session, payload, what it is about: a stream, or a kind of event); None as the payload closes the session."""

_encode = msgspec.json.Encoder().encode


class StreamSession:
    def __init__(self, session: str, combined: bool, unit: TimeUnit) -> None:
        self.session = session
        self.combined = combined
        self.unit = unit
        self.streams: dict[str, None] = {}
        self.second = 0
        self.messages = 0


class _Invalid(Exception):
    """A request that is answered with `{"code": …, "msg": …}`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StreamHub:
    """An event is encoded once, however many sessions listen; `wanted` tells whether encoding it is worth while."""

    def __init__(
        self, send: Send, most_streams: int = _MAX_STREAMS, most_messages: int = _MAX_MESSAGES_PER_SECOND
    ) -> None:
        """`most_streams` of one session, `most_messages` that it may send in a second."""
        self._send = send
        self._most_streams = most_streams
        self._most_messages = most_messages
        self._sessions: dict[str, StreamSession] = {}
        self._listeners: dict[str, dict[str, StreamSession]] = {}

    def open(self, session: str, path: str) -> None:
        """`/ws`, `/ws/<stream>[/<stream>]` or `/stream[?streams=<stream>/<stream>]`; `timeUnit` after either."""
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        combined = parts.path.startswith("/stream")
        unit = TimeUnit.parse(query.get("timeUnit", [""])[0])
        state = self._sessions[session] = StreamSession(session, combined, unit)
        names = "/".join(query.get("streams", [])) if combined else parts.path.removeprefix("/ws")
        self._subscribe(state, [name for name in names.split("/") if name])

    def close(self, session: str) -> None:
        state = self._sessions.pop(session, None)
        if state is not None:
            self._unsubscribe(state, list(state.streams))

    def __contains__(self, session: str) -> bool:
        return session in self._sessions

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    @property
    def subscriptions(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())

    def wanted(self, stream: str) -> bool:
        return stream in self._listeners

    def publish(self, stream: str, event: object) -> None:
        if stream in self._listeners:
            self.publish_encoded(stream, _encode(event))

    def publish_encoded(self, stream: str, payload: bytes) -> None:
        wrapped = b""
        for session, state in self._listeners.get(stream, {}).items():
            if state.unit is TimeUnit.MICROSECOND:
                converted = in_unit(payload, state.unit)
                self._send(session, _wrap(stream, converted) if state.combined else converted, stream)
            elif not state.combined:
                self._send(session, payload, stream)
            else:
                wrapped = wrapped or _wrap(stream, payload)
                self._send(session, wrapped, stream)

    def announce(self, name: str, event: object) -> None:
        """To every session, whatever it listens to."""
        payload = _encode(event)
        for session, state in self._sessions.items():
            self._send(session, _wrap(name, payload) if state.combined else payload, name)

    def receive(self, session: str, text: str, now: int) -> None:
        state = self._sessions[session]
        second = now // _NS_PER_S
        state.messages = state.messages + 1 if second == state.second else 1
        state.second = second
        if state.messages > self._most_messages:
            self._send(session, None, "")
            return
        try:
            answer = self._answer(state, text)
        except _Invalid as invalid:
            answer = {"code": invalid.code, "msg": invalid.message}
        self._send(session, _encode(answer), "answer")

    def _answer(self, state: StreamSession, text: str) -> dict[str, object]:
        try:
            request = msgspec.json.decode(text)
        except msgspec.DecodeError:
            raise _Invalid(3, "Invalid JSON: expected value at line 1 column 1") from None
        if not isinstance(request, dict) or "method" not in request:
            raise _Invalid(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
        request_id = request.get("id")
        if not isinstance(request_id, int | str | None) or isinstance(request_id, bool):
            raise _Invalid(2, "Invalid request: request ID must be an unsigned integer")
        params = request.get("params", [])
        if not isinstance(params, list):
            raise _Invalid(2, "Invalid request: too many parameters")
        try:
            return {"result": self._carry_out(state, request["method"], params), "id": request_id}
        except _Invalid as invalid:
            return {"error": {"code": invalid.code, "msg": invalid.message}, "id": request_id}

    def _carry_out(self, state: StreamSession, method: object, params: list[Any]) -> object:
        match method:
            case "SUBSCRIBE":
                self._subscribe(state, _names(params))
                return None
            case "UNSUBSCRIBE":
                self._unsubscribe(state, _names(params))
                return None
            case "LIST_SUBSCRIPTIONS":
                return list(state.streams)
            case "GET_PROPERTY":
                _check_property(params)
                return state.combined
            case "SET_PROPERTY":
                _check_property(params)
                if len(params) < 2 or not isinstance(params[1], bool):
                    raise _Invalid(1, "Invalid value type: expected Boolean")
                state.combined = params[1]
                return None
            case _:
                expected = ", ".join(f"`{name}`" for name in _METHODS)
                message = f"Invalid request: unknown variant {method}, expected one of {expected} at line 1 column 28"
                raise _Invalid(2, message)

    def _subscribe(self, state: StreamSession, streams: Iterable[str]) -> None:
        wanted = state.streams | dict.fromkeys(streams)
        if len(wanted) > self._most_streams:
            raise _Invalid(2, f"Invalid request: more than {self._most_streams} streams")
        state.streams = wanted
        for stream in wanted:
            self._listeners.setdefault(stream, {})[state.session] = state

    def _unsubscribe(self, state: StreamSession, streams: Iterable[str]) -> None:
        for stream in streams:
            state.streams.pop(stream, None)
            listeners = self._listeners.get(stream, {})
            listeners.pop(state.session, None)
            if not listeners:
                self._listeners.pop(stream, None)


def _wrap(stream: str, payload: bytes) -> bytes:
    return b'{"stream":"' + stream.encode() + b'","data":' + payload + b"}"


def _names(params: list[Any]) -> list[str]:
    if not all(isinstance(name, str) for name in params):
        raise _Invalid(2, "Invalid request: stream name must be a string")
    return params


def _check_property(params: list[Any]) -> None:
    if not params or not isinstance(params[0], str):
        raise _Invalid(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise _Invalid(0, "Unknown property")
