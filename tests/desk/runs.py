"""`outcry run` as a user starts it: a process of its own, private folders, and nothing left when it is over."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from actors.operate import ask
from runtime.errors import Unavailable
from runtime.rundir import RunRecord
from tests.desk.truth import Truth

ROOT = Path(__file__).parents[2]
START_S = 240.0
"""Ray on a busy machine. Only what never comes takes so long."""
POLL_S = 0.1
PORTS_PER_PROCESS = 1_000
FIXED_PORTS = range(24_000, 32_000)
"""Neither of the hosts of a cluster, nor of Ray's clients, nor of those that the kernel gives to whoever connects."""

PATIENT = {"heartbeats_missed": 600}
"""For a desk whose processes are not to be replaced because the machine is busy: a minute of silence."""

Status = dict[str, Any]
"""What `outcry status --json` prints."""


class Run:
    """One running desk; `folder` is where it finds its configuration and leaves its summary, journal and sockets."""

    def __init__(
        self, folder: Path, configuration: Mapping[str, Any], *arguments: str, program: Sequence[str] = ()
    ) -> None:
        """`program` stands in for `outcry`."""
        self.folder = folder
        self.journal = folder / "journal"
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self._summary = folder / "summary.json"
        self._output = folder / "output.txt"
        journal = {**configuration.get("journal", {}), "path": str(self.journal)}
        file = folder / "desk.yaml"
        file.write_text(yaml.safe_dump({**configuration, "journal": journal}))
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*(program or (_outcry(),)), "run", str(file), "--json", str(self._summary), *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self, *arguments: str, code: int = 0) -> str:
        """What `outcry …` prints, asked from another process; `code` is how it has to end."""
        ended = subprocess.run(
            [_outcry(), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        assert ended.returncode == code, f"outcry {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def findings(self) -> str:
        """What `outcry doctor` prints, whatever it finds."""
        command = [_outcry(), "doctor"]
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=START_S, check=False
        )
        return ended.stdout

    def status(self) -> Status:
        """The same as `outcry status --json`, as soon as somebody answers."""
        return self.until(lambda status: True)

    def _asked(self) -> Status:
        """Raises `Unavailable` while nobody answers."""
        for file in (self.folder / "outcry" / "runs").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # it is over meanwhile
                status: Status = msgspec.to_builtins(ask(msgspec.json.decode(file.read_bytes(), type=RunRecord)))
                return status
        raise Unavailable("not announced")

    def until(self, holds: Callable[[Status], bool], timeout_s: float = START_S) -> Status:
        """The first status of which that is true."""
        deadline = time.monotonic() + timeout_s
        status: Status = {}
        silence = ""
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the run is over: {self.output()}"
            try:
                status, silence = self._asked(), ""
                if holds(status):
                    return status
            except Unavailable as error:
                silence = f"{error}; before: "
            time.sleep(POLL_S)
        raise AssertionError(f"not within {timeout_s} s: {silence}{json.dumps(status)[-6000:]}\n{self.output()}")

    def kill(self, actor: str) -> Status:
        """`kill -9` its process; returns the first status in which it is ready again."""
        before = self.until(lambda status: status["actors"][actor]["state"] == "READY")["actors"][actor]
        os.kill(before["pid"], signal.SIGKILL)
        return self.until(
            lambda status: (
                status["actors"][actor]["incarnation"] > before["incarnation"]
                and status["actors"][actor]["state"] == "READY"
            )
        )

    def ended(self, timeout_s: float = START_S) -> dict[str, Any]:
        """Waits for its end, which has to be a good one; returns the summary."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"has not ended within {timeout_s} s: {self.output()}") from None
        assert code == 0, self.output()
        summary: dict[str, Any] = json.loads(self._summary.read_bytes())
        return summary

    def stop(self) -> dict[str, Any]:
        """`outcry stop`; returns the summary."""
        self.command("stop")
        return self.ended()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Every line of that name, of all hosts in the order of their files; they are there until the run is over."""
        lines = []
        for file in sorted(self.folder.glob("outcry/runs/*/logs/*.jsonl")):
            lines += [msgspec.json.decode(line) for line in file.read_bytes().split(b"\n")[:-1]]
        return [line for line in lines if line["event"] == event]

    def output(self) -> str:
        return self._output.read_text()

    def processes(self) -> dict[int, str]:
        """Everything that was started here and lives, Ray's own included, by pid: the environment is inherited."""
        mark = f"XDG_RUNTIME_DIR={self.folder}\0".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes():
                    found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        return found

    def until_gone(self, timeout_s: float = START_S) -> None:
        """Returns when nothing is left; spares and what Ray's dashboard starts end a moment after who started them."""
        deadline = time.monotonic() + timeout_s
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(POLL_S)

    def close(self) -> None:
        """Leave nothing, however the test ended."""
        while left := self.processes():  # some were just being started
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(POLL_S / 5)
        self._process.wait()


@contextlib.contextmanager
def outcry_run(configuration: Mapping[str, Any], *arguments: str, program: Sequence[str] = ()) -> Iterator[Run]:
    """A path that is short enough for unix sockets, and what lives there is ended with the block."""
    with tempfile.TemporaryDirectory(prefix="oc-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        run = Run(Path(folder), configuration, *arguments, program=program)
        try:
            yield run
        finally:
            run.close()


def venue_truth(port: int) -> Truth:
    """The ledger of the fake venue that listens there."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/fake/ledger", timeout=START_S) as answer:
        return Truth.of_venue(json.load(answer))


def free_port() -> int:
    """Still free when somebody listens there later, or again: the kernel gives it to nobody who connects, and test
    processes side by side have ports of their own."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = process * PORTS_PER_PROCESS % len(FIXED_PORTS)
    while True:
        port = random.choice(FIXED_PORTS[first : first + PORTS_PER_PROCESS])
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _outcry() -> str:
    return str(Path(sys.executable).with_name("outcry"))
