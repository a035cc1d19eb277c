"""A second risk checker that speaks to the router of a running desk: what it approves never reaches the venue."""

import asyncio
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from actors import operate
from actors.messages import Approved, OrderDenied, SubmitOrder
from actors.model.order import OrderSpec, Stamps
from actors.orders.records import decode
from actors.system import outside
from runtime.clock import NS_PER_S
from runtime.rundir import RunRecord
from tests.desk.truth import records
from tests.survival.desks import PATIENT, Desk, stop, trading, until

DEADLINE_S = 60

pytestmark = pytest.mark.slow


def approve(desk: Desk, orders: list[OrderSpec], authority: int, epoch: int) -> None:
    """As a risk checker of that life would, over a stream of its own; returns when the last one is refused."""
    [file] = (desk.run.folder / "outcry" / "runs").glob("*.json")
    run = msgspec.json.decode(file.read_bytes(), type=RunRecord)
    [router] = [row.address for row in operate.table(run).rows if row.name == "router"]
    assert router is not None

    async def tell() -> None:
        async with outside(Path(run.socket), Path(run.folder, "impostor.sock")) as caller:
            await caller.connected()
            for order in orders:
                caller.tell(router, Approved(order, Stamps(), epoch, time.time_ns() + DEADLINE_S * NS_PER_S, authority))
            await asyncio.to_thread(
                until, lambda: orders[-1].client_order_id in denials(desk), "the router has not refused it"
            )

    asyncio.run(tell())


def submitted_since(desk: Desk, ts: int) -> list[OrderSpec]:
    found = (decode(record) for record in records(desk.run.journal))
    return [record.event.order for record in found if record.ts > ts and isinstance(record.event, SubmitOrder)]


def denials(desk: Desk) -> dict[str, str]:
    """By client order id, the reasons that are in the journal."""
    events = (decode(record).event for record in records(desk.run.journal))
    return {event.client_order_id: event.reason for event in events if isinstance(event, OrderDenied)}


def test_what_a_second_risk_checker_approves_is_refused_and_in_the_journal(tmp_path: Path) -> None:
    orders = {"command_deadline_s": DEADLINE_S}
    with trading(tmp_path, restart=PATIENT, orders=orders) as desk:
        desk.until_it_trades()
        present = desk.run.kill("risk_checker")["actors"]["risk_checker"]
        assert present["incarnation"] == 2
        desk.goes_on()

        stop(present["pid"])
        stopped = time.time_ns()
        until(lambda: len(submitted_since(desk, stopped)) > 2, "nothing waits for a risk checker")
        waiting = submitted_since(desk, stopped)[1:]
        approve(desk, waiting, authority=1, epoch=1)
        stale = "STALE_AUTHORITY: approved by life 1 of the risk checker, the present one is 2"
        assert {denials(desk)[order.client_order_id] for order in waiting} == {stale}

        until(lambda: len(desk.logged("stale_approval")) >= len(waiting), "not every one is in the router's log")

        os.kill(present["pid"], signal.SIGCONT)
        desk.goes_on()
        journal, _ = desk.end()
        assert journal == desk.venue.truth()
        arrived = {request.client_order_id for request in desk.venue.requests()}
        assert arrived.isdisjoint(order.client_order_id for order in waiting)
