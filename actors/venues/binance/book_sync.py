"""Binance's rule for when an order book is in step with its stream, and nothing else."""

from collections import deque
from enum import Enum

from actors.venues.binance.payloads import DepthUpdate

MAX_BUFFERED = 10_000


class BookState(Enum):
    UNSYNCED = "UNSYNCED"
    """No update yet."""
    BUFFERING = "BUFFERING"
    """Updates wait for a snapshot."""
    SYNCED = "SYNCED"
    INVALID = "INVALID"
    """Was lost; the next update begins anew."""


class Step(Enum):
    """What to do with an update."""

    REQUEST_SNAPSHOT = "request snapshot"
    """The first one: kept, and now is the time to ask for a snapshot."""
    BUFFER = "buffer"
    """Kept until the snapshot comes."""
    APPLY = "apply"
    IGNORE = "ignore"
    RESTART = "restart"
    """Updates were missed: discard the book. This one was kept as the first; ask for a snapshot."""


class BookSync:
    """How to manage a local order book correctly, in the venue's words:

    1. Open a WebSocket connection to `…@depth`.
    2. Buffer the events received from the stream. Note the `U` of the first event you received.
    3. Get a depth snapshot from `/api/v3/depth?symbol=…&limit=5000`.
    4. If the `lastUpdateId` from the snapshot is strictly less than the `U` from step 2, go back to step 3.
    5. In the buffered events, discard any event where `u` is <= `lastUpdateId` of the snapshot. The first buffered
       event should now have `lastUpdateId` within its `[U;u]` range.
    6. Set your local order book to the snapshot. Its update ID is `lastUpdateId`.
    7. Apply the update procedure below to all buffered events, and then to all subsequent events received.

    To apply an event:

    1. If `u` is less than the update ID of your local order book, ignore the event. If `U` is greater than the update
       ID of your local order book + 1, you have missed some events: discard your local order book and restart the
       process from the beginning. Normally, `U` of the next event is equal to `u + 1` of the previous event.
    2. For each price level set the new quantity; zero removes the level.
    3. Set the order book update ID to `u`.

    Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md, "How to manage a local order book
    correctly". One step is read as the procedure implies: a snapshot that ends exactly one before the first `U`
    misses nothing, so step 4 begins one below. An event that ends where the book stands changes nothing and is
    ignored too.

    The buffer is bounded: when full it is dropped and the newest event becomes the first, so that step 4 decides.
    """

    __slots__ = ("_buffer", "_max_buffered", "state", "update_id")

    def __init__(self, max_buffered: int = MAX_BUFFERED) -> None:
        self.state = BookState.UNSYNCED
        self.update_id = 0
        self._buffer: deque[DepthUpdate] = deque()
        self._max_buffered = max_buffered

    def on_update(self, update: DepthUpdate) -> Step:
        match self.state:
            case BookState.SYNCED:
                if update.last_id <= self.update_id:
                    return Step.IGNORE
                if update.first_id > self.update_id + 1:
                    self._begin(update)
                    return Step.RESTART
                self.update_id = update.last_id
                return Step.APPLY
            case BookState.BUFFERING:
                if len(self._buffer) >= self._max_buffered:
                    self._buffer.clear()
                self._buffer.append(update)
                return Step.BUFFER
            case BookState.UNSYNCED | BookState.INVALID:
                self._begin(update)
                return Step.REQUEST_SNAPSHOT

    def on_snapshot(self, last_update_id: int) -> list[DepthUpdate] | None:
        """The updates to apply on top of the snapshot; None if another snapshot is needed.

        That is when this one is too old, or when updates are missing among those kept. Only while BUFFERING.
        """
        if last_update_id + 1 < self._buffer[0].first_id:
            return None
        kept, self._buffer = self._buffer, deque()
        self.state = BookState.SYNCED
        self.update_id = last_update_id
        applicable = [update for update in kept if self.on_update(update) is Step.APPLY]
        return applicable if self.state is BookState.SYNCED else None

    def invalidate(self) -> None:
        """Its link dropped, or what came was wrong."""
        self.state = BookState.INVALID
        self._buffer.clear()

    def _begin(self, first: DepthUpdate) -> None:
        self.state = BookState.BUFFERING
        self._buffer.clear()
        self._buffer.append(first)
