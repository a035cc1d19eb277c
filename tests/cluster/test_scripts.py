"""scripts/head, scripts/worker and `outcry run --address`, as the README shows them, and who is kept out."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.machines import POLL_S, START_S, Machine, Network, network

pytestmark = [pytest.mark.slow, pytest.mark.ray]

RAY_PORTS = {*range(6379, 6387), *range(10001, 20000)}


@contextmanager
def at_home(machine: Machine) -> Iterator[Path]:
    """The machine as a user finds it: no token, nothing set; returns where the token is looked for."""
    for name in [name for name in machine.environment if name.startswith("RAY_")]:
        del machine.environment[name]
    machine.environment["HOME"] = str(machine.folder)
    yield machine.folder / ".ray" / "auth_token"


def until_nodes(net: Network, token: Path, count: int) -> None:
    net.head.environment.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)})
    net.until_nodes(count)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        del net.head.environment[name]


def test_the_scripts_make_a_cluster_on_which_the_demo_runs_and_nobody_else_does() -> None:
    with network(2) as net, at_home(net.head) as token, at_home(net.machines[1]) as copy:
        head, worker = net.machines
        assert "which head?" in worker.run("scripts/worker", code=2)
        said = worker.run("scripts/worker", head.ip, code=2)
        assert f"there is no token in {copy}; copy the one that scripts/head has made on {head.ip}" in said

        run = ("outcry", "run", "configs/demo.yaml", "--address", net.address)
        assert f"outcry: {net.address} cannot be reached" in worker.run(*run, code=1)

        # short paths: sockets of Ray lie below
        head.start("scripts/head", f"--node-ip-address={head.ip}", f"--temp-dir={short(head, 'r')}")
        until_nodes(net, token, 1)
        assert oct(token.stat().st_mode) == "0o100600"
        assert "no authentication token was found" in worker.run(*run, code=2)
        copy.parent.mkdir()
        copy.touch(mode=0o600)
        copy.write_text("0" * 64)
        worker.run("scripts/worker", head.ip, f"--node-ip-address={worker.ip}", code=None)
        until_nodes(net, token, 1)
        copy.write_bytes(token.read_bytes())
        quick = ("env", "RAY_gcs_server_request_timeout_seconds=3")
        assert "Ray has to run on this machine too (scripts/worker" in worker.run(*quick, *run, code=2)
        worker.start(
            *("scripts/worker", head.ip, "--labels=zone=tokyo"),
            *(f"--node-ip-address={worker.ip}", f"--temp-dir={short(worker, 'r')}"),
        )
        until_nodes(net, token, 2)

        for machine in (head, worker):
            assert [port for port in open_ports(machine) if port not in RAY_PORTS] == []
        stranger = worker.run(
            *("env", "RAY_AUTH_MODE=disabled", sys.executable, "-m", "tests.cluster.nodes", net.address, head.ip),
            code=None,
        )
        assert "alive" not in stranger

        summary = head.folder / "summary.json"
        demo = head.start(*run, "--json", str(summary))
        until_it_trades(head)
        head.run("outcry", "stop")
        assert demo.wait(START_S) == 0, head.output()
        assert json.loads(summary.read_text())["fills"] > 0


def until_it_trades(machine: Machine) -> None:
    deadline = time.monotonic() + START_S
    while '"fills": 0,' in (said := machine.run("outcry", "status", "--json", code=None)) or '"fills"' not in said:
        assert time.monotonic() < deadline, f"{said}{machine.output()}"
        time.sleep(POLL_S)


def short(machine: Machine, name: str) -> Path:
    path = machine.folder / name
    path.mkdir()
    return path


def open_ports(machine: Machine) -> set[int]:
    """Those that others can reach."""
    listed = [line.split()[3] for line in machine.run("ss", "-Htln").splitlines()]
    return {
        int(where.rpartition(":")[2]) for where in listed if not where.startswith(("127.", "[::1]", "[::ffff:127."))
    }
