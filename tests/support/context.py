"""A Context that carries nothing out and records everything: for tests of one actor as values in, values out."""

from collections.abc import Iterator
from random import Random
from typing import Any

from runtime.actor import HttpRequest, Merger
from runtime.address import Address
from runtime.errors import Unavailable
from runtime.message import Lane, Message


class RecordedTimer:
    def __init__(self, due: int, message: object) -> None:
        self.due = due
        self.message = message
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class SilentLog:
    def debug(self, event: str, **values: Any) -> None: ...
    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def error(self, event: str, **values: Any) -> None: ...


class RecordingContext:
    """`time` is set by the test; `journal_broken` makes `append` raise; `links_up` decides what `send_frame` says."""

    def __init__(self, name: str = "actor", incarnation: int = 1, time: int = 1_700_000_000_000_000_000) -> None:
        self.name = name
        self.incarnation = incarnation
        self.random = Random(1)
        self.log = SilentLog()
        self.time = time
        self.told: list[tuple[str, Message]] = []
        self.published: list[tuple[str, Message]] = []
        self.subscriptions: list[tuple[str, tuple[str, ...]]] = []
        self.merger: Merger | None = None
        self.merged: set[str] = set()
        self.refreshed: list[tuple[str, str]] = []
        self.watched: list[str] = []
        self.timers: list[RecordedTimer] = []
        self.links: dict[str, str] = {}
        self.links_up: set[str] = set()
        self.frames: list[tuple[str, bytes]] = []
        self.requests: list[HttpRequest] = []
        self.journal: list[bytes] = []
        self.journal_broken = ""
        self.measured: list[tuple[str, str, int]] = []

    def now(self) -> int:
        return self.time

    def tell(self, to: str | Address, message: Message) -> None:
        self.told.append((to if isinstance(to, str) else to.actor, message))

    def publish(self, topic: str, event: Message) -> None:
        self.published.append((topic, event))

    def subscribe(self, publisher: str, *patterns: str) -> None:
        self.subscriptions.append((publisher, patterns))

    def unsubscribe(self, publisher: str, *patterns: str) -> None:
        self.subscriptions.remove((publisher, patterns))

    def merge(self, merger: Merger | None, *publishers: str) -> None:
        self.merger = merger
        self.merged = set(publishers) if merger else set()

    def refresh(self, publisher: str, topic: str) -> None:
        self.refreshed.append((publisher, topic))

    def watch(self, name: str) -> None:
        self.watched.append(name)

    def after(self, delay_ns: int, message: object) -> RecordedTimer:
        timer = RecordedTimer(self.time + delay_ns, message)
        self.timers.append(timer)
        return timer

    def open_link(self, link: str, url: str, lane: Lane = Lane.FEED) -> None:
        self.links[link] = url

    def send_frame(self, link: str, payload: bytes) -> bool:
        if link not in self.links_up:
            return False
        self.frames.append((link, payload))
        return True

    def close_link(self, link: str) -> None:
        self.links.pop(link, None)
        self.links_up.discard(link)

    def request(self, request: HttpRequest) -> None:
        self.requests.append(request)

    def append(self, record: bytes) -> int:
        if self.journal_broken:
            raise Unavailable(self.journal_broken)
        self.journal.append(record)
        return len(self.journal)

    def read_journal(self) -> Iterator[tuple[int, bytes]]:
        yield from enumerate(list(self.journal), start=1)

    def measure(self, stage: str, label: str, duration_ns: int) -> None:
        self.measured.append((stage, label, duration_ns))

    def due(self) -> list[object]:
        """Take the messages of the timers whose time has come."""
        ready = [timer for timer in self.timers if timer.due <= self.time and not timer.cancelled]
        self.timers = [timer for timer in self.timers if timer not in ready]
        return [timer.message for timer in sorted(ready, key=lambda timer: timer.due)]

    def told_to(self, name: str) -> list[Message]:
        return [message for to, message in self.told if to == name]
