"""A command is given once, whoever is silent or gone while its answer is waited for."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors.desk import connect
from tests.operating.desks import BTC, actions, trading_desk
from tests.survival.desks import frozen

pytestmark = pytest.mark.slow


def test_the_supervisors_death_does_not_send_an_order_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway has it and is slow; it is the supervisor who would say that it lives."""
    monkeypatch.setattr("actors.desk.way.LOOK_S", 0.02)
    with trading_desk() as run, connect(frames="plain", client="test") as desk, ThreadPoolExecutor(1) as thread:
        before = run.status()["actors"]
        with frozen(before["gateway"]["pid"]):
            asked = thread.submit(desk.buy, BTC, "0.001")
            os.kill(before["supervisor"]["pid"], signal.SIGKILL)
            run.until(
                lambda status: status["actors"]["supervisor"]["incarnation"] > before["supervisor"]["incarnation"]
            )
        assert asked.result()["state"] == "FILLED"
        assert [action for _, client, action, _ in actions(run.journal) if client == "test"] == ["SUBMIT"]
        after = run.until(lambda status: status["actors"]["gateway"]["state"] == "READY")["actors"]
        assert after["gateway"]["incarnation"] == before["gateway"]["incarnation"]
