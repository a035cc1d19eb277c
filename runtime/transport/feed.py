"""What an actor publishes and who receives it: outlets on the publisher's side, subscriptions on the other."""

import asyncio
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from runtime.address import Address
from runtime.clock import NS_PER_MS, NS_PER_S, Clock
from runtime.errors import PeerFault
from runtime.message import Message
from runtime.protocol import Hello, PatternsChanged, Refused, StreamPurpose, TopicShed, Welcome
from runtime.transport.feed_queue import FeedQueue
from runtime.transport.network import Network
from runtime.transport.stream import FrameReader, Stream
from runtime.transport.tell import Turns
from runtime.transport.wire import Codec

WORK_NS = 1 * NS_PER_MS
"""A feed gives way after so much work."""
PATIENCE_NS = 50 * NS_PER_MS
"""A reader that has been behind for so long reads on and sheds, instead of letting stale events pile up before it."""


class Outlet(Protocol):
    """One subscriber of one publisher."""

    subscriber: Address
    patterns: tuple[str, ...]

    @property
    def take(self) -> Callable[[Message], object]:
        """Called with each event; what it holds leaves at the end of the turn."""
        ...

    def flush(self) -> None: ...


class StreamOutlet:
    """A subscriber on another host. While it reads slowly events wait in a `FeedQueue`, which sheds."""

    def __init__(
        self,
        subscriber: Address,
        patterns: tuple[str, ...],
        stream: Stream,
        refresh: Callable[[str], None],
    ) -> None:
        self.subscriber = subscriber
        self.patterns = patterns
        self._stream = stream
        self._refresh = refresh
        self._shed_topics: list[str] = []
        self._waiting = FeedQueue(self._shed_topics.append)
        self._events: list[Message] = []
        """Of this turn."""
        self.take = self._events.append

    @property
    def dropped(self) -> int:
        return self._waiting.dropped

    def flush(self) -> None:
        if self._stream.congested or len(self._waiting):
            for event in self._events:
                self._waiting.offer(event)
        elif self._events:
            self._stream.send_all(self._events)
        self._events.clear()

    def writable(self) -> None:
        """The subscriber reads again: send what waited, then have what was shed made whole."""
        while len(self._waiting):
            self._stream.send(self._waiting.take())
        shed, self._shed_topics[:] = list(self._shed_topics), []
        for topic in shed:
            self._refresh(topic)


class LocalOutlet:
    """A subscriber on the same host: no encoding, its mailbox takes the event."""

    def __init__(self, subscriber: Address, patterns: tuple[str, ...], deliver: Callable[[Message], object]) -> None:
        self.subscriber = subscriber
        self.patterns = patterns
        self.take = deliver

    def flush(self) -> None: ...


class Outlets:
    """All subscribers of one publisher, looked up by topic."""

    def __init__(self) -> None:
        self.by_topic: dict[str, tuple[Outlet, ...]] = {}
        """What `of` has found; begun anew when subscribers change."""
        self.taken = False
        """An event was taken in this turn."""
        self._outlets: dict[str, Outlet] = {}

    def has_later(self, subscriber: Address) -> bool:
        """A later life of this actor is subscribed."""
        known = self._outlets.get(subscriber.actor)
        return known is not None and known.subscriber.incarnation > subscriber.incarnation

    def put(self, outlet: Outlet) -> None:
        """A newer outlet of the same subscriber replaces the older one."""
        self._outlets[outlet.subscriber.actor] = outlet
        self.by_topic.clear()

    def remove(self, outlet: Outlet) -> bool:
        """False if a newer one has replaced it."""
        return self._outlets.get(outlet.subscriber.actor) is outlet and self.remove_subscriber(outlet.subscriber.actor)

    def remove_subscriber(self, name: str) -> bool:
        """False if it had none."""
        if self._outlets.pop(name, None) is None:
            return False
        self.by_topic.clear()
        return True

    def of(self, topic: str) -> tuple[Outlet, ...]:
        found = self.by_topic.get(topic)
        if found is None:
            found = tuple(
                outlet
                for outlet in self._outlets.values()
                if any(fnmatchcase(topic, pattern) for pattern in outlet.patterns)
            )
            self.by_topic[topic] = found
        return found

    def flush(self) -> None:
        """The turn is over."""
        self.taken = False
        for outlet in self._outlets.values():
            outlet.flush()

    @property
    def dropped(self) -> int:
        return sum(outlet.dropped for outlet in self._outlets.values() if isinstance(outlet, StreamOutlet))


