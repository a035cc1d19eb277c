"""The examples are short, load from a configuration, and do what they say in a simulated market."""

from collections.abc import Sequence
from decimal import Decimal
from inspect import getsource, getsourcefile
from pathlib import Path

import pytest

from actors.messages import InstrumentsListed
from actors.model.order import OrderType, Side, TimeInForce
from actors.model.order_state import OrderState
from actors.strategies.market_maker import MarketMaker
from actors.strategies.momentum import Momentum
from actors.strategies.observer import Observer
from actors.strategy import Strategy, strategy_class
from runtime.errors import ConfigError
from tests.strategy.desk import BTC, TestDesk, position, quote, trade, update
from tests.strategy.market import RULES, SimulatedMarket

EXAMPLES = (MarketMaker, Momentum, Observer)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_less_than_fifty_lines(example: type[Strategy]) -> None:
    source = getsourcefile(example)
    assert source is not None
    assert len(Path(source).read_text().splitlines()) < 50
    assert "class" in getsource(example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_loaded_by_its_path(example: type[Strategy]) -> None:
    assert strategy_class(f"{example.__module__}:{example.__name__}") is example


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("actors.strategies.observer", "is not"),
        ("actors.strategies.nothing:Observer", "cannot import 'actors.strategies.nothing'"),
        ("actors.strategies.observer:Watcher", "has no strategy 'Watcher'"),
        ("actors.strategies.observer:Decimal", "has no strategy 'Decimal'"),
    ],
)
def test_a_path_that_names_no_strategy_is_a_configuration_error(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        strategy_class(path)


def prices(desk: TestDesk, side: Side) -> Sequence[str | None]:
    return [order.price for order in desk.submitted() if order.side is side]


def market_maker(**parameters: object) -> TestDesk:
    desk = TestDesk(MarketMaker(), parameters)
    desk.receive(InstrumentsListed("binance", [RULES]))
    return desk


def test_the_market_maker_quotes_both_sides_around_the_mid() -> None:
    desk = market_maker(half_spread_bps=1)
    desk.receive(quote("49990.00", "50010.00"))
    assert [(order.side, order.price, order.post_only) for order in desk.submitted()] == [
        (Side.BUY, "49995.00", True),
        (Side.SELL, "50005.00", True),
    ]
    desk.receive(quote("49990.00", "50010.00"))
    assert len(desk.submitted()) == 2


def test_the_market_maker_never_crosses_the_market() -> None:
    desk = market_maker(half_spread_bps=0)
    desk.receive(quote("50000.00", "50000.01"))
    assert prices(desk, Side.BUY) == ["50000.00"]
    assert prices(desk, Side.SELL) == ["50000.01"]


def test_the_market_maker_follows_the_market_when_it_has_moved_enough() -> None:
    desk = market_maker(half_spread_bps=1, requote_bps=2)
    desk.receive(quote("49990.00", "50010.00"))
    orders = desk.submitted()
    for order in orders:
        desk.receive(update(order, OrderState.ACCEPTED))
    desk.receive(quote("49999.00", "50019.00"))
    assert [own.state for own in desk.actor.strategy.orders.values()] == [OrderState.ACCEPTED] * 2
    desk.receive(quote("50010.00", "50030.00"))
    assert [own.state for own in desk.actor.strategy.orders.values()] == [OrderState.PENDING_CANCEL] * 2
    for order in orders:
        desk.receive(update(order, OrderState.CANCELED))
    desk.receive(quote("50010.00", "50030.00"))
    assert prices(desk, Side.BUY)[1:] == ["50014.99"]
    assert prices(desk, Side.SELL)[1:] == ["50025.01"]


def test_the_market_maker_waits_after_a_refusal() -> None:
    desk = market_maker()
    desk.receive(quote("49990.00", "50010.00"))
    for order in desk.submitted():
        desk.receive(update(order, OrderState.DENIED))
    desk.receive(quote("49990.00", "50010.00"))
    assert len(desk.submitted()) == 2
    desk.pass_time(1)
    desk.receive(quote("49990.00", "50010.00"))
    assert len(desk.submitted()) == 4


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_market_maker_trades_with_the_simulated_flow_within_its_inventory(seed: int) -> None:
    desk = TestDesk(MarketMaker(), {"quantity": "0.001", "max_position": "0.003"})
    market = SimulatedMarket(desk, seed)
    greatest = Decimal(0)
    for _ in range(2_400):
        await market.step()
        greatest = max(greatest, abs(position(desk)))
        assert len(desk.actor.strategy.orders) <= 2
    sides = [side for side, _, _, _ in market.fills]
    assert sides.count(Side.BUY) >= 20
    assert sides.count(Side.SELL) >= 20
    assert all(maker for _, _, _, maker in market.fills)
    assert greatest == Decimal("0.003")


async def test_momentum_follows_a_run_of_bars_with_slices() -> None:
    desk = TestDesk(Momentum(), {"run": 2, "slices": 3, "quantity": "0.01", "pause_s": 0, "bar_seconds": 1})
    start = desk.ctx.time
    for second, price in enumerate(("100", "101", "102", "102")):
        await desk.receive_async(trade(price, "1", start + second * 1_000_000_000))
    assert [(order.side, order.type, order.quantity) for order in desk.submitted()] == [
        (Side.BUY, OrderType.MARKET, "0.01"),
        (Side.BUY, OrderType.MARKET, "0.01"),
        (Side.BUY, OrderType.MARKET, "0.01"),
    ]


async def test_momentum_is_never_larger_than_its_slices_in_the_simulated_market() -> None:
    desk = TestDesk(Momentum(), {"run": 2, "slices": 2, "quantity": "0.01", "pause_s": 0})
    market = SimulatedMarket(desk)
    for _ in range(2_400):
        await market.step()
        assert abs(position(desk)) <= Decimal("0.02")
    sides = {side for side, _, _, _ in market.fills}
    assert sides == {Side.BUY, Side.SELL}


def test_the_observer_counts_and_sends_nothing_unless_asked_to() -> None:
    desk = TestDesk(Observer())
    for _ in range(5):
        desk.receive(quote("99", "101"))
    desk.receive(trade("100", "1", desk.ctx.time))
    assert desk.submitted() == []
    assert desk.actor.report().state["strategy"] == {"quotes": {BTC: 5}, "trades": {BTC: 1}}


def test_the_observer_takes_a_little_from_each_side_in_turn() -> None:
    desk = TestDesk(Observer(), {"order_every": 2, "quantity": {BTC: "0.0001"}})
    desk.receive(InstrumentsListed("binance", [RULES]))
    for _ in range(5):
        desk.receive(quote("30000.00", "40000.00"))
    assert [(order.side, order.price, order.quantity, order.time_in_force) for order in desk.submitted()] == [
        (Side.BUY, "40000.00", "0.00013", TimeInForce.IOC),
        (Side.SELL, "30000.00", "0.00017", TimeInForce.IOC),
    ]
