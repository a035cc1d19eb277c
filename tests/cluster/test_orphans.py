"""`outcry run` is killed: what it has started on the cluster does not trade on without anybody who could stop it."""

import os
import signal
from typing import Any

import pytest

from tests.cluster.desk import TRADER, ClusterDesk, Venue, all_ready, desk
from tests.cluster.machines import Network, network

pytestmark = [pytest.mark.slow, pytest.mark.ray]

CONFIGURATION: dict[str, Any] = {
    "strategies": {"maker": {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}}}},
    "placement": {"connector.binance": {"zone": "tokyo"}},
    "restart": {"alone_after_s": 2},
}


def trading(running: ClusterDesk) -> None:
    running.until(lambda status: status["fills"] > 5 and all_ready(status) and running.spares() == 2)


def until_nothing_is_left(net: Network) -> None:
    for machine in net.machines:
        machine.until_none("RayHost")


def test_a_killed_run_leaves_nobody_who_trades_whether_its_supervisor_lives_or_not() -> None:
    with network(2) as net:
        net.start_ray(["", "zone=tokyo"])
        head = net.head
        with Venue(head) as venue:
            configuration = {**CONFIGURATION, **venue.settings}
            with desk(head, net.address, configuration) as running:
                trading(running)
                os.kill(running.process.pid, signal.SIGKILL)
                running.process.wait()
                until_nothing_is_left(net)
                assert list((head.folder / "outcry" / "runs").glob("desk-*")) == []

            # The next run of that name goes on from the same journal.
            fills = len(venue.truth().fills)
            with desk(head, net.address, configuration) as again:
                again.until(lambda status: status["fills"] > fills + 5 and all_ready(status) and again.spares() == 2)
                supervisor = again.rows()["supervisor"].pid
                os.kill(again.process.pid, signal.SIGKILL)
                os.kill(supervisor, signal.SIGKILL)
                again.process.wait()
                until_nothing_is_left(net)
