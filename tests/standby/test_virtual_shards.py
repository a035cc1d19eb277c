"""Shards that have a standby each, under a virtual clock: symbols move between them while all trade, and whoever dies
in the midst of it, the strategy hears each trade once."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from actors.gateway.requests import Answer, MoveSymbol, SetShards
from actors.names import GATEWAY
from actors.settings import Configuration
from runtime.clock import NS_PER_MS
from runtime.errors import Unavailable
from runtime.protocol import ActorRow
from tests.desk.test_virtual_desk import assert_nobody_differs, configured, ended
from tests.desk.truth import Truth
from tests.standby.heard import Heard
from tests.standby.test_virtual_desk import with_standby
from tests.support.desk import VirtualDesk, trade_virtually

pytestmark = pytest.mark.slow

FIRST, SECOND = "connector.binance", "connector.binance.1"
BTC, ETH = "BTCUSDT", "ETHUSDT"
"""Of two shards the first has ETHUSDT, the second BTCUSDT."""
STEPS: list[tuple[SetShards | MoveSymbol, dict[str, list[str]]]] = [
    (SetShards("binance", 2), {FIRST: [ETH], SECOND: [BTC]}),
    (MoveSymbol("binance.ETHUSDT", 1), {FIRST: [], SECOND: [BTC, ETH]}),
    (MoveSymbol("binance.BTCUSDT", 0), {FIRST: [BTC], SECOND: [ETH]}),
    (SetShards("binance", 1), {FIRST: [BTC, ETH]}),
]
RATE = 10
TRADING_S = 24
QUIET_S = 8
STEP_S = 10.0
"""A step takes four seconds when nobody dies. As the next, of the virtual time."""
PATIENCE_S = 100.0
LENT_S = 65
"""A new limiter lends nothing in its first minute while somebody is missing who may have a lease of an earlier life."""


def sharded(seed: int, trading_s: int = TRADING_S) -> Configuration:
    configuration = with_standby(configured(seed, trading_s))
    venue = configuration.venues["binance"]
    assert venue.simulate is not None
    slower = venue.model_copy(update={"simulate": venue.simulate.model_copy(update={"rate": RATE})})
    return configuration.model_copy(update={"venues": {"binance": slower}})


async def in_order(desk: VirtualDesk) -> dict[str, ActorRow]:
    """The rows, as soon as everybody is there and nothing moves."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            rows = await desk.rows()
            if all(row.state == "READY" and not row.report.get("moving") for row in rows.values()):
                return rows
            await asyncio.sleep(0.1)


def carriers(rows: dict[str, ActorRow]) -> set[str]:
    return {name for name in rows if name.startswith(("connector.", "standby."))}


def with_standbys(connectors: Iterable[str]) -> set[str]:
    return {name.replace("connector.", kind) for name in connectors for kind in ("connector.", "standby.")}


def test_shards_come_and_go_and_symbols_move_beside_their_standbys(tmp_path: Path) -> None:
    Heard.forget()

    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        await desk.until(3)
        for command, shares in STEPS:
            async with asyncio.timeout(STEP_S):
                answer = await desk.command(command)
            assert answer == Answer({"venue": "binance", "shards": shares})
            assert carriers(await in_order(desk)) == with_standbys(shares)
        await desk.until(TRADING_S)
        await asyncio.sleep(QUIET_S)
        return await ended(desk)

    truth, rows = trade_virtually(sharded(1), tmp_path, scenario, latency_ns=2 * NS_PER_MS)
    assert_nobody_differs(truth, rows, tmp_path)
    assert [name for name, row in rows.items() if row.restarts] == []
    Heard.assert_each_once(50)


def test_a_standby_that_is_not_there_keeps_nobody_from_moving(tmp_path: Path) -> None:
    Heard.forget()
    configuration = sharded(1, LENT_S + TRADING_S)
    never = configuration.restart.model_copy(update={"backoff_min_s": 1_000.0, "backoff_max_s": 1_000.0})

    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        await desk.until(3)
        desk.kill("standby.binance")
        await desk.until(LENT_S)
        for command, shares in STEPS:
            async with asyncio.timeout(STEP_S):
                answer = await desk.command(command)
            assert answer == Answer({"venue": "binance", "shards": shares})
        await desk.until(LENT_S + TRADING_S)
        await asyncio.sleep(QUIET_S)
        return await ended(desk)

    moved = configuration.model_copy(update={"restart": never})
    truth, rows = trade_virtually(moved, tmp_path, scenario, latency_ns=2 * NS_PER_MS)
    assert_nobody_differs(truth, rows, tmp_path)
    assert rows["standby.binance"].state != "READY"
    Heard.assert_each_once(50)


async def insisted(desk: VirtualDesk, command: SetShards | MoveSymbol) -> object:
    """What is answered in the end: who died over it, or did not follow, is asked again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Unavailable):
                answer = await desk.command(command)
                if answer.problem is None:
                    return answer.value
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("seed", range(4))
def test_who_dies_while_symbols_move_is_made_up_for_by_his_standby(tmp_path: Path, seed: int) -> None:
    """At each step one of those that the symbols leave or come to, or the gateway, at whatever moment of it."""
    Heard.forget()
    random = Random(seed)
    killed: list[str] = []

    async def scenario(desk: VirtualDesk) -> tuple[Truth, dict[str, ActorRow]]:
        await desk.until(3)
        for command, shares in STEPS:
            asked = asyncio.create_task(insisted(desk, command))
            await asyncio.sleep(0.1 + random.random() * 3.5)
            connectors = [name for name in carriers(await desk.rows()) if name.startswith("connector.")]
            killed.append(random.choice([*sorted(connectors) * 3, *sorted(with_standbys(connectors)), GATEWAY]))
            desk.kill(killed[-1])
            assert await asked == {"venue": "binance", "shards": shares}
            assert carriers(await in_order(desk)) == with_standbys(shares)
        await desk.until(TRADING_S)
        await asyncio.sleep(QUIET_S)
        return await ended(desk)

    truth, rows = trade_virtually(sharded(seed), tmp_path, scenario, latency_ns=2 * NS_PER_MS)
    assert_nobody_differs(truth, rows, tmp_path)
    assert len(killed) == len(STEPS)
    Heard.assert_each_once(50)
