"""A process that hangs is replaced in time, and what is left of it cannot trade any more.

Where the old process is to wake up beside its successor, the supervisor's `kill` does not reach it, as if its machine
had been cut off.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from actors.messages import SubmitOrder
from actors.orders.records import decode
from runtime.clock import NS_PER_MS
from tests.desk.truth import Truth, records
from tests.survival.built import UNREACHABLE
from tests.survival.desks import BUILT, PATIENT, Desk, frozen, is_alive, trading, until

HEARTBEAT_S, MISSED = 0.1, 15
HANG_MS = 1_500
SLACK_MS = 3_000
"""For a busy machine: the supervisor looks once a heartbeat if it gets the processor."""
RESTART = PATIENT | {"heartbeat_s": HEARTBEAT_S, "heartbeats_missed": MISSED}

pytestmark = pytest.mark.slow


def silence_ms(reason: str) -> int:
    words = reason.split()
    assert words[:2] == ["silent", "for"], reason
    return int(words[2])


@pytest.mark.parametrize(
    ("actor", "backend"),
    [
        ("connector.binance", "processes"),
        ("order_manager", "processes"),
        pytest.param("connector.binance", "ray", marks=pytest.mark.ray),
    ],
)
def test_a_process_that_hangs_is_killed_and_replaced_in_time(tmp_path: Path, actor: str, backend: str) -> None:
    with trading(tmp_path, restart=RESTART, cluster={"backend": backend}) as desk:
        before = desk.until_it_trades()["actors"][actor]
        with frozen(before["pid"]):
            after = desk.run.until(lambda status: status["actors"][actor]["incarnation"] > before["incarnation"])
            until(lambda: not is_alive(before["pid"]), "the hung process is still there")
        assert HANG_MS <= silence_ms(after["actors"][actor]["reason"]) < HANG_MS + SLACK_MS
        desk.goes_on()
        journal, _ = desk.end()
        assert journal == desk.venue.truth()


def out_of_reach(folder: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no kill reaches that host."""
    (folder / UNREACHABLE).write_text(host)
    monkeypatch.setenv("SURVIVAL", str(folder))


def submitted(folder: Path) -> list[str]:
    """Client order ids of all intents of a journal, in order."""
    events = (decode(record).event for record in records(folder))
    return [event.order.client_order_id for event in events if isinstance(event, SubmitOrder)]


def test_a_connector_that_wakes_up_beside_its_successor_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach(tmp_path, "connector.binance", monkeypatch)
    with trading(tmp_path, program=BUILT, restart=RESTART) as desk:
        old = desk.until_it_trades()["actors"]["connector.binance"]
        session = desk.venue.requests()[-1].session
        os.kill(old["pid"], signal.SIGSTOP)
        stopped = time.time_ns()
        desk.run.until(lambda status: status["actors"]["connector.binance"]["incarnation"] > old["incarnation"])
        desk.goes_on()
        assert is_alive(old["pid"])
        thawed = time.time_ns()
        os.kill(old["pid"], signal.SIGCONT)
        until(lambda: not is_alive(old["pid"]), "nobody has told the old connector that it was replaced")
        desk.goes_on()
        journal, _ = desk.end()
        truth, requests = desk.venue.truth(), desk.venue.requests()
        assert journal == truth
        assert [request for request in requests if request.session == session and request.ts >= thawed] == []
        assert_some_were_queued(desk, stopped, {request.client_order_id for request in requests})


def assert_some_were_queued(desk: Desk, stopped: int, arrived: set[str]) -> None:
    """Orders that were given to the old connector while it was stopped: not one reached the venue."""
    intents = [
        record.event.order.client_order_id
        for record in map(decode, records(desk.run.journal))
        if isinstance(record.event, SubmitOrder) and stopped <= record.ts < stopped + HANG_MS * NS_PER_MS
    ]
    assert intents, "no order was submitted while it was stopped"
    assert arrived.isdisjoint(intents)


def test_of_two_order_managers_for_one_account_only_the_newer_one_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach(tmp_path, "order_manager", monkeypatch)
    with trading(tmp_path, program=BUILT, restart=RESTART) as desk:
        old = desk.until_it_trades()["actors"]["order_manager"]
        os.kill(old["pid"], signal.SIGSTOP)
        known = set(submitted(desk.run.journal))
        after = desk.run.until(lambda status: status["actors"]["order_manager"]["incarnation"] > old["incarnation"])
        incarnation = after["actors"]["order_manager"]["incarnation"]
        desk.goes_on()
        os.kill(old["pid"], signal.SIGCONT)
        until(lambda: not is_alive(old["pid"]), "nobody has told the old order manager that it was replaced")
        desk.goes_on()
        desk.end()
        zombies = set(submitted(desk.run.journal)) - known
        # mostly none: a host that was away waits for its supervisor's word before it looks at what it was asked
        arrived = {request.client_order_id for request in desk.venue.requests()}
        assert arrived.isdisjoint(zombies)
        copy = desk.run.journal.with_name(f"{desk.run.journal.name}-{incarnation}")
        assert Truth.of_journal(copy) == desk.venue.truth()
