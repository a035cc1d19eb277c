"""What a head without storage takes with it: the nodes and all that is on them, but not what the journal knows."""

import pytest

from tests.cluster.desk import PATIENT, TRADER, Venue, all_ready, desk
from tests.cluster.head import start_head, start_worker
from tests.cluster.machines import START_S, network
from tests.desk.truth import Truth

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def test_without_storage_everything_ends_when_the_head_is_back_and_the_next_run_knows_the_orders() -> None:
    with network(2) as net:
        head, worker = net.machines
        start_head(net, "none")
        net.until_nodes(1)
        start_worker(net, worker)
        net.until_nodes(2)
        done = worker.folder / "done"
        quantity = {"binance.BTCUSDT": "0.002"}
        maker = {**TRADER, "parameters": {"quantity": quantity, "until_file": str(done)}}
        with Venue(worker) as venue:
            configuration = {"strategies": {"maker": maker}, "restart": PATIENT, **venue.settings}
            with desk(worker, net.address, configuration) as running:
                running.until(lambda status: status["fills"] > 5 and all_ready(status))
                head.kill_all()
                fills = running.status()["fills"]
                running.until(lambda status: status["fills"] > fills + 2)
                start_head(net, "none")
                assert running.process.wait(START_S) == 1
                assert "outcry: Ray has ended on this machine, and with it the run" in worker.output()
            net.until_nodes(1)

            start_worker(net, worker)
            net.until_nodes(2)
            fills = len(venue.truth().fills)
            with desk(worker, net.address, configuration) as again:
                again.until(lambda status: status["fills"] > fills and all_ready(status))
                again.end_trading(done)
                again.stop()
                truth = venue.truth()
                assert Truth.of_journal(again.journal).difference(truth) == {}
