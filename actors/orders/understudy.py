"""The order manager's part of a rehearsal: the code that every order goes through, with nothing left of it.

An order comes seldom, and by then its code and data have left the processor's caches: cold, a hop takes twenty times as
long as warm. A `Rehearsal` goes the same way every few milliseconds and keeps it warm.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol

from actors import names
from actors.messages import OrderRehearsed, SubmitOrder
from runtime.actor import Context, HttpRequest, Logger, Merger, Timer
from runtime.address import Address
from runtime.clock import NS_PER_MS
from runtime.message import Lane, Message

STALE_NS = 10 * NS_PER_MS
"""One that has waited for so long only takes time away from what matters."""
KEPT = 100
"""An order manager that has played for so many has its memory taken away."""


class Submitting(Protocol):
    """The part of the order manager that takes new orders."""

    def submit(self, message: SubmitOrder, ctx: Context) -> None: ...


class Understudy:
    """An order manager of its own, which nobody hears: no journal, no timers, no words."""

    def __init__(self, make: Callable[[], Submitting], every_ns: int) -> None:
        self._make = make
        self._every_ns = every_ns
        self._manager: Submitting | None = None
        self._played = 0
        self._due = 0

    def rehearse(self, message: OrderRehearsed, ctx: Context) -> None:
        """Several strategies rehearse: once in a while is enough."""
        now = ctx.now()
        if now < self._due or now - message.stamps.submitted > STALE_NS:
            return
        self._due = now + self._every_ns // 2
        if self._manager is None or self._played % KEPT == 0:
            self._manager = self._make()
        self._played += 1
        self._manager.submit(SubmitOrder(message.order, message.stamps), Nowhere(ctx))
        ctx.tell(names.RISK_CHECKER, message)


class _Silence:
    def debug(self, event: str, **values: object) -> None: ...
    def info(self, event: str, **values: object) -> None: ...
    def warning(self, event: str, **values: object) -> None: ...
    def error(self, event: str, **values: object) -> None: ...
    def cancel(self) -> None: ...


class Nowhere:
    """A context that knows the time and does nothing."""

    def __init__(self, ctx: Context) -> None:
        self.name = ctx.name
        self.incarnation = ctx.incarnation
        self.random: Random = ctx.random
        self.now = ctx.now
        self.log: Logger = _SILENCE

    def tell(self, to: str | Address, message: Message) -> None: ...
    def publish(self, topic: str, event: Message) -> None: ...
    def subscribe(self, publisher: str, *patterns: str) -> None: ...
    def unsubscribe(self, publisher: str, *patterns: str) -> None: ...
    def merge(self, merger: Merger | None, *publishers: str) -> None: ...
    def refresh(self, publisher: str, topic: str) -> None: ...
    def watch(self, name: str) -> None: ...
    def after(self, delay_ns: int, message: object) -> Timer:
        return _SILENCE

    def open_link(self, link: str, url: str, lane: Lane = Lane.FEED) -> None: ...
    def send_frame(self, link: str, payload: bytes) -> bool:
        return True

    def close_link(self, link: str) -> None: ...
    def request(self, request: HttpRequest) -> None: ...
    def append(self, record: bytes) -> int:
        return 0

    def read_journal(self) -> Iterator[tuple[int, bytes]]:
        return iter(())

    def measure(self, stage: str, label: str, duration_ns: int) -> None: ...


_SILENCE = _Silence()
