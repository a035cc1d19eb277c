"""Who publishes a symbol, from the settings alone; and what a venue's limits allow."""

from typing import Any

from actors import names
from actors.feeds import MarketFeeds
from actors.settings import Configuration, VenueSettings
from actors.shards import Publishers, symbols_of
from actors.venues.contract import ConnectLimit
from actors.venues.feed_limits import LIMITS, FeedLimits, objection
from runtime.clock import NS_PER_S
from tests.support.context import RecordingContext

SYMBOLS = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"]
"""Of four shards they are on 3, 0, 3 and 1; of two or three on 1, 0, 0 and 1."""


def venue(shards: int = 1, **more: Any) -> VenueSettings:
    return VenueSettings(kind="binance", symbols=SYMBOLS, shards=shards, **more)


def test_without_shards_one_connector_has_everything() -> None:
    configuration = Configuration(venues={"binance": venue()})
    assert [name for name in names.of_desk(configuration) if name.startswith("connector")] == ["connector.binance"]
    assert symbols_of(venue(), 0) == SYMBOLS
    assert Publishers({"binance": venue()}).of("binance", "BTCUSDT") == ("connector.binance",)
    assert Publishers({}).of("other", "BTCUSDT") == ("connector.other",)


def test_every_symbol_has_one_shard_in_the_order_of_the_configuration() -> None:
    shares = [symbols_of(venue(4), shard) for shard in range(4)]
    assert shares == [["ETHUSDT"], ["SOLUSDT"], [], ["BTCUSDT", "BNBUSDT"]]
    assert names.connectors("binance", venue(4)) == [
        "connector.binance",
        "connector.binance.1",
        "connector.binance.2",
        "connector.binance.3",
    ]
    assert Publishers({"binance": venue(4)}).of("binance", "BTCUSDT") == ("connector.binance.3",)


def test_a_pinned_symbol_is_where_it_was_put() -> None:
    pinned = venue(4, pinned={"BTCUSDT": 0})
    assert symbols_of(pinned, 0) == ["BTCUSDT", "ETHUSDT"]
    assert symbols_of(pinned, 3) == ["BNBUSDT"]


def test_while_a_symbol_moves_both_have_it_and_the_one_that_keeps_it_comes_first() -> None:
    moving = venue(1, leaving={"BTCUSDT": 2, "ETHUSDT": 0})
    assert moving.connectors == 3
    assert symbols_of(moving, 0) == SYMBOLS
    assert symbols_of(moving, 2) == ["BTCUSDT"]
    publishers = Publishers({"binance": moving})
    assert publishers.of("binance", "BTCUSDT") == ("connector.binance", "connector.binance.2")
    assert publishers.of("binance", "ETHUSDT") == ("connector.binance",)


def test_a_reader_subscribes_to_the_shard_of_each_symbol() -> None:
    ctx = RecordingContext()
    MarketFeeds({"binance": venue(4)}).read("binance", SYMBOLS, ("quote", "book"), ctx)
    assert ctx.subscriptions == [
        (
            "connector.binance.3",
            ("quote.binance.BTCUSDT", "book.binance.BTCUSDT", "quote.binance.BNBUSDT", "book.binance.BNBUSDT"),
        ),
        ("connector.binance", ("quote.binance.ETHUSDT", "book.binance.ETHUSDT")),
        ("connector.binance.1", ("quote.binance.SOLUSDT", "book.binance.SOLUSDT")),
    ]


SMALL = FeedLimits((3,), 3, ConnectLimit(6, 60 * NS_PER_S))
"""One symbol on a link and two links besides those for orders."""


def test_what_does_not_fit_on_one_address_is_refused_with_what_would_be_right() -> None:
    reason = objection(venue(4), SMALL, [[0, 1, 2, 3]])
    assert reason.startswith("4 symbols need 4 links from one address, and the venue lets 6 be opened in 60 s")
    assert "with 3 streams on a link 2 symbols fit: give `shards: 2`" in reason
    assert objection(venue(2), SMALL, [[0], [1]]) == ""
    assert objection(venue(2, pinned={"BTCUSDT": 0}), SMALL, [[0], [1]]).startswith("3 symbols need 3 links")


def test_the_real_limits_of_binance() -> None:
    spot, usdm = LIMITS["binance"], LIMITS["binance-usdm"]
    assert (spot.links(100), spot.links(101), spot.fits()) == (1, 2, 29600)
    assert (usdm.links(66), usdm.links(67), usdm.links(100), usdm.links(101)) == (2, 3, 3, 4)
