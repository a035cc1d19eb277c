"""A rehearsal goes the whole way of an order and leaves nothing behind, anywhere."""

from typing import Any

import pytest

from actors.messages import MarketEvent, OrderRehearsed, Quote, SubmitOrder, Trade, VenueDown
from actors.model.order import OrderSpec, Side, Stamps
from actors.orders.understudy import STALE_NS
from actors.strategy import Strategy, StrategyActor
from actors.venues.binance import BinanceSpot
from actors.venues.contract import Rehearsing, SendFrame
from runtime.actor import Started, Undelivered
from tests.actors.bench import Bench, ScriptedProtocol
from tests.actors.bench import place as place_on_bench
from tests.orders.desk import MS, NOW, ManagerDesk, spec, submit
from tests.risk.desk import RiskDesk
from tests.routing.test_router import RouterDesk
from tests.strategy.desk import EMPTY
from tests.support.context import RecordingContext
from tests.venues.binance_orders import a_venue_up, ask
from tests.venues.binance_spot import place

EVERY = 2 * MS


def rehearsal(order: OrderSpec | None = None, submitted: int = NOW) -> OrderRehearsed:
    return OrderRehearsed(order or spec(), Stamps(market_recv=NOW, submitted=submitted))


# ---- strategy


class Watcher(Strategy):
    def __init__(self) -> None:
        self.wants: list[str] = []

    def on_quote(self, quote: Quote) -> None:
        if self.wants:
            self.buy("binance.BTCUSDT", "1", self.wants.pop())

    def on_trade(self, trade: Trade) -> None: ...


class WatcherDesk:
    def __init__(self, every_ns: int = EVERY) -> None:
        self.ctx = RecordingContext("strategy.maker", time=NOW)
        self.strategy = Watcher()
        self.actor = StrategyActor("maker", self.strategy, ["binance.BTCUSDT"], None, every_ns)
        self.receive(Started(), EMPTY)

    def receive(self, *messages: object) -> None:
        for message in messages:
            assert self.actor.receive(message, self.ctx) is None

    def hear(self, event: str = "quote", after_ns: int = 1) -> list[type]:
        """What an event makes the strategy tell the order manager."""
        self.ctx.time += after_ns
        self.ctx.told.clear()
        now = self.ctx.time
        events: dict[str, MarketEvent] = {
            "quote": Quote("binance", "BTCUSDT", "99", "1", "100", "1", now, now),
            "trade": Trade("binance", "BTCUSDT", "1", "99", "1", Side.BUY, now, now),
        }
        self.receive(events[event])
        return [type(message) for message in self.ctx.told_to("order_manager")]


@pytest.mark.parametrize("event", ["quote", "trade"])
def test_a_strategy_rehearses_after_market_data_and_not_more_often_than_configured(event: str) -> None:
    desk = WatcherDesk()
    assert desk.hear(event) == [OrderRehearsed]
    assert desk.hear(event, EVERY) == []
    assert desk.hear(event, 1) == [OrderRehearsed]


def test_an_order_is_a_rehearsal_of_its_own() -> None:
    desk = WatcherDesk()
    desk.strategy.wants = ["99"]
    assert desk.hear() == [SubmitOrder]
    assert desk.hear("quote", EVERY) == []


def test_a_rehearsal_is_no_order_of_the_strategy() -> None:
    desk = WatcherDesk()
    desk.hear()
    [told] = desk.ctx.told_to("order_manager")
    assert isinstance(told, OrderRehearsed)
    assert not desk.strategy.orders
    assert desk.actor.report().counters["orders"] == 0
    desk.receive(Undelivered("order_manager", told, "nobody there"))
    assert desk.actor.report().counters["unexpected"] == 0
    desk.strategy.wants = ["99"]
    desk.hear()
    [order] = desk.strategy.orders
    assert order != told.order.client_order_id


def test_who_does_not_want_rehearsals_gets_none() -> None:
    desk = WatcherDesk(every_ns=0)
    assert [desk.hear(after_ns=1000 * MS) for _ in range(3)] == [[], [], []]


def test_nothing_but_market_data_is_followed_by_a_rehearsal() -> None:
    desk = WatcherDesk()
    desk.hear()
    desk.ctx.time += EVERY * 2
    desk.ctx.told.clear()
    desk.receive(VenueDown("binance", "for a test", desk.ctx.time))
    assert desk.ctx.told == []


# ---- order manager


