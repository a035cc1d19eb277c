"""Bars against literals and against an oracle that groups the whole list of trades at the end."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.bars import Bar, BarBuilder

MINUTE = 60_000_000_000


def bar(start: int, prices: str, volume: str, trades: int) -> Bar:
    first, high, low, last = (Decimal(price) for price in prices.split())
    return Bar("binance.BTCUSDT", start, start + MINUTE, first, high, low, last, Decimal(volume), trades)


def test_a_bar_is_closed_by_the_first_trade_at_or_after_its_end() -> None:
    builder = BarBuilder("binance.BTCUSDT", MINUTE)
    assert builder.add(Decimal("100"), Decimal("1"), MINUTE + 5) == []
    assert builder.add(Decimal("103"), Decimal("0.5"), MINUTE + 6) == []
    assert builder.add(Decimal("99"), Decimal("2"), MINUTE + 7) == []
    assert builder.add(Decimal("101"), Decimal("1"), 2 * MINUTE - 1) == []

    assert builder.add(Decimal("105"), Decimal("1"), 2 * MINUTE) == [bar(MINUTE, "100 103 99 101", "4.5", 4)]


def test_a_bar_is_closed_by_time_when_no_trade_comes() -> None:
    builder = BarBuilder("binance.BTCUSDT", MINUTE)
    builder.add(Decimal("100"), Decimal("1"), 30)

    assert builder.close_until(MINUTE - 1) == []
    assert builder.close_until(MINUTE) == [bar(0, "100 100 100 100", "1", 1)]
    assert builder.close_until(MINUTE) == []


def test_bars_without_a_trade_are_flat_at_the_last_close() -> None:
    builder = BarBuilder("binance.BTCUSDT", MINUTE)
    builder.add(Decimal("100"), Decimal("1"), 30)
    builder.add(Decimal("98"), Decimal("1"), 31)

    assert builder.add(Decimal("120"), Decimal("3"), 3 * MINUTE + 1) == [
        bar(0, "100 100 98 98", "2", 2),
        bar(MINUTE, "98 98 98 98", "0", 0),
        bar(2 * MINUTE, "98 98 98 98", "0", 0),
    ]
    assert builder.close_until(4 * MINUTE) == [bar(3 * MINUTE, "120 120 120 120", "3", 1)]


def test_there_is_no_bar_before_the_first_trade() -> None:
    assert BarBuilder("binance.BTCUSDT", MINUTE).close_until(10 * MINUTE) == []


def test_a_late_trade_counts_in_the_open_bar() -> None:
    builder = BarBuilder("binance.BTCUSDT", MINUTE)
    builder.add(Decimal("100"), Decimal("1"), 30)
    builder.close_until(MINUTE)

    assert builder.add(Decimal("97"), Decimal("2"), MINUTE - 1) == []
    assert builder.close_until(2 * MINUTE) == [bar(MINUTE, "97 97 97 97", "2", 1)]


def test_a_length_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        BarBuilder("binance.BTCUSDT", 0)


Ticks = list[tuple[int, int, int]]


def oracle(ticks: Ticks, length: int, until: int) -> list[Bar]:
    """Group by interval all at once; ticks are (time, price, quantity), in time order."""
    bars: list[Bar] = []
    for start in range(ticks[0][0] // length * length, until // length * length, length):
        inside = [(price, quantity) for ts, price, quantity in ticks if start <= ts < start + length]
        prices = [Decimal(price) for price, _ in inside] or [bars[-1].close]
        volume = sum((Decimal(quantity) for _, quantity in inside), Decimal(0))
        first, last = prices[0], prices[-1]
        bars.append(Bar("v.S", start, start + length, first, max(prices), min(prices), last, volume, len(inside)))
    return bars


@given(
    ticks=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50), st.integers(1, 9)), min_size=1).map(sorted),
    length=st.integers(1, 60),
    looks=st.lists(st.integers(0, 500)),
    after=st.integers(0, 200),
)
def test_bars_are_those_of_the_oracle_whenever_the_time_is_looked_at(
    ticks: Ticks, length: int, looks: list[int], after: int
) -> None:
    builder = BarBuilder("v.S", length)
    bars: list[Bar] = []
    events: list[tuple[int, int, int, int]] = [(ts, 1, price, quantity) for ts, price, quantity in ticks]
    events += [(ts, 0, 0, 0) for ts in looks]
    for ts, is_trade, price, quantity in sorted(events):
        bars += builder.add(Decimal(price), Decimal(quantity), ts) if is_trade else builder.close_until(ts)
    until = max(events)[0] + after
    bars += builder.close_until(until)

    assert bars == oracle(ticks, length, until)
