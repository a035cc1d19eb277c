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

import msgspec
import yaml

from tests.desk.runs import ROOT, Run, Status, outcry_run
from tests.desk.truth import Truth
from tests.survival.venue import VenueThread, venue_thread

DEMO = ROOT / "configs" / "demo.yaml"
FINAL = ("FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED")
REPORT_NS = 1_500_000_000
"""By then the strategy has had a quote and everybody has reported what followed."""
BUILT = (sys.executable, "-m", "tests.survival.built")
"""`outcry` with actors that a test can end at an exact step, and hosts that it can put out of reach."""
PATIENT = {"backoff_min_s": 0.02, "backoff_max_s": 0.2, "intensity": 1_000}
"""Restarts at once, and as often as the test likes."""


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
        self._end.touch()
        reported = time.time_ns() + REPORT_NS
        self.run.until(lambda status: status["ts"] > reported and not set(status["orders"]) - set(FINAL))
        summary = self.run.stop()
        return Truth.of_journal(self.run.journal), summary

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Every line of that name, of all hosts in the order of their files."""
        lines = []
        for file in sorted(self.run.folder.glob("outcry/runs/*/logs/*.jsonl")):
            lines += [msgspec.json.decode(line) for line in file.read_bytes().split(b"\n")[:-1]]
        return [line for line in lines if line["event"] == event]


def is_trading(status: Status) -> bool:
    ready = all(actor["state"] == "READY" for actor in status["actors"].values())
    return ready and status["venues"].get("binance", {}).get("connected", False) and status["fills"] > 0


def configuration(venue: VenueThread, folder: Path, **sections: Any) -> dict[str, Any]:
    """The demo's desk with a strategy that orders by the clock; `sections` replace those of the demo."""
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["cluster"] = {"backend": "processes"}
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


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stopped meanwhile; it is no error if it is gone when it should go on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def until(holds: Callable[[], bool], what: str, timeout_s: float = 180.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """A zombie of the kernel's kind is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # gone, or gone while it was read
        return False
