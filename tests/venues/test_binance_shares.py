"""Symbols that come to a connector, and leave it, while its links are open."""

from actors.messages import Trade
from actors.settings import VenueSettings
from actors.venues.binance import BinanceSpot
from actors.venues.contract import CloseLink, OpenLink
from tests.venues.binance_spot import NOW, a_venue, of, stream
from tests.venues.test_binance_streams import sent

BTC, ETH = "BTCUSDT", "ETHUSDT"
ETH_STREAMS = ["ethusdt@bookTicker", "ethusdt@depth@100ms", "ethusdt@trade"]
BTC_STREAMS = ["btcusdt@bookTicker", "btcusdt@depth@100ms", "btcusdt@trade"]


def a_trade(venue: BinanceSpot, symbol: str, number: int) -> list[str]:
    name = f"{symbol.lower()}@trade"
    data = {"e": "trade", "E": 1, "s": symbol, "t": number, "p": "1.0", "q": "2.0", "T": 1, "m": True}
    return [trade.trade_id for trade in of(Trade, venue.on_frame("feed-0", stream(name, **data), NOW))]


def answered(venue: BinanceSpot, id: int) -> None:
    venue.on_frame("feed-0", b'{"result":null,"id":%d}' % id, NOW)


def test_a_symbol_that_comes_is_subscribed_to_on_the_open_link_and_heard() -> None:
    venue = a_venue(keys=False)
    venue.start(NOW)
    venue.on_link_up("feed-0", NOW)
    outputs = venue.carry([BTC, ETH], NOW)
    assert sent(outputs) == [("feed-0", "SUBSCRIBE", ETH_STREAMS)]
    assert of(OpenLink, outputs) == []
    assert (venue.carries(BTC), venue.carries(ETH)) == (True, False)
    answered(venue, 1)
    assert venue.carries(ETH)
    assert venue.symbols == [BTC, ETH]
    assert a_trade(venue, ETH, 5) == ["5"]


def test_a_symbol_that_leaves_is_ended_also_if_the_address_names_it() -> None:
    venue = a_venue((BTC, ETH), keys=False)
    venue.start(NOW)
    venue.on_link_up("feed-0", NOW)
    assert sent(venue.carry([ETH], NOW)) == [("feed-0", "UNSUBSCRIBE", BTC_STREAMS)]
    assert a_trade(venue, BTC, 5) == []
    assert a_trade(venue, ETH, 5) == ["5"]
    assert venue.book(BTC) is None
    venue.on_link_down("feed-0", "cut", NOW)
    assert sent(venue.on_link_up("feed-0", NOW)) == [("feed-0", "UNSUBSCRIBE", BTC_STREAMS)]
    assert not venue.carries(BTC)


def test_a_symbol_that_comes_back_is_heard_again() -> None:
    venue = a_venue((BTC, ETH), keys=False)
    venue.start(NOW)
    venue.on_link_up("feed-0", NOW)
    venue.carry([ETH], NOW)
    assert sent(venue.carry([BTC, ETH], NOW)) == [("feed-0", "SUBSCRIBE", BTC_STREAMS)]
    answered(venue, 1)
    answered(venue, 2)
    assert venue.carries(BTC)
    assert a_trade(venue, BTC, 9) == ["9"]
    venue.on_link_down("feed-0", "cut", NOW)
    assert sent(venue.on_link_up("feed-0", NOW)) == []


def test_a_full_link_is_joined_by_another_which_closes_with_its_last_symbol() -> None:
    venue = a_venue(keys=False, per_link=3)
    venue.start(NOW)
    venue.on_link_up("feed-0", NOW)
    (opened,) = of(OpenLink, venue.carry([BTC, ETH], NOW))
    assert opened.link == "feed-1"
    assert sent(venue.on_link_up("feed-1", NOW)) == [("feed-1", "SUBSCRIBE", ETH_STREAMS)]
    assert of(CloseLink, venue.carry([BTC], NOW)) == [CloseLink("feed-1")]
    (again,) = of(OpenLink, venue.carry([BTC, ETH], NOW))
    assert again.link == "feed-2"


def test_what_somebody_asked_for_before_is_not_begun_anew() -> None:
    venue = a_venue(keys=False)
    venue.start(NOW)
    venue.on_link_up("feed-0", NOW)
    assert sent(venue.follow("trade", ETH, NOW)) == [("feed-0", "SUBSCRIBE", ["ethusdt@trade"])]
    assert sent(venue.carry([BTC, ETH], NOW)) == [("feed-0", "SUBSCRIBE", ETH_STREAMS[:2])]
    assert venue.unfollow("trade", ETH, NOW) == []
    assert a_trade(venue, ETH, 5) == ["5"]


def test_a_shard_has_its_share_only_and_knows_all_instruments() -> None:
    settings = VenueSettings(kind="binance", symbols=[BTC, ETH], shards=2)
    shares = [BinanceSpot("binance", settings, None, shard=shard) for shard in (0, 1)]
    assert [list(each.symbols) for each in shares] == [[ETH], [BTC]]
    assert [opened.url.rpartition("=")[2] for each in shares for opened in of(OpenLink, each.start(NOW))] == [
        "ethusdt@bookTicker/ethusdt@trade/ethusdt@depth@100ms",
        "btcusdt@bookTicker/btcusdt@trade/btcusdt@depth@100ms",
    ]
