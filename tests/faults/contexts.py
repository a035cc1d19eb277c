"""What the connector and the strategy of a `World` ask of their contexts, carried out by it."""

from random import Random
from typing import TYPE_CHECKING

from runtime.actor import HttpRequest
from runtime.message import Lane, Message
from tests.support.context import RecordedTimer, RecordingContext

if TYPE_CHECKING:
    from tests.faults.world import World


class ConnectorContext(RecordingContext):
    def __init__(self, world: "World", name: str, life: int, random: Random) -> None:
        super().__init__(name, life)
        self.random = random
        self._world = world

    def now(self) -> int:
        return self._world.time

    def after(self, delay_ns: int, message: object) -> RecordedTimer:
        timer = RecordedTimer(self._world.time + delay_ns, message)

        def ring() -> None:
            if not timer.cancelled:
                self._world.to_connector(message, self.incarnation)

        self._world.after(delay_ns, ring)
        return timer

    def publish(self, topic: str, event: Message) -> None:
        if topic.startswith("book."):
            self._world.published(event)

    def open_link(self, link: str, url: str, lane: Lane = Lane.FEED) -> None:
        self._world.open_link(link)

    def close_link(self, link: str) -> None:
        self._world.close_link(link)

    def send_frame(self, link: str, payload: bytes) -> bool:
        return self._world.probe(link)

    def request(self, request: HttpRequest) -> None:
        self._world.request(request)

    def measure(self, stage: str, label: str, duration_ns: int) -> None: ...


class StrategyContext(RecordingContext):
    def __init__(self, world: "World", connector: str) -> None:
        super().__init__("strategy.watcher")
        self._world = world
        self._connector = connector

    def now(self) -> int:
        return self._world.time

    def subscribe(self, publisher: str, *patterns: str) -> None:
        if publisher == self._connector:
            self._world.subscribed(patterns)

    def measure(self, stage: str, label: str, duration_ns: int) -> None: ...
