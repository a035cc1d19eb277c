"""Every command that the README shows does what it says; a new one has to be added here first."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk.runs import POLL_S, START_S, free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]


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

    def ends(self, command: str, timeout_s: float = START_S) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command.split(),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def run(self, command: str, timeout_s: float = START_S) -> str:
        ended = self.ends(command, timeout_s)
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

    def until_gone(self) -> None:
        """Returns when nothing is left; what is ended with who started it ends a moment later."""
        deadline = time.monotonic() + START_S
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(POLL_S)


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
    said = ""
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        asked = session.ends("outcry status --json")
        said = asked.stdout + asked.stderr
        if asked.returncode == 0:
            status: dict[str, dict[str, dict[str, object]]] = json.loads(asked.stdout)
            actors = status["actors"].values()
            if actors and status["fills"] and all(actor["state"] == "READY" for actor in actors):
                return status
    raise AssertionError(f"the desk did not trade in time: {said}")


def until_nothing_is_wrong(session: Session) -> None:
    """As the doctor sees it; on a busy machine a reader may have been too slow, and that is counted for ever."""
    deadline = time.monotonic() + START_S
    while True:
        said = session.ends("outcry doctor").stdout
        if "nothing is wrong" in said or "conflated or dropped for readers that were too slow" in said:
            return
        assert time.monotonic() < deadline, said


def summary_of(session: Session, file: Path, command: str, seconds: int) -> dict[str, Any]:
    """Of a run that ends by itself. How long a desk needs to start is the machine's matter: one that had too little
    time to do anything is followed by a longer one."""
    while True:
        session.run(f"{command} --seconds {seconds} --json {file}", timeout_s=seconds + START_S)
        summary: dict[str, Any] = json.loads(file.read_text())
        if summary["fills"] > 0 or seconds > START_S:
            return summary
        seconds *= 4


@pytest.mark.slow
@pytest.mark.ray
def test_the_demo_trades_can_be_watched_and_stops_in_order(session: Session) -> None:
    with running(session, "scripts/demo 900") as demo:
        status = until_trading(session, demo)
        maker = status["actors"]["strategy.maker"]
        assert set(maker) >= {"state", "pid", "node", "incarnation", "restarts", "mailbox"}
        assert len(session.processes()) > len(status["actors"])
        assert "strategy.maker" in session.run("outcry status")
        assert "strategy.maker" in session.run("outcry tree")
        assert session.run("outcry tree --mermaid").startswith("flowchart LR")
        until_nothing_is_wrong(session)
        assert "export RAY_ADDRESS=" in session.run("outcry env")
        session.run("outcry stop")
        output, _ = demo.communicate(timeout=START_S)
        assert demo.returncode == 0, output
        assert "outcry demo ran" in output
    session.until_gone()
    assert list((session.folder / "outcry" / "runs").iterdir()) == []


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_writes_its_summary(session: Session, tmp_path: Path) -> None:
    summary = summary_of(session, tmp_path / "summary.json", "outcry run configs/demo.yaml", 10)
    assert summary["venues"]["binance"]["messages"] > 0
    assert summary["venues"]["binance"]["gaps"] == 0
    assert summary["fills"] > 0
    assert set(summary["positions"]) <= {"BTCUSDT", "ETHUSDT"}
    assert all({"p50_us", "p99_us", "p999_us"} == set(latency) for latency in summary["latency"].values())
    assert {"connector.binance", "order_manager", "strategy.maker"} <= set(summary["restarts"])
    assert set(summary["dropped"]) == set(summary["restarts"])


@pytest.mark.slow
@pytest.mark.ray
def test_a_recording_is_replayed(session: Session, tmp_path: Path) -> None:
    captures = Path(os.environ.get("OUTCRY_CAPTURES", ROOT.parent / "shared" / "data" / "captures"))
    if not captures.is_dir():
        pytest.skip(f"no recordings in {captures}; set OUTCRY_CAPTURES")
    command = f"outcry run configs/replay-binance.yaml --capture {captures} --speed 10"
    summary = summary_of(session, tmp_path / "summary.json", command, 6)
    assert summary["venues"]["binance"]["messages"] > 50


@pytest.mark.slow
def test_the_fake_venue_runs_by_itself(session: Session) -> None:
    port = free_port()
    with running(session, f"outcry venue binance --port {port}") as venue:
        assert venue.stdout is not None
        assert venue.stdout.readline().strip() == f"binance venue listening on http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v3/ping", timeout=START_S) as answer:
            assert answer.read() == b"{}"
        venue.send_signal(signal.SIGINT)
        assert venue.wait(timeout=START_S) == 0
