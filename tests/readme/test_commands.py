"""Every command that the README shows does what it says; a new one has to be added here first."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
START_S = 60
"""Ray on a busy machine."""


def test_the_readme_shows_no_command_that_is_not_run_here() -> None:
    assert COMMANDS == [
        "scripts/demo",
        "scripts/test",  # it is what runs this test
        "outcry status",
        "outcry status --json",
        "outcry tree",
        "outcry tree --mermaid",
        "outcry doctor",
        "outcry env",
        "outcry stop",
        "outcry run configs/demo.yaml --seconds 30 --json summary.json",
        "outcry run configs/replay-binance.yaml --capture DIR --speed 10",
        "outcry venue binance --port 9001",
        "outcry journal verify FOLDER",
        "scripts/head",  # these three: tests/cluster/test_scripts.py
        "scripts/worker HEAD --labels=zone=tokyo",
        "outcry run configs/demo.yaml --address HEAD:6379",
    ]


def test_the_files_that_the_readme_links_to_are_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_example_strategy_can_be_configured(tmp_path: Path) -> None:
    _, example = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    namespace: dict[str, type] = {}
    exec(example, namespace)
    assert namespace["Buyer"].__mro__[1].__name__ == "Strategy"
    assert len((ROOT / "actors" / "strategies" / "market_maker.py").read_text().splitlines()) < 50


class Session:
    """A user's shell: the environment of the checkout, runs of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(folder),
        }

    def run(self, command: str, timeout_s: float = 60) -> str:
        ended = subprocess.run(
            command.split(),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def start(self, command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command.split(),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[str]:
        """Command lines of all that was started here and lives, Ray's own included: they inherit the environment."""
        mark = f"XDG_RUNTIME_DIR={self.folder}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return found


@pytest.fixture
def session() -> Iterator[Session]:
    with tempfile.TemporaryDirectory(prefix="outcry-", dir="/tmp") as folder:
        yield Session(Path(folder))


@contextlib.contextmanager
def running(session: Session, command: str) -> Iterator[subprocess.Popen[str]]:
    process = session.start(command)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until_trading(session: Session, process: subprocess.Popen[str]) -> dict[str, dict[str, dict[str, object]]]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        with contextlib.suppress(AssertionError):
            status: dict[str, dict[str, dict[str, object]]] = json.loads(session.run("outcry status --json"))
            actors = status["actors"].values()
            if actors and status["fills"] and all(actor["state"] == "READY" for actor in actors):
                return status
    raise AssertionError("the desk did not trade in time")


@pytest.mark.slow
@pytest.mark.ray
def test_the_demo_trades_can_be_watched_and_stops_in_order(session: Session) -> None:
    with running(session, "scripts/demo 120") as demo:
        status = until_trading(session, demo)
        maker = status["actors"]["strategy.maker"]
        assert set(maker) >= {"state", "pid", "node", "incarnation", "restarts", "mailbox"}
        assert len(session.processes()) > len(status["actors"])
        assert "strategy.maker" in session.run("outcry status")
        assert "strategy.maker" in session.run("outcry tree")
        assert session.run("outcry tree --mermaid").startswith("flowchart LR")
        assert "nothing is wrong" in session.run("outcry doctor")
        assert "export RAY_ADDRESS=" in session.run("outcry env")
        session.run("outcry stop")
        output, _ = demo.communicate(timeout=60)
        assert demo.returncode == 0, output
        assert "outcry demo ran" in output
    assert session.processes() == []
    assert list((session.folder / "outcry" / "runs").iterdir()) == []


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_writes_its_summary(session: Session, tmp_path: Path) -> None:
    session.run(f"outcry run configs/demo.yaml --seconds 15 --json {tmp_path}/summary.json", timeout_s=120)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["venues"]["binance"]["messages"] > 0
    assert summary["venues"]["binance"]["gaps"] == 0
    assert summary["fills"] > 0
    assert set(summary["positions"]) <= {"BTCUSDT", "ETHUSDT"}
    assert all({"p50_us", "p99_us", "p999_us"} == set(latency) for latency in summary["latency"].values())
    assert set(summary["restarts"].values()) == {0}
    assert set(summary["dropped"]) == set(summary["restarts"])


@pytest.mark.slow
@pytest.mark.ray
def test_a_recording_is_replayed(session: Session, tmp_path: Path) -> None:
    captures = Path(os.environ.get("OUTCRY_CAPTURES", ROOT.parent / "shared" / "data" / "captures"))
    if not captures.is_dir():
        pytest.skip(f"no recordings in {captures}; set OUTCRY_CAPTURES")
    file = tmp_path / "summary.json"
    session.run(
        f"outcry run configs/replay-binance.yaml --capture {captures} --speed 10 --seconds 6 --json {file}",
        timeout_s=120,
    )
    assert json.loads(file.read_text())["venues"]["binance"]["messages"] > 50


@pytest.mark.slow
def test_the_fake_venue_runs_by_itself(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(session, f"outcry venue binance --port {port}") as venue:
        assert venue.stdout is not None
        assert venue.stdout.readline().strip() == f"binance venue listening on http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v3/ping", timeout=10) as answer:
            assert answer.read() == b"{}"
        venue.send_signal(signal.SIGINT)
        assert venue.wait(timeout=20) == 0
