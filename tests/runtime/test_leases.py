"""A shared budget: what all holders spend never exceeds it, whoever dies, is lost or asks first."""

from collections import defaultdict
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any

import pytest

from runtime.leases import LOOK_NS, UNDER_WAY_NS, LeasedBucket, Pool, Use, Wish, next_turn, own_share

S = 1_000_000_000
W = 10 * S
NOW = 1_700_000_040 * S
LATER = NOW + S
"""Away from the edges of a window."""
SHARES = (1.0, 0.95, 0.9, 0.8, 0.5)
CANCEL, NEW, QUERY, HISTORY = 0, 2, 3, 4


def use(limit: int = 100, spent: int = 0, granted: int = 0, counted: int = 0, heard: int = 0, *wishes: Wish) -> Use:
    return Use(limit, W, LATER // W, own_share(limit, 2), spent, granted, counted, heard, wishes)


def wants(lane: int, tokens: int, least: int = 0) -> Use:
    return use(100, 0, 0, 0, 0, Wish(lane, tokens, least))


def two(first: Use, second: Use) -> Pool:
    pool = Pool(SHARES, NOW - W)
    pool.heard("a", first, 2, LATER)
    pool.heard("b", second, 2, LATER)
    return pool


def served(pool: Pool, now: int = LATER) -> list[tuple[str, int, int]]:
    return [(name, lease.lane, lease.tokens) for name, lease in pool.serve(now)]


def test_own_shares_are_never_lent_and_each_lane_leaves_a_reserve_to_those_before_it() -> None:
    assert served(two(wants(HISTORY, 1000), use())) == [("a", HISTORY, 50 - 24)]
    assert served(two(wants(QUERY, 1000), use())) == [("a", QUERY, 80 - 24)]
    assert served(two(wants(CANCEL, 1000), use())) == [("a", CANCEL, 100 - 24)]


def test_what_is_foreseen_is_divided_and_who_waits_goes_first() -> None:
    assert served(two(wants(QUERY, 1000), wants(QUERY, 1000))) == [("a", QUERY, 28), ("b", QUERY, 28)]
    assert served(two(wants(QUERY, 1000), wants(QUERY, 40, 40))) == [("b", QUERY, 40), ("a", QUERY, 16)]


def test_cancels_go_before_reducing_before_new_orders_before_queries() -> None:
    pool = two(wants(QUERY, 60, 60), wants(NEW, 60, 60))
    assert served(pool) == [("b", NEW, 60)]
    pool.heard("b", wants(CANCEL, 10, 10), 2, LATER)
    assert served(pool) == [("b", CANCEL, 10)]


def test_who_waits_longest_is_not_overtaken_by_who_wants_less() -> None:
    pool = two(wants(QUERY, 1, 0), wants(QUERY, 30, 30))
    pool.heard("c", wants(QUERY, 29, 29), 2, LATER + 1)
    pool.heard("d", wants(QUERY, 2, 2), 2, LATER + 2)
    assert served(pool) == [("b", QUERY, 30)]
    assert served(pool, next_turn(LATER, W)) == [("c", QUERY, 29), ("d", QUERY, 2), ("a", QUERY, 1)]


def test_what_others_use_of_the_limit_is_not_lent() -> None:
    assert served(two(wants(QUERY, 1000), use(spent=10, counted=40))) == [("a", QUERY, 80 - 24 - 30)]


def test_a_lease_on_its_way_counts_and_what_is_returned_can_be_lent_again() -> None:
    pool = two(wants(QUERY, 30), use())
    [(_, lease)] = pool.serve(LATER)
    pool.heard("b", wants(QUERY, 1000), 2, LATER)
    assert served(pool) == [("b", QUERY, 80 - 24 - 30)]
    pool = two(use(granted=30, heard=lease.serial), wants(QUERY, 1000))
    assert served(pool) == [("b", QUERY, 80 - 24 - 30)]
    pool = two(use(granted=0, heard=lease.serial), wants(QUERY, 1000))
    assert served(pool) == [("b", QUERY, 80 - 24)]


def test_the_share_of_one_that_died_comes_back_when_the_window_ends() -> None:
    pool = two(use(granted=40), wants(QUERY, 1000))
    pool.gone("a", LATER)
    its_next_life = 12
    assert served(pool) == [("b", QUERY, 80 - 24 - 40 - its_next_life)]
    pool.heard("b", wants(QUERY, 1000), 1, LATER)
    assert served(pool, next_turn(LATER, W)) == [("b", QUERY, 80 - 12)]


def test_it_comes_back_at_once_when_the_counterpart_has_counted_since() -> None:
    pool = two(use(spent=10, granted=40, counted=10), wants(QUERY, 1000))
    pool.gone("a", LATER)
    pool.heard("b", use(100, 0, 0, 12, 0, Wish(QUERY, 1000, 0)), 1, LATER + UNDER_WAY_NS)
    assert served(pool, LATER + UNDER_WAY_NS) == [("b", QUERY, 80 - 24 - 40 - 2)]
    pool = two(use(spent=10, granted=40, counted=10), wants(QUERY, 1000))
    pool.gone("a", LATER)
    pool.heard("b", use(100, 0, 0, 16, 0, Wish(QUERY, 1000, 0)), 1, LATER + UNDER_WAY_NS + 1)
    its_own, spent, of_nobody_else_known = 12, 10, 6
    left = 80 - its_own - spent - of_nobody_else_known
    assert served(pool, LATER + UNDER_WAY_NS + 1) == [("b", QUERY, left)]


def test_a_new_pool_lends_nothing_before_it_has_heard_everybody() -> None:
    pool = Pool(SHARES, LATER)
    pool.heard("a", wants(QUERY, 1000), 2, LATER)
    assert served(pool) == []
    pool.heard("b", use(granted=40), 2, LATER)
    assert served(pool) == [("a", QUERY, 80 - 24 - 40)]
    alone = Pool(SHARES, LATER)
    alone.heard("a", wants(QUERY, 1000), 2, LATER)
    assert served(alone, next_turn(LATER, W)) == [("a", QUERY, 80 - 24)]


def test_without_a_pool_a_holder_lives_on_its_own_share_with_a_reserve_for_cancels() -> None:
    bucket = LeasedBucket(400, W, SHARES, 2)
    assert sum(bucket.take(1, QUERY, LATER) == 0 for _ in range(400)) == 20
    assert sum(bucket.take(1, NEW, LATER) == 0 for _ in range(400)) == 10
    assert sum(bucket.take(1, CANCEL, LATER) == 0 for _ in range(400)) == 20
    assert bucket.take(1, CANCEL, LATER) > 0
    assert bucket.take(1, CANCEL, next_turn(LATER, W)) == 0


def test_a_holder_asks_ahead_and_returns_what_it_does_not_need() -> None:
    bucket = LeasedBucket(4000, W, SHARES, 2)
    assert bucket.take(10, NEW, LATER) == 0
    asked = bucket.look(LATER + LOOK_NS)
    assert asked.wishes == (Wish(NEW, 40, 0),)
    pool = Pool(SHARES, NOW - W)
    pool.heard("a", asked, 2, LATER)
    [(_, lease)] = pool.serve(LATER)
    bucket.put(lease, LATER)
    assert bucket.look(LATER).granted == 40
    looks = [bucket.look(LATER + step * LOOK_NS) for step in range(100)]
    assert looks[-1].granted == 0
    assert looks[-1].wishes == ()


def test_what_the_counterpart_has_counted_stops_a_holder_that_has_a_lease() -> None:
    bucket = LeasedBucket(100, W, SHARES, 1)
    pool = Pool(SHARES, NOW - W)
    pool.heard("a", Use(100, W, LATER // W, 25, 0, 0, 0, 0, (Wish(QUERY, 50, 0),)), 1, LATER)
    [(_, lease)] = pool.serve(LATER)
    bucket.put(lease, LATER)
    bucket.learn(75, LATER)
    assert bucket.take(5, QUERY, LATER) == 0
    assert bucket.take(6, QUERY, LATER) > 0
    assert bucket.take(6, CANCEL, LATER) == 0


class World:
    """Holders, a pool and a counterpart with clocks of their own, messages that take their time and get lost."""

    def __init__(self, seed: int, holders: int = 6, limit: int = 300) -> None:
        self.random = Random(seed)
        self.limit = limit
        self.now = NOW
        self.pool: Pool | None = Pool(SHARES, NOW)
        self.count = holders
        self.buckets = {index: LeasedBucket(limit, W, SHARES, holders) for index in range(holders)}
        self.skew = {index: self.random.randrange(-W // 300, W // 300) for index in range(-1, holders)}
        self.demand = {index: self.random.choice((0, 1, 3, 10)) for index in range(holders)}
        self.counted: dict[int, int] = defaultdict(int)
        self.by_lane: dict[int, int] = defaultdict(int)
        self.served: dict[tuple[int, int], int] = defaultdict(int)
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    def at(self, delay: int, call: Callable[..., None], *arguments: Any) -> None:
        self._number += 1
        heappush(self._events, (self.now + delay, self._number, call, arguments))

    def latency(self) -> int:
        return self.random.randrange(1, W // 300)

    def run(self, windows: int, *, faults: bool = True) -> None:
        for index in self.buckets:
            self.at(self.random.randrange(LOOK_NS), self.look, index)
            self.at(0, self.spend, index)
        self.at(0, self.turn)
        if faults:
            self.at(W // 3, self.fault)
        while self._events and self._events[0][0] < NOW + windows * W:
            self.now, _, call, arguments = heappop(self._events)
            call(*arguments)

    def spend(self, index: int) -> None:
        clock = self.now + self.skew[index]
        for _ in range(self.demand[index]):
            lane = self.random.choice((CANCEL, 1, NEW, QUERY, HISTORY))
            cost = self.random.choice((1, 1, 5, 40)) if lane >= QUERY else 1
            if self.buckets[index].take(cost, lane, clock) == 0:
                self.at(self.random.randrange(W // 400), self.arrive, index, cost, lane)
        self.at(self.random.randrange(W // 50), self.spend, index)

    def arrive(self, index: int, cost: int, lane: int) -> None:
        window = (self.now + self.skew[-1]) // W
        self.counted[window] += cost
        self.served[window, index] += cost
        self.by_lane[lane] += cost
        if self.random.random() < 0.5:
            self.at(self.random.randrange(W // 400), self.learn, index, self.counted[window])

    def learn(self, index: int, counted: int) -> None:
        self.buckets[index].learn(counted, self.now + self.skew[index])

    def look(self, index: int) -> None:
        told = self.buckets[index].look(self.now + self.skew[index])
        self.at(self.latency(), self.hear, index, told)
        self.at(LOOK_NS, self.look, index)

    def hear(self, index: int, told: Use) -> None:
        if self.pool is not None and self.random.random() > 0.02:
            self.pool.heard(str(index), told, self.count, self.now)
            self.serve()

    def serve(self) -> None:
        if self.pool is not None:
            for name, lease in self.pool.serve(self.now):
                if self.random.random() > 0.02:
                    self.at(self.latency(), self.put, name, lease)

    def put(self, name: str, lease: Any) -> None:
        self.buckets[int(name)].put(lease, self.now + self.skew[int(name)])

    def turn(self) -> None:
        self.serve()
        self.at(next_turn(self.now, W) - self.now, self.turn)

    def fault(self) -> None:
        """The pool ends and begins anew later, knowing nothing; or others are hungry."""
        if self.random.random() < 0.4:
            self.pool = None
            self.at(self.random.randrange(2 * W), self.begin_pool)
        else:
            self.demand = {index: self.random.choice((0, 1, 3, 10)) for index in self.demand}
        self.at(self.random.randrange(W), self.fault)

    def begin_pool(self) -> None:
        self.pool = self.pool or Pool(SHARES, self.now, self._number << 20)


@pytest.mark.parametrize("seed", range(8))
def test_no_window_of_the_counterpart_ever_sees_more_than_the_limit(seed: int) -> None:
    world = World(seed)
    world.run(16)
    assert max(world.counted.values()) <= world.limit


def test_together_they_use_nearly_all_of_it_and_nobody_starves() -> None:
    world = World(1)
    world.demand = dict.fromkeys(world.buckets, 10)
    world.run(12, faults=False)
    whole = [world.counted[NOW // W + index] for index in range(2, 11)]
    assert min(whole) > 0.75 * world.limit
    for index in world.buckets:
        assert sum(world.served[NOW // W + window, index] for window in range(2, 11)) > 0.3 * sum(whole) / world.count
