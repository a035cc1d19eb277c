"""What is asked of the venue because somebody reads it, and when that ends."""

from actors.messages import MiniTicker, Quote
from runtime.actor import Subscribed
from tests.actors.bench import NOW, Bench, S

MINI = MiniTicker("venue", "BTC", "1", "1", "1", "1", "1", "1", NOW, NOW)


def calls(bench: Bench) -> list[tuple[str, ...]]:
    taken, bench.protocol.calls = bench.protocol.calls, []
    return [call for call in taken if call[0] in ("follow", "unfollow")]


def test_the_first_reader_opens_a_stream_and_the_last_one_ends_it_some_time_after_it_has_gone() -> None:
    bench = Bench(("BTC", "ETH"))
    bench.tell(Subscribed("strategy.a", ("kline_1m.venue.BTC", "quote.venue.BTC")))
    bench.tell(Subscribed("strategy.b", ("kline_1m.venue.*",)))
    assert calls(bench) == [("follow", "kline_1m", "BTC"), ("follow", "kline_1m", "ETH")]
    bench.tell(Subscribed("strategy.a", ()))
    bench.pass_time(60 * S)
    assert calls(bench) == []
    bench.tell(Subscribed("strategy.b", ("kline_1m.venue.ETH",)))
    bench.pass_time(29 * S)
    assert calls(bench) == []
    bench.pass_time(1 * S)
    assert calls(bench) == [("unfollow", "kline_1m", "BTC")]


def test_a_reader_that_is_back_in_time_finds_its_stream_open() -> None:
    bench = Bench()
    bench.tell(Subscribed("strategy.a", ("ticker.venue.BTC",)))
    bench.tell(Subscribed("strategy.a", ()))
    bench.pass_time(20 * S)
    bench.tell(Subscribed("strategy.a", ("ticker.venue.BTC",)))
    bench.pass_time(60 * S)
    assert calls(bench) == [("follow", "ticker", "BTC")]


def test_what_comes_anyway_is_not_asked_for_and_wildcards_ask_for_configured_symbols_only() -> None:
    bench = Bench(("BTC", "ETH"))
    bench.tell(Subscribed("recorder", ("*", "*.venue.BTC", "trade.venue.*", "book.venue.BTC", "ticker.other.BTC")))
    assert calls(bench) == []
    bench.tell(Subscribed("strategy.a", ("book.venue.DOGE", "trade.venue.ETH", "ticker.venue.E*")))
    assert calls(bench) == [("follow", "book", "DOGE"), ("follow", "ticker", "ETH")]


def test_events_of_a_followed_stream_are_published_and_the_last_one_awaits_the_next_reader() -> None:
    bench = Bench()
    bench.tell(Subscribed("strategy.a", ("miniticker.venue.BTC", "quote.venue.DOGE")))
    doge = Quote("venue", "DOGE", "1", "2", "3", "4", 0, NOW)
    bench.frame(MINI, doge)
    assert bench.ctx.published == [("miniticker.venue.BTC", MINI), ("quote.venue.DOGE", doge)]
    bench.tell(Subscribed("strategy.b", ("miniticker.venue.BTC", "quote.venue.DOGE")))
    assert sorted(topic for topic, _ in bench.ctx.published[2:]) == ["miniticker.venue.BTC", "quote.venue.DOGE"]
    bench.tell(Subscribed("strategy.a", ()))
    bench.tell(Subscribed("strategy.b", ()))
    bench.pass_time(30 * S)
    bench.ctx.published.clear()
    bench.tell(Subscribed("strategy.c", ("miniticker.venue.BTC",)))
    assert bench.ctx.published == []
