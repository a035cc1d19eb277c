"""Strategies come and go while the desk runs, and whatever is restarted meanwhile changes nothing about that."""

from collections.abc import Iterator

import pytest

from actors.desk import CommandRefused, Desk, connect
from tests.desk.runs import Run
from tests.operating.desks import BTC, actions, trading_desk

pytestmark = pytest.mark.slow

ETH = "binance.ETHUSDT"
MAKER = "actors.strategies.market_maker:MarketMaker"
PARAMETERS = {"half_spread_bps": 2, "requote_bps": 1, "quantity": "0.01", "max_position": "0.1"}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with trading_desk() as run:
        yield run


@pytest.fixture
def desk(run: Run) -> Iterator[Desk]:
    with connect(frames="plain", client="test") as desk:
        yield desk


def lives(desk: Desk) -> dict[str, int]:
    return {row["actor"]: row["life"] for row in desk.status()}


def has_orders(strategy: str) -> object:
    return lambda status: any(order["strategy"] == strategy for order in status["open_orders"])


def test_a_strategy_is_added_outlives_everybody_and_is_removed_with_its_orders(run: Run, desk: Desk) -> None:
    before = lives(desk)
    added = desk.add_strategy("second", MAKER, [ETH], PARAMETERS)
    assert (added["strategy"], added["state"]) == ("second", "READY")
    assert lives(desk) == {**before, "strategy.second": 1}
    run.until(has_orders("second"))  # type: ignore[arg-type]
    with pytest.raises(CommandRefused, match="there is one called so already"):
        desk.add_strategy("second", MAKER, [ETH])

    for actor in ("strategy.second", "supervisor", "gateway", "order_manager"):
        run.kill(actor)
    run.until(lambda status: all(actor["state"] == "READY" for actor in status["actors"].values()))
    assert "strategy.second" in lives(desk)
    run.kill("strategy.second")
    run.until(has_orders("second"))  # type: ignore[arg-type]

    life = lives(desk)["strategy.second"]
    assert desk.remove_strategy("second") == {"strategy": "second", "state": "STOPPED"}
    assert "strategy.second" not in lives(desk)
    assert [row for row in desk.orders() if row["strategy"] == "second"] == []
    run.kill("supervisor")
    assert "strategy.second" not in lives(desk)
    assert "strategy.maker" in lives(desk)

    for _ in range(2):
        desk.add_strategy("second", MAKER, [ETH], PARAMETERS)
        earlier, life = life, lives(desk)["strategy.second"]
        assert life > earlier, "no life of a name is ever given twice"
        desk.remove_strategy("second")
    mine = [arguments for _, client, action, arguments in actions(run.journal) if action == "RECONFIGURE"]
    assert [next(iter(arguments)) for arguments in mine] == ["add_strategy", "remove_strategy"] * 3


@pytest.mark.parametrize(
    ("class_", "instruments", "says"),
    [
        ("actors.nowhere:Nobody", [ETH], "does not start and was taken away again: ConfigError: class: cannot import"),
        (MAKER, ["binance.DOGEUSDT"], "binance.DOGEUSDT is not in the configuration; there is binance.BTCUSDT"),
        ("nonsense", [ETH], "strategies.third.class: "),
        (MAKER, [], "strategies.third.instruments: "),
    ],
)
def test_what_cannot_start_is_refused_with_the_reason_and_leaves_nothing(
    desk: Desk, class_: str, instruments: list[str], says: str
) -> None:
    with pytest.raises(CommandRefused) as caught:
        desk.add_strategy("third", class_, instruments)
    assert says in str(caught.value)
    assert "strategy.third" not in {row["actor"] for row in desk.status() if row["state"] not in ("STOPPED", "PARKED")}
    assert desk.buy(BTC, "0.001")["state"] == "FILLED"


def test_a_strategy_that_is_not_there_cannot_be_removed(desk: Desk) -> None:
    with pytest.raises(CommandRefused, match="there is no such strategy; there is maker"):
        desk.remove_strategy("other")


def test_a_strategy_of_the_configuration_can_be_removed_and_the_run_stops_in_order(run: Run, desk: Desk) -> None:
    desk.remove_strategy("maker")
    assert "strategy.maker" not in lives(desk)
    assert desk.orders() == []
    run.stop()
    run.until_gone()