class FeedReceiver(Protocol):
    """The subscriber's side of its host."""

    def run(self, events: Sequence[Message]) -> int:
        """Handle events, queue what cannot run now; returns how many were taken before the time was over."""
        ...

    def queue(self, events: Sequence[Message]) -> int:
        """Queue all of them; returns their number."""
        ...

    @property
    def queued(self) -> int: ...


class Subscription:
    """What one actor receives from one publisher elsewhere; dialled anew until cancelled or the publisher moves."""

    def __init__(
        self,
        subscriber: Address,
        publisher: Address,
        patterns: tuple[str, ...],
        receiver: FeedReceiver,
        network: Network,
        codec: Codec,
        clock: Clock,
        turns: Turns,
        redial_delay: Callable[[int], int],
    ) -> None:
        self.publisher = publisher
        self._subscriber = subscriber
        self._patterns = patterns
        self.receiver = receiver
        self._network = network
        self._codec = codec
        self._clock = clock
        self._turns = turns
        self._redial_delay = redial_delay
        self._attempt = 0
        self._stream: Stream | None = None
        self._behind_since = 0
        self._welcomed = False
        self._cancelled = False
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    def change(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns
        if self._stream is not None:
            self._stream.send(PatternsChanged(patterns))

    def shed(self, topic: str) -> None:
        """The subscriber's mailbox shed events of this topic."""
        if self._stream is not None:
            self._stream.send(TopicShed(topic))

    def cancel(self) -> None:
        self._cancelled = True
        self._dialling.cancel()
        if self._stream is not None:
            self._stream.close()

    async def _dial(self) -> None:
        while not self._cancelled:
            try:
                await self._network.dial(self.publisher, lambda: Stream(self._codec, self, self._turns.dirty))
                return
            except OSError:
                await asyncio.sleep(self._redial_delay(self._attempt) / NS_PER_S)
                self._attempt += 1

    # -- StreamOwner

    def stream_up(self, stream: Stream) -> None:
        self._stream = stream
        self._welcomed = False
        stream.send(
            Hello(
                StreamPurpose.FEED,
                self._subscriber,
                self.publisher.actor,
                self.publisher.incarnation,
                self._patterns,
            )
        )
        self._turns.end_turn()

    def stream_read(self, stream: Stream, messages: FrameReader) -> None:
        if not self._welcomed and not self._is_welcome(stream, messages):
            return
        begun = self._clock.now()
        eager = self._behind_since and begun - self._behind_since > PATIENCE_NS
        accept = self.receiver.queue if eager else self.receiver.run
        while not stream.closed and (events := messages.take()):
            taken = accept(events)
            if taken < len(events) or (not eager and self._clock.now() - begun > WORK_NS):
                messages.give_back(events, taken)
                self._behind_since = self._behind_since or begun
                stream.pause()
                asyncio.get_running_loop().call_soon(stream.go_on)
                break
        else:
            if not self.receiver.queued:
                self._behind_since = 0
        self._turns.end_turn()

    def _is_welcome(self, stream: Stream, messages: FrameReader) -> bool:
        """Read the publisher's answer to `Hello`."""
        match messages.next():
            case None:
                return False
            case Welcome():
                self._attempt = 0
                self._welcomed = True
                return True
            case Refused():
                stream.close()
                self._retry()
                return False
            case other:
                raise PeerFault(f"{type(other).__name__} instead of a welcome")

    def stream_writable(self, stream: Stream) -> None: ...

    def stream_down(self, stream: Stream, reason: str) -> None:
        self._stream = None
        self._retry()

    def _retry(self) -> None:
        self._stream = None
        self._behind_since = 0
        if not self._cancelled:
            self._attempt += 1
            self._dialling = asyncio.get_running_loop().create_task(self._redial())

    async def _redial(self) -> None:
        await asyncio.sleep(self._redial_delay(self._attempt) / NS_PER_S)
        await self._dial()
