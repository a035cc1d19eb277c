"""Whole desks of real processes whose journal has a follower: whatever dies or hangs, nothing is lost or doubled."""

import contextlib
import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.store.sqlite import SqliteDatabase
from runtime.journal import verify
from tests.desk.runs import outcry_run
from tests.desk.truth import Truth
from tests.replication.pair import segments
from tests.store.backing import built_anew, rows_of
from tests.survival.desks import PATIENT, Desk, configuration, frozen, until
from tests.survival.venue import venue_thread

MANAGER, FOLLOWER = "order_manager", "journal_follower"

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def trading(tmp_path: Path, **sections: Any) -> Iterator[Desk]:
    with venue_thread() as venue:
        document = configuration(venue, tmp_path, journal={"durability": "machine"}, **sections)
        document["strategies"]["maker"]["class"] = "tests.replication.patient:Patient"
        with outcry_run(document, "--quiet") as run:
            yield Desk(run, venue, tmp_path / "end")


def assert_all_agree(desk: Desk, tmp_path: Path) -> None:
    """Ends the trading: the venue, the journal, the follower's copy and the store say the same, each order once."""
    journal, _ = desk.end()
    copy = desk.run.journal.with_name("journal-copy")
    assert journal.difference(desk.venue.truth()) == {}
    assert len(journal.fills) > 10
    assert segments(copy) == segments(desk.run.journal)
    assert verify(copy).good
    assert Truth.of_journal(copy) == journal
    placed = [request.client_order_id for request in desk.venue.requests()]
    assert len(placed) == len(set(placed)), "an order was sent twice"
    store = SqliteDatabase(desk.run.journal / "store.sqlite")
    assert rows_of(store) == built_anew(copy, SqliteDatabase(tmp_path / "anew.sqlite"))


def test_follower_and_order_manager_are_killed_one_after_the_other_and_together(tmp_path: Path) -> None:
    with trading(tmp_path, restart=PATIENT) as desk:
        desk.until_it_trades()
        for victim in (FOLLOWER, MANAGER, FOLLOWER, MANAGER):
            desk.run.kill(victim)
            desk.goes_on()
        before = desk.run.status()["actors"]
        for victim in (MANAGER, FOLLOWER):
            os.kill(before[victim]["pid"], signal.SIGKILL)
        desk.run.until(
            lambda status: all(
                status["actors"][victim]["incarnation"] > before[victim]["incarnation"]
                for victim in (MANAGER, FOLLOWER)
            )
        )
        desk.goes_on()
        desk.run.until(lambda status: status["not_durable"] == "")
        assert_all_agree(desk, tmp_path)


def is_far(order: dict[str, Any]) -> bool:
    """Orders at the market have no price."""
    price = Decimal(order["price"] or "0.5")
    return order["symbol"] == "BTCUSDT" and price == price.to_integral()


def placed_before_refusals(desk: Desk) -> int:
    """How many orders the venue has got, when those that were let go before the others were refused have arrived."""
    while True:
        placed = len(desk.venue.requests())
        until_more_refused(desk)
        if len(desk.venue.requests()) == placed:
            return placed


def until_more_refused(desk: Desk) -> None:
    refused = len(desk.logged("order_refused"))
    until(lambda: len(desk.logged("order_refused")) > refused + 3, "no order is refused")


def test_while_the_follower_is_frozen_orders_are_refused_and_cancels_go(tmp_path: Path) -> None:
    patient = PATIENT | {"heartbeat_s": 0.2, "heartbeats_missed": 5000}  # nobody replaces it meanwhile
    with trading(tmp_path, restart=patient) as desk:
        desk.until_it_trades()
        before = desk.run.until(lambda status: any(is_far(order) for order in status["open_orders"]))
        cancelled = len(desk.venue.requests("order.cancel"))
        with frozen(before["actors"][FOLLOWER]["pid"]):
            desk.run.until(lambda status: status["not_durable"] == "the follower does not answer")
            assert "its journal is on one machine only" in desk.run.command("doctor", code=1)
            refused = len(desk.logged("order_refused"))
            placed = placed_before_refusals(desk)
            (tmp_path / "end").touch()  # it cancels whatever is open
            desk.run.until(lambda status: not status["open_orders"])
            (tmp_path / "end").unlink()
            until_more_refused(desk)
            assert len(desk.venue.requests("order.cancel")) > cancelled
            assert len(desk.venue.requests()) == placed
            reasons = {line["reason"] for line in desk.logged("order_refused")[refused:]}
            assert reasons == {"NOT_DURABLE: no follower has a copy of the journal: the follower does not answer"}
        desk.run.until(lambda status: status["not_durable"] == "")
        desk.goes_on()
        assert_all_agree(desk, tmp_path)
