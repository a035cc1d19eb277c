"""The machine of the order manager is lost while orders are open: its successor goes on from the follower's copy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.messages import SubmitOrder
from actors.orders.records import decode
from actors.store.sqlite import SqliteDatabase
from runtime.journal import verify
from tests.cluster.desk import CUT_OFF, TRADER, ClusterDesk, Venue, all_ready, desk, lives_on
from tests.cluster.machines import Machine, Network, network
from tests.desk.truth import Truth, records
from tests.replication.pair import segments
from tests.store.backing import built_anew, rows_of

pytestmark = [pytest.mark.slow, pytest.mark.ray]

MANAGER, FOLLOWER = "order_manager", "journal_follower"
LOST = (MANAGER, "strategy.other")


def goes_on(running: ClusterDesk) -> dict[str, Any]:
    fills = running.until(lambda status: status["fills"] > 0)["fills"]
    return running.until(lambda status: all_ready(status) and status["fills"] > fills + 5)


def submitted(folder: Path) -> list[str]:
    """Client order ids of all intents of a journal."""
    events = (decode(record).event for record in records(folder))
    return [event.order.client_order_id for event in events if isinstance(event, SubmitOrder)]


def journal_of(machine: Machine) -> Path:
    return machine.disk / "journal"


def assert_all_agree(truth: Truth, journal: Path, copy: Path, store: Path, folder: Path) -> None:
    """Venue, journal, the follower's copy and the store say the same."""
    assert Truth.of_journal(journal).difference(truth) == {}
    assert len(truth.fills) > 10
    assert segments(copy) == segments(journal)
    assert verify(copy).good
    assert rows_of(SqliteDatabase(store)) == built_anew(copy, SqliteDatabase(folder / "anew.sqlite"))


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    """Four machines; a test may make a node of the last."""
    with network(4) as made:
        made.start_ray(["", "zone=tokyo", "zone=tokyo"])
        yield made


def test_a_lost_order_manager_is_followed_by_one_that_knows_all_that_it_knew(net: Network, tmp_path: Path) -> None:
    """A strategy is lost with it, which goes on giving it orders."""
    head, first, second = net.machines[:3]
    done = head.folder / "done"
    trader = {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}}
    configuration = {
        "strategies": {"maker": trader, "other": trader},
        "journal": {"path": str(net.disk / "journal"), "durability": "machine"},
        "placement": {name: {"zone": "tokyo"} for name in LOST},
        "colocate": [list(LOST)],
        "restart": CUT_OFF,
    }
    with Venue(head) as venue, desk(head, net.address, {**configuration, **venue.settings}) as running:
        before = running.until(lambda status: status["fills"] > 10 and status["open_orders"] and all_ready(status))
        old = before["actors"][MANAGER]
        lost, other = (first, second) if old["node"] == first.ip else (second, first)
        assert before["actors"][FOLLOWER]["node"] == head.ip

        lost.unplug()
        known = set(submitted(journal_of(lost)))
        back = running.until(
            lambda status: (
                status["actors"][MANAGER]["state"] == "READY"
                and status["actors"][MANAGER]["incarnation"] > old["incarnation"]
            )
        )
        assert back["actors"][MANAGER]["node"] == other.ip
        goes_on(running)
        net.until_nodes(2)
        assert lost.processes("RayHost")  # it does not know that it is lost

        lost.plug()
        now = goes_on(running)
        assert now["actors"][MANAGER]["node"] == other.ip
        assert lives_on(back["actors"][MANAGER], now["actors"][MANAGER]), now["actors"][MANAGER]
        lost.until_none("RayHost")
        goes_on(running)
        running.end_trading(done)
        running.stop()
        truth = venue.truth()
    journal, copy = journal_of(other), head.disk / "journal-copy"
    assert_all_agree(truth, journal, copy, copy / "store.sqlite", tmp_path)
    alone = set(submitted(journal_of(lost))) - known - set(submitted(journal))
    assert alone.isdisjoint(truth.orders), "an order that nobody else knew of went to the venue"


def test_a_lost_follower_is_followed_by_one_elsewhere_that_catches_up(net: Network, tmp_path: Path) -> None:
    head, fresh = net.machines[0], net.machines[3]
    done = head.folder / "all-done"
    trader = {**TRADER, "parameters": {"quantity": {"binance.BTCUSDT": "0.002"}, "until_file": str(done)}}
    configuration = {
        "strategies": {"maker": trader},
        "journal": {"path": str(net.disk / "second"), "durability": "machine"},
        "restart": CUT_OFF,
    }
    with Venue(head) as venue, desk(head, net.address, {**configuration, **venue.settings}) as running:
        before = running.until(lambda status: status["fills"] > 10 and all_ready(status))["actors"]
        assert before[MANAGER]["node"] == head.ip
        (lost,) = [machine for machine in net.machines[1:] if machine.ip == before[FOLLOWER]["node"]]
        lost.unplug()
        running.until(lambda status: status["not_durable"])
        net.start_node(fresh)
        now = running.until(
            lambda status: (
                status["actors"][FOLLOWER]["incarnation"] > before[FOLLOWER]["incarnation"]
                and not status["not_durable"]
            )
        )["actors"]
        assert lives_on(before[MANAGER], now[MANAGER]), now[MANAGER]
        (other,) = [machine for machine in net.machines[1:] if machine.ip == now[FOLLOWER]["node"]]
        assert other is not lost
        goes_on(running)
        running.end_trading(done)
        running.stop()
        truth = venue.truth()
    journal = head.disk / "second"
    assert_all_agree(truth, journal, other.disk / "second-copy", journal / "store.sqlite", tmp_path)
