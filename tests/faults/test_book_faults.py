"""A thousand seeds of everything that can happen between a venue and a strategy: no gap goes unnoticed.

After each event that reaches the strategy its book equals the oracle's at its sequence, or is invalid and empty; it is
never behind an update that the connector has received; and once the faults are over it becomes whole by itself.

Not in these seeds, because nobody can see them: a well-formed number in the place of another, and a level left out of
an update. `test_book_corruption` draws that line.
"""

from collections import Counter
from random import Random

import pytest

from actors.model.book import OrderBook
from actors.venues.binance.book_sync import BookState, BookSync, Step
from runtime.clock import NS_PER_S
from runtime.transport.feed_queue import FeedQueue
from tests.faults.faults import KINDS, Fault, Rates
from tests.faults.world import SPOT, USDM, Flavour, World, Wrong

FAULTY_NS = 10 * NS_PER_S
HEAVY = Rates(
    drop=0.04,
    duplicate=0.04,
    reorder=0.04,
    corrupt=0.03,
    cut=0.01,
    freeze=0.005,
    corrupt_answer=0.1,
    cut_answer=0.1,
    refuse=0.1,
    delay=0.2,
    outdated=0.2,
)


def rates(seed: int) -> Rates:
    """Some faults often, some seldom, some not at all."""
    random = Random(f"rates {seed}")
    return Rates(**{fault: random.choice((0.0, 0.2, 1.0)) * getattr(HEAVY, fault) for fault in Rates.__struct_fields__})


def run(seed: int, rates: Rates, capacity: int | None = None, flavour: Flavour = SPOT) -> World:
    world = World(seed, rates, capacity, flavour)
    try:
        world.run(FAULTY_NS)
    except Wrong as wrong:
        raise AssertionError(f"seed {seed}: {wrong}") from None
    return world


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_every_book_is_the_oracles_or_invalid(first: int) -> None:
    faults: Counter[Fault] = Counter()
    valid = invalid = kills = 0
    for seed in range(first, first + 100):
        world = run(seed, rates(seed))
        faults += world.faults.counts
        valid += world.watcher.valid
        invalid += world.watcher.invalid
        kills += world.kills
    assert set(faults) == set(KINDS)
    assert min(faults.values()) > 20
    assert valid > 5000
    assert invalid > 200
    assert kills > 10


@pytest.mark.slow
def test_so_is_every_book_of_futures_whose_updates_are_chained() -> None:
    worlds = [run(seed, rates(seed), flavour=USDM) for seed in range(200)]
    assert sum(world.watcher.valid for world in worlds) > 10_000
    assert sum(world.watcher.invalid for world in worlds) > 400


@pytest.mark.slow
@pytest.mark.parametrize("capacity", [1, 2, 3, 4, 8])
def test_events_shed_for_a_slow_strategy_never_leave_it_a_wrong_book(capacity: int) -> None:
    dropped = valid = 0
    for seed in range(60):
        world = run(seed, rates(seed), capacity)
        assert world.queue is not None
        dropped += world.queue.dropped
        valid += world.watcher.valid
    assert dropped > 1000
    assert valid > 1000


# ---- the proof itself: it has to fail where something is overlooked -----------------------------------------------


def until_wrong(seeds: int = 40, capacity: int | None = None) -> None:
    for seed in range(seeds):
        World(seed, HEAVY, capacity).run(FAULTY_NS)


@pytest.mark.slow
def test_the_oracle_notices_who_overlooks_gaps_in_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = BookSync.on_update

    def careless(sync: BookSync, update: object) -> Step:
        step = careful(sync, update)  # type: ignore[arg-type]
        if step is Step.RESTART:
            sync.state = BookState.SYNCED
            sync.update_id = update.last_id  # type: ignore[attr-defined]
            return Step.APPLY
        return step

    monkeypatch.setattr(BookSync, "on_update", careless)
    with pytest.raises(Wrong):
        until_wrong()


@pytest.mark.slow
def test_the_oracle_notices_who_takes_a_snapshot_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = BookSync.on_snapshot

    def careless(sync: BookSync, last_update_id: int) -> object:
        return careful(sync, max(last_update_id, sync._buffer[0].first_id - 1))

    monkeypatch.setattr(BookSync, "on_snapshot", careless)
    with pytest.raises(Wrong):
        until_wrong()


@pytest.mark.slow
def test_the_oracle_notices_a_chain_that_goes_on_after_events_were_shed(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = OrderBook.apply_delta

    def careless(book: OrderBook, delta: object) -> bool:
        book.sequence = delta.previous  # type: ignore[attr-defined]
        return careful(book, delta)  # type: ignore[arg-type]

    monkeypatch.setattr(FeedQueue, "_passes", lambda queue, event: True)
    monkeypatch.setattr(OrderBook, "apply_delta", careless)
    with pytest.raises(Wrong):
        until_wrong(capacity=4)


@pytest.mark.slow
def test_the_oracle_notices_a_queue_that_does_not_ask_for_what_it_shed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "shed", lambda world, topic: None)
    with pytest.raises(Wrong, match="not healed"):
        until_wrong(capacity=4)
