"""What an actor publishes and who receives it: outlets on the publisher's side, subscriptions on the other."""

import asyncio
from collections.abc import Callable
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
MESSAGES_PER_LOOK = 8


class Outlet(Protocol):
    """One subscriber of one publisher."""

    subscriber: Address
    patterns: tuple[str, ...]

    def offer(self, event: Message, frame: Callable[[], bytes]) -> None: ...


class StreamOutlet:
    """A subscriber on another host. While it reads slowly events wait in a `FeedQueue`, which sheds."""

    def __init__(
        self,
        subscriber: Address,
        patterns: tuple[str, ...],
        stream: Stream,
        codec: Codec,
        refresh: Callable[[str], None],
    ) -> None:
        self.subscriber = subscriber
        self.patterns = patterns
        self._stream = stream
        self._codec = codec
        self._refresh = refresh
        self._shed_topics: list[str] = []
        self._waiting = FeedQueue(self._shed_topics.append)

    @property
    def dropped(self) -> int:
        return self._waiting.dropped

    def offer(self, event: Message, frame: Callable[[], bytes]) -> None:
        if self._stream.congested or len(self._waiting):
            self._waiting.offer(event)
        else:
            self._stream.send_frame(frame())

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
        self._deliver = deliver

    def offer(self, event: Message, frame: Callable[[], bytes]) -> None:
        self._deliver(event)


class Outlets:
    """All subscribers of one publisher, looked up by topic."""

    def __init__(self) -> None:
        self._outlets: dict[str, Outlet] = {}
        self._by_topic: dict[str, tuple[Outlet, ...]] = {}

    def put(self, outlet: Outlet) -> None:
        """A newer outlet of the same subscriber replaces the older one."""
        self._outlets[outlet.subscriber.actor] = outlet
        self._by_topic.clear()

    def remove(self, outlet: Outlet) -> None:
        if self._outlets.get(outlet.subscriber.actor) is outlet:
            del self._outlets[outlet.subscriber.actor]
            self._by_topic.clear()

    def remove_subscriber(self, name: str) -> None:
        if self._outlets.pop(name, None) is not None:
            self._by_topic.clear()

    def of(self, topic: str) -> tuple[Outlet, ...]:
        found = self._by_topic.get(topic)
        if found is None:
            found = tuple(
                outlet
                for outlet in self._outlets.values()
                if any(fnmatchcase(topic, pattern) for pattern in outlet.patterns)
            )
            self._by_topic[topic] = found
        return found

    @property
    def dropped(self) -> int:
        return sum(outlet.dropped for outlet in self._outlets.values() if isinstance(outlet, StreamOutlet))


class FeedReceiver(Protocol):
    """The subscriber's side of its host."""

    def run_or_queue(self, event: Message) -> None: ...

    def queue(self, event: Message) -> None: ...

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
        self._receiver = receiver
        self._network = network
        self._codec = codec
        self._clock = clock
        self._turns = turns
        self._redial_delay = redial_delay
        self._attempt = 0
        self._stream: Stream | None = None
        self._behind_since = 0
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
        begun = self._clock.now()
        eager = self._behind_since and begun - self._behind_since > PATIENCE_NS
        accept = self._receiver.queue if eager else self._receiver.run_or_queue
        count = 0
        while (message := messages.next()) is not None:
            if isinstance(message, Welcome):
                self._attempt = 0
                continue
            if isinstance(message, Refused):
                stream.close()
                self._retry()
                break
            accept(message)
            count += 1
            if not eager and count % MESSAGES_PER_LOOK == 0 and self._clock.now() - begun > WORK_NS:
                self._behind_since = self._behind_since or begun
                stream.pause()
                asyncio.get_running_loop().call_soon(stream.go_on)
                break
        else:
            if not self._receiver.queued:
                self._behind_since = 0
        self._turns.end_turn()

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


def check_subscriber(message: Message) -> PatternsChanged | TopicShed:
    """All that a subscriber may say after its `Hello`."""
    if isinstance(message, PatternsChanged | TopicShed):
        return message
    raise PeerFault(f"{type(message).__name__} from a subscriber")
