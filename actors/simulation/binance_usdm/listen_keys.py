"""Listen keys and the sessions that hear an account's events by them.

A key lives 60 minutes after it was made or kept alive; asking again gives the same key. At its end the sessions get
`listenKeyExpired` and hear nothing more. Source:
https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams. The page does not say what
becomes of a session with a key that is not valid: here it is refused.
"""

import string
from collections.abc import Callable
from random import Random
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.simulation.accounts import Account
from actors.simulation.binance.refusal import Refusal

LIFE_NS = 3_600 * 1_000_000_000
_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])

Send = Callable[[str, bytes | None, str], None]


class Listener:
    def __init__(self, listen_key: str, events: frozenset[str], combined: bool) -> None:
        self.listen_key = listen_key
        self.events = events
        """Empty for all."""
        self.combined = combined


class ListenKeys:
    def __init__(self, send: Send, random: Random) -> None:
        self._send = send
        self._random = random
        self._keys: dict[str, tuple[Account, int]] = {}
        """Listen key → (account, end)."""
        self._sessions: dict[str, Listener] = {}

    # ---- keys

    def start(self, account: Account, now: int) -> str:
        key = self._key_of(account)
        if key is None:
            key = "".join(self._random.choices(string.ascii_letters + string.digits, k=64))
        self._keys[key] = (account, now + LIFE_NS)
        return key

    def keep_alive(self, account: Account, now: int) -> str:
        if self._key_of(account) is None:
            raise Refusal(-1125, "This listenKey does not exist.")
        return self.start(account, now)

    def stop(self, account: Account, now: int) -> dict[str, str]:
        key = self._key_of(account)
        if key is not None:
            self._end(key, now)
        return {}

    def expire(self, now: int) -> None:
        for key, (_, end) in list(self._keys.items()):
            if end <= now:
                self._end(key, now)

    def end_all(self, now: int) -> None:
        for key in list(self._keys):
            self._end(key, now)

    # ---- sessions

    def open(self, session: str, path: str) -> None:
        """`/ws/<key>`, `/ws?listenKey=<key>[&events=A/B]` or `/stream?listenKey=…`."""
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        key = query.get("listenKey", [parts.path.rpartition("/")[2]])[0]
        if key not in self._keys:
            raise Refusal(-1125, "This listenKey does not exist.")
        events = frozenset(name for name in "/".join(query.get("events", [])).split("/") if name)
        self._sessions[session] = Listener(key, events, parts.path.startswith("/stream"))

    def close(self, session: str) -> None:
        self._sessions.pop(session, None)

    def __contains__(self, session: str) -> bool:
        return session in self._sessions

    def __len__(self) -> int:
        return len(self._sessions)

    def receive(self, session: str, text: str) -> None:
        listener = self._sessions[session]
        try:
            request = _decoder.decode(text)
        except msgspec.DecodeError:
            self._send(session, _encode({"code": 3, "msg": "Invalid JSON"}), "answer")
            return
        result = [listener.listen_key] if request.get("method") == "LIST_SUBSCRIPTIONS" else None
        self._send(session, _encode({"result": result, "id": request.get("id")}), "answer")

    def tell(self, account: Account, event: dict[str, object]) -> None:
        kind = str(event["e"])
        for session, listener in self._sessions.items():
            owner = self._keys.get(listener.listen_key)
            if owner is not None and owner[0] is account and (not listener.events or kind in listener.events):
                self._write(session, listener, event)

    def _end(self, key: str, now: int) -> None:
        del self._keys[key]
        event: dict[str, object] = {"e": "listenKeyExpired", "E": now // 1_000_000, "listenKey": key}
        for session, listener in self._sessions.items():
            if listener.listen_key == key:
                self._write(session, listener, event)

    def _write(self, session: str, listener: Listener, event: dict[str, object]) -> None:
        body = {"stream": listener.listen_key, "data": event} if listener.combined else event
        self._send(session, _encode(body), str(event["e"]))

    def _key_of(self, account: Account) -> str | None:
        return next((key for key, (owner, _) in self._keys.items() if owner is account), None)
