"""Binance USD-M futures' rule for when an order book is in step with its stream, and nothing else."""

from collections import deque

from actors.venues.binance.book_sync import BookState, BookSync, Step
from actors.venues.binance.payloads import DepthUpdate
from actors.venues.binance_usdm.payloads import ChainedDepthUpdate


class ChainedBookSync(BookSync):
    """How to manage a local order book correctly, in the venue's words:

    1. Open a stream to `…@depth`.
    2. Buffer the events you receive from the stream. For same price, latest received update covers the previous one.
    3. Get a depth snapshot from `/fapi/v1/depth?symbol=…&limit=1000`.
    4. Drop any event where `u` is < `lastUpdateId` in the snapshot.
    5. The first processed event should have `U` <= `lastUpdateId` AND `u` >= `lastUpdateId`.
    6. While listening to the stream, each new event's `pu` should be equal to the previous event's `u`, otherwise
       initialize the process from step 3.
    7. The data in each event is the absolute quantity for a price level.
    8. If the quantity is 0, remove the price level.
    9. Receiving an event that removes a price level that is not in your local order book can happen and is normal.

    Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
    How-to-manage-a-local-order-book-correctly

    Ids are shared by all symbols, so `U` of an event says nothing about the one before it; only `pu` does. Two steps
    are read as that implies. Step 4: an event that ends exactly at `lastUpdateId` brings nothing new and is dropped as
    well. Step 5: what an event covers begins after its `pu`, so a snapshot from `pu` on misses nothing, and the first
    event processed needs `pu` <= `lastUpdateId` < `u`.
    """

    __slots__ = ("_is_chained",)

    def __init__(self) -> None:
        super().__init__()
        self._is_chained = False
        """An event was applied since the snapshot: from now on `pu` has to be exact."""

    def on_update(self, update: DepthUpdate) -> Step:
        if self.state is not BookState.SYNCED:
            return super().on_update(update)
        if update.last_id <= self.update_id and not self._is_chained:
            return Step.IGNORE
        previous = _previous(update)
        if previous != self.update_id if self._is_chained else previous > self.update_id:
            self._begin(update)
            return Step.RESTART
        self._is_chained = True
        self.update_id = update.last_id
        return Step.APPLY

    def on_snapshot(self, last_update_id: int) -> list[DepthUpdate] | None:
        """As in spot: the updates to apply on top of it, or None if another snapshot is needed."""
        if last_update_id < _previous(self._buffer[0]):
            return None
        kept, self._buffer = self._buffer, deque()
        self.state = BookState.SYNCED
        self.update_id = last_update_id
        self._is_chained = False
        applicable = [update for update in kept if self.on_update(update) is Step.APPLY]
        return applicable if self.state is BookState.SYNCED else None


def _previous(update: DepthUpdate) -> int:
    assert isinstance(update, ChainedDepthUpdate)
    return update.previous_id
