"""`kill -9` at each step of an order between the strategy's intent and the venue's acknowledgement.

Whatever dies, the venue has the order once or never, and journal and venue agree in the end.
"""

from pathlib import Path

import msgspec
import pytest

from tests.survival.built import ARMED, DONE, Done, Step
from tests.survival.desks import BUILT, PATIENT, Desk, trading, until

MANAGER, RISK, ROUTER, CONNECTOR = "order_manager", "risk_checker", "router", "connector.binance"

NEVER = (
    Step(MANAGER, "receive", "SubmitOrder"),
    Step(MANAGER, "append", "SubmitOrder"),
    Step(MANAGER, "append", "SubmitOrder", after=True),
    Step(MANAGER, "tell", "CheckOrder"),
    Step(RISK, "receive", "CheckOrder"),
    Step(RISK, "tell", "Approved"),
    Step(ROUTER, "receive", "Approved"),
    Step(ROUTER, "tell", "PlaceOrder"),
    Step(CONNECTOR, "receive", "PlaceOrder"),
    Step(CONNECTOR, "send_frame", "order.place"),
)
"""Before it is sent: it cannot have arrived."""
MAYBE = (
    Step(MANAGER, "tell", "CheckOrder", after=True),
    Step(RISK, "tell", "Approved", after=True),
    Step(ROUTER, "tell", "PlaceOrder", after=True),
)
"""Told, and may have left or not."""
ONCE = (
    Step(CONNECTOR, "send_frame", "order.place", after=True),
    Step(CONNECTOR, "tell", "OrderSent", after=True),
    Step(MANAGER, "receive", "OrderSent"),
    Step(CONNECTOR, "receive", '"NEW"'),
    Step(CONNECTOR, "tell", "OrderAccepted"),
    Step(MANAGER, "receive", "OrderAccepted"),
    Step(MANAGER, "append", "OrderAccepted"),
    Step(MANAGER, "append", "OrderAccepted", after=True),
)
"""It has been sent, or the venue has already answered."""
TIMES = {**dict.fromkeys(NEVER, (0,)), **dict.fromkeys(MAYBE, (0, 1)), **dict.fromkeys(ONCE, (1,))}

pytestmark = pytest.mark.slow


def die_at(step: Step, desk: Desk, folder: Path) -> str:
    """The client order id of the order that was on its way when its actor died; that actor lives again."""
    before = desk.run.status()["actors"][step.actor]
    (folder / DONE).unlink(missing_ok=True)
    (folder / "arming").write_bytes(msgspec.json.encode(step))
    (folder / "arming").rename(folder / ARMED)
    until((folder / DONE).exists, f"never came to {step}")
    desk.run.until(
        lambda status: (
            status["actors"][step.actor]["incarnation"] > before["incarnation"]
            and status["actors"][step.actor]["state"] == "READY"
        )
    )
    return msgspec.json.decode((folder / DONE).read_bytes(), type=Done).client_order_id


def test_a_kill_at_any_step_leaves_each_order_at_the_venue_once_or_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURVIVAL", str(tmp_path))
    victims = {}
    with trading(tmp_path, program=BUILT, restart=PATIENT) as desk:
        desk.until_it_trades()
        for step in TIMES:
            victims[step] = die_at(step, desk, tmp_path)
            desk.goes_on()
        journal, summary = desk.end()
        placed = [request.client_order_id for request in desk.venue.requests()]
        assert journal == desk.venue.truth()
    assert sum(summary["restarts"].values()) == len(TIMES)
    assert len(placed) == len(set(placed)), "an order was sent twice"
    assert all(victims.values())
    assert len(set(victims.values())) == len(TIMES)
    wrong = {step: order for step, order in victims.items() if placed.count(order) not in TIMES[step]}
    assert wrong == {}
