"""Who of this host's actors receives what from whom: keeps subscriptions true while publishers come and go."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from runtime.actor import Merger, RefreshRequested, Subscribed
from runtime.address import Address
from runtime.backoff import Backoff
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.host.cell import Cell
from runtime.host.merging import Merge, MergedReceiver
from runtime.message import Lane, Message
from runtime.transport.feed import FeedReceiver, LocalOutlet, Subscription

if TYPE_CHECKING:
    from runtime.host.host import Host

REDIAL = Backoff(10 * NS_PER_MS, 1 * NS_PER_S)


class _Receiver:
    """A cell as the receiving end of a subscription."""

    def __init__(self, cell: Cell, host: "Host") -> None:
        self._cell = cell
        self._host = host

    def run(self, events: Sequence[Message]) -> int:
        return self._host.accept_all(self._cell, Lane.FEED, events)

    def queue(self, events: Sequence[Message]) -> int:
        for event in events:
            self._host.queue(self._cell, Lane.FEED, event)
        return len(events)

    @property
    def queued(self) -> int:
        return len(self._cell.mailbox.feed)


class Feeds:
    def __init__(self, host: "Host") -> None:
        self._host = host

    def renew(self, cell: Cell, publisher: str) -> None:
        """Bring the subscription in line with what `cell` wants and with where `publisher` lives now."""
        host = self._host
        patterns = cell.patterns.get(publisher, ())
        current = cell.subscriptions.get(publisher)
        local = host.cell(publisher)
        address = host.directory.find(publisher)
        merge = cell.merges.get(publisher)
        if merge is not None:
            there = local.address if local is not None else address
            merge.hears(publisher, there.incarnation if there is not None and patterns else 0, patterns)
        if local is not None:
            if current is not None:
                cell.subscriptions.pop(publisher).cancel()
            self._renew_local(cell, local, patterns)
        elif current is not None and address == current.publisher and patterns:
            current.receiver = self._receiver(cell, publisher)
            current.change(patterns)
        else:
            if current is not None:
                cell.subscriptions.pop(publisher).cancel()
            if address is not None and patterns:
                cell.subscriptions[publisher] = Subscription(
                    cell.address,
                    address,
                    patterns,
                    self._receiver(cell, publisher),
                    host.network,
                    host.codec,
                    host.clock,
                    host,
                    lambda attempt: REDIAL.delay(attempt, host.random),
                )

    def _receiver(self, cell: Cell, publisher: str) -> FeedReceiver:
        merge = cell.merges.get(publisher)
        return _Receiver(cell, self._host) if merge is None else MergedReceiver(cell, merge, publisher)

    def merge(self, cell: Cell, merger: Merger | None, publishers: Sequence[str]) -> None:
        """What is subscribed to already goes on as it is, but another way."""
        known = (merge for merge in cell.merges.values() if merge.merger is merger)
        merge = None if merger is None else next(known, None) or Merge(cell, merger, self._host)
        for publisher in publishers:
            before = cell.merges.pop(publisher, None)
            if merge is not None:
                cell.merges[publisher] = merge
            if before is not merge:
                self._reroute(cell, publisher, merge)

    def _reroute(self, cell: Cell, publisher: str, merge: Merge | None) -> None:
        current, local, patterns = cell.subscriptions.get(publisher), self._host.cell(publisher), cell.patterns
        address = None
        if current is not None:
            address = current.publisher
            current.receiver = self._receiver(cell, publisher)
        elif local is not None and local.outlets.remove_subscriber(cell.name):
            address = local.address
            local.outlets.put(self._outlet(cell, publisher))
        if address is not None and merge is not None:
            merge.hears(publisher, address.incarnation, patterns.get(publisher, ()))

    def ask(self, cell: Cell, publisher: str, topic: str) -> None:
        """Have the whole state of a topic published again for `cell`."""
        local = self._host.cell(publisher)
        if local is not None:
            self.refresh(local, topic)
        elif publisher in cell.subscriptions:
            cell.subscriptions[publisher].shed(topic)

    def renew_all(self, publisher: str) -> None:
        """The publisher has moved, come or gone."""
        for cell in self._host.cells():
            if publisher in cell.patterns:
                self.renew(cell, publisher)

    def shed(self, cell: Cell, topic: str) -> None:
        """`cell` reads too slowly and shed events of `topic`: ask whoever publishes it."""
        for merge in set(cell.merges.values()):
            merge.merger.shed(topic)
        for publisher in cell.patterns:
            self.ask(cell, publisher, topic)

    def refresh(self, publisher: Cell, topic: str) -> None:
        self._host.queue(publisher, Lane.CONTROL, RefreshRequested(topic))

    def subscribed(self, publisher: Cell, subscriber: Address, patterns: tuple[str, ...]) -> None:
        self._host.accept(publisher, Lane.CONTROL, Subscribed(subscriber.actor, patterns))

    def unsubscribed(self, publisher: Cell, subscriber: str) -> None:
        if publisher.alive:
            self._host.queue(publisher, Lane.CONTROL, Subscribed(subscriber, ()))

    def _renew_local(self, cell: Cell, publisher: Cell, patterns: tuple[str, ...]) -> None:
        was_subscribed = publisher.outlets.remove_subscriber(cell.name)
        if was_subscribed and not patterns:
            self.unsubscribed(publisher, cell.name)
        if patterns:
            publisher.outlets.put(self._outlet(cell, publisher.name))
            self._host.queue(publisher, Lane.CONTROL, Subscribed(cell.name, patterns))

    def _outlet(self, cell: Cell, publisher: str) -> LocalOutlet:
        merge = cell.merges.get(publisher)
        take: Callable[[Message], object] = lambda event: self._host.accept(cell, Lane.FEED, event)  # noqa: E731
        if merge is not None:
            take = partial(merge.take, publisher)
        return LocalOutlet(cell.address, cell.patterns[publisher], take)
