"""One life of one actor in a host: its mailbox, its subscribers, and what it may do."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from runtime.actor import Actor, HttpRequest, Logger, Merger, Timer
from runtime.address import Address
from runtime.clock import NS_PER_S
from runtime.errors import Bug
from runtime.host.mailbox import Mailbox
from runtime.journal.log import Journal
from runtime.message import Lane, Message
from runtime.transport.feed import Outlets, Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.host.host import Host
    from runtime.host.links import HostLink
    from runtime.host.merging import Merge

FEED = Lane.FEED
"""To look up a member of an enum takes as long as the rest of `publish` (70 ns)."""


class Cell:
    """All that ends when this life of the actor ends."""

    def __init__(self, address: Address, actor: Actor, host: "Host", journal: Journal | None, log: Logger) -> None:
        self.address = address
        self.name = address.actor
        self.actor = actor
        self.alive = True
        self.busy = False
        """An awaitable of its handler is not done yet."""
        self.mailbox = Mailbox(self._feed_shed)
        self.outlets = Outlets()
        self.patterns: dict[str, tuple[str, ...]] = {}
        """publisher → what this actor wants of it: the truth about its subscriptions."""
        self.subscriptions: dict[str, Subscription] = {}
        self.merges: dict[str, Merge] = {}
        """publisher → what its events go through."""
        self.watching: set[str] = set()
        self.links: dict[str, HostLink] = {}
        self.journal = journal
        self.when_drained: list[Callable[[], None]] = []
        self.context = HostContext(self, host, log)
        self.receive = actor.receive
        self._host = host

    def _feed_shed(self, topic: str) -> None:
        self._host.feeds.shed(self, topic)

    def end(self) -> None:
        """Nothing of this life acts after this."""
        self.alive = False
        for subscription in self.subscriptions.values():
            subscription.cancel()
        for link in self.links.values():
            link.close()
        for merge in self.merges.values():
            merge.end()
        self.merges.clear()
        self.subscriptions.clear()
        self.links.clear()
        if self.journal is not None:
            self.journal.close()


class _Timer:
    """A timer that dies with the life that set it."""

    def __init__(self, cell: Cell, host: "Host", delay_ns: int, message: object) -> None:
        self._cell = cell
        self._host = host
        self._message = message
        self._handle = host.loop.call_later(max(delay_ns, 0) / NS_PER_S, self._ring)

    def cancel(self) -> None:
        self._handle.cancel()

    def _ring(self) -> None:
        if self._cell.alive:
            self._host.accept(self._cell, Lane.CONTROL, self._message)
            self._host.end_turn()


class HostContext:
    """`Context` for one life of one actor; every call hands over to its host."""

    def __init__(self, cell: Cell, host: "Host", log: Logger) -> None:
        self.name = cell.address.actor
        self.incarnation = cell.address.incarnation
        self.random: Random = host.random
        self.log = log
        self.now = host.clock.now
        self.measure = host.measures.record
        self._outlets = cell.outlets
        self._cell = cell
        self._host = host

    def tell(self, to: str | Address, message: Message) -> None:
        self._host.tell(self._cell, to, message)

    def publish(self, topic: str, event: Message) -> None:
        outlets = self._outlets.by_topic.get(topic)
        if outlets is None:
            outlets = self._outlets.of(topic)
        if not outlets:
            return
        if event.lane is not FEED:
            for outlet in outlets:
                self._host.tell(self._cell, outlet.subscriber, event)
            return
        if not self._outlets.taken:
            self._outlets.taken = True
            self._host.has_published(self._cell)
        for outlet in outlets:
            outlet.take(event)

    def subscribe(self, publisher: str, *patterns: str) -> None:
        wanted = (*self._cell.patterns.get(publisher, ()), *patterns)
        self._cell.patterns[publisher] = tuple(dict.fromkeys(wanted))
        self._host.feeds.renew(self._cell, publisher)

    def unsubscribe(self, publisher: str, *patterns: str) -> None:
        wanted = self._cell.patterns.get(publisher, ())
        self._cell.patterns[publisher] = tuple(pattern for pattern in wanted if pattern not in patterns)
        self._host.feeds.renew(self._cell, publisher)

    def merge(self, merger: Merger | None, *publishers: str) -> None:
        self._host.feeds.merge(self._cell, merger, publishers)

    def refresh(self, publisher: str, topic: str) -> None:
        self._host.feeds.ask(self._cell, publisher, topic)

    def watch(self, name: str) -> None:
        self._host.watch(self._cell, name)

    def after(self, delay_ns: int, message: object) -> Timer:
        return _Timer(self._cell, self._host, delay_ns, message)

    def open_link(self, link: str, url: str, lane: Lane = Lane.FEED) -> None:
        self._host.open_link(self._cell, link, url, lane)

    def send_frame(self, link: str, payload: bytes) -> bool:
        opened = self._cell.links.get(link)
        return opened is not None and opened.send(payload)

    def close_link(self, link: str) -> None:
        opened = self._cell.links.pop(link, None)
        if opened is not None:
            opened.close()

    def request(self, request: HttpRequest) -> None:
        self._host.request(self._cell, request)

    def append(self, record: bytes) -> int:
        return self._host.append(self._cell, record)

    def read_journal(self) -> "Iterator[tuple[int, bytes]]":
        if self._cell.journal is None:
            raise Bug(f"{self.name} has no journal")
        return self._cell.journal.read()
