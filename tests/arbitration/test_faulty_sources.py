"""Faulty sources of one market against what the venue knows: seeded, so that each failure can be repeated."""

import pytest

from tests.arbitration.sources import World

SEEDS = range(8)


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_each_event_once_and_every_valid_book_true(sources: int) -> None:
    passed = gaps = expired = 0
    for seed in SEEDS:
        world = World(seed, sources)
        world.run(1.0)
        assert world.book.is_valid, f"seed {seed}: {world.book.reason}"
        assert world.book.sequence > world.market.last_id - 200, f"seed {seed}: the book stands still"
        missing = world.trades[-1] - world.trades[0] + 1 - len(world.trades)
        assert world.arbiter.counts().gaps == missing, f"seed {seed}: what is missing is what is counted"
        assert world.trades[-1] > world.told - 200
        passed, gaps, expired = passed + len(world.trades), gaps + missing, expired + world.expired
    assert passed > 500 * len(SEEDS)
    if sources > 1:
        assert expired < len(SEEDS), "held until time ran out in every run: the harder test was never made"
    assert gaps > 0


def test_one_source_in_order_makes_up_for_all_faults_of_the_other() -> None:
    for seed in SEEDS:
        world = World(seed, 2)
        steady = world.sources["source-0"]
        fail = world._fail
        world._fail = lambda source, fail=fail, steady=steady: source is not steady and fail(source)  # type: ignore[method-assign, assignment, misc]
        world.sheds = 20  # the reader keeps up
        world.run(1.0)
        assert world.arbiter.counts().gaps == 0, f"seed {seed}"
        assert world.trades == list(range(world.trades[0], world.trades[-1] + 1)), f"seed {seed}"
        assert world.book.is_valid, f"seed {seed}"
