"""Which streams one socket shall carry, and the SUBSCRIBE and UNSUBSCRIBE messages that make it so.

What is wanted is the truth: the socket is brought in line with it after each opening, after each change, and again when
an answer is missing. Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md, "Live
Subscribing/Unsubscribing to streams"; 5 incoming messages a second on one connection are allowed, answers to pings
included.
"""

from collections.abc import Iterable

import msgspec

from runtime.clock import NS_PER_S
from runtime.pacing import TokenBucket

MESSAGES_PER_SECOND = 4
"""Of the 5 that are allowed, one is left for the answer to a ping."""
STREAMS_PER_MESSAGE = 200
ANSWER_NS = 10 * NS_PER_S
"""A request without an answer for so long is made again."""


class Subscriptions:
    """Of one socket; streams that its address names are not among them."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._dropped: set[str] = set()
        """Streams that its address names although nobody wants them any more."""
        self._sent: set[str] = set()
        """As the socket will be when it has carried out everything that was sent."""
        self._unanswered: dict[int, tuple[int, list[str]]] = {}
        """Request → (when it was sent, streams)."""
        self._last_id = 0
        self._is_up = False
        self._messages = TokenBucket(MESSAGES_PER_SECOND, NS_PER_S)
        self._encode = msgspec.json.Encoder().encode

    def on_up(self) -> None:
        self._is_up = True
        self._sent = set(self._dropped)
        self._unanswered.clear()

    def on_down(self) -> None:
        self._is_up = False

    def drop(self, stream: str) -> None:
        """End this stream that its address names, now and after each opening."""
        self._dropped.add(stream)
        if self._is_up:
            self._sent.add(stream)

    def carries(self, stream: str) -> bool:
        """The venue has said that it sends this stream that was asked for."""
        unanswered = any(stream in streams for _, streams in self._unanswered.values())
        return self._is_up and stream in self._sent and not unanswered

    def messages(self, now: int) -> tuple[list[bytes], int]:
        """What to send now, and in how many nanoseconds to ask again; 0 if that was all."""
        payloads: list[bytes] = []
        if not self._is_up:
            return payloads, 0
        while batch := self._next():
            wait = self._messages.take(1, 0, now)
            if wait:
                return payloads, wait
            method, streams = batch
            self._sent.symmetric_difference_update(streams)
            payloads.append(self._request(method, streams, now))
        return payloads, 0

    def may_probe(self, now: int) -> bool:
        """The venue's limit lets one more message go. What has no answer for too long counts as not sent."""
        for id, (sent, streams) in list(self._unanswered.items()):
            if now - sent > ANSWER_NS:
                del self._unanswered[id]
                self._sent.difference_update(streams)
        return self._is_up and self._messages.take(1, 0, now) == 0

    def on_answer(self, id: int | str | None) -> list[str]:
        """The streams of the request that this answers."""
        _, streams = self._unanswered.pop(id, (0, [])) if isinstance(id, int) else (0, [])
        return streams

    def _next(self) -> tuple[str, list[str]] | None:
        if missing := self.wanted - self._sent:
            return "SUBSCRIBE", sorted(missing)[:STREAMS_PER_MESSAGE]
        if ended := self._sent - self.wanted:
            return "UNSUBSCRIBE", sorted(ended)[:STREAMS_PER_MESSAGE]
        return None

    def _request(self, method: str, streams: Iterable[str], now: int) -> bytes:
        self._last_id += 1
        params = list(streams)
        self._unanswered[self._last_id] = (now, params)
        return self._encode({"method": method, "params": params, "id": self._last_id})
