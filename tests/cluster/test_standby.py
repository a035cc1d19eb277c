"""A hot standby is on another machine than its connector, always; and spares wait where the hosts are."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runtime.protocol import ActorRow
from tests.cluster.desk import ClusterDesk, Venue, desk
from tests.cluster.machines import network
from tests.standby.watcher import Record

pytestmark = [pytest.mark.slow, pytest.mark.ray]

PRIMARY, STANDBY = "connector.binance", "standby.binance"
Rows = dict[str, ActorRow]


def is_ready(rows: Rows, *names: str) -> bool:
    return all(rows[name].state == "READY" for name in names)


def both_hear(rows: Rows) -> bool:
    return is_ready(rows, *rows) and all(rows[name].handled > 100 for name in (PRIMARY, STANDBY, "strategy.watcher"))


def spares(running: ClusterDesk) -> int:
    return running.told().spares


def is_back(life: int, rows: Rows) -> bool:
    return rows[PRIMARY].incarnation >= life and both_hear(rows)


def test_a_standby_is_never_on_the_machine_of_its_connector(tmp_path: Path) -> None:
    file = tmp_path / "record"
    watcher = {
        "class": "tests.standby.watcher:Watcher",
        "instruments": ["binance.BTCUSDT"],
        "parameters": {"record": str(file)},
    }
    with network(3) as net:
        net.start_ray(["", "zone=tokyo"])
        head, first, second = net.machines
        with Venue(head) as venue:
            settings: dict[str, Any] = {**venue.settings}
            settings["venues"]["binance"]["standby"] = True
            configuration = {
                **settings,
                "strategies": {"watcher": watcher},
                "placement": {name: {"zone": "tokyo"} for name in (PRIMARY, STANDBY)},
                "restart": {"period_s": 0.1},
            }
            with desk(head, net.address, configuration) as running:
                waiting = (
                    f"waits for a node with zone=tokyo and without {PRIMARY}: {head.ip} has no label; "
                    f"{first.ip} has zone=tokyo and holds {PRIMARY}"
                )
                running.until_rows(lambda rows: rows[STANDBY].reason == waiting and is_ready(rows, PRIMARY))
                assert waiting in running.command("doctor", code=1)

                net.start_node(second, "zone=tokyo")
                running.until_rows(both_hear)
                rows = running.rows()
                assert (rows[PRIMARY].node, rows[STANDBY].node) == (first.ip, second.ip)
                for life in (2, 3, 4):  # a spare that is busy for a second when it is chosen is taken for frozen
                    running.until_rows(lambda _: spares(running) == 3)  # one on each machine
                    waited = first.pids()
                    os.kill(running.rows()[PRIMARY].pid, signal.SIGKILL)
                    running.until_rows(partial(is_back, life))
                    rows = running.rows()
                    assert (rows[PRIMARY].node, rows[STANDBY].node) == (first.ip, second.ip)
                    if rows[PRIMARY].pid in waited:
                        break
                assert rows[PRIMARY].pid in waited, "no spare of that machine has become the connector"

                first.unplug()
                heard = len(Record(file).trades["BTCUSDT"])
                running.until_rows(lambda _: len(Record(file).trades["BTCUSDT"]) > heard + 20)
                running.until_rows(lambda rows: rows[PRIMARY].node == second.ip and is_ready(rows, PRIMARY))
                running.until_rows(lambda rows: rows[STANDBY].reason.startswith("waits for a node"))
                heard = len(Record(file).trades["BTCUSDT"])
                running.until_rows(lambda _: len(Record(file).trades["BTCUSDT"]) > heard + 20)
                assert running.rows()[PRIMARY].node == second.ip
                first.plug()
                running.stop()
    record = Record(file)
    heard_trades = record.trades["BTCUSDT"]
    assert heard_trades == list(range(heard_trades[0], heard_trades[-1] + 1)), "a gap, or one twice"
    assert record.lost == []
