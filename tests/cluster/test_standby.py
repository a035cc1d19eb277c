"""A hot standby is on another machine than its connector, always; and spares wait where the hosts are."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.desk import PATIENT, Rows, Venue, desk
from tests.cluster.machines import Machine, network
from tests.standby.watcher import Record

pytestmark = [pytest.mark.slow, pytest.mark.ray]

PRIMARY, STANDBY = "connector.binance", "standby.binance"


def is_ready(rows: Rows, *names: str) -> bool:
    return all(rows[name].state == "READY" for name in names)


def both_hear(rows: Rows) -> bool:
    """And they are apart: a busy spare is taken for frozen, and then the two may have changed places."""
    heard = all(rows[name].handled > 100 for name in (PRIMARY, STANDBY, "strategy.watcher"))
    return heard and is_ready(rows, *rows) and rows[PRIMARY].node != rows[STANDBY].node


def is_back(life: int, rows: Rows) -> bool:
    return rows[PRIMARY].incarnation >= life and both_hear(rows)


def at(node: str, *machines: Machine) -> Machine:
    return next(machine for machine in machines if machine.ip == node)


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
                "restart": {**PATIENT, "period_s": 0.1, "spares": 1},
            }
            with desk(head, net.address, configuration) as running:
                waiting = (
                    f"waits for a node with zone=tokyo and without {PRIMARY}: {head.ip} has no label; "
                    f"{first.ip} has zone=tokyo and holds {PRIMARY}"
                )
                running.until_rows(lambda rows: rows[STANDBY].reason == waiting and is_ready(rows, PRIMARY))
                running.command("doctor", code=1, saying=waiting)

                net.start_node(second, "zone=tokyo")
                rows = running.until_rows(both_hear)
                assert {rows[PRIMARY].node, rows[STANDBY].node} == {first.ip, second.ip}
                for _ in range(10):  # a spare that is busy for a second when it is chosen is taken for frozen
                    running.until_rows(lambda rows: both_hear(rows) and running.spares() == 3)  # one on each machine
                    killed = running.rows()[PRIMARY]
                    waited = at(killed.node, first, second).pids()
                    os.kill(killed.pid, signal.SIGKILL)
                    rows = running.until_rows(partial(is_back, killed.incarnation + 1))
                    assert {rows[PRIMARY].node, rows[STANDBY].node} == {first.ip, second.ip}
                    if rows[PRIMARY].node == killed.node and rows[PRIMARY].pid in waited:
                        break
                else:
                    raise AssertionError("no spare of that machine has become the connector")

                lost, left = at(rows[PRIMARY].node, first, second), at(rows[STANDBY].node, first, second)
                lost.unplug()
                heard = len(Record(file).trades["BTCUSDT"])
                running.until_rows(lambda _: len(Record(file).trades["BTCUSDT"]) > heard + 20)
                running.until_rows(
                    lambda rows: (
                        rows[PRIMARY].node == left.ip
                        and is_ready(rows, PRIMARY)
                        and rows[STANDBY].reason.startswith("waits for a node")
                    )
                )
                heard = len(Record(file).trades["BTCUSDT"])
                running.until_rows(lambda _: len(Record(file).trades["BTCUSDT"]) > heard + 20)
                assert running.rows()[PRIMARY].node == left.ip
                lost.plug()
                running.stop()
    record = Record(file)
    heard_trades = record.trades["BTCUSDT"]
    assert heard_trades == list(range(heard_trades[0], heard_trades[-1] + 1)), "a gap, or one twice"
    assert record.lost == []
