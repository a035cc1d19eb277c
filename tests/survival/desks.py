"""Whole desks of real processes at a venue that writes down what reaches it."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.desk import runs
from tests.desk.ending import end_trading
from tests.desk.runs import ROOT, START_S, Run, Status, outcry_run
from tests.desk.truth import Truth
from tests.survival.venue import VenueThread, venue_thread

DEMO = ROOT / "configs" / "demo.yaml"
BUILT = (sys.executable, "-m", "tests.survival.built")
"""`outcry` with actors that a test can end at an exact step, and hosts that it can put out of reach."""
PATIENT = runs.PATIENT | {"backoff_min_s": 0.02, "backoff_max_s": 0.2, "intensity": 1_000}
"""Restarts at once, and as often as the test likes; nobody is given up because the machine is busy."""


class Desk:
    """One that trades until it is told to end."""

    def __init__(self, run: Run, venue: VenueThread, end: Path) -> None:
        self.run = run
        self.venue = venue
        self._end = end

    def until_it_trades(self) -> Status:
        return self.run.until(is_trading)

    def goes_on(self) -> Status:
        """The first status after new market data and new fills."""
        before = self.run.until(is_trading)
        return self.run.until(
            lambda status: (
                is_trading(status)
                and status["fills"] > before["fills"] + 2
                and status["venues"]["binance"]["messages"] > before["venues"]["binance"]["messages"]
            )
        )

    def end(self) -> tuple[Truth, dict[str, Any]]:
        """End the trading, wait until no order is open and stop: (the journal's truth, the summary)."""
        end_trading(self.run, self._end)
        summary = self.run.stop()
        return Truth.of_journal(self.run.journal), summary

    def logged(self, event: str) -> list[dict[str, Any]]:
        return self.run.logged(event)


def is_trading(status: Status) -> bool:
    ready = all(actor["state"] == "READY" for actor in status["actors"].values())
    return ready and status["venues"].get("binance", {}).get("connected", False) and status["fills"] > 0


def configuration(venue: VenueThread, folder: Path, **sections: Any) -> dict[str, Any]:
    """The demo's desk with a strategy that orders by the clock; `sections` replace those of the demo."""
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["cluster"] = {"backend": "processes"}
    document["restart"] = runs.PATIENT
    document["venues"] = {"binance": venue.settings(folder)}
    document["strategies"]["maker"]["class"] = "tests.survival.clerk:Clerk"
    document["strategies"]["maker"]["parameters"]["until_file"] = str(folder / "end")
    document["risk"]["max_open_orders"] = 200
    return document | sections


@contextmanager
def trading(tmp_path: Path, *, program: Sequence[str] = (), **sections: Any) -> Iterator[Desk]:
    with (
        venue_thread() as venue,
        outcry_run(configuration(venue, tmp_path, **sections), "--quiet", program=program) as run,
    ):
        yield Desk(run, venue, tmp_path / "end")


def stop(pid: int) -> None:
    """Returns when it has stopped: it does nothing any more, on no processor."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: _states(pid) <= {"T"}, lambda: f"{pid} does not stop: {_states(pid)}")


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stopped meanwhile; it is no error if it is gone when it should go on."""
    stop(pid)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def until(holds: Callable[[], bool], what: str | Callable[[], str], timeout_s: float = START_S) -> None:
    """`what` is wrong if that does not become true."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.05)


def _states(pid: int) -> set[str]:
    """Of its threads."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add(thread.read_text().rpartition(")")[2].split()[0])
    return found


def is_alive(pid: int) -> bool:
    """A zombie of the kernel's kind is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # gone, or gone while it was read
        return False
