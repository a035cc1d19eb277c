"""A mailbox: three bounded lanes, each with its own answer to being full."""

from collections import deque
from collections.abc import Callable

from runtime.message import Lane, Message
from runtime.transport.feed_queue import FeedQueue

COMMANDS_CAPACITY = 10_000
CONTROL, COMMANDS, FEED = Lane
"""To look up a member of an enum takes longer than to put a message into a queue (70 ns)."""


class Mailbox:
    """One actor's messages, control before commands before feed; within a lane first in, first out."""

    def __init__(self, on_stale: Callable[[str], None]) -> None:
        self.handled = 0
        self.refused = 0
        self.feed = FeedQueue(on_stale)
        self._control: deque[object] = deque()
        self._commands: deque[object] = deque()
        self._waiting_since = 0

    def __len__(self) -> int:
        return len(self._control) + len(self._commands) + len(self.feed)

    @property
    def dropped(self) -> int:
        return self.feed.dropped + self.refused

    @property
    def commands_full(self) -> bool:
        return len(self._commands) >= COMMANDS_CAPACITY

    def put(self, lane: Lane, message: object, now: int) -> bool:
        """False when the lane is full and its messages are never dropped silently: the sender has to be told."""
        if not self._waiting_since:
            self._waiting_since = now
        if lane is CONTROL:
            self._control.append(message)
        elif lane is FEED and isinstance(message, Message):
            self.feed.offer(message)
        elif len(self._commands) >= COMMANDS_CAPACITY:
            self.refused += 1
            return False
        else:
            self._commands.append(message)
        return True

    def top_lane(self) -> Lane | None:
        if self._control:
            return CONTROL
        if self._commands:
            return COMMANDS
        return FEED if len(self.feed) else None

    def take(self, lane: Lane) -> object:
        message: object
        if lane is CONTROL:
            message = self._control.popleft()
        elif lane is COMMANDS:
            message = self._commands.popleft()
        else:
            message = self.feed.take()
        if self._waiting_since and not len(self):
            self._waiting_since = 0
        return message

    def waiting_ns(self, now: int) -> int:
        """How long it has not been empty: no message in it is older than this."""
        return now - self._waiting_since if self._waiting_since else 0
