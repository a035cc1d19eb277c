"""What makes no sense is quarantined: counted by rule, kept, published apart, and never passed on."""

import msgspec
import pytest

from actors.connector.validation import TURN_NS, Validator
from actors.messages import EventQuarantined, Kline, MarketEvent, MiniTicker, Quote, Ticker, Trade
from actors.model.order import Side
from tests.actors.bench import NOW, Bench, S


def quote(bid: str = "100", ask: str = "101", ts_recv: int = NOW, ts_venue: int = 0) -> Quote:
    return Quote("venue", "BTC", bid, "1", ask, "1", ts_venue, ts_recv)


def trade(price: str = "100", ts_recv: int = NOW, ts_venue: int = NOW) -> Trade:
    return Trade("venue", "BTC", "1", price, "1", Side.BUY, ts_venue, ts_recv)


def mini(last: str) -> MiniTicker:
    return MiniTicker("venue", "BTC", last, "1", "1", "1", "1", "1", NOW, NOW)


def ticker(last: str, bid: str = "100", ask: str = "101") -> Ticker:
    return Ticker("venue", "BTC", last, "1", bid, "1", ask, "1", "1", "1", "1", "1", "1", "1", "0", "0", 1, NOW, NOW)


def kline(close: str) -> Kline:
    return Kline("venue", "BTC", "1m", 0, 1, "1", "1", "1", close, "1", "1", 1, "1", "1", False, NOW, NOW)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (quote("0", "101"), "PRICE_NOT_POSITIVE"),
        (quote("100", "0"), "PRICE_NOT_POSITIVE"),
        (quote("101", "101"), "CROSSED"),
        (quote("102", "101"), "CROSSED"),
        (quote("49", "101"), "PRICE_OUT_OF_RANGE"),
        (quote("100", "203"), "PRICE_OUT_OF_RANGE"),
        (quote("50", "202"), ""),
        (quote(ts_venue=NOW + 60 * S), ""),
        (quote(ts_venue=NOW + 60 * S + 1), "TIME_IN_FUTURE"),
        *[(quote(what), "PRICE_NOT_POSITIVE") for what in ("", ".", "1.2.3", "nan", "-1")],
        *[(quote("1", what), "PRICE_NOT_POSITIVE") for what in ("", "x", "nan", "inf")],
        *[(trade(what), "PRICE_NOT_POSITIVE") for what in ("", ".", "1.2.3", "nan", "-1", "inf")],
        *[(mini(what), "PRICE_NOT_POSITIVE") for what in ("", "1.2.3")],
        (trade("0"), "PRICE_NOT_POSITIVE"),
        (trade("49.9"), "PRICE_OUT_OF_RANGE"),
        (trade("202.1"), "PRICE_OUT_OF_RANGE"),
        (trade("150"), ""),
        (trade(ts_venue=NOW + 61 * S), "TIME_IN_FUTURE"),
        (mini("1000"), "PRICE_OUT_OF_RANGE"),
        (ticker("100"), ""),
        (ticker("1"), "PRICE_OUT_OF_RANGE"),
        (ticker("100", "102", "101"), "CROSSED"),
        (kline("1000"), "PRICE_OUT_OF_RANGE"),
        (kline("100"), ""),
    ],
)
def test_each_rule(event: MarketEvent, reason: str) -> None:
    bench = Bench()
    bench.frame(quote())
    bench.ctx.published.clear()
    bench.frame(event)
    if not reason:
        assert bench.ctx.published == [(event.topic, event)]
        return
    ((topic, quarantined),) = bench.ctx.published
    assert topic == "quarantine.venue"
    assert isinstance(quarantined, EventQuarantined)
    assert (quarantined.symbol, quarantined.reason) == ("BTC", reason)
    assert msgspec.json.decode(quarantined.event)[0] == type(event).__name__
    report = bench.connector.report()
    assert report.counters["quarantined"] == 1
    assert report.state["quarantine"]["reasons"] == {reason: 1}
    msgspec.msgpack.encode(report)


def test_the_first_price_of_a_symbol_is_taken_as_it_is() -> None:
    assert Validator().trade(trade("0.00000001")) == ""


def test_prices_wander_as_far_as_they_like_step_by_step() -> None:
    validator = Validator()
    price, now = 100.0, NOW
    for _ in range(20):
        price, now = price * 1.9, now + 10 * S
        assert validator.trade(trade(str(price), now, now)) == ""


def test_the_range_forgets_what_is_long_ago_but_not_what_is_recent() -> None:
    validator = Validator()
    validator.trade(trade("100"))
    validator.trade(trade("150", NOW + 30 * S, NOW))
    assert validator.trade(trade("290", NOW + 70 * S, NOW)) == ""
    assert validator.trade(trade("140", NOW + 140 * S, NOW)) == "PRICE_OUT_OF_RANGE"


def test_a_price_that_stays_elsewhere_becomes_the_market_after_two_turns_at_most() -> None:
    validator = Validator()
    validator.trade(trade("100"))
    verdicts = [validator.trade(trade("1000", NOW + second * S, NOW)) for second in range(1, 121)]
    assert verdicts[:59] == ["PRICE_OUT_OF_RANGE"] * 59
    assert verdicts[-1] == ""
    assert TURN_NS == 60 * S


def test_quarantined_events_are_kept_but_not_without_end() -> None:
    bench = Bench()
    for _ in range(100):
        bench.frame(quote("0", "1"))
    assert len(bench.connector.report().state["quarantine"]["last"]) == 16
    assert bench.connector.report().counters["quarantined"] == 100
