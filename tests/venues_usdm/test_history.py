"""Klines and trades of the past of futures: pages, gaps, less than an hour of trades at once."""

import msgspec
import pytest

from actors.messages import HistoryFailed, HistoryPage, QueryHistory
from actors.settings import VenueSettings
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import HistorySource, Output
from runtime.actor import HttpAnswered, HttpRequest
from runtime.clock import NS_PER_S
from tests.venues_usdm.world import START, World

HOUR = 3600 * NS_PER_S
FROM = START - START % HOUR - 10 * HOUR
URL = "https://fapi.binance.com/fapi/v1/"


def a_venue() -> BinanceUsdm:
    return BinanceUsdm("usdm", VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"]), None)


def query(kind: str, start: int, end: int) -> QueryHistory:
    return QueryHistory("tool", kind, kind, "BTCUSDT", start, end)


def path(outputs: list[Output]) -> str:
    (request,) = [output for output in outputs if isinstance(output, HttpRequest)]
    assert request.url.startswith(URL)
    return request.url.removeprefix(URL)


def answered(outputs: list[Output], body: object) -> HttpAnswered:
    (request,) = [output for output in outputs if isinstance(output, HttpRequest)]
    return HttpAnswered(request.id, 200, {}, msgspec.json.encode(body), START)


def tick(number: int, at: int) -> dict[str, object]:
    return {"a": number, "p": "1", "q": "2", "f": number, "l": number, "T": at // 1_000_000, "m": False}


def test_trades_are_looked_for_an_hour_at_a_time_and_then_followed_by_their_ids() -> None:
    venue = a_venue()
    assert isinstance(venue, HistorySource)
    first, hour_ms = FROM // 1_000_000, HOUR // 1_000_000
    outputs = venue.query_history(query("aggtrade", FROM, FROM + 4 * HOUR), START)
    assert path(outputs) == f"aggTrades?symbol=BTCUSDT&limit=1000&startTime={first}&endTime={first + hour_ms - 1}"
    outputs = venue.on_http(answered(outputs, []), START)
    assert path(outputs) == (
        f"aggTrades?symbol=BTCUSDT&limit=1000&startTime={first + hour_ms}&endTime={first + 2 * hour_ms - 1}"
    )
    found = [tick(7, FROM + HOUR), tick(9, FROM + HOUR + 1_000_000)]
    outputs = venue.on_http(answered(outputs, found), START)
    assert path(outputs) == "aggTrades?symbol=BTCUSDT&limit=1000&fromId=10"
    later = [tick(10, FROM + 3 * HOUR), tick(11, FROM + 5 * HOUR)]
    (last,) = venue.on_http(answered(outputs, later), START)
    assert isinstance(last, HistoryPage)
    assert ([trade.trade_id for trade in last.trades], last.complete) == (["10"], True)
    pages = [output for output in outputs if isinstance(output, HistoryPage)]
    assert pages[0].gaps == [(8, 9)]


def test_nothing_in_the_last_hour_ends_it() -> None:
    venue = a_venue()
    outputs = venue.query_history(query("aggtrade", FROM, FROM + HOUR), START)
    (page,) = venue.on_http(answered(outputs, []), START)
    assert isinstance(page, HistoryPage)
    assert (page.complete, page.trades) == (True, [])


def test_there_are_no_klines_of_a_second() -> None:
    assert a_venue().query_history(query("kline_1s", FROM, FROM + HOUR), START) == [
        HistoryFailed("tool", "kline_1s", "NOT_SUPPORTED: there is no history of kline_1s")
    ]


@pytest.mark.parametrize("kind", ["kline_1m", "aggtrade"])
def test_history_of_the_fake_venue_has_no_gap(kind: str) -> None:
    world = World(FakeBinanceUsdm(START, seed=3, symbols=("BTCUSDT",), rate=100), ["BTCUSDT"])
    world.run(20 * NS_PER_S)
    minute = START - START % (60 * NS_PER_S)
    start, end = (minute - 60 * NS_PER_S * 1200, minute) if kind == "kline_1m" else (START - 3 * HOUR, world.now)
    world.take(world.venue.query_history(query(kind, start, end), world.now))
    world.run(5 * NS_PER_S)
    pages = world.told(HistoryPage)
    assert [page.complete for page in pages] == [*[False] * (len(pages) - 1), True]
    assert len(pages) > 1
    assert [page.gaps for page in pages] == [[] for _ in pages]
    if kind == "kline_1m":
        assert sum(len(page.klines) for page in pages) == 1200
    else:
        ids = [int(trade.trade_id) for page in pages for trade in page.trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert len(ids) > 20
