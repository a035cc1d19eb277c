"""A real Ray head as `ray start` starts it, with a Ray Client server: private folder, private token, free ports."""

import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.cluster import SETTINGS
from tests.desk.runs import free_port

START_S = 180.0


class Head:
    """`address` is the head's own, `client` the one of Ray Client."""

    def __init__(self, folder: Path) -> None:
        self._mark = folder
        self.port, self.client_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.client = f"ray://127.0.0.1:{self.client_port}"
        token = folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        self.environment = {
            **SETTINGS,
            "RAY_AUTH_TOKEN_PATH": str(token),
            "OUTCRY_TEST_HEAD": str(folder),
            "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "5",
        }
        self._output = (folder / "head.txt").open("w")
        command = [
            str(Path(sys.executable).with_name("ray")),
            *("start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={self.port}"),
            *(f"--ray-client-server-port={self.client_port}", "--include-dashboard=false", "--no-monitor"),
            *("--include-log-monitor=false", "--disable-usage-stats", "--num-cpus=2"),
            *("--object-store-memory=100000000", f"--temp-dir={folder}"),
        ]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def until_up(self) -> None:
        import socket

        deadline = time.monotonic() + START_S
        for port in (self.port, self.client_port):
            while True:
                assert self._process.poll() is None, self.output()
                assert time.monotonic() < deadline, self.output()
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.1)

    def output(self) -> str:
        return Path(self._output.name).read_text()

    def processes(self) -> list[int]:
        """All that the head started: they inherit its environment."""
        mark = f"OUTCRY_TEST_HEAD={self._mark}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                    found.append(int(process.name))
        return found

    def kill(self) -> None:
        """`kill -9` of everything on it."""
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(0.05)
        self._process.wait()
        self._output.close()


@contextmanager
def _alone() -> Iterator[None]:
    """No other head of a test has clients meanwhile, in whatever process the test is.

    Each head starts a process for each of its clients, on the ports from 23000 on, one after the other; that one of
    them is free it knows seconds before that process binds it. Two heads would give the same one to two clients.
    """
    with Path(tempfile.gettempdir(), f"outcry-tests-{os.getuid()}-head.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def ray_head() -> Iterator[Head]:
    """Whatever is started in this process or from it while it lasts finds the head's token."""
    with (
        _alone(),
        tempfile.TemporaryDirectory(prefix="oc-", dir="/tmp", ignore_cleanup_errors=True) as folder,
    ):
        head = Head(Path(folder))
        before = {name: os.environ.get(name) for name in head.environment if name != "OUTCRY_TEST_HEAD"}
        os.environ.update({name: head.environment[name] for name in before})
        try:
            head.until_up()
            yield head
        finally:
            head.kill()
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
