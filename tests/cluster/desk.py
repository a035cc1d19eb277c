"""A desk on several machines: `outcry run` on one of them, its actors where the configuration puts them."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from actors import operate, status
from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET
from runtime.errors import Unavailable
from runtime.protocol import ActorRow, TableTold
from runtime.rundir import RunRecord
from tests.cluster.machines import START_S, Machine
from tests.desk.truth import Truth

POLL_S = 0.1
PORT = 9001
TRADER = {"class": "tests.desk.trader:Trader", "instruments": ["binance.BTCUSDT"]}
PATIENT = {"heartbeats_missed": 100}
"""Of `restart`, where nothing has to fall silent: a busy machine is no reason to start anybody again."""
OUTCRY = str(Path(sys.executable).with_name("outcry"))
LEDGER = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=10).read().decode())"

Status = dict[str, Any]


class Venue:
    """A fake Binance on one of the machines, outside of the desk as the real one is."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        at = f"{machine.ip}:{PORT}"
        self._url = f"http://{at}"
        binance = {
            "kind": "binance",
            "symbols": ["BTCUSDT"],
            "rest_url": self._url,
            "stream_url": f"ws://{at}",
            "trade_url": f"ws://{at}/ws-api/v3",
            "credentials": {part: f"file:{machine.folder / part}" for part in ("key", "secret")},
        }
        self.settings = {"venues": {"binance": binance}}

    def __enter__(self) -> "Venue":
        for part, value in (("key", DEMO_KEY), ("secret", DEMO_SECRET)):
            (self._machine.folder / part).write_text(value)
        self._process = self._machine.start(
            *(sys.executable, "-m", "actors.simulation.server", "binance", "--symbols", "BTCUSDT"),
            *("--host", self._machine.ip, "--port", str(PORT)),
        )
        assert self._machine.until_connected(self._machine.ip, PORT, START_S)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def truth(self) -> Truth:
        """Its ledger."""
        ledger = self._machine.run(sys.executable, "-c", LEDGER, f"{self._url}/fake/ledger")
        return Truth.of_venue(json.loads(ledger))


class ClusterDesk:
    """A running one; its status is asked over the supervisor's unix socket, which the namespaces share."""

    def __init__(self, on: Machine, address: str, configuration: Mapping[str, Any]) -> None:
        self._machine = on
        journal = configuration.get("journal", {"path": str(on.folder / "journal")})
        self.journal = Path(journal["path"])
        self._summary = on.folder / "summary.json"
        file = on.folder / "desk.yaml"
        file.write_text(yaml.safe_dump({**configuration, "journal": journal}))
        self.process = on.start(OUTCRY, "run", str(file), "--json", str(self._summary), "--address", address)

    def rows(self) -> dict[str, ActorRow]:
        """The supervisor's table; raises `Unavailable` while nobody answers."""
        return {row.name: row for row in self.told().rows}

    def told(self) -> TableTold:
        """All that the supervisor knows; raises as `rows`."""
        return operate.table(self._record())

    def spares(self) -> int:
        """How many warm processes wait."""
        return operate.table(self._record()).spares

    def status(self) -> Status:
        """As `outcry status --json`; raises `Unavailable` while nobody answers."""
        told: Status = msgspec.to_builtins(status.of_rows(self.rows().values()))
        return told

    def _record(self) -> RunRecord:
        for file in (self._machine.folder / "outcry" / "runs").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                record = msgspec.json.decode(file.read_bytes(), type=RunRecord)
                if record.pid == self.process.pid:
                    return record
        raise Unavailable("not announced yet")

    def until(self, holds: Callable[[Status], object], timeout_s: float = START_S) -> Status:
        """The first status of which that is true."""
        found: list[Status] = []

        def look(rows: dict[str, ActorRow]) -> bool:
            found[:] = [msgspec.to_builtins(status.of_rows(rows.values()))]
            return bool(holds(found[0]))

        self.until_rows(look, timeout_s)
        return found[0]

    def until_rows(self, holds: Callable[[dict[str, ActorRow]], object], timeout_s: float = START_S) -> None:
        deadline = time.monotonic() + timeout_s
        rows: dict[str, ActorRow] = {}
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the run is over: {self._machine.output()}"
            with contextlib.suppress(Unavailable):
                rows = self.rows()
                if holds(rows):
                    return
            time.sleep(POLL_S)
        told = "\n".join(f"{row.name} {row.state} {row.node} {row.reason} {row.report}" for row in rows.values())
        raise AssertionError(f"not within {timeout_s} s:\n{told}\n{self._machine.output()}")

    def command(self, *arguments: str, code: int = 0) -> str:
        """What `outcry …` prints, asked on the same machine; wrapped lines are joined."""
        return " ".join(self._machine.run(OUTCRY, *arguments, code=code).split())

    def stop(self) -> dict[str, Any]:
        """`outcry stop`; returns the summary."""
        self.command("stop")
        assert self.process.wait(START_S) == 0, self._machine.output()
        summary: dict[str, Any] = json.loads(self._summary.read_bytes())
        return summary


def all_ready(now: Status) -> bool:
    return all(actor["state"] == "READY" for actor in now["actors"].values())


@contextlib.contextmanager
def desk(on: Machine, address: str, configuration: Mapping[str, Any]) -> Iterator[ClusterDesk]:
    """Ended, with everything that it started, when it is left."""
    running = ClusterDesk(on, address, configuration)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(60)
