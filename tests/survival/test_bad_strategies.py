"""A strategy that raises, blocks its process or eats memory harms itself only, and status and doctor say what it did.

A minute is scaled to seconds: a host is taken for hung after four, and a circuit opens after two restarts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import NS_PER_MS
from tests.desk.runs import Status, outcry_run
from tests.survival.desks import Desk, configuration
from tests.survival.test_frozen_processes import silence_ms
from tests.survival.venue import SYMBOLS, VenueThread, venue_thread

LIMIT_MB = 200
HANG_MS = 4_000
"""Longer than anybody else is silent on a busy machine."""
BLOCKED_NS = (HANG_MS - 500) * NS_PER_MS
"""So long at least the blocker does before it is ended; it was heard last a few heartbeats before."""
RESTART = {
    "backoff_min_s": 0.05,
    "backoff_max_s": 0.2,
    "intensity": 2,
    "period_s": 60,
    "park_s": 600,
    "heartbeat_s": 0.1,
    "heartbeats_missed": HANG_MS // 100,
}
BAD = ("raiser", "blocker", "glutton")

pytestmark = pytest.mark.slow


def with_bad_ones(venue: VenueThread, folder: Path) -> dict[str, Any]:
    document = configuration(venue, folder, restart=RESTART)
    instruments = [f"binance.{symbol}" for symbol in SYMBOLS]

    def strategy(name: str, **others: Any) -> dict[str, Any]:
        return {"class": f"tests.survival.bad_strategies:{name}", "instruments": instruments, **others}

    document["strategies"] |= {
        "observer": strategy("Observer", parameters={"file": str(folder / "quotes")}),
        "raiser": strategy("Raiser"),
        "blocker": strategy("Blocker", parameters={"seconds": 10 * HANG_MS / 1_000, "file": str(folder / "blocked")}),
        "glutton": strategy("Glutton", memory_limit_mb=LIMIT_MB),
    }
    return document


def are_parked(status: Status) -> bool:
    return all(status["actors"][f"strategy.{name}"]["state"] == "PARKED" for name in BAD)


def times(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().splitlines()]


def are_in_each(spans: Sequence[int], found: Sequence[int]) -> bool:
    """One at least of those that were found is in each of the times that the blocker kept its process."""
    return all(any(begin < ts < begin + BLOCKED_NS for ts in found) for begin in spans)


def test_bad_strategies_harm_themselves_only(tmp_path: Path) -> None:
    with venue_thread() as venue, outcry_run(with_bad_ones(venue, tmp_path), "--quiet") as run:
        desk = Desk(run, venue, tmp_path / "end")
        status = run.until(are_parked)
        reasons = {name: status["actors"][f"strategy.{name}"]["reason"] for name in BAD}
        shown, findings = run.command("status"), run.command("doctor", code=1)
        before = status["fills"]
        run.until(lambda status: status["fills"] > before)
        journal, summary = desk.end()
        assert journal == venue.truth()
        orders = [request.ts for request in venue.requests()]

    assert reasons["raiser"] == "ValueError: on purpose"
    assert HANG_MS <= silence_ms(reasons["blocker"]) <= 2 * HANG_MS
    kind, _, words = reasons["glutton"].partition(": ")
    held, limit = (int(word) for word in words.split() if word.isdecimal())
    assert (kind, limit) == ("MEMORY", LIMIT_MB)
    assert LIMIT_MB < held < 3 * LIMIT_MB

    for name in BAD:
        assert f"strategy.{name} ended too often and is tried again later: {reasons[name][:20]}" in shown
        assert f"strategy.{name}: ended 3 times and is parked, last because: {reasons[name]}" in findings
    assert "look for a handler that blocks" in findings
    assert "raise strategies.*.memory_limit_mb" in findings

    restarts = {name: count for name, count in summary["restarts"].items() if count}
    assert restarts == {f"strategy.{name}": 3 for name in BAD}
    blocked = times(tmp_path / "blocked")
    assert len(blocked) == 3
    assert are_in_each(blocked, times(tmp_path / "quotes"))
    assert are_in_each(blocked, orders)
