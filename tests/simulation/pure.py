"""A fake Binance without sockets, a clock made of numbers, and a client of it that signs."""

from typing import Any

import msgspec

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.http_reply import HttpReply
from actors.simulation.outbox import Payload
from tests.simulation.client import KEY, signature

START = 1_700_000_000_000_000_000
MS = 1_000_000
HOST = "api.binance.com"


class PureClient:
    """`now` is the time of every call; `sent` collects what the venue has sent to each session."""

    def __init__(self, venue: FakeBinance, now: int = START) -> None:
        self.venue = venue
        self.now = now
        self.sent: dict[str, list[Payload]] = {}
        self._requests = 0

    def wait(self, ms: float) -> None:
        until = self.now + int(ms * MS)
        while (due := self.venue.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.venue.advance(due)
            self._collect()
        self.now = until
        self.venue.advance(until)
        self._collect()

    def connect(self, path: str) -> str:
        session = self.venue.connect(HOST, path, self.now)
        assert isinstance(session, str), session
        return session

    def user(self) -> str:
        """A session that gets the account's events."""
        session = self.connect("/ws-api/v3")
        assert self.call(session, "userDataStream.subscribe.signature")["status"] == 200
        return session

    def send(self, session: str, method: str, **params: object) -> None:
        """A signed request; the answer is found in `sent`."""
        self._requests += 1
        params = {"apiKey": KEY, "timestamp": self.now // MS} | params
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        request = {"id": self._requests, "method": method, "params": params | {"signature": signature(payload)}}
        self.venue.receive(session, msgspec.json.encode(request).decode(), self.now)
        self._collect()

    def call(self, session: str, method: str, **params: object) -> Any:
        """A signed request and its answer."""
        before = len(self.sent.get(session, []))
        self.send(session, method, **params)
        return self.frames(session)[before]

    def frames(self, session: str) -> list[Any]:
        return [msgspec.json.decode(frame) for frame in self.sent.get(session, []) if isinstance(frame, bytes)]

    def events(self, session: str, kind: str | None = None) -> list[Any]:
        """The account's events of this kind that the session got."""
        events = [frame["event"] for frame in self.frames(session) if "event" in frame]
        return [event for event in events if kind in (None, event["e"])]

    def http(self, method: str, path: str, query: str = "", body: str = "") -> HttpReply:
        reply = self.venue.http(method, HOST, path, query, {"X-MBX-APIKEY": KEY}, body, self.now)
        self._collect()
        return reply

    def signed(self, method: str, path: str, **params: object) -> HttpReply:
        query = "&".join(f"{name}={value}" for name, value in ({"timestamp": self.now // MS} | params).items())
        return self.http(method, path, f"{query}&signature={signature(query)}")

    def ask(self, method: str, path: str, **params: object) -> Any:
        """The JSON body of a signed request."""
        return msgspec.json.decode(self.signed(method, path, **params).body)

    def order(self, **params: object) -> Any:
        return self.ask("POST", "/api/v3/order", symbol="BTCUSDT", **params)

    def query(self, client_order_id: str) -> Any:
        return self.ask("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=client_order_id)

    def ledger(self) -> Any:
        return msgspec.json.decode(self.http("GET", "/fake/ledger").body)

    def _collect(self) -> None:
        for session, payload in self.venue.take_outbox():
            self.sent.setdefault(session, []).append(payload)
            if not isinstance(payload, bytes):
                self.venue.disconnect(session, self.now)
