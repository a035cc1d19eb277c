"""A desk on several machines: `outcry run` on one of them, its actors where the configuration puts them."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tests.desk.ending import missing
from tests.desk.truth import Truth

POLL_S = 0.1
PORT = 9001
TRADER = {"class": "tests.desk.trader:Trader", "instruments": ["binance.BTCUSDT"]}
PATIENT = {"heartbeats_missed": 300, "spares": 0}
"""Of `restart`, where nothing has to fall silent: a busy machine is no reason to start anybody again. A process that is
killed, or whose node is lost, is known by Ray and needs no silence. Spares have tests of their own."""
SLOW = "the supervisor has not answered for"
CUT_OFF = {"alone_after_s": 600}
"""Of `restart`: whoever is cut off lives on for as long as a test takes to look, and does not know that it is lost."""
ASIDE = ["risk_checker", "router", "portfolio", "latency_monitor"]
"""In one process where the desk is started: no test of machines is about them, and each would have to be started."""
OUTCRY = str(Path(sys.executable).with_name("outcry"))
LEDGER = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=100).read().decode())"

Status = dict[str, Any]
Rows = dict[str, ActorRow]


class Venue:
    """A fake Binance on one of the machines, outside of the desk as the real one is."""

    def __init__(self, machine: Machine, symbols: Sequence[str] = ("BTCUSDT",)) -> None:
        self._machine = machine
        self._symbols = list(symbols)
        at = f"{machine.ip}:{PORT}"
        self._url = f"http://{at}"
        binance = {
            "kind": "binance",
            "symbols": self._symbols,
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
            *(sys.executable, "-m", "actors.simulation.server", "binance", "--symbols", ",".join(self._symbols)),
            *("--host", self._machine.ip, "--port", str(PORT)),
        )
        assert self._machine.until_connected(self._machine.ip, PORT, START_S)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(START_S)

    def truth(self) -> Truth:
        """Its ledger."""
        return Truth.of_venue(self._get("/fake/ledger"))

    def trades(self, symbol: str) -> list[int]:
        """Numbers of the last thousand of all trades that there were, its own word for it."""
        told = self._get(f"/api/v3/historicalTrades?limit=1000&symbol={symbol}")
        return [trade["id"] for trade in told]

    def _get(self, path: str) -> Any:
        return json.loads(self._machine.run(sys.executable, "-c", LEDGER, f"{self._url}{path}"))


class ClusterDesk:
    """A running one; its status is asked over the supervisor's unix socket, which the namespaces share."""

    def __init__(self, on: Machine, address: str, configuration: Mapping[str, Any]) -> None:
        self._machine = on
        journal = configuration.get("journal", {"path": str(on.folder / "journal")})
        self.journal = Path(journal["path"])
        self._strategies = list(configuration["strategies"])
        self._summary = on.folder / "summary.json"
        file = on.folder / "desk.yaml"
        together = [*configuration.get("colocate", []), ASIDE]
        file.write_text(yaml.safe_dump({**configuration, "journal": journal, "colocate": together}))
        self.process = on.start(OUTCRY, "run", str(file), "--json", str(self._summary), "--address", address)

    def rows(self) -> Rows:
        """The supervisor's table."""
        return {row.name: row for row in self.told().rows}

    def told(self) -> TableTold:
        """All that the supervisor knows, as soon as it answers."""
        deadline = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None, f"the run is over: {self._machine.output()}"
            try:
                return operate.table(self._record())
            except Unavailable as error:
                if time.monotonic() > deadline:
                    raise AssertionError(self._machine.output()) from error
                time.sleep(POLL_S)

    def spares(self) -> int:
        """How many warm processes wait."""
        return self.told().spares

    def status(self) -> Status:
        """As `outcry status --json`."""
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

        def look(rows: Rows) -> bool:
            found[:] = [msgspec.to_builtins(status.of_rows(rows.values()))]
            return bool(holds(found[0]))

        self.until_rows(look, timeout_s)
        return found[0]

    def until_rows(self, holds: Callable[[Rows], object], timeout_s: float = START_S) -> Rows:
        """The first table of which that is true."""
        deadline = time.monotonic() + timeout_s
        while not holds(rows := self.rows()):
            if time.monotonic() > deadline:
                told = "\n".join(
                    f"{row.name} {row.state} {row.node} {row.handled} {row.reason} {row.report}"
                    for row in rows.values()
                )
                raise AssertionError(f"not within {timeout_s:g} s:\n{told}\n{self._machine.output()}")
            time.sleep(POLL_S)
        return rows

    def command(self, *arguments: str, code: int = 0, saying: str = "") -> str:
        """What `outcry …` prints, asked on the same machine until it ends with that code and says that.

        Only who is told that the supervisor is slow, or waits for these words, asks again. Wrapped lines are joined.
        """
        deadline = time.monotonic() + START_S
        while True:
            ended, printed = self._machine.outcome(OUTCRY, *arguments)
            said = " ".join(printed.split())
            if ended == code and saying in said:
                return said
            assert saying or SLOW in said, f"outcry {' '.join(arguments)}: {ended} {said}"
            assert time.monotonic() < deadline, (
                f"outcry {' '.join(arguments)}: {ended} {said}\n{self._machine.output()}"
            )
            time.sleep(POLL_S)

    def end_trading(self, until_file: Path) -> None:
        """Returns when every strategy has seen that file, no order is open or unclear, and none comes any more."""
        until_file.touch()
        deadline = time.monotonic() + START_S
        while left := missing(until_file, self._strategies):
            assert time.monotonic() < deadline, f"{left} trade on: {self.rows()}\n{self._machine.output()}"
            time.sleep(POLL_S)
        self.until(lambda status: not status["open_orders"] and not status["orders"].get("UNKNOWN"))

    def stop(self) -> dict[str, Any]:
        """`outcry stop`; returns the summary."""
        _, said = self._machine.outcome(OUTCRY, "stop")
        assert "is stopping" in said or SLOW in said, said
        assert self.process.wait(START_S) == 0, self._machine.output()
        summary: dict[str, Any] = json.loads(self._summary.read_bytes())
        return summary


def lives_on(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """That actor of a status has not begun anew since, unless it was silent for too long on a busy machine."""
    is_same: bool = now["incarnation"] == before["incarnation"]
    return is_same or (now["incarnation"] > before["incarnation"] and str(now["reason"]).startswith("silent for"))


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
