"""Market data on two addresses: the book under `/public`, everything else under `/market`.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
Important-WebSocket-Change-Notice. A stream that is asked for at the other address is accepted and stays silent.
"""

from actors.simulation.binance.streams import Send, StreamHub

_PUBLIC = ("bookTicker", "depth", "rpiDepth")
PUBLIC, MARKET = "public", "market"
_MOST_STREAMS = 200
_MOST_MESSAGES = 10
"""Of one session; messages in a second."""


class SplitStreams(StreamHub):
    """Looks like one hub to the markets; each session belongs to one of two."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._hubs = {name: StreamHub(send, _MOST_STREAMS, _MOST_MESSAGES) for name in (PUBLIC, MARKET)}

    def open(self, session: str, path: str) -> None:
        """`/public/…` or `/market/…`, then as for one hub."""
        name, _, rest = path.removeprefix("/").partition("/")
        self._hubs[name].open(session, "/" + rest)

    def close(self, session: str) -> None:
        for hub in self._hubs.values():
            hub.close(session)

    def __contains__(self, session: str) -> bool:
        return any(session in hub for hub in self._hubs.values())

    @property
    def sessions(self) -> int:
        return sum(hub.sessions for hub in self._hubs.values())

    @property
    def subscriptions(self) -> int:
        return sum(hub.subscriptions for hub in self._hubs.values())

    def wanted(self, stream: str) -> bool:
        return self._carrier(stream).wanted(stream)

    def publish(self, stream: str, event: object) -> None:
        self._carrier(stream).publish(stream, event)

    def publish_encoded(self, stream: str, payload: bytes) -> None:
        self._carrier(stream).publish_encoded(stream, payload)

    def announce(self, name: str, event: object) -> None:
        for hub in self._hubs.values():
            hub.announce(name, event)

    def receive(self, session: str, text: str, now: int) -> None:
        for hub in self._hubs.values():
            if session in hub:
                hub.receive(session, text, now)

    def _carrier(self, stream: str) -> StreamHub:
        kind = stream.partition("@")[2] or stream.removeprefix("!")
        return self._hubs[PUBLIC if kind.startswith(_PUBLIC) else MARKET]
