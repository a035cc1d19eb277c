"""What passes the arbiter, kind by kind."""

from collections.abc import Sequence

from actors.arbitration import Arbiter
from actors.arbitration.numbered import HOLD_NS
from actors.messages import (
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    Kline,
    Liquidation,
    MarketEvent,
    MarkPrice,
    Quote,
    Trade,
)
from actors.model.order import Side
from runtime.clock import NS_PER_S

A, B = "connector.binance", "standby.binance"
V, S = "binance", "BTCUSDT"
BOOK = f"book.{V}.{S}"
HOUR_NS = 3600 * NS_PER_S


class Bench:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.arbiter = Arbiter(lambda source, topic: self.asked.append((source, topic)))
        self.now = 1_000 * NS_PER_S

    def take(self, source: str, *events: MarketEvent) -> list[MarketEvent]:
        return [passed for event in events for passed in self.arbiter.take(source, event, self.now)]

    def trades(self, source: str, *numbers: int | str) -> list[str]:
        return ids(self.take(source, *(trade(number) for number in numbers)))


def ids(events: Sequence[MarketEvent]) -> list[str]:
    return [event.trade_id for event in events if isinstance(event, Trade)]


def trade(number: int | str, ts_venue: int = 0) -> Trade:
    return Trade(V, S, str(number), "1", "1", Side.BUY, ts_venue, 0)


def quote(sequence: int, degraded: bool = False, ts_venue: int = 0) -> Quote:
    return Quote(V, S, "1", "1", "2", "1", ts_venue, 0, degraded, sequence)


def kline(start: int, ts_venue: int, closed: bool = False) -> Kline:
    return Kline(V, S, "1m", start, start + 60, "1", "1", "1", "1", "1", "1", 1, "1", "1", closed, ts_venue, 0)


def snapshot(sequence: int, degraded: bool = False) -> BookSnapshot:
    return BookSnapshot(V, S, sequence, [("1", "1")], [("2", "1")], 0, 0, degraded)


def delta(previous: int, sequence: int) -> BookDelta:
    return BookDelta(V, S, previous, sequence, [("1", str(sequence))], [], 0, 0)


def lost(reason: str = "GAP: x") -> BookInvalidated:
    return BookInvalidated(V, S, reason, 0)


# ---- trades


def test_a_trade_passes_once_whoever_is_first() -> None:
    bench = Bench()
    assert bench.trades(A, 1, 2) == ["1", "2"]
    assert bench.trades(B, 1, 2, 3) == ["3"]
    assert bench.trades(A, 3, 4) == ["4"]
    assert bench.arbiter.counts().repeated == 3
    assert bench.arbiter.counts().gaps == 0


def test_a_hole_waits_for_the_source_that_has_not_come_so_far() -> None:
    bench = Bench()
    bench.trades(A, 1, 2)
    bench.trades(B, 1)
    assert bench.trades(A, 5, 6) == []
    assert bench.trades(B, 2, 3) == ["3"]
    assert bench.trades(B, 4) == ["4", "5", "6"]
    assert bench.arbiter.due == 0
    assert bench.arbiter.counts().gaps == 0


def test_a_hole_that_nobody_can_fill_passes_at_once_and_is_counted() -> None:
    bench = Bench()
    bench.trades(A, 1, 2)
    bench.trades(B, 1, 2)
    assert bench.trades(A, 5) == []
    assert bench.trades(B, 5) == ["5"]
    assert bench.arbiter.counts().gaps == 2


def test_one_source_alone_is_never_waited_for() -> None:
    bench = Bench()
    assert bench.trades(A, 1, 5, 6) == ["1", "5", "6"]
    assert bench.arbiter.counts().gaps == 3


def test_what_is_held_passes_when_time_is_up_and_the_late_one_is_not_waited_for_again() -> None:
    bench = Bench()
    bench.trades(A, 1)
    bench.trades(B, 1)
    assert bench.trades(A, 3) == []
    due = bench.arbiter.due
    assert due == bench.now + HOLD_NS
    assert bench.arbiter.release(due - 1) == []
    assert ids(bench.arbiter.release(due)) == ["3"]
    assert bench.arbiter.due == 0
    assert bench.trades(A, 5) == ["5"], "the frozen one is not waited for"
    assert bench.trades(B, 2, 3, 4) == []
    assert bench.trades(B, 5, 6) == ["6"]
    assert bench.trades(A, 8) == [], "it has caught up: it is waited for again (and A may be, too)"
    assert bench.arbiter.counts().gaps == 2


