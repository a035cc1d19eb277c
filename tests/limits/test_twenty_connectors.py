"""Many connectors, one limit: not one 429 while all are hungry, and one 418 stops all of them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import NS_PER_S
from tests.desk.runs import outcry_run
from tests.limits.desk import TRADING, VENUES, configuration, counting_venue
from tests.survival.desks import until

WEIGHT_LIMIT = 6000
"""The venue's own. All books together need ten thousand."""
BAN_S = 12
TOLD_NS = 5 * NS_PER_S
"""By then everybody has heard of a ban, on a very busy machine too."""
PATIENCE_S = 180.0

pytestmark = pytest.mark.slow


def synced(status: dict[str, Any]) -> int:
    return sum(state == "SYNCED" for venue in status["venues"].values() for state in venue["books"].values())


def test_without_a_limiter_they_are_told_to_slow_down(tmp_path: Path) -> None:
    """As if each were alone: to the desk these are twenty different venues."""
    with (
        counting_venue("0.0.0.0", WEIGHT_LIMIT) as venue,
        outcry_run(configuration(venue, tmp_path, lambda number: f"127.0.1.{number + 1}"), "--quiet") as run,
    ):
        status = run.until(lambda status: venue.slowed() > 0, PATIENCE_S)
        assert "limiter" not in status["actors"]


def test_twenty_hungry_connectors_never_get_a_429_and_one_418_stops_all_of_them(tmp_path: Path) -> None:
    with (
        counting_venue("127.0.0.1", WEIGHT_LIMIT) as venue,
        outcry_run(configuration(venue, tmp_path, lambda number: "127.0.0.1"), "--quiet") as run,
    ):
        status = run.until(lambda status: synced(status) >= 8 and status["fills"] > 5, PATIENCE_S)
        assert synced(status) < 2 * len(VENUES), "they were not hungry"
        assert status["actors"]["limiter"]["state"] == "READY"

        os.kill(status["actors"]["limiter"]["pid"], signal.SIGKILL)
        fills = status["fills"]
        run.until(lambda status: status["actors"]["limiter"]["restarts"] == 1 and status["fills"] > fills)
        assert venue.slowed() == 0

        venue.ban(BAN_S)
        until(lambda: venue.banned_at() > 0, "nobody was told of the ban")
        told = venue.banned_at()
        words = run.findings()
        assert "has banned this address until" in words
        run.until(lambda status: status["ts"] > told + BAN_S * NS_PER_S)
        assert venue.arrived(told + TOLD_NS, told + (BAN_S - 1) * NS_PER_S) == []
        fills = run.until(lambda status: status["venues"][TRADING]["connected"])["fills"]
        run.until(lambda status: status["fills"] > fills)
        assert venue.slowed() == 0
