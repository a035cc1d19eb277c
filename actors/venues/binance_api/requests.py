"""Requests of the WebSocket API that wait for their answer, and what becomes of those that get none."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from actors.messages import OrderFilled

REMEMBERED = 1000


class AskTime(msgspec.Struct, frozen=True):
    """The venue's clock; also shows that the link is alive."""


class LogOn(msgspec.Struct, frozen=True):
    """The session's requests need no signature of their own afterwards."""


class Subscribe(msgspec.Struct, frozen=True):
    """Start of the user data stream."""


Upkeep = AskTime | LogOn | Subscribe
"""What the link itself asks."""


C = TypeVar("C")
"""What may be asked over a link."""


class Request(msgspec.Struct, Generic[C]):
    id: int
    command: C
    sent: int
    deadline: int
    payload: bytes
    fills: list[OrderFilled] = []
    """Pages that a `QueryFills` has brought so far."""


class PendingRequests(Generic[C]):
    """In the order of sending, which with one timeout for all is the order of their deadlines.

    A request that ran out of time is remembered for a while: its answer may still come, and then it is the truth.
    """

    def __init__(self, timeout_ns: int) -> None:
        self.timeout_ns = timeout_ns
        self._waiting: dict[int, Request[C]] = {}
        self._late: dict[int, Request[C]] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def add(self, request: Request[C]) -> None:
        self._waiting[request.id] = request

    def take(self, id: int | str | None) -> Request[C] | None:
        """The request that this is the answer to, in time or late; None if it answers nothing."""
        if not isinstance(id, int):
            return None
        return self._waiting.pop(id, None) or self._late.pop(id, None)

    def take_unsent(self, payload: bytes) -> Request[C] | None:
        """The request whose frame did not leave."""
        for request in reversed(self._waiting.values()):
            if request.payload == payload:
                return self._waiting.pop(request.id)
        return None

    def has(self, command: type[Upkeep]) -> bool:
        return any(isinstance(request.command, command) for request in self._waiting.values())

    def expire(self, now: int) -> Iterator[Request[C]]:
        """Those whose deadline has passed."""
        while self._waiting:
            request = next(iter(self._waiting.values()))
            if request.deadline > now:
                return
            self._forget(request)
            yield request

    def drop_all(self) -> list[Request[C]]:
        """The link is gone: no answer will come over it."""
        dropped, self._waiting = list(self._waiting.values()), {}
        self._late.clear()
        return dropped

    def next_deadline(self) -> int | None:
        return next(iter(self._waiting.values())).deadline if self._waiting else None

    def _forget(self, request: Request[C]) -> None:
        del self._waiting[request.id]
        self._late[request.id] = request
        if len(self._late) > REMEMBERED:
            del self._late[next(iter(self._late))]
