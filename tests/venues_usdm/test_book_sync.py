"""The futures rule for a local order book, case by case."""

import pytest

from actors.venues.binance.book_sync import BookState, Step
from actors.venues.binance_usdm.book_sync import ChainedBookSync
from actors.venues.binance_usdm.payloads import ChainedDepthUpdate

Ids = tuple[int, int, int]
"""pu, U, u: ids are shared with other symbols, so `U` leaves gaps after `pu`."""


def update(previous: int, first: int, last: int) -> ChainedDepthUpdate:
    return ChainedDepthUpdate(0, first, last, [], [], previous)


def buffering(*updates: Ids) -> ChainedBookSync:
    sync = ChainedBookSync()
    for ids in updates:
        sync.on_update(update(*ids))
    return sync


KEPT = ((90, 95, 100), (100, 108, 110), (110, 115, 120))

SNAPSHOTS = [
    # updates kept, lastUpdateId, last ids of those applied (None: another snapshot is needed), update id afterwards
    (KEPT, 89, None, None),
    (KEPT, 90, [100, 110, 120], 120),
    (KEPT, 95, [100, 110, 120], 120),
    (KEPT, 97, [100, 110, 120], 120),
    (KEPT, 100, [110, 120], 120),
    (KEPT, 105, [110, 120], 120),
    (KEPT, 119, [120], 120),
    (KEPT, 120, [], 120),
    (KEPT, 130, [], 130),
    (((90, 95, 100), (104, 108, 110)), 96, None, None),
    (((90, 95, 100), (104, 108, 110)), 102, None, None),
    (((90, 95, 100), (104, 108, 110)), 105, [110], 110),
]


@pytest.mark.parametrize(("kept", "last_update_id", "applied", "update_id"), SNAPSHOTS)
def test_a_snapshot_meets_the_updates_kept(
    kept: tuple[Ids, ...], last_update_id: int, applied: list[int] | None, update_id: int | None
) -> None:
    sync = buffering(*kept)
    updates = sync.on_snapshot(last_update_id)
    if applied is None:
        assert updates is None
        assert sync.state is BookState.BUFFERING
    else:
        assert updates is not None
        assert [each.last_id for each in updates] == applied
        assert sync.state is BookState.SYNCED
        assert sync.update_id == update_id


FIRST = [
    # the first update after a snapshot at 100 with nothing kept that is newer
    ((80, 85, 90), Step.IGNORE),
    ((90, 95, 100), Step.IGNORE),
    ((90, 95, 105), Step.APPLY),
    ((100, 103, 105), Step.APPLY),
    ((101, 103, 105), Step.RESTART),
]


@pytest.mark.parametrize(("ids", "step"), FIRST)
def test_the_first_update_after_a_snapshot_begins_the_chain(ids: Ids, step: Step) -> None:
    sync = buffering((90, 95, 98))
    sync.on_snapshot(100)
    assert sync.on_update(update(*ids)) is step


LATER = [
    # an update when the chain stands at 110
    ((110, 150, 160), Step.APPLY),
    ((109, 150, 160), Step.RESTART),
    ((111, 150, 160), Step.RESTART),
    ((100, 108, 110), Step.RESTART),
]


@pytest.mark.parametrize(("ids", "step"), LATER)
def test_a_later_update_names_exactly_the_one_before_it(ids: Ids, step: Step) -> None:
    sync = buffering((90, 95, 100), (100, 105, 110))
    sync.on_snapshot(97)
    assert sync.on_update(update(*ids)) is step


def test_the_update_that_shows_a_gap_is_the_first_of_the_new_beginning() -> None:
    sync = buffering((90, 95, 100))
    sync.on_snapshot(97)
    assert sync.on_update(update(120, 125, 130)) is Step.RESTART
    assert sync.on_snapshot(110) is None
    updates = sync.on_snapshot(121)
    assert updates is not None
    assert [each.last_id for each in updates] == [130]
