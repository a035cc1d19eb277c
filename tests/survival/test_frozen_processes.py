"""A process that hangs is replaced in time, and what is left of it cannot trade any more.

Where the old process is to wake up beside its successor, the supervisor's `kill` does not reach it, as if its machine
had been cut off.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from actors.messages import OrderRouted, SubmitOrder
from actors.orders.records import decode
from tests.desk.truth import Truth, records
from tests.survival.built import UNREACHABLE
from tests.survival.desks import BUILT, PATIENT, Desk, frozen, is_alive, stop, trading, until

HEARTBEAT_S, MISSED = 0.1, 15
HANG_MS = 1_500
MOST_MS = 2 * HANG_MS
"""Whom the supervisor itself could not hear for so long, because it was busy, is given as long again."""
RESTART = PATIENT | {"heartbeat_s": HEARTBEAT_S, "heartbeats_missed": MISSED}
ONCE = RESTART | {"heartbeats_missed": 50}
"""Where there may be one successor only: a busy machine must not make a second one."""

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
        assert HANG_MS <= silence_ms(after["actors"][actor]["reason"]) <= MOST_MS
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


def test_a_connector_that_wakes_up_beside_its_successor_trades_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach(tmp_path, "connector.binance", monkeypatch)
    with trading(tmp_path, program=BUILT, restart=ONCE) as desk:
        actors = desk.until_it_trades()["actors"]
        old = actors["connector.binance"]
        session = desk.venue.requests()[-1].session
        with frozen(actors["supervisor"]["pid"]):  # nobody is replaced before there is something to lose
            stop(old["pid"])
            stopped = time.time_ns()
            until(lambda: len(routed(desk, stopped)) > 2, "nothing was sent to it while it was stopped")
            queued = routed(desk, stopped)
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
        late = [each for each in requests if each.session == session and each.ts >= thawed]
        assert queued.isdisjoint(each.client_order_id for each in late), "it has sent what was queued"
        assert truth.orders.keys().isdisjoint(each.client_order_id for each in late), (
            "what it was about to write when it stopped is refused as outdated"
        )
        assert {request.client_order_id for request in requests}.isdisjoint(queued), "somebody has sent what was queued"


def routed(desk: Desk, since: int) -> set[str]:
    """Orders that were submitted since then and of which the router has said that they are on their way."""
    events = [record.event for record in map(decode, records(desk.run.journal)) if record.ts >= since]
    submitted = {event.order.client_order_id for event in events if isinstance(event, SubmitOrder)}
    return submitted & {event.client_order_id for event in events if isinstance(event, OrderRouted)}


def test_of_two_order_managers_for_one_account_only_the_newer_one_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach(tmp_path, "order_manager", monkeypatch)
    with trading(tmp_path, program=BUILT, restart=ONCE) as desk:
        old = desk.until_it_trades()["actors"]["order_manager"]
        stop(old["pid"])
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
