"""The venue's rule for a local order book, case by case."""

import pytest

from actors.venues.binance.book_sync import BookState, BookSync, Step
from actors.venues.binance.payloads import DepthUpdate


def update(first_id: int, last_id: int) -> DepthUpdate:
    return DepthUpdate(0, first_id, last_id, [], [])


def buffering(*updates: tuple[int, int]) -> BookSync:
    sync = BookSync()
    for ids in updates:
        sync.on_update(update(*ids))
    return sync


def test_the_first_update_asks_for_a_snapshot_and_the_next_ones_wait() -> None:
    sync = BookSync()
    assert sync.on_update(update(10, 12)) is Step.REQUEST_SNAPSHOT
    assert sync.on_update(update(13, 15)) is Step.BUFFER
    assert sync.state is BookState.BUFFERING


SNAPSHOTS = [
    # updates kept, lastUpdateId, ids of those applied (None: another snapshot is needed), update id afterwards
    ([(10, 12), (13, 15)], 8, None, None),
    ([(10, 12), (13, 15)], 9, [(10, 12), (13, 15)], 15),
    ([(10, 12), (13, 15)], 10, [(10, 12), (13, 15)], 15),
    ([(10, 12), (13, 15)], 12, [(13, 15)], 15),
    ([(10, 12), (13, 15)], 14, [(13, 15)], 15),
    ([(10, 12), (13, 15)], 15, [], 15),
    ([(10, 12), (13, 15)], 99, [], 99),
    ([(10, 12), (14, 15)], 11, None, None),
    ([(10, 12), (14, 15)], 12, None, None),
    ([(10, 12), (14, 15)], 13, [(14, 15)], 15),
]


@pytest.mark.parametrize(("kept", "last_update_id", "applied", "update_id"), SNAPSHOTS)
def test_a_snapshot_meets_the_updates_kept(
    kept: list[tuple[int, int]], last_update_id: int, applied: list[tuple[int, int]] | None, update_id: int | None
) -> None:
    sync = buffering(*kept)
    updates = sync.on_snapshot(last_update_id)
    if applied is None:
        assert updates is None
        assert sync.state is BookState.BUFFERING
    else:
        assert updates is not None
        assert [(each.first_id, each.last_id) for each in updates] == applied
        assert sync.state is BookState.SYNCED
        assert sync.update_id == update_id


UPDATES = [
    # first id, last id, what to do when the book stands at 15, update id afterwards
    (12, 14, Step.IGNORE, 15),
    (12, 15, Step.IGNORE, 15),
    (15, 16, Step.APPLY, 16),
    (16, 16, Step.APPLY, 16),
    (10, 20, Step.APPLY, 20),
    (17, 18, Step.RESTART, 15),
]


@pytest.mark.parametrize(("first_id", "last_id", "step", "update_id"), UPDATES)
def test_an_update_meets_a_book_in_step(first_id: int, last_id: int, step: Step, update_id: int) -> None:
    sync = buffering((10, 15))
    sync.on_snapshot(15)
    assert sync.on_update(update(first_id, last_id)) is step
    assert sync.update_id == update_id


def test_the_update_that_shows_a_gap_is_the_first_of_the_new_beginning() -> None:
    sync = buffering((10, 15))
    sync.on_snapshot(15)
    sync.on_update(update(20, 22))
    assert sync.on_snapshot(18) is None
    updates = sync.on_snapshot(20)
    assert updates is not None
    assert [each.last_id for each in updates] == [22]


def test_after_a_gap_among_those_kept_only_what_follows_it_is_kept() -> None:
    sync = buffering((10, 12), (20, 22), (23, 25))
    assert sync.on_snapshot(12) is None
    updates = sync.on_snapshot(21)
    assert updates is not None
    assert [each.last_id for each in updates] == [22, 25]


def test_a_full_buffer_starts_over_with_the_newest() -> None:
    sync = BookSync(max_buffered=3)
    for number in range(5):
        sync.on_update(update(number, number))
    assert sync.on_snapshot(1) is None
    updates = sync.on_snapshot(3)
    assert updates is not None
    assert [each.last_id for each in updates] == [4]


def test_an_invalid_book_begins_anew_with_the_next_update() -> None:
    sync = buffering((10, 15))
    sync.on_snapshot(15)
    sync.invalidate()
    assert sync.state is BookState.INVALID
    assert sync.on_update(update(16, 17)) is Step.REQUEST_SNAPSHOT
