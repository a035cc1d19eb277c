from actors.messages import (
    Approved,
    FeedsMoved,
    InstrumentsListed,
    OrderDenied,
    OrderRouted,
    OrderUpdated,
    PlaceOrder,
    Quote,
    VenueDown,
    VenueUp,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.model.order_state import OrderState
from actors.routing.router import Router
from actors.settings import Credentials, VenueSettings
from runtime.actor import ActorDown, Started, Undelivered
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000
S = 1_000_000_000
MS = 1_000_000
ONE = "0" * 31 + "1"
VENUE = VenueSettings(kind="binance", symbols=["BTCUSDT"], credentials=Credentials(key="demo", secret="demo"))


def spec(venue: str = "", number: int = 1) -> OrderSpec:
    return OrderSpec(f"{number:032x}", "maker", venue, "BTCUSDT", Side.BUY, OrderType.LIMIT, "1", "100")


def quote(venue: str, ask: str) -> Quote:
    return Quote(venue, "BTCUSDT", "90", "5", ask, "5", NOW, NOW)


class RouterDesk:
    def __init__(self, *venues: str) -> None:
        self.ctx = RecordingContext("router", time=NOW)
        self.router = Router(dict.fromkeys(venues, VENUE))
        self.receive(Started())
        for venue in venues:
            self.receive(VenueUp(venue, f"connector.{venue}", NOW), quote(venue, "99"))

    def receive(self, *messages: object) -> None:
        for message in messages:
            self.router.receive(message, self.ctx)

    def route(self, order: OrderSpec) -> list[tuple[str, object]]:
        self.ctx.told.clear()
        self.receive(Approved(order, Stamps(1, 2, 3, 4), 7, NOW + S))
        return list(self.ctx.told)

    def learns(self, state: OrderState, after_ms: int, number: int = 1) -> None:
        update = OrderUpdated(spec("a", number), state, "0", None, "", "", NOW + after_ms * MS)
        self.receive(update)


def test_the_order_leaves_before_its_explanation() -> None:
    desk = RouterDesk("binance")
    assert desk.route(spec("binance")) == [
        ("connector.binance", PlaceOrder(spec("binance"), Stamps(1, 2, 3, 4, NOW), 7, NOW + S)),
        (
            "order_manager",
            OrderRouted(ONE, "binance", "connector.binance", ["binance: chosen, the order names it"], NOW),
        ),
    ]


def test_an_order_without_a_venue_gets_the_best_one() -> None:
    desk = RouterDesk("a", "b")
    desk.receive(quote("b", "98"))
    (to, place), (_, routed) = desk.route(spec())
    assert to == "connector.b"
    assert isinstance(place, PlaceOrder)
    assert place.order == spec("b")
    assert isinstance(routed, OrderRouted)
    assert [line.partition(":")[0] for line in routed.reasons] == ["a", "b"]


def test_a_venue_that_is_down_denies_or_is_passed_over() -> None:
    desk = RouterDesk("a", "b")
    desk.receive(VenueDown("a", "link lost", NOW))
    assert desk.route(spec("a")) == [("order_manager", OrderDenied(ONE, "VENUE_DOWN: a: link lost", "router"))]
    assert desk.route(spec())[0][0] == "connector.b"
    desk.receive(ActorDown("connector.b", 1, "killed"))
    assert desk.route(spec()) == [("order_manager", OrderDenied(ONE, "VENUE_DOWN: a, b", "router"))]
    desk.receive(VenueUp("a", "connector.a", NOW))
    assert desk.route(spec())[0][0] == "connector.a"


def test_a_venue_is_down_until_it_says_that_it_is_up() -> None:
    desk = RouterDesk()
    desk.router = Router({"a": VENUE})
    assert desk.route(spec("a")) == [("order_manager", OrderDenied(ONE, "VENUE_DOWN: a: not up yet", "router"))]


def test_a_symbol_that_a_venue_stopped_trading_is_not_sent_there() -> None:
    desk = RouterDesk("a", "b")
    desk.receive(InstrumentsListed("a", [Instrument("a", "BTCUSDT", "BTC", "USDT", trading=False)]))
    assert desk.route(spec())[0][0] == "connector.b"


def test_what_did_not_reach_its_connector_is_denied() -> None:
    desk = RouterDesk("a")
    place = desk.route(spec("a"))[0][1]
    assert isinstance(place, PlaceOrder)
    desk.receive(Undelivered("connector.a", place, "nobody there"))
    denied = OrderDenied(ONE, "VENUE_DOWN: connector.a: nobody there", "router")
    assert desk.ctx.told[-1] == ("order_manager", denied)
    assert desk.router.report().state["in_flight"] == 0


def test_what_is_late_is_denied() -> None:
    desk = RouterDesk("a")
    desk.ctx.time = NOW + S + 1
    assert desk.route(spec("a")) == [("order_manager", OrderDenied(ONE, "DEADLINE: passed before routing", "router"))]


def test_it_takes_nothing_but_approvals() -> None:
    desk = RouterDesk("a")
    desk.receive(PlaceOrder(spec("a"), Stamps(), 1, NOW + S))
    assert desk.ctx.told == []


def test_answers_and_failures_are_measured_and_decide() -> None:
    desk = RouterDesk("a", "b")
    desk.route(spec("a", 1))
    desk.learns(OrderState.SENT, 1, 1)
    desk.learns(OrderState.ACCEPTED, 40, 1)
    desk.route(spec("a", 2))
    desk.learns(OrderState.ACCEPTED, 60, 2)
    assert desk.router.report().state["venues"]["a"] == {"up": True, "ack_ms": 42.0, "success": 1.0}
    assert desk.route(spec("", 3))[0][0] == "connector.b"
    desk.route(spec("a", 4))
    desk.learns(OrderState.UNKNOWN, 2000, 4)
    assert desk.router.report().state["venues"]["a"]["success"] == 0.9


def test_an_order_that_is_over_is_forgotten() -> None:
    desk = RouterDesk("a")
    desk.route(spec("a"))
    desk.learns(OrderState.DENIED, 1)
    assert desk.router.report().state["in_flight"] == 0


def test_quotes_are_read_from_the_shard_that_has_the_symbol_also_when_it_moves() -> None:
    desk = RouterDesk("b")
    sharded = VENUE.model_copy(update={"shards": 2, "pinned": {"BTCUSDT": 1}})
    desk.router = Router({"a": sharded, "b": VENUE})
    desk.receive(Started())
    assert ("connector.a.1", ("quote.a.BTCUSDT",)) in desk.ctx.subscriptions
    assert ("connector.a", ("venue.a",)) in desk.ctx.subscriptions
    desk.receive(FeedsMoved("a", {"BTCUSDT": ("connector.a", "connector.a.1")}))
    desk.receive(FeedsMoved("a", {"BTCUSDT": ("connector.a",)}))
    assert ("connector.a", ("quote.a.BTCUSDT",)) in desk.ctx.subscriptions
    assert ("connector.a.1", ("quote.a.BTCUSDT",)) not in desk.ctx.subscriptions
