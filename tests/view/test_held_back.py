"""What a connector may not send now, in words: in `outcry status` and `outcry doctor`."""

from rich.console import Console

from actors.doctor import diagnose
from actors.status import held_back, of_rows
from actors.view.render import dashboard
from runtime.protocol import ActorRow

UNTIL = 1_700_000_130 * 1_000_000_000
STATE = {
    "venue": "binance",
    "connected": True,
    "forbidden": [{"what": "BAN", "until": UNTIL}, {"what": "ORDERS", "until": UNTIL}],
    "waits_for_lease": ["REQUEST_WEIGHT 1 MINUTE"],
    "right_to_trade": "the supervisor has not heard this host for 5.0 s",
}
ROW = ActorRow("connector.binance", "h", "READY", 1, "n", 1, 0, "", 0, 0, 0, 0, {}, STATE)


def test_each_reason_is_said() -> None:
    assert held_back(STATE) == [
        "has banned this address until 22:15:30 UTC: nothing is sent, cancels wait",
        "takes no new orders of this account until 22:15:30 UTC",
        "waits for a lease of REQUEST_WEIGHT 1 MINUTE",
        "right to trade lapsed: the supervisor has not heard this host for 5.0 s",
    ]
    assert held_back({"venue": "binance"}) == []


def test_the_dashboard_and_the_doctor_say_them() -> None:
    console = Console(width=200, record=True, quiet=False, file=None)
    with console.capture() as captured:
        console.print(dashboard(of_rows([ROW])))
    shown = captured.get()
    assert all(f"binance {words}" in shown for words in held_back(STATE))
    found = [finding.what for finding in diagnose([ROW])]
    assert "binance has banned this address until 22:15:30 UTC: nothing is sent, cancels wait" in found
    assert any(what.startswith("waits for a lease of REQUEST_WEIGHT 1 MINUTE") for what in found)
    assert "its right to trade has lapsed: the supervisor has not heard this host for 5.0 s" in found
