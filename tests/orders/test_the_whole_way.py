"""From the strategy's intent to the venue and back through all four actors, on a bus without a network."""

from fnmatch import fnmatchcase
from typing import Any

from actors.messages import (
    CancelAtVenue,
    CancelOrder,
    InstrumentsListed,
    OpenOrdersReported,
    PlaceOrder,
    PositionChanged,
    QueryOpenOrders,
    Quote,
    VenueUp,
)
from actors.model.instrument import Instrument
from actors.orders.manager import OrderManager
from actors.portfolio import Portfolio
from actors.risk.checker import RiskChecker
from actors.routing.router import Router
from actors.settings import RiskLimits
from runtime.actor import Started, Subscribed
from runtime.address import Address
from runtime.message import Message
from tests.orders.desk import (
    BINANCE,
    NOW,
    ONE,
    accepted,
    account,
    canceled,
    fill,
    order_id,
    sent,
    submit,
)
from tests.support.context import RecordingContext


class OrderedContext(RecordingContext):
    """What is told and what is published leave in one order."""

    def __init__(self, name: str) -> None:
        super().__init__(name, time=NOW)
        self.out: list[tuple[str, str, Any]] = []

    def tell(self, to: str | Address, message: Message) -> None:
        assert isinstance(to, str)
        self.out.append(("tell", to, message))

    def publish(self, topic: str, event: Message) -> None:
        self.out.append(("publish", topic, event))


class Bus:
    """Delivers what the actors tell and publish, until nothing is left; the venue's side is the test's."""

    def __init__(self) -> None:
        venues = {"binance": BINANCE}
        limits = RiskLimits(max_position={"binance.BTCUSDT": "3"})
        self.actors: dict[str, Any] = {
            "order_manager": OrderManager(venues),
            "risk_checker": RiskChecker(limits, venues),
            "router": Router(venues),
            "portfolio": Portfolio(venues),
        }
        self.contexts = {name: OrderedContext(name) for name in self.actors}
        self.to_venue: list[object] = []
        self.states: list[str] = []
        self.positions: list[str] = []
        for name in self.actors:
            self.begin(name)
        for event in (
            InstrumentsListed("binance", [Instrument("binance", "BTCUSDT", "BTC", "USDT")]),
            VenueUp("binance", "connector.binance", NOW),
            Quote("binance", "BTCUSDT", "99", "5", "100", "5", NOW, NOW),
        ):
            for name in self.actors:
                self.actors[name].receive(event, self.contexts[name])
        self.say(account(USDT="1000"))

    def begin(self, name: str) -> None:
        """A first or next life, and its subscriptions take effect."""
        self.actors[name].receive(Started(), self.contexts[name])
        for publisher, patterns in self.contexts[name].subscriptions:
            if publisher in self.actors:
                self.actors[publisher].receive(Subscribed(name, patterns), self.contexts[publisher])
        self.deliver()

    def say(self, *messages: object) -> None:
        """Somebody tells the order manager."""
        for message in messages:
            self.actors["order_manager"].receive(message, self.contexts["order_manager"])
            self.deliver()

    def deliver(self) -> None:
        while any(context.out for context in self.contexts.values()):
            for name, context in self.contexts.items():
                out, context.out = context.out, []
                for kind, target, message in out:
                    if kind == "publish":
                        self.publish(name, target, message)
                    elif target in self.actors:
                        self.actors[target].receive(message, self.contexts[target])
                    else:
                        self.to_venue.append(message)

    def publish(self, publisher: str, topic: str, event: Any) -> None:
        if topic.startswith("orders."):
            self.states.append(event.state.value)
        if isinstance(event, PositionChanged):
            self.positions.append(event.quantity)
        for name, context in self.contexts.items():
            patterns = [pattern for source, ones in context.subscriptions if source == publisher for pattern in ones]
            if any(fnmatchcase(topic, pattern) for pattern in patterns):
                self.actors[name].receive(event, context)

    def commands(self) -> list[object]:
        return [message for message in self.to_venue if isinstance(message, PlaceOrder | CancelAtVenue)]


def test_an_order_goes_to_the_venue_and_its_fills_come_back_as_a_position() -> None:
    bus = Bus()
    bus.say(submit())
    [place] = bus.commands()
    assert isinstance(place, PlaceOrder)
    assert (place.order, place.epoch) == (submit().order, 1)
    assert (place.stamps.market_recv, place.stamps.journaled, place.stamps.routed) == (5, NOW, NOW)
    bus.say(sent(), accepted(), fill("t1"), fill("t2"))
    assert bus.states == ["SENT", "ACCEPTED", "PARTIALLY_FILLED", "FILLED"]
    assert bus.positions == ["1", "2"]
    assert bus.actors["risk_checker"].report().state["exposure"] == "199.0"


def test_an_order_beyond_a_limit_never_gets_near_the_venue() -> None:
    bus = Bus()
    bus.say(submit(1, quantity="2"), submit(2, quantity="2"))
    assert len(bus.commands()) == 1
    assert bus.states == ["DENIED"]
    assert bus.actors["order_manager"].ledger.order(order_id(2)).reason == (
        "MAX_POSITION: 4 of binance.BTCUSDT at worst, limit 3"
    )


def test_what_a_canceled_order_held_is_free_again() -> None:
    bus = Bus()
    bus.say(submit(1), sent(1), accepted(1), CancelOrder(ONE, "maker"), canceled(), account(USDT="1000"))
    bus.say(submit(2, quantity="3"))
    assert [type(command).__name__ for command in bus.commands()] == ["PlaceOrder", "CancelAtVenue", "PlaceOrder"]


def test_a_risk_checker_that_starts_again_counts_what_is_open() -> None:
    bus = Bus()
    bus.say(submit(1), sent(1), accepted(1))
    bus.actors["risk_checker"] = RiskChecker(RiskLimits(max_open_orders=1), {"binance": BINANCE})
    bus.contexts["risk_checker"].subscriptions.clear()
    bus.begin("risk_checker")
    assert bus.actors["risk_checker"].report().state["open_orders"] == 1
    assert bus.actors["risk_checker"].report().state["rebuilding"] is False


def test_an_order_manager_that_starts_again_takes_the_desk_with_it() -> None:
    bus = Bus()
    bus.say(submit(1), sent(1), accepted(1), fill("t1"))
    bus.actors["order_manager"] = OrderManager({"binance": BINANCE})
    bus.begin("order_manager")
    for name in ("risk_checker", "portfolio"):
        for publisher, patterns in bus.contexts[name].subscriptions:
            if publisher == "order_manager":
                bus.say(Subscribed(name, patterns))
    assert bus.states[-1] == "UNKNOWN"
    assert bus.actors["risk_checker"].report().state["exposure"] == "199.0"
    assert bus.actors["portfolio"].report().state["positions"]["binance.BTCUSDT"]["quantity"] == "1"
    bus.to_venue.clear()
    bus.say(VenueUp("binance", "connector.binance", NOW))
    assert QueryOpenOrders(epoch=2) in bus.to_venue
    bus.say(OpenOrdersReported("binance", [], NOW), fill("t2"))
    assert bus.actors["order_manager"].report().state["recovering"] is False
    assert bus.positions[-1] == "2"
