"""A desk with a hot standby under a virtual clock, its actors spread in every way, and one of the two killed again
and again: nothing missing, nothing twice, and the orders as ever."""

from pathlib import Path
from random import Random

import pytest

from actors.settings import Configuration
from runtime.clock import NS_PER_MS
from runtime.protocol import ActorRow
from tests.desk.test_virtual_desk import HOT_PATH, QUIET_S, assert_nobody_differs, configured, ended, trade
from tests.desk.truth import Truth, digest
from tests.standby.heard import Heard
from tests.support.desk import VirtualDesk, trade_virtually

pytestmark = pytest.mark.slow

PRIMARY, STANDBY = "connector.binance", "standby.binance"
TRADING_S = 24


def with_standby(configuration: Configuration) -> Configuration:
    document = configuration.model_dump(mode="json", by_alias=True)
    document["venues"]["binance"]["standby"] = True
    document["strategies"]["maker"]["class"] = "tests.standby.heard:Heard"
    return Configuration.model_validate(document)


@pytest.mark.parametrize(
    ("colocate", "victims"),
    [
        ([], [PRIMARY, STANDBY]),
        ([HOT_PATH], [STANDBY]),
        ([["strategy.maker", STANDBY]], [PRIMARY]),
    ],
    ids=["apart", "primary-beside-the-strategy", "standby-beside-the-strategy"],
)
@pytest.mark.parametrize("seed", [1])
def test_one_of_two_is_killed_and_the_strategy_hears_everything_once(
    tmp_path: Path, seed: int, colocate: list[list[str]], victims: list[str]
) -> None:
    Heard.forget()
    random = Random(seed)
    configuration = with_standby(configured(seed, TRADING_S, colocate))

    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        for second in (2, 8, 14, 20):  # the one before is back by then: they share what the venue allows an address
            await desk.until(second + random.random())
            await desk.order()
            desk.kill(random.choice(victims))
        await desk.until(TRADING_S + QUIET_S)
        return await ended(desk)

    truth, rows = trade_virtually(configuration, tmp_path, scenario, latency_ns=2 * NS_PER_MS)
    assert len(truth.fills) > 50
    assert_nobody_differs(truth, rows, tmp_path)
    assert sum(rows[name].restarts for name in victims) == 4
    assert rows["strategy.maker"].restarts == 0
    Heard.assert_each_once(20)


def test_the_same_run_from_the_same_seed(tmp_path: Path) -> None:
    once, again = tmp_path / "once", tmp_path / "again"
    configuration = with_standby(configured(7, 10))
    truth = trade(once, configuration, 15, 3 * NS_PER_MS)
    assert trade(again, configuration, 15, 3 * NS_PER_MS) == truth
    assert digest(once / "journal") == digest(again / "journal")
