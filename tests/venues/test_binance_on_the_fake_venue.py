"""Binance's protocol against the fake venue in memory: streams on demand, hand-over, history, order types."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from actors.credentials import Keys, Secret
from actors.messages import (
    AmendAtVenue,
    BookDelta,
    BookInvalidated,
    BookSnapshot,
    HistoryPage,
    Kline,
    MarketEvent,
    OrderAccepted,
    OrderAmended,
    OrderFilled,
    OutcomeUnknown,
    QueryHistory,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.order import OrderType
from actors.settings import VenueSettings
from actors.simulation.binance.venue import FakeBinance
from actors.venues.binance import BinanceSpot
from actors.venues.contract import BadFrame, CloseLink, OpenLink, Output, SendFrame, WakeUp
from runtime.actor import HttpAnswered, HttpRequest
from tests.venues.binance_spot import ID, NOW, S, place

T = TypeVar("T")


class World:
    """Carries out what the protocol asks, at once, under a clock of its own."""

    def __init__(self, rate: float = 40.0) -> None:
        self.now = NOW
        self.fake = FakeBinance(start=NOW, seed=3, symbols=("BTCUSDT",), rate=rate)
        keys = Keys(Secret("demo-key"), Secret("demo-secret"))
        self.protocol = BinanceSpot("binance", VenueSettings(kind="binance", symbols=["BTCUSDT"]), keys)
        self.events: list[Any] = []
        self._sessions: dict[str, str] = {}
        self._timers: list[tuple[int, int, str]] = []
        self.do(self.protocol.start(self.now))

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case OpenLink():
                    url = urlsplit(output.url)
                    session = self.fake.connect(url.netloc, f"{url.path}?{url.query}", self.now)
                    assert isinstance(session, str)
                    self._sessions[session] = output.link
                    self.do(self.protocol.on_link_up(output.link, self.now))
                case CloseLink():
                    (session,) = [each for each, link in self._sessions.items() if link == output.link]
                    del self._sessions[session]
                    self.fake.disconnect(session, self.now)
                case SendFrame():
                    (session,) = [each for each, link in self._sessions.items() if link == output.link]
                    self.fake.receive(session, output.payload.decode(), self.now)
                case HttpRequest():
                    url = urlsplit(output.url)
                    reply = self.fake.http(
                        output.method, url.netloc, url.path, url.query, output.headers, output.body.decode(), self.now
                    )
                    headers = {name.lower(): value for name, value in reply.headers.items()}
                    answer = HttpAnswered(output.id, reply.status, headers, reply.body, self.now)
                    self.do(self.protocol.on_http(answer, self.now))
                case WakeUp():
                    heappush(self._timers, (self.now + output.delay_ns, len(self._timers), output.tag))
                case _:
                    self.events.append(output)
        self._deliver()

    def _deliver(self) -> None:
        for session, payload in self.fake.take_outbox():
            link = self._sessions.get(session)
            if link is not None and payload is not None:
                assert isinstance(payload, bytes)
                self.do(self.protocol.on_frame(link, payload, self.now))

    @property
    def links(self) -> list[str]:
        return list(self._sessions.values())

    def shut_down(self) -> None:
        self.fake.shut_down(self.now)
        self._deliver()

    def run(self, seconds: float) -> None:
        until = self.now + round(seconds * S)
        while True:
            due = self.fake.next_due()
            times = [time for time in (due, self._timers[0][0] if self._timers else None) if time is not None]
            if not times or min(times) > until:
                break
            self.now = max(self.now, min(times))
            if self._timers and self._timers[0][0] <= self.now:
                self.do(self.protocol.on_wake_up(heappop(self._timers)[2], self.now))
            else:
                self.fake.advance(self.now)
                self._deliver()
        self.now = until

    def run_until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        end = self.now + round(seconds * S)
        while not condition():
            assert self.now < end
            self.run(0.1)


@pytest.mark.parametrize("kind", ["aggtrade", "ticker", "miniticker", "kline_1s", "kline_1m", "depth5", "depth20"])
def test_streams_on_demand_come_and_end(kind: str) -> None:
    world = World()
    world.do(world.protocol.follow(kind, "BTCUSDT", world.now))
    topic = f"{kind}.binance.BTCUSDT"
    world.run_until(lambda: [event for event in world.of(MarketEvent) if event.topic == topic])
    world.do(world.protocol.unfollow(kind, "BTCUSDT", world.now))
    world.run(0.5)
    world.events.clear()
    world.run(3)
    assert world.of(Trade)
    assert [event for event in world.of(MarketEvent) if event.topic == topic] == []
    assert world.of(BadFrame) == []


def test_a_shutdown_of_the_stream_server_is_not_seen_by_those_who_read() -> None:
    world = World()
    world.run_until(lambda: world.of(BookSnapshot))
    assert world.of(VenueUp)
    world.do(world.protocol.follow("kline_1s", "BTCUSDT", world.now))
    world.run(2)
    world.shut_down()
    world.run(5)
    assert sorted(world.links) == ["feed-0.1", "orders.1"]
    assert world.of(VenueDown) == []
    trades = [int(trade.trade_id) for trade in world.of(Trade)]
    assert trades == list(range(trades[0], trades[0] + len(trades)))
    deltas = world.of(BookDelta)
    assert all(later.previous == earlier.sequence for earlier, later in pairwise(deltas))
    assert world.of(BookInvalidated) == []
    klines = [(kline.start, kline.ts_venue) for kline in world.of(Kline)]
    assert klines == sorted(set(klines))


def test_history_of_the_fake_venue_has_no_gap() -> None:
    world = World()
    world.run(65)
    for kind in ("kline_1s", "aggtrade"):
        world.do(
            world.protocol.query_history(
                QueryHistory("tool", kind, kind, "BTCUSDT", NOW + 5 * S, NOW + 60 * S), world.now
            )
        )
    klines, trades = world.of(HistoryPage)
    assert (klines.complete, klines.gaps, len(klines.klines)) == (True, [], 55)
    assert trades.complete
    assert trades.gaps == []
    assert len(trades.trades) > 10


def test_an_order_is_amended_and_a_quote_quantity_is_spent_there() -> None:
    world = World()
    world.run_until(lambda: world.of(VenueUp) and world.of(BookSnapshot))
    price = world.of(BookSnapshot)[0].bids[0][0].split(".")[0]
    order = place(price=f"{int(price) // 2}", quantity="0.5")
    world.do(world.protocol.execute(order, world.now))
    world.run_until(lambda: world.of(OrderAccepted))
    world.do(world.protocol.change(AmendAtVenue(ID, "", "BTCUSDT", "0.2", 1, world.now), world.now))
    world.run_until(lambda: world.of(OrderAmended))
    assert float(world.of(OrderAmended)[0].quantity) == 0.2
    spend = place(client_order_id="f" * 32, type=OrderType.MARKET, price=None, quote_quantity="1000")
    world.do(world.protocol.execute(spend, world.now))
    world.run_until(lambda: world.of(OrderFilled))


def test_orders_and_their_fills_go_on_while_the_server_is_shut_down() -> None:
    world = World()
    world.run_until(lambda: world.of(VenueUp) and world.of(BookSnapshot))
    ids = [f"{number:032x}" for number in range(60)]
    for number, id in enumerate(ids):
        order = place(client_order_id=id, type=OrderType.MARKET, price=None, quantity="0.001")
        world.do(world.protocol.execute(order, world.now))
        if number == 20:
            world.shut_down()
        world.run(0.15)
    assert world.links.count("orders.1") == 1
    world.run(5)
    assert [link for link in world.links if link.startswith("orders")] == ["orders.1"]
    assert {event.client_order_id for event in world.of(OrderAccepted)} == set(ids)
    assert {fill.client_order_id for fill in world.of(OrderFilled)} == set(ids)
    assert [*world.of(OutcomeUnknown), *world.of(VenueDown), *world.of(BadFrame)] == []
