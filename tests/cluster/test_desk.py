"""A whole desk on several machines: who is where, how they talk, who does not get in, and what is left afterwards."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.protocol import ActorRow
from tests.cluster.desk import PATIENT, TRADER, Venue, all_ready, desk
from tests.cluster.machines import Machine, Network, network
from tests.desk.truth import Truth
from tests.survival.desks import until

pytestmark = [pytest.mark.slow, pytest.mark.ray]

STREAMS = range(20000, 21000)
"""Ports of `cluster.ports` by default."""
KNOCK = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2])), 100)) as stranger:
    try:
        stranger.sendall(b"let me in")
        print("answered" if stranger.recv(100) else "refused")
    except TimeoutError:
        raise
    except OSError as error:
        print("refused", error)
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    """Four machines; a test may make a node of the last."""
    with network(4) as made:
        made.start_ray(["", "zone=tokyo", "zone=paris"])
        yield made


def placed(placement: dict[str, dict[str, str]], done: Path, **more: Any) -> dict[str, Any]:
    strategy = {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}}
    return {"strategies": {"maker": strategy, "other": strategy}, "placement": placement, "restart": PATIENT, **more}


def test_a_desk_trades_over_three_machines_and_no_stranger_gets_in(net: Network) -> None:
    head, tokyo, paris = net.machines[:3]
    done = head.folder / "done"
    where = {
        "connector.binance": {"zone": "tokyo"},
        "strategy.maker": {"zone": "paris"},
        "strategy.other": {"zone": "tokyo"},
    }
    with Venue(head) as venue, desk(head, net.address, {**placed(where, done), **venue.settings}) as running:
        running.until(lambda status: status["fills"] > 20)
        rows = running.until_rows(ready)
        assert {name: row.node for name, row in rows.items() if name in where} == {
            "connector.binance": tokyo.ip,
            "strategy.maker": paris.ip,
            "strategy.other": tokyo.ip,
        }
        assert {row.node for name, row in rows.items() if name not in where} == {head.ip}
        assert {row.restarts for row in rows.values()} == {0}
        until(lambda: peers(tokyo) >= {head.ip, paris.ip}, "tokyo has no stream to head or paris")

        connector = rows["connector.binance"].address
        assert connector is not None
        for _ in range(3):
            assert "refused" in paris.run(sys.executable, "-c", KNOCK, *connector.tcp.split(":"))
        running.until_rows(lambda rows: rows["connector.binance"].counters.get("strangers_refused") == 3)
        running.command("doctor", code=1, saying="3 connections of strangers were refused")
        fills = running.status()["fills"]
        running.until(lambda status: status["fills"] > fills)
        assert rows["connector.binance"].incarnation == running.rows()["connector.binance"].incarnation

        os.kill(rows["supervisor"].pid, signal.SIGKILL)
        found_again = running.until_rows(
            lambda now: now["supervisor"].incarnation == 2 and len(now) == len(rows) and ready(now)
        )
        assert {name: row.pid for name, row in found_again.items() if name != "supervisor"} == {
            name: row.pid for name, row in rows.items() if name != "supervisor"
        }

        with_key = [file for file in files(net.folder) if b"PRIVATE KEY" in read(file)]
        assert [(file.name, oct(file.stat().st_mode)) for file in with_key] == [("authority.key", "0o100600")]

        running.end_trading(done)
        running.stop()
        truth = venue.truth()
        assert Truth.of_journal(running.journal) == truth
        assert len(truth.fills) >= 20
    assert [file for file in files(net.folder) if file.name == "authority.key" or file.suffix == ".sock"] == []
    for machine in (head, tokyo, paris):
        machine.until_none("actors.cli", "RayHost")


def test_who_has_no_node_waits_and_says_so_until_there_is_one(net: Network) -> None:
    paris, late = net.machines[2:]
    where = {"connector.binance": {"zone": "mars"}}
    with (
        Venue(paris) as venue,
        desk(paris, net.address, {**placed(where, Path("/never")), **venue.settings}) as running,
    ):
        reason = (
            f"waits for a node with zone=mars: {net.head.ip} has no label; {net.machines[1].ip} has zone=tokyo; "
            f"{paris.ip} has zone=paris"
        )
        status = running.until(lambda status: status["actors"]["connector.binance"]["reason"] == reason)
        assert status["actors"]["connector.binance"]["state"] == "STARTING"
        running.command("doctor", code=1, saying=reason)
        net.start_node(late, "zone=mars")
        status = running.until(lambda status: status["fills"] > 0 and all_ready(status))
        assert status["actors"]["connector.binance"]["node"] == late.ip
        assert status["actors"]["connector.binance"]["reason"] == ""
        assert {actor["node"] for name, actor in status["actors"].items() if name not in where} == {paris.ip}
        running.stop()


def ready(rows: dict[str, ActorRow]) -> bool:
    return all(row.state == "READY" for row in rows.values())


def peers(machine: Machine) -> set[str]:
    """With whom it has a stream that it has opened."""
    return {ip for ip, _, port in (peer.rpartition(":") for peer in machine.streams()) if int(port) in STREAMS}


def files(folder: Path) -> list[Path]:
    """Folders may come and go meanwhile."""
    paths = [Path(folder, name) for folder, _, names in os.walk(folder) for name in names]
    return [path for path in paths if not path.is_symlink() and (path.is_file() or path.is_socket())]


def read(file: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes() if file.is_file() else b""
    return b""
