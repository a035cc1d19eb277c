"""Streams of the fake futures venue in memory: on demand, spread below the cap, handed over between sockets."""

from itertools import pairwise

import pytest

from actors.messages import (
    AggregateTrade,
    BookDelta,
    BookInvalidated,
    BookLevels,
    BookSnapshot,
    Kline,
    Liquidation,
    MarketEvent,
    MarkPrice,
    Ticker,
    Trade,
    VenueDown,
)
from actors.settings import VenueSettings
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.venues.binance.market_data import LIFE_NS
from actors.venues.binance.streams import INTERVALS
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import BadFrame, OpenLink, SendFrame
from runtime.clock import NS_PER_S
from tests.venues_usdm.world import START, World

KLINES = [f"kline_{interval}" for interval in INTERVALS if interval != "1s"]
KINDS = ["aggtrade", "ticker", "miniticker", "depth5", "depth10", "depth20", *KLINES]


def a_world(rate: float = 40.0) -> World:
    return World(FakeBinanceUsdm(START, seed=3, symbols=("BTCUSDT", "ETHUSDT"), rate=rate), ["BTCUSDT"])


@pytest.mark.parametrize("kind", KINDS)
def test_streams_on_demand_come_and_end(kind: str) -> None:
    world = a_world()
    world.take(world.venue.follow(kind, "BTCUSDT", world.now))
    world.run(3 * NS_PER_S)
    topic = f"{kind}.usdm.BTCUSDT"
    assert [event for event in world.told(MarketEvent) if event.topic == topic]
    world.take(world.venue.unfollow(kind, "BTCUSDT", world.now))
    world.run(NS_PER_S)
    world.outputs.clear()
    world.run(3 * NS_PER_S)
    assert world.told(Trade)
    assert [event for event in world.told(MarketEvent) if event.topic == topic] == []
    assert world.told(BadFrame) == []


def test_another_symbol_than_the_configured_ones_comes_on_demand() -> None:
    world = a_world()
    for kind in ("quote", "book", "trade", "mark", "liquidation", "depth5"):
        world.take(world.venue.follow(kind, "ETHUSDT", world.now))
    world.run(3 * NS_PER_S)
    kinds = {type(event) for event in world.told(MarketEvent) if event.symbol == "ETHUSDT"}
    assert kinds >= {BookSnapshot, BookDelta, Trade, MarkPrice, BookLevels}
    assert Liquidation not in kinds
    assert world.told(BadFrame) == []


def test_aggregate_trades_are_the_trades_in_full() -> None:
    world = a_world()
    world.take(world.venue.follow("aggtrade", "BTCUSDT", world.now))
    world.run(3 * NS_PER_S)
    aggregates = {told.trade_id: (told.price, told.quantity) for told in world.told(AggregateTrade)}
    trades = {told.trade_id: (told.price, told.quantity) for told in world.told(Trade)}
    assert aggregates
    assert aggregates.items() <= trades.items()


def test_a_24_hour_ticker_has_no_best_prices() -> None:
    world = a_world()
    world.take(world.venue.follow("ticker", "BTCUSDT", world.now))
    ticker = world.run_until(Ticker)
    assert (ticker.bid, ticker.ask) == ("", "")
    assert float(ticker.last) > 0


def test_what_does_not_fit_on_one_socket_goes_to_the_next_below_the_cap() -> None:
    settings = VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"])
    venue = BinanceUsdm("usdm", settings, None, 5)
    venue.start(START)
    opened = [
        output.link
        for kind in KLINES[:8]
        for output in venue.follow(kind, "BTCUSDT", START)
        if isinstance(output, OpenLink)
    ]
    assert opened == ["market-1", "market-2"]
    asked = [output for output in venue.on_link_up("market-1", START) if isinstance(output, SendFrame)]
    assert [output.payload.count(b"@kline_") for output in asked] == [5]


def test_a_shutdown_of_the_stream_servers_is_not_seen_by_those_who_read() -> None:
    world = a_world()
    world.run_until(BookSnapshot)
    world.take(world.venue.follow("kline_1m", "BTCUSDT", world.now))
    world.run(2 * NS_PER_S)
    world.fake.shut_down(world.now)
    world.run(5 * NS_PER_S)
    assert {"market-0.1", "public-0.1"} <= set(world.links())
    assert not {"market-0", "public-0"} & set(world.links())
    trades = [int(trade.trade_id) for trade in world.told(Trade)]
    assert trades == list(range(trades[0], trades[0] + len(trades)))
    deltas = world.told(BookDelta)
    assert all(later.previous == earlier.sequence for earlier, later in pairwise(deltas))
    klines = [(kline.start, kline.ts_venue) for kline in world.told(Kline)]
    assert klines == sorted(set(klines))
    assert len(klines) >= 5
    assert [world.told(kind) for kind in (BookInvalidated, VenueDown)] == [[], []]
    assert [bad for bad in world.told(BadFrame) if bad.link != "orders"] == []


def test_a_socket_is_replaced_before_the_venue_ends_it_after_24_hours() -> None:
    venue = BinanceUsdm("usdm", VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"]), None)
    venue.start(START)
    venue.on_link_up("public-0", START)
    (opened,) = venue.on_wake_up("renew:public-0", START + LIFE_NS)
    assert isinstance(opened, OpenLink)
    assert opened.link == "public-0.1"
    assert opened.url.endswith("/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms")
