"""Many connectors, one limit: not one 429 while all are hungry, and one 418 stops all of them, on whichever machine."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import NS_PER_S
from tests.cluster.machines import network, why_not
from tests.limits.desk import HOSTS, TRADING, VENUES, configuration
from tests.limits.places import Place, ThreeMachines, ThreeProcesses
from tests.survival.desks import until

WEIGHT_LIMIT = 6000
"""The venue's own. All books together need ten thousand."""
LITTLE = 2000
"""Those who start one after the other on a busy machine do so in different minutes of the venue's."""
BAN_S = 15
TOLD_NS = 5 * NS_PER_S
"""By then everybody has heard of a ban, on a very busy machine too."""
PATIENCE_S = 180.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[pytest.param("machines", marks=pytest.mark.ray), "processes"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Three machines with a Ray node each; where they cannot be made, three processes."""
    reason = why_not()
    if request.param == "processes":
        if not reason:
            pytest.skip("the same is tested on three machines")
        yield ThreeProcesses()
        return
    if reason:
        pytest.skip(reason)
    with network(HOSTS) as net:
        net.start_ray([f"zone=z{index}" for index in range(HOSTS)])
        yield ThreeMachines(net)


def synced(status: dict[str, Any]) -> int:
    return sum(state == "SYNCED" for venue in status["venues"].values() for state in venue["books"].values())


def nodes(status: dict[str, Any]) -> set[str]:
    return {status["actors"][f"connector.{name}"]["node"] for name in VENUES}


def test_without_a_limiter_they_are_told_to_slow_down(place: Place, tmp_path: Path) -> None:
    """As if each were alone."""
    with (
        place.venue(LITTLE) as venue,
        place.desk(configuration(venue, tmp_path, place.addresses)) as running,
    ):
        status = running.until(lambda status: venue.slowed() > 0, PATIENCE_S)
        assert "limiter" not in status["actors"]


def test_twenty_hungry_connectors_never_get_a_429_and_one_418_stops_all_of_them(place: Place, tmp_path: Path) -> None:
    with (
        place.venue(WEIGHT_LIMIT) as venue,
        place.desk(configuration(venue, tmp_path, place.one_address)) as running,
    ):
        status = running.until(lambda status: synced(status) >= 8 and status["fills"] > 5, PATIENCE_S)
        assert synced(status) < 2 * len(VENUES), "they were not hungry"
        assert status["actors"]["limiter"]["state"] == "READY"
        assert nodes(status) == place.nodes

        os.kill(status["actors"]["limiter"]["pid"], signal.SIGKILL)
        fills = status["fills"]
        running.until(
            lambda status: status["actors"]["limiter"]["restarts"] == 1 and status["fills"] > fills, PATIENCE_S
        )
        assert venue.slowed() == 0

        venue.ban(BAN_S)
        until(lambda: venue.banned_at() > 0, "nobody was told of the ban")
        told = venue.banned_at()
        assert "has banned this address until" in " ".join(running.command("doctor", code=1).split())
        running.until(lambda status: time.time_ns() > told + BAN_S * NS_PER_S, PATIENCE_S)
        assert venue.arrived(told + TOLD_NS, told + (BAN_S - 1) * NS_PER_S) == []
        fills = running.until(lambda status: status["venues"][TRADING]["connected"], PATIENCE_S)["fills"]
        running.until(lambda status: status["fills"] > fills, PATIENCE_S)
        assert venue.slowed() == 0