def test_what_waits_for_a_source_passes_when_that_is_gone() -> None:
    bench = Bench()
    bench.trades(A, 1)
    bench.trades(B, 1)
    assert bench.trades(A, 4) == []
    assert ids(bench.arbiter.gone(B, "killed", bench.now)) == ["4"]
    assert bench.trades(B, 3, 4, 5) == ["5"], "its next life tells nothing again"


def test_ids_that_are_no_numbers_pass_once() -> None:
    bench = Bench()
    assert bench.trades(A, "x-1", "x-9") == ["x-1", "x-9"]
    assert bench.trades(B, "x-1", "x-5") == ["x-5"]
    assert bench.trades(A, "x-9", "x-5") == []


def test_a_venue_that_counts_from_the_beginning_is_heard() -> None:
    bench = Bench()
    bench.take(A, trade(1_000, HOUR_NS))
    assert bench.take(B, trade(900, HOUR_NS - 1)) == []
    assert ids(bench.take(A, trade(1, 2 * HOUR_NS), trade(2, 2 * HOUR_NS))) == ["1", "2"]
    assert bench.take(B, trade(2, 2 * HOUR_NS)) == []


# ---- quotes and the like


def test_an_older_quote_never_follows_a_newer_one() -> None:
    bench = Bench()
    assert len(bench.take(A, quote(5), quote(9))) == 2
    assert bench.take(B, quote(5), quote(7), quote(9)) == []
    assert len(bench.take(B, quote(10))) == 1
    bench.arbiter.gone(A, "killed", bench.now)
    bench.arbiter.gone(B, "killed", bench.now)
    assert bench.take(A, quote(8)) == []


def test_quotes_without_a_number_go_by_the_venues_time_and_without_that_the_last_one_counts() -> None:
    bench = Bench()
    assert len(bench.take(A, quote(0, ts_venue=5))) == 1
    assert bench.take(B, quote(0, ts_venue=4)) == []
    bench = Bench()
    assert len(bench.take(A, quote(0)) + bench.take(B, quote(0))) == 2


def test_quotes_of_a_venue_that_counts_from_the_beginning_pass_after_a_while() -> None:
    bench = Bench()
    bench.take(A, quote(1_000))
    assert bench.take(A, quote(3)) == []
    bench.now += 6 * NS_PER_S
    assert len(bench.take(A, quote(4))) == 1


def test_what_rest_says_passes_only_while_nobody_has_the_stream() -> None:
    bench = Bench()
    bench.take(A, quote(5))
    bench.take(B, quote(5))
    assert bench.take(A, quote(0, degraded=True)) == []
    assert len(bench.take(B, quote(0, degraded=True))) == 1
    assert len(bench.take(B, quote(6))) == 1
    assert bench.take(A, quote(0, degraded=True)) == []


def test_a_quote_that_the_reader_lost_passes_again() -> None:
    bench = Bench()
    bench.take(A, quote(5))
    bench.arbiter.shed(f"quote.{V}.{S}")
    assert len(bench.take(B, quote(5))) == 1
    assert bench.take(A, quote(5)) == []


def test_a_bar_is_closed_once() -> None:
    bench = Bench()
    assert len(bench.take(A, kline(0, 10), kline(0, 20, closed=True))) == 2
    assert bench.take(B, kline(0, 10), kline(0, 21, closed=True)) == []
    assert len(bench.take(B, kline(60, 21))) == 1


def test_mark_prices_go_by_the_venues_time() -> None:
    bench = Bench()
    first, second = (MarkPrice(V, S, "1", "1", "0", 0, ts_venue, 0) for ts_venue in (1, 2))
    assert bench.take(A, second) == [second]
    assert bench.take(B, first, second) == []