def test_the_order_manager_writes_and_remembers_nothing_of_it() -> None:
    desk = ManagerDesk()
    journal, before = list(desk.ctx.journal), desk.manager.report()
    digest = desk.manager.ledger.digest()
    timers = len(desk.ctx.timers)
    desk.receive(rehearsal())
    assert desk.ctx.told == [("risk_checker", rehearsal())]
    assert desk.ctx.published == []
    assert (desk.ctx.journal, desk.manager.report()) == (journal, before)
    assert (desk.manager.ledger.digest(), len(desk.ctx.timers)) == (digest, timers)


def test_an_order_with_the_id_of_a_rehearsal_is_an_order() -> None:
    desk = ManagerDesk()
    desk.receive(rehearsal())
    desk.clear()
    desk.receive(submit())
    assert [type(message).__name__ for message in desk.ctx.told_to("risk_checker")] == ["CheckOrder"]


def test_rehearsals_of_many_strategies_go_on_as_one() -> None:
    desk = ManagerDesk()
    for number in range(1, 5):
        desk.receive(rehearsal(spec(number)))
    assert len(desk.ctx.told) == 1
    desk.ctx.time += EVERY
    desk.receive(rehearsal(spec(5), desk.ctx.time))
    assert len(desk.ctx.told) == 2


def test_a_rehearsal_that_had_to_wait_ends() -> None:
    desk = ManagerDesk()
    desk.receive(rehearsal(submitted=NOW - STALE_NS - 1))
    assert desk.ctx.told == []
    desk.receive(rehearsal(submitted=NOW - STALE_NS))
    assert len(desk.ctx.told) == 1


def test_a_hundred_and_more_rehearsals_are_none_too_many() -> None:
    desk = ManagerDesk()
    for number in range(1, 250):
        desk.ctx.time += EVERY
        desk.receive(rehearsal(spec(number), desk.ctx.time))
    assert len(desk.ctx.told) == 249
    assert desk.manager.report().counters == ManagerDesk().manager.report().counters


# ---- risk checker and router


@pytest.mark.parametrize("quantity", ["1", "1000000"], ids=["within the limits", "outside"])
def test_the_risk_checker_reserves_nothing_for_it_and_approves_nothing(quantity: str) -> None:
    desk = RiskDesk()
    before = desk.checker.report()
    desk.receive(rehearsal(desk.spec(quantity=quantity)))
    [(to, told)] = desk.ctx.told
    assert (to, type(told)) == ("router", OrderRehearsed)
    assert desk.checker.report() == before


def test_the_router_sends_it_where_the_order_would_go_and_keeps_no_account_of_it() -> None:
    desk = RouterDesk("binance")
    desk.ctx.told.clear()
    before = desk.router.report()
    desk.receive(rehearsal())
    assert desk.ctx.told == [("connector.binance", rehearsal())]
    assert desk.router.report() == before


def test_the_way_ends_at_the_router_while_the_venue_is_down() -> None:
    desk = RouterDesk("binance")
    desk.receive(VenueDown("binance", "for a test", NOW))
    desk.ctx.told.clear()
    desk.receive(rehearsal())
    assert desk.ctx.told == []


# ---- connector


def test_a_connector_sends_nothing_and_tells_nobody() -> None:
    bench = Bench()
    bench.tell(rehearsal(), SendFrame("orders", b"order"))
    assert (bench.ctx.frames, bench.ctx.told, bench.ctx.published) == ([], [], [])
    assert bench.protocol.calls == []
    assert (bench.counter("orders"), bench.counter("unknown_messages")) == (0, 0)


class Player(ScriptedProtocol):
    def rehearse(self, command: Any, now: int) -> None:
        self.calls.append(("rehearse", command.order))


def test_a_protocol_that_can_rehearse_does() -> None:
    bench = Bench(protocol=Player())
    bench.tell(rehearsal(), SendFrame("orders", b"order"))
    assert bench.protocol.calls == [("rehearse", spec())]
    assert (bench.ctx.frames, bench.ctx.told) == ([], [])


def test_the_fence_does_not_move_by_a_rehearsal() -> None:
    bench = Bench()
    bench.tell(place_on_bench(epoch=2), SendFrame("orders", b"order"))
    bench.tell(rehearsal())
    bench.tell(place_on_bench(epoch=2), SendFrame("orders", b"order"))
    assert len(bench.ctx.frames) == 2


def test_binance_makes_the_frame_and_spends_and_remembers_nothing() -> None:
    venue: BinanceSpot = a_venue_up()
    other = a_venue_up()
    assert isinstance(venue, Rehearsing)
    before = venue.report(False)
    for _ in range(3):
        venue.rehearse(place(), NOW)
    assert venue.report(False) == before
    assert ask(venue, place(), "order.place") == ask(other, place(), "order.place")
