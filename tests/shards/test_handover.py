"""A reader while a symbol moves from one connector to another, event by event."""

from actors.feeds import LINGER_NS, MarketFeeds
from actors.handover import QUIET_NS
from actors.messages import BookDelta, BookSnapshot, FeedsMoved, MarketEvent, Quote, Trade
from actors.model.order import Side
from actors.settings import VenueSettings
from runtime.message import Message
from tests.support.context import RecordingContext

OLD, NEW = "connector.binance", "connector.binance.1"
BTC = "BTCUSDT"


def trade(number: int, symbol: str = BTC) -> Trade:
    return Trade("binance", symbol, str(number), "1", "1", Side.BUY, 0, 0)


def quote(sequence: int) -> Quote:
    return Quote("binance", BTC, "1", "1", "2", "1", 0, 0, False, sequence)


def snapshot(sequence: int) -> BookSnapshot:
    return BookSnapshot("binance", BTC, sequence, [("1", "1")], [("2", "1")], 0, 0)


def delta(previous: int, sequence: int) -> BookDelta:
    return BookDelta("binance", BTC, previous, sequence, [("1", str(sequence))], [], 0, 0)


class Reader:
    """Of two symbols, both published by the old connector at first; one of them moves."""

    def __init__(self, **settings: int) -> None:
        self.ctx = RecordingContext("strategy.maker")
        self.feeds = MarketFeeds({"binance": VenueSettings(kind="binance", symbols=[BTC, "ETHUSDT"], **settings)})
        self.feeds.read("binance", [BTC, "ETHUSDT"], ("trade", "book"), self.ctx)

    def hears(self, publisher: str, *events: MarketEvent) -> list[Message]:
        return [passed for event in events for passed in self.feeds.take(publisher, event, self.ctx.now())]

    def move(self, *publishers: str) -> None:
        self.feeds.on_moved(FeedsMoved("binance", {BTC: publishers}), self.ctx)


def test_it_reads_both_then_only_the_new_one() -> None:
    reader = Reader()
    (before,) = reader.ctx.subscriptions
    assert before[0] == OLD
    assert reader.ctx.merger is None
    reader.move(NEW, OLD)
    assert reader.ctx.subscriptions == [before, (NEW, ("trade.binance.BTCUSDT", "book.binance.BTCUSDT"))]
    assert reader.ctx.merged == {OLD, NEW}
    assert reader.ctx.refreshed == [(OLD, "book.binance.BTCUSDT")]
    assert reader.feeds.of("binance.BTCUSDT") == (NEW, OLD)
    reader.ctx.subscriptions.append((OLD, ("trade.binance.BTCUSDT", "book.binance.BTCUSDT")))
    reader.move(NEW)
    assert reader.ctx.subscriptions == [before, (NEW, ("trade.binance.BTCUSDT", "book.binance.BTCUSDT"))]
    assert reader.feeds.of("binance.BTCUSDT") == (NEW,)
    assert reader.feeds.of("binance.ETHUSDT") == (OLD,)


def test_to_be_told_the_same_again_changes_nothing() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    before = list(reader.ctx.subscriptions)
    reader.move(NEW, OLD)
    assert reader.ctx.subscriptions == before
    assert len(reader.ctx.refreshed) == 1


def test_what_the_new_one_tells_waits_until_the_old_one_has_shown_how_far_the_reader_is() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    assert reader.hears(NEW, trade(7), trade(8)) == []
    assert reader.hears(OLD, trade(6)) == [trade(6), trade(7), trade(8)]
    assert reader.hears(OLD, trade(7), trade(8), trade(9)) == [trade(9)]
    assert reader.hears(NEW, trade(9), trade(10)) == [trade(10)]


def test_a_gap_of_the_new_one_is_filled_by_the_old_one_which_lags_behind() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    assert reader.hears(OLD, trade(5)) == [trade(5)]
    assert reader.hears(NEW, trade(8), trade(9)) == []
    assert reader.hears(OLD, trade(6), trade(7)) == [trade(6), trade(7), trade(8), trade(9)]


def test_an_old_one_that_has_nothing_to_say_is_not_waited_for_for_ever() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    assert reader.hears(NEW, trade(7)) == []
    assert reader.feeds.due == reader.ctx.now() + QUIET_NS
    assert reader.feeds.release(reader.ctx.now()) == []
    reader.ctx.time += QUIET_NS
    assert list(reader.feeds.release(reader.ctx.now())) == [trade(7)]
    assert reader.hears(OLD, trade(7)) == []


def test_an_old_one_that_dies_is_not_waited_for() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    reader.hears(NEW, trade(7))
    kept = ("trade.binance.BTCUSDT", "book.binance.BTCUSDT")
    assert list(reader.feeds.gone(OLD, "less is read of it", reader.ctx.now(), kept)) == []
    assert list(reader.feeds.gone(OLD, "killed", reader.ctx.now())) == [trade(7)]


def test_the_book_goes_on_without_a_step_and_is_never_set_back() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    assert reader.hears(NEW, snapshot(90), delta(90, 100), delta(100, 110)) == []
    assert reader.hears(OLD, delta(95, 100)) == [delta(95, 100)]
    assert reader.hears(OLD, snapshot(100)) == [snapshot(100), delta(100, 110)]
    assert reader.hears(OLD, delta(100, 110), delta(110, 120)) == [delta(110, 120)]
    assert reader.hears(NEW, delta(110, 120), delta(120, 130)) == [delta(120, 130)]


def test_what_the_new_one_still_repeats_after_the_old_one_was_left_is_kept_back() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    reader.hears(OLD, trade(5), trade(6), trade(7))
    reader.ctx.subscriptions.append((OLD, ("trade.binance.BTCUSDT", "book.binance.BTCUSDT")))
    reader.move(NEW)
    reader.feeds.gone(OLD, "not subscribed to any more", reader.ctx.now(), ("trade.binance.ETHUSDT",))
    assert reader.hears(NEW, trade(6), trade(7), trade(8)) == [trade(8)]
    reader.ctx.time += LINGER_NS
    reader.feeds.release(reader.ctx.now())
    assert reader.ctx.merger is None
    assert reader.hears(NEW, trade(9)) == [trade(9)]


def test_other_symbols_of_the_same_connectors_are_not_touched() -> None:
    reader = Reader()
    reader.move(NEW, OLD)
    eth = [trade(3, "ETHUSDT"), trade(3, "ETHUSDT"), trade(9, "ETHUSDT")]
    assert reader.hears(OLD, *eth) == eth


def test_a_reader_that_begins_in_the_midst_reads_both_from_the_start() -> None:
    ctx = RecordingContext("strategy.maker")
    settings = VenueSettings(kind="binance", symbols=[BTC], shards=2, pinned={BTC: 1}, leaving={BTC: 0})
    feeds = MarketFeeds({"binance": settings})
    feeds.read("binance", [BTC], ("trade",), ctx)
    assert [publisher for publisher, _ in ctx.subscriptions] == [NEW, OLD]
    assert ctx.merged == {OLD, NEW}
    assert list(feeds.take(NEW, trade(7), ctx.now())) == [trade(7)]
    assert list(feeds.take(OLD, trade(7), ctx.now())) == []
