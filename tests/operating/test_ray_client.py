"""The same through Ray Client: a real head, a desk on it, clients in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actors.desk import CommandRefused, connect
from runtime.cluster.client import endpoint_of, names_of
from runtime.errors import ConfigError, Unavailable
from tests.desk.runs import ROOT, Run, free_port
from tests.operating.clusters import Head, ray_head
from tests.operating.desks import BTC, actions, demo, trading_desk
from tests.survival.desks import until

JOIN_S = 300.0
"""A head on a busy machine takes so long to start a process for a client; whether it lives is looked at meanwhile."""
CLIENT = f"""
import sys
import runtime.cluster.client
from actors.desk import connect
runtime.cluster.client.CONNECT_S = {JOIN_S}
desk = connect(sys.argv[1], frames="plain", client="far", timeout_s=60)
print(desk.name, desk.buy("binance.BTCUSDT", "0.001")["state"], flush=True)
for event in desk.stream():
    print(event["kind"], flush=True)
"""
OTHER_VERSION = """
import sys, ray
ray.__version__ = "2.0.0"
from actors.desk import connect
try:
    connect(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


@contextmanager
def client(head: Head) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, head.client],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": "/nowhere"},  # no run of this machine is found from there
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def kinds_until(process: "subprocess.Popen[str]", wanted: set[str]) -> None:
    assert process.stdout is not None
    while wanted:
        line = process.stdout.readline()
        assert line, "the client is over"
        wanted = wanted - {line.strip()}


@pytest.mark.slow
@pytest.mark.ray
def test_a_desk_on_a_cluster_is_operated_through_ray_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.cluster.client.CONNECT_S", JOIN_S)
    with ray_head() as head, trading_desk(demo(address=head.address)) as run:
        with client(head) as far:
            assert far.stdout is not None
            name, state = far.stdout.readline().split()
            assert (name.rpartition("-")[0], state) == (run_name(run), "FILLED")
            kinds_until(far, {"quote", "order", "fill"})
            lives = {name: actor["incarnation"] for name, actor in run.status()["actors"].items()}
            with client(head) as second:
                assert second.stdout is not None
                assert second.stdout.readline().split() == [name, "FILLED"]
                os.kill(far.pid, signal.SIGKILL)
                kinds_until(second, {"quote", "order", "fill"})
        assert [action[1:3] for action in actions(run.journal)] == [("far", "SUBMIT")] * 2
        fills = run.status()["fills"]
        run.until(lambda status: status["fills"] > fills)
        assert {name: actor["incarnation"] for name, actor in run.status()["actors"].items()} == lives

        mismatch = subprocess.run(
            [sys.executable, "-c", OTHER_VERSION, head.client], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert mismatch.startswith(f"ConfigError {head.client}: ")
        assert "needs the same Ray and the same minor version of Python on both sides; here are Ray 2.0.0" in mismatch

        # As a Ray driver on the machine itself.
        with connect(head.address, frames="plain", client="driver", timeout_s=60) as driver:
            assert driver.name == name
            assert driver.buy(BTC, "0.001")["state"] == "FILLED"
        # Without Ray, although the desk's streams are encrypted.
        with connect(frames="plain", client="local", timeout_s=60) as desk:
            assert desk.name == run_name(run)
            assert desk.buy(BTC, "0.001")["state"] == "FILLED"
            assert desk.remove_strategy("maker")["state"] == "STOPPED"
        with connect(head.client, run=run_name(run), frames="plain", read_only=True, timeout_s=60) as desk:
            assert desk.name == name
        with connect(head.client, run="demo", frames="plain", read_only=True, timeout_s=60) as desk:
            until(
                lambda: {row["instrument"] for row in desk.quotes()} == {BTC, "binance.ETHUSDT"}, "a quote is missing"
            )
            with pytest.raises(CommandRefused, match="only reads"):
                desk.halt()
        with pytest.raises(ConfigError, match=f"no run on {head.client} is called so; there is {name}"):
            connect(head.client, run="other")

        with connect(head.client, frames="plain", client="near", timeout_s=60) as desk:
            stream = desk.stream("quotes")
            next(stream)
            run.kill("gateway")
            kinds: list[str] = []
            while "lost" not in kinds or kinds[-1] != "quote":
                kinds.append(next(stream)["kind"])
            assert desk.halt("end")["halted"].endswith("(near): end")
            head.kill()
            with pytest.raises(Unavailable, match=r"no Ray Client server answers there .* connect again"):
                desk.info()  # found by looking there, long before Ray itself gives up
            with pytest.raises(Unavailable, match="connect again"):
                desk.halt()


def run_name(run: Run) -> str:
    return next((run.folder / "outcry" / "runs").glob("*.json")).stem


def test_where_nobody_listens_it_says_so_at_once() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"ray://127.0.0.1:{port}: no Ray Client server answers there"):
        connect(f"ray://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}: no Ray head answers there"):
        connect(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ray://head:10001", ("head", 10001)),
        ("ray://head", ("head", 10001)),
        ("ray://head:10001/", ("head", 10001)),
        ("10.0.0.1:6379", ("10.0.0.1", 6379)),
    ],
)
def test_an_address_is_taken_apart(address: str, expected: tuple[str, int]) -> None:
    assert endpoint_of(address) == expected


@pytest.mark.parametrize(
    ("namespace", "names"),
    [
        ("demo-12-0123abcd", ["demo-12-0123abcd", "demo-12", "demo"]),
        ("demo-12-01234567", ["demo-12-01234567", "demo-12", "demo"]),
        ("my-desk-2-12-0123abcd", ["my-desk-2-12-0123abcd", "my-desk-2-12", "my-desk-2"]),
        ("my-desk-12", ["my-desk-12", "my-desk-12", "my-desk"]),
        ("another", ["another"]),
    ],
)
def test_a_run_may_be_called_by_less_than_its_whole_name(namespace: str, names: list[str]) -> None:
    assert names_of(namespace) == names


@pytest.mark.parametrize("address", ["ray://", "head:", ":6379", "head:port", "head:0", "head:70000"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"must be ray://HOST:PORT"):
        endpoint_of(address)
