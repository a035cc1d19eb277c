"""The machine that a desk was started on is lost for good with orders open: the desk goes on where its follower was."""

from pathlib import Path

import pytest

from tests.cluster.desk import OUTCRY, PATIENT, TRADER, Venue, all_ready, desk
from tests.cluster.machines import network
from tests.cluster.test_journal_follower import FOLLOWER, MANAGER, assert_all_agree, goes_on, journal_of, submitted

pytestmark = [pytest.mark.slow, pytest.mark.ray]

OPEN = ("ACCEPTED", "PARTIALLY_FILLED")
CONNECTOR = "connector.binance"


def test_a_desk_whose_machine_is_lost_is_started_again_where_its_follower_was(tmp_path: Path) -> None:
    """The head, which is the machine of the venue too, and one more go on; what ran there of the desk ends itself."""
    with network(3) as net:
        net.start_ray(["zone=tokyo", "", "zone=tokyo"])
        head, lost, third = net.machines
        done = head.folder / "done"
        parameters = {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}
        patient = {**TRADER, "class": "tests.replication.patient:Patient", "parameters": parameters}
        configuration = {
            "strategies": {"maker": {**TRADER, "parameters": parameters}, "patient": patient},
            "journal": {"path": str(net.disk / "journal"), "durability": "machine"},
            "placement": {CONNECTOR: {"zone": "tokyo"}},
            "restart": {**PATIENT, "alone_after_s": 5},
        }
        with Venue(head) as venue:
            configuration |= venue.settings
            with desk(lost, net.address, configuration) as running:
                before = running.until(
                    lambda status: status["fills"] > 10 and len(status["open_orders"]) > 2 and all_ready(status)
                )["actors"]
                lost.unplug()
                lost.kill_all()
            assert before[MANAGER]["node"] == lost.ip
            heir, new = (head, third) if before[FOLLOWER]["node"] == head.ip else (third, head)
            assert before[FOLLOWER]["node"] == heir.ip
            at_loss = venue.truth()
            assert any(state in OPEN for state, _ in at_loss.orders.values())

            copy = net.disk / "journal-copy"
            assert "are right" in heir.run(OUTCRY, "journal", "verify", str(copy)), "the words of the README"
            with desk(heir, net.address, configuration) as running:
                now = running.until(lambda status: status["fills"] >= len(at_loss.fills) and all_ready(status))
                goes_on(running)
                assert now["actors"][MANAGER]["node"] == heir.ip
                assert now["actors"][FOLLOWER]["node"] == new.ip
                assert now["actors"][MANAGER]["restarts"] == 0, "it did not wait for what is left of the lost run"
                left = {before[name]["pid"] for name in (CONNECTOR, FOLLOWER)}
                running.until(lambda _: left.isdisjoint({*head.pids(), *third.pids()}))
                done.touch()
                running.until(lambda status: not status["open_orders"] and not status["orders"].get("UNKNOWN"))
                running.stop()
                truth = venue.truth()
        journal = journal_of(heir)
        assert_all_agree(truth, journal, new.disk / copy.name, journal / "store.sqlite", tmp_path)
        assert len(truth.fills) > len(at_loss.fills)
        alone = set(submitted(journal_of(lost))) - set(submitted(journal))
        assert alone.isdisjoint(truth.orders), "an order that nobody else knew of went to the venue"
