"""A bounded queue of events that sheds by each event's own rule when its reader falls behind."""

from collections import deque
from collections.abc import Callable

from runtime.message import Message, Overflow

FEED_CAPACITY = 1_024


class FeedQueue:
    """Events of many topics, at most `capacity` of them. What goes when it is full follows each event's `Overflow`.

    Nothing is looked at until the queue is full, so it costs nothing while the reader keeps up. Shedding then keeps
    only the newest of each topic (`LATEST`), ends a broken chain and asks for a fresh state (`REFRESH`), and drops the
    oldest half of the rest; every event that went is counted. Are there more topics than it can hold, the oldest go as
    well, and their state is asked for. What may not be dropped (`REFUSE`) stays, whatever the capacity.
    """

    def __init__(self, on_stale: Callable[[str], None], capacity: int = FEED_CAPACITY) -> None:
        self.dropped = 0
        self._events: deque[Message] = deque()
        self._on_stale = on_stale
        self._capacity = capacity
        self._stale: set[str] = set()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        return len(self._events) >= self._capacity

    def offer(self, event: Message) -> None:
        """Take an event; sheds first when full."""
        if self._stale and not self._passes(event):
            return
        if len(self._events) >= self._capacity:
            self._shed()
            if self._stale and not self._passes(event):
                return
        self._events.append(event)

    def take(self) -> Message:
        return self._events.popleft()

    def _passes(self, event: Message) -> bool:
        """Whether an event may follow what was shed: a chain begins anew only with an event that refreshes."""
        if event.topic in self._stale:
            if event.refreshes:
                self._stale.discard(event.topic)
            elif event.overflow is Overflow.REFRESH:
                self.dropped += 1
                return False
        return True

    def _shed(self) -> None:
        before = len(self._events)
        broken = {event.topic for event in self._events if event.overflow is Overflow.REFRESH}
        newest: set[tuple[str, type[Message]]] = set()
        kept: list[Message] = []
        oldest_allowed = self._capacity // 2
        for event in reversed(self._events):
            topic = event.topic
            match event.overflow:
                case Overflow.LATEST if topic not in broken or not event.refreshes:
                    if (topic, type(event)) not in newest:
                        newest.add((topic, type(event)))
                        kept.append(event)
                case Overflow.DROP_OLDEST if oldest_allowed > 0:
                    oldest_allowed -= 1
                    kept.append(event)
                case Overflow.REFUSE:
                    kept.append(event)
                case _:
                    pass
        kept.reverse()
        kept, lost = self._cut(kept)
        self._events = deque(kept)
        self.dropped += before - len(kept)
        stale = lost | (broken - self._stale)
        self._stale |= broken
        for topic in sorted(stale):
            self._on_stale(topic)

    def _cut(self, kept: list[Message]) -> tuple[list[Message], set[str]]:
        """Of what shedding kept, the newest three quarters of the capacity; and topics whose whole truth has gone."""
        excess = len(kept) - self._capacity * 3 // 4
        if excess <= 0:
            return kept, set()
        rest: list[Message] = []
        lost: set[str] = set()
        for event in kept:
            if excess <= 0 or event.overflow is Overflow.REFUSE:
                rest.append(event)
                continue
            excess -= 1
            if event.overflow is Overflow.LATEST:
                lost.add(event.topic)
            if event.refreshes:
                self._stale.add(event.topic)
        return rest, lost
