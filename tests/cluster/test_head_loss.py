"""The head of the cluster is lost while a desk trades on other machines, and comes back."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.desk import PATIENT, TRADER, ClusterDesk, Venue, all_ready, desk
from tests.cluster.head import control_process, start_head, start_worker
from tests.cluster.machines import Network, network
from tests.desk.truth import Truth

pytestmark = [pytest.mark.slow, pytest.mark.ray]

REACH = "import sys; from actors.desk import connect; print(connect(sys.argv[1], frames='plain').tree())"


@contextmanager
def cluster(storage: str) -> Iterator[Network]:
    """The head, and two machines that are called tokyo and paris."""
    with network(3) as net:
        start_head(net, storage.format(folder=net.folder))
        net.until_nodes(1)
        for machine, zone in zip(net.machines[1:], ("tokyo", "paris"), strict=True):
            start_worker(net, machine, f"--labels=zone={zone}")
        net.until_nodes(3)
        yield net


def until_it_goes_on(running: ClusterDesk, fills: int = 5) -> None:
    before = running.status()["fills"]
    running.until(lambda status: status["fills"] > before + fills)


def test_a_desk_goes_on_without_its_head_and_is_whole_again_when_that_is_back() -> None:
    with cluster("{folder}/storage") as net:
        tokyo, paris = net.machines[1:]
        done = paris.folder / "done"
        configuration = {
            "strategies": {
                "maker": {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}}
            },
            "placement": {"connector.binance": {"zone": "tokyo"}},
            "restart": PATIENT,
        }
        with Venue(paris) as venue, desk(paris, net.address, {**configuration, **venue.settings}) as running:
            running.until(lambda status: status["fills"] > 5 and all_ready(status))
            lives = {name: row.incarnation for name, row in running.rows().items()}

            # Its control process alone: scripts/head starts it again where it was.
            os.kill(control_process(net.head), signal.SIGKILL)
            until_it_goes_on(running)
            net.until_nodes(3)
            assert "control process died (-9) and is started again" in net.head.output()

            # Everything on the machine, and for a while.
            net.head.kill_all()
            until_it_goes_on(running)
            assert {name: row.incarnation for name, row in running.rows().items()} == lives
            os.kill(running.rows()["connector.binance"].pid, signal.SIGKILL)
            running.until(
                lambda status: (
                    status["actors"]["connector.binance"]["reason"]
                    == "waits for the head of the cluster, which does not answer"
                )
            )
            assert running.status()["actors"]["order_manager"]["state"] == "READY"

            start_head(net, f"{net.folder}/storage")
            running.until(lambda status: all_ready(status) and len(status["actors"]) == len(lives))
            until_it_goes_on(running)
            now = running.rows()
            assert {name for name, row in now.items() if row.incarnation != lives[name]} == {"connector.binance"}
            assert now["connector.binance"].node == tokyo.ip
            assert "'connector.binance'" in paris.run(sys.executable, "-c", REACH, net.address)

            running.end_trading(done)
            running.stop()
            truth = venue.truth()
            assert Truth.of_journal(running.journal).difference(truth) == {}
            assert len(truth.fills) > 15
