"""A desk as a Ray job: its code is in a folder that only who submits it has, and Ray brings it to every node."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.desk import Venue
from tests.cluster.head import start_head, start_worker
from tests.cluster.machines import POLL_S, START_S, Machine, network

pytestmark = [pytest.mark.slow, pytest.mark.ray]

STRATEGY = """
from actors.strategies.market_maker import MarketMaker

class Mine(MarketMaker):
    pass
"""
DASHBOARD = "http://127.0.0.1:8265"


def working_directory(machine: Machine, venue: Venue, journal: Path) -> Path:
    folder = machine.folder / "work"
    folder.mkdir()
    (folder / "only_here.py").write_text(STRATEGY)
    desk = {
        "strategies": {"mine": {"class": "only_here:Mine", "instruments": ["binance.BTCUSDT"]}},
        "placement": {"strategy.mine": {"zone": "tokyo"}},
        "journal": {"path": str(journal)},
        **venue.settings,
    }
    (folder / "desk.yaml").write_text(yaml.safe_dump(desk))
    return folder


def test_a_desk_runs_as_a_job_with_strategies_from_its_working_directory_on_every_node() -> None:
    with network(2) as net:
        head, tokyo = net.machines
        start_head(net, "none", "--include-dashboard=true")
        net.until_nodes(1)
        start_worker(net, tokyo, "--labels=zone=tokyo")
        net.until_nodes(2)
        assert not tokyo.until_connected(head.ip, 8265, timeout_s=1)
        with Venue(head) as venue:
            folder = working_directory(head, venue, head.folder / "journal")
            job = ("ray", "job", "submit", "--address", DASHBOARD, "--no-wait", "--submission-id", "desk")
            assert head.until_connected("127.0.0.1", 8265, START_S)
            head.run(*job, "--working-dir", str(folder), "--", "outcry", "run", "desk.yaml", "--address", "auto")
            now = until_it_trades(head)
            assert now["actors"]["strategy.mine"]["node"] == tokyo.ip
            head.run("outcry", "stop")
            until(head, "Job 'desk' succeeded")
            assert len(venue.truth().fills) > 0
            for machine in net.machines:
                machine.until_none("RayHost")


def until_it_trades(machine: Machine) -> dict[str, Any]:
    """The first status with fills."""
    deadline = time.monotonic() + START_S
    while True:
        code, said = machine.outcome("outcry", "status", "--json")
        status: dict[str, Any] = json.loads(said) if code == 0 else {}
        if status.get("fills"):
            return status
        logs = machine.run("ray", "job", "logs", "--address", DASHBOARD, "desk", code=None)
        assert time.monotonic() < deadline, f"{said}{logs}"
        time.sleep(POLL_S)


def until(machine: Machine, state: str) -> None:
    deadline = time.monotonic() + START_S
    while state not in (said := machine.run("ray", "job", "status", "--address", DASHBOARD, "desk", code=None)):
        assert time.monotonic() < deadline, said
        time.sleep(POLL_S)
