"""A whole desk on several machines: who is where, how they talk, who does not get in, and what is left afterwards."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.protocol import ActorRow
from tests.cluster.desk import TRADER, Venue, all_ready, desk
from tests.cluster.machines import Network, network
from tests.desk.truth import Truth

pytestmark = [pytest.mark.slow, pytest.mark.ray]

STREAMS = range(20000, 21000)
"""Ports of `cluster.ports` by default."""
KNOCK = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)) as stranger:
    try:
        stranger.sendall(b"let me in")
        print("answered" if stranger.recv(100) else "refused")
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
    return {"strategies": {"maker": strategy, "other": strategy}, "placement": placement, **more}


def test_a_desk_trades_over_three_machines_and_no_stranger_gets_in(net: Network) -> None:
    head, tokyo, paris = net.machines[:3]
    done = head.folder / "done"
    where = {
        "connector.binance": {"zone": "tokyo"},
        "strategy.maker": {"zone": "paris"},
        "strategy.other": {"zone": "tokyo"},
    }
    with Venue(head) as venue, desk(head, net.address, {**placed(where, done), **venue.settings}) as running:
        running.until(lambda status: status["fills"] > 20 and all_ready(status))
        rows = running.rows()
        assert {name: row.node for name, row in rows.items() if name in where} == {
            "connector.binance": tokyo.ip,
            "strategy.maker": paris.ip,
            "strategy.other": tokyo.ip,
        }
        assert {row.node for name, row in rows.items() if name not in where} == {head.ip}
        assert {row.restarts for row in rows.values()} == {0}
        between = [peer for peer in tokyo.streams() if int(peer.rpartition(":")[2]) in STREAMS]
        assert {peer.rpartition(":")[0] for peer in between} >= {head.ip, paris.ip}

        connector = rows["connector.binance"].address
        assert connector is not None
        for _ in range(3):
            assert "refused" in paris.run(sys.executable, "-c", KNOCK, *connector.tcp.split(":"))
        running.until_rows(lambda rows: rows["connector.binance"].counters.get("strangers_refused") == 3)
        assert "3 connections of strangers were refused" in running.command("doctor", code=1)
        fills = running.status()["fills"]
        running.until(lambda status: status["fills"] > fills)
        assert rows["connector.binance"].incarnation == running.rows()["connector.binance"].incarnation

        os.kill(rows["supervisor"].pid, signal.SIGKILL)
        running.until_rows(lambda now: now["supervisor"].incarnation == 2 and len(now) == len(rows) and ready(now))
        found_again = running.rows()
        assert {name: row.pid for name, row in found_again.items() if name != "supervisor"} == {
            name: row.pid for name, row in rows.items() if name != "supervisor"
        }

        with_key = [file for file in files(net.folder) if b"PRIVATE KEY" in read(file)]
        assert [(file.name, oct(file.stat().st_mode)) for file in with_key] == [("authority.key", "0o100600")]

        done.touch()
        running.until(lambda status: not status["open_orders"] and not status["orders"].get("UNKNOWN"))
        running.stop()
        truth = venue.truth()
        assert Truth.of_journal(running.journal) == truth
        assert len(truth.fills) >= 20
    assert [file for file in files(net.folder) if file.name == "authority.key" or file.suffix == ".sock"] == []
    assert head.processes("actors.cli", "RayHost") == tokyo.processes("RayHost") == paris.processes("RayHost") == []


def test_who_has_no_node_waits_and_says_so_until_there_is_one(net: Network) -> None:
    paris, late = net.machines[2:]
    where = {"connector.binance": {"zone": "mars"}}
    with (
        Venue(paris) as venue,
        desk(paris, net.address, {**placed(where, Path("/never")), **venue.settings}) as running,
    ):
        status = running.until(lambda status: status["actors"].get("connector.binance", {}).get("reason"))
        reason = status["actors"]["connector.binance"]["reason"]
        assert reason == (
            f"waits for a node with zone=mars: {net.head.ip} has no label; {net.machines[1].ip} has zone=tokyo; "
            f"{paris.ip} has zone=paris"
        )
        assert status["actors"]["connector.binance"]["state"] == "STARTING"
        assert reason in running.command("doctor", code=1)
        net.start_node(late, "zone=mars")
        status = running.until(lambda status: status["fills"] > 0 and all_ready(status))
        assert status["actors"]["connector.binance"]["node"] == late.ip
        assert status["actors"]["connector.binance"]["reason"] == ""
        assert {actor["node"] for name, actor in status["actors"].items() if name not in where} == {paris.ip}
        running.stop()


def ready(rows: dict[str, ActorRow]) -> bool:
    return all(row.state == "READY" for row in rows.values())


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_symlink() and (path.is_file() or path.is_socket())]


def read(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""
