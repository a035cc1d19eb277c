"""The whole desk under a virtual clock: the same run from the same seed, and no order or fill lost by any crash."""

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from actors import names
from actors.orders.records import decode
from actors.settings import Configuration
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.protocol import SUPERVISOR, ActorRow
from tests.desk.truth import Truth, digest, records, shortest
from tests.support.desk import EPOCH, VirtualDesk, trade_virtually

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
HOT_PATH = ["connector.binance", "strategy.maker", "order_manager", "risk_checker", "router"]
LINKS = "links"
"""Not an actor: every link of the desk to its venue is cut."""
TRADING_S = 20
QUIET_S = 20
"""After the trading, so that whatever was left open by a crash has been asked and settled."""


def configured(
    seed: int, trading_s: int, colocate: list[list[str]] | None = None, changes: bool = False
) -> Configuration:
    """The demo's desk with a strategy that trades for so long and then cancels what is left."""
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["venues"]["binance"]["simulate"]["seed"] = seed
    document["strategies"]["maker"]["class"] = "tests.desk.trader:Trader"
    document["strategies"]["maker"]["parameters"] |= {"until": EPOCH + trading_s * NS_PER_S, "changes": changes}
    document["colocate"] = colocate or []
    return Configuration.model_validate(document)


async def ended(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
    rows = await desk.stop()
    return Truth.of_venue(desk.ledger()), rows


def trade(folder: Path, configuration: Configuration, seconds: int, latency_ns: int = 0) -> Truth:
    """Trade undisturbed; returns the venue's truth."""

    async def scenario(desk: VirtualDesk) -> Truth:
        await asyncio.sleep(seconds)
        truth, _ = await ended(desk)
        return truth

    return trade_virtually(configuration, folder, scenario, latency_ns=latency_ns)


def held(quantities: dict[str, str]) -> dict[str, str]:
    """By symbol, without those that are zero."""
    return {key.rpartition(".")[2]: shortest(text) for key, text in quantities.items() if Decimal(text)}


def assert_nobody_differs(truth: Truth, rows: dict[str, ActorRow], folder: Path) -> None:
    """Journal, order manager, portfolio, strategy and risk checker all end with what the venue says."""
    assert Truth.of_journal(folder / "journal") == truth
    manager = rows[names.ORDER_MANAGER].report
    assert manager["fills"] == len(truth.fills)
    assert manager["open"] == 0
    assert held(manager["positions"]) == truth.positions
    portfolio = rows[names.PORTFOLIO].report["positions"]
    assert held({key: position["quantity"] for key, position in portfolio.items()}) == truth.positions
    assert held(rows["strategy.maker"].report["own_positions"]) == truth.positions
    assert rows["strategy.maker"].report["own_orders"] == 0
    assert rows[names.RISK_CHECKER].report["open_orders"] == 0


@pytest.mark.slow
def test_a_virtual_minute_from_one_seed_is_written_twice_the_same(tmp_path: Path) -> None:
    once, again = tmp_path / "once", tmp_path / "again"
    truth = trade(once, configured(7, 55), 60, 3 * NS_PER_MS)
    assert trade(again, configured(7, 55), 60, 3 * NS_PER_MS) == truth
    assert digest(once / "journal") == digest(again / "journal")
    assert len(truth.fills) > 250
    assert {state for state, _ in truth.orders.values()} == {"FILLED", "CANCELED", "EXPIRED"}
    assert Truth.of_journal(once / "journal") == truth


@pytest.mark.slow
def test_another_seed_is_another_market(tmp_path: Path) -> None:
    assert trade(tmp_path / "one", configured(1, 10), 12).fills != trade(tmp_path / "two", configured(2, 10), 12).fills


@pytest.mark.slow
@pytest.mark.parametrize(
    "colocate",
    [[], [HOT_PATH, ["portfolio", "latency_monitor"]], [[*HOT_PATH, "portfolio", "latency_monitor"]]],
    ids=["apart", "hot-path-together", "together"],
)
def test_however_the_actors_are_spread_everybody_ends_with_the_truth_of_the_venue(
    tmp_path: Path, colocate: list[list[str]]
) -> None:
    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        await desk.until(30 + QUIET_S)
        return await ended(desk)

    truth, rows = trade_virtually(configured(11, 30, colocate), tmp_path, scenario, latency_ns=NS_PER_MS)
    assert len(truth.fills) > 150
    assert_nobody_differs(truth, rows, tmp_path)
    assert {row.name for row in rows.values() if row.restarts} == set()


@pytest.mark.slow
def test_nobody_notices_that_the_supervisor_dies(tmp_path: Path) -> None:
    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        for second in (2, 7, 13):
            await desk.until(second)
            await desk.order()
            desk.kill(SUPERVISOR)
        await desk.until(20 + QUIET_S)
        return await ended(desk)

    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    truth, rows = trade_virtually(configured(3, 20), disturbed, scenario, latency_ns=NS_PER_MS)
    assert_nobody_differs(truth, rows, disturbed)
    assert {row.name: row.incarnation for row in rows.values() if row.incarnation > 1} == {SUPERVISOR: 4}
    assert trade(undisturbed, configured(3, 20), 20 + QUIET_S, NS_PER_MS) == truth
    assert digest(disturbed / "journal") == digest(undisturbed / "journal")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_no_crash_at_whatever_moment_loses_or_doubles_an_order_or_a_fill(tmp_path: Path, seed: int) -> None:
    """Four crashes, each soon after an order has reached the venue, with its events and the next ones on the way.

    Hops take no virtual time, so the moments between them are turns of the loop: the crash comes so many of them later.
    Some crashes bring a second one with them. Two in three strategies modify their orders and send order lists.
    """
    random = Random(seed)
    together = seed % 4 == 3
    changes = seed % 3 != 0
    configuration = configured(seed, TRADING_S, [HOT_PATH] if together else None, changes)
    victims = [*names.of_desk(configuration), SUPERVISOR, LINKS]
    crashes = [
        (second, random.randrange(80), random.sample(victims, random.choice((1, 1, 2))))
        for second in sorted(random.uniform(1, TRADING_S - 3) for _ in range(4))
    ]

    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        for second, turns, hit in crashes:
            await desk.until(second)
            await desk.order()
            for victim in hit:
                for _ in range(turns):
                    await asyncio.sleep(0)
                desk.links.drop_links() if victim == LINKS else desk.kill(victim)
        await desk.until(TRADING_S + QUIET_S)
        return await ended(desk)

    truth, rows = trade_virtually(configuration, tmp_path, scenario, latency_ns=random.choice((0, 2)) * NS_PER_MS)
    assert len(truth.fills) > 50
    assert_nobody_differs(truth, rows, tmp_path)
    intents = {type(decode(record).event).__name__ for record in records(tmp_path / "journal")}
    assert ({"ChangeIntended", "SubmitOrderList"} <= intents) is changes
    expected = {victim for _, _, hit in crashes for victim in hit} - {LINKS}
    if together and expected & set(HOT_PATH):
        expected |= set(HOT_PATH)
    assert {row.name for row in rows.values() if row.incarnation > 1} == expected