def test_liquidations_that_are_alike_pass_as_often_as_one_source_tells_them() -> None:
    bench = Bench()
    same = [Liquidation(V, S, Side.SELL, "1", "1", "1", 5, ts_recv) for ts_recv in (1, 2, 3)]
    assert len(bench.take(A, same[0], same[1])) == 2
    assert bench.take(B, same[0], same[1]) == []
    assert len(bench.take(B, same[2])) == 1


# ---- books


def test_a_book_is_led_on_by_whoever_is_first_also_by_an_overlapping_update() -> None:
    bench = Bench()
    bench.take(A, snapshot(10))
    assert bench.take(B, snapshot(8)) == []
    assert bench.take(A, delta(10, 14)) == [delta(10, 14)]
    assert bench.take(B, delta(8, 12)) == []
    (led,) = bench.take(B, delta(12, 20))
    assert isinstance(led, BookDelta)
    assert (led.previous, led.sequence, led.bids) == (14, 20, [("1", "20")])
    assert bench.take(A, delta(14, 20)) == []
    assert bench.asked == []


def test_a_book_lost_by_one_source_is_no_news_while_another_has_it() -> None:
    bench = Bench()
    bench.take(A, snapshot(10))
    bench.take(B, snapshot(10))
    assert bench.take(A, lost()) == []
    assert len(bench.take(B, delta(10, 11))) == 1
    assert bench.take(B, lost("GAP: y")) == [lost("GAP: y")]
    assert bench.take(B, delta(11, 12)) == []
    assert bench.take(A, snapshot(12)) == [snapshot(12)]


def test_a_source_that_stands_further_is_asked_when_nobody_leads_the_book_there() -> None:
    bench = Bench()
    bench.take(A, snapshot(10), delta(10, 11))
    bench.take(B, delta(20, 30))
    assert bench.asked == [], "A leads it there"
    (down,) = bench.arbiter.gone(A, "killed", bench.now)
    assert isinstance(down, BookInvalidated)
    assert down.reason == f"SOURCE_DOWN: {A}: killed"
    assert bench.asked == [(B, BOOK)]
    assert bench.take(B, delta(30, 31)) == []
    assert bench.asked == [(B, BOOK)], "once is enough"
    assert bench.take(B, snapshot(31), delta(31, 32)) == [snapshot(31), delta(31, 32)]


def test_a_gap_of_the_only_source_makes_the_book_invalid() -> None:
    bench = Bench()
    bench.take(A, snapshot(10))
    (down,) = bench.take(A, delta(11, 12))
    assert isinstance(down, BookInvalidated)
    assert bench.asked == [(A, BOOK)]


def test_the_death_of_all_makes_the_book_invalid_and_the_next_life_heals_it() -> None:
    bench = Bench()
    bench.take(A, snapshot(10))
    bench.take(B, snapshot(10))
    assert bench.arbiter.gone(A, "killed", bench.now) == []
    assert len(bench.arbiter.gone(B, "killed", bench.now)) == 1
    assert bench.take(A, snapshot(3)) == [snapshot(3)], "whatever its sequence: nobody else has a book"


def test_a_polled_book_shows_only_while_nobody_has_the_stream() -> None:
    bench = Bench()
    bench.take(A, snapshot(10))
    bench.take(B, snapshot(10), lost())
    assert bench.take(B, snapshot(50, degraded=True)) == []
    polled = snapshot(60, degraded=True)
    assert bench.take(A, lost(), polled) == [lost(), polled]
    assert bench.take(B, snapshot(55, degraded=True)) == []
    assert bench.take(B, delta(60, 61)) == [], "nothing continues a polled book"
    assert bench.take(B, snapshot(61)) == [snapshot(61)]


def test_a_reader_that_shed_begins_with_the_next_snapshot() -> None:
    bench = Bench()
    bench.take(A, snapshot(10), delta(10, 20))
    bench.arbiter.shed(BOOK)
    assert bench.take(A, delta(20, 21)) == []
    assert bench.take(B, snapshot(15)) == [snapshot(15)]
    assert len(bench.take(B, delta(15, 22))) == 1
