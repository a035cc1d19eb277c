"""A machine is lost while orders are open: its actors come back elsewhere, and it is not heard any more."""

import time
from pathlib import Path

import pytest

from tests.cluster.desk import CUT_OFF, TRADER, Venue, all_ready, desk, lives_on
from tests.cluster.machines import network
from tests.desk.truth import Truth
from tests.survival.desks import until

pytestmark = [pytest.mark.slow, pytest.mark.ray]

BACK_S = 10.0
"""Without the time that its processes wait for a processor while tests beside this one have it."""
LOST = ("connector.binance", "strategy.maker")


def test_actors_of_a_lost_machine_come_back_elsewhere_and_their_old_lives_are_fenced() -> None:
    with network(3) as net:
        net.start_ray(["", "zone=tokyo", "zone=tokyo"])
        head, first, second = net.machines
        done = head.folder / "done"
        trader = {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}}
        configuration = {
            "strategies": {"maker": trader},
            "placement": {name: {"zone": "tokyo"} for name in LOST},
            "colocate": [list(LOST)],
            "restart": CUT_OFF,
        }
        with Venue(head) as venue, desk(head, net.address, {**configuration, **venue.settings}) as running:
            before = running.until(lambda status: status["fills"] > 10 and status["open_orders"] and all_ready(status))
            lost, other = (first, second) if before["actors"][LOST[0]]["node"] == first.ip else (second, first)
            old = {name: before["actors"][name] for name in LOST}
            assert {actor["node"] for actor in old.values()} == {lost.ip}

            starved = {**head.starved_s(), **other.starved_s()}
            unplugged = time.monotonic()
            lost.unplug()
            back = running.until(
                lambda status: all(
                    status["actors"][name]["state"] == "READY"
                    and status["actors"][name]["incarnation"] > old[name]["incarnation"]
                    for name in LOST
                )
            )
            took = time.monotonic() - unplugged
            now_starved = {**head.starved_s(), **other.starved_s()}
            for name in ("supervisor", LOST[0]):  # the one brings back the other, and neither has a machine for itself
                pid = back["actors"][name]["pid"]
                took -= now_starved.get(pid, 0) - starved.get(pid, 0)
            assert took < BACK_S
            assert {back["actors"][name]["node"] for name in LOST} == {other.ip}
            until(lambda: "life_fenced" in logs(head.folder), "nobody has fenced the life that is over")
            fills = running.status()["fills"]
            running.until(lambda status: status["fills"] > fills + 5)
            net.until_nodes(2)
            assert lost.processes("RayHost")  # it does not know that it is lost

            lost.plug()
            fills = running.status()["fills"]
            now = running.until(lambda status: status["fills"] > fills + 5)
            for name in LOST:
                assert now["actors"][name]["node"] == other.ip
                assert lives_on(back["actors"][name], now["actors"][name]), now["actors"][name]
            lost.until_none("RayHost")

            # Its node has ended, for the cluster had given it up; started again it is given hosts again.
            lost.until_none("raylet")
            net.start_node(lost, "zone=tokyo")
            net.until_nodes(3)
            other.unplug()
            running.until(
                lambda status: all(
                    status["actors"][name]["state"] == "READY" and status["actors"][name]["node"] == lost.ip
                    for name in LOST
                )
            )
            fills = running.status()["fills"]
            running.until(lambda status: status["fills"] > fills + 5)
            other.plug()
            other.until_none("RayHost")
            running.end_trading(done)
            running.stop()
            truth = venue.truth()
            assert Truth.of_journal(running.journal).difference(truth) == {}
            assert len(truth.fills) > 20


def logs(folder: Path) -> str:
    """What all hosts on that machine have logged."""
    return "".join(file.read_text() for file in folder.rglob("*.jsonl"))
