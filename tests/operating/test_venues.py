"""A venue is added to a running desk, traded at like the others through every restart, and removed again."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from actors.desk import CommandRefused, Desk, connect
from tests.desk.runs import ROOT, free_port, venue_truth
from tests.operating.desks import far_below, trading_desk

pytestmark = pytest.mark.slow

OTHER = "other.BTCUSDT"


@contextmanager
def fake_venue() -> Iterator[int]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("outcry")), "venue", "binance", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        yield port
    finally:
        process.kill()
        process.communicate()


def addresses(port: int) -> dict[str, Any]:
    return {
        "rest_url": f"http://127.0.0.1:{port}",
        "stream_url": f"ws://127.0.0.1:{port}",
        "trade_url": f"ws://127.0.0.1:{port}/ws-api/v3",
        "credentials": {"key": "demo", "secret": "demo"},
    }


def bought(desk: Desk, instrument: str) -> dict[str, Any]:
    """When everybody has come up again."""
    deadline = time.monotonic() + 120
    while (order := desk.buy(instrument, "0.001"))["state"] != "FILLED":
        assert time.monotonic() < deadline, order
        time.sleep(0.1)
    return order


def test_a_venue_is_added_traded_at_through_restarts_and_removed() -> None:
    with trading_desk() as run, fake_venue() as port, connect(frames="plain", client="test") as desk:
        with pytest.raises(CommandRefused, match="cannot be traded here"):
            desk.buy(OTHER, "0.001")
        added = desk.add_venue("other", "binance", ["BTCUSDT"], **addresses(port))
        assert (added["venue"], added["connected"]) == ("other", True)
        order = bought(desk, OTHER)
        assert venue_truth(port).orders[order["client_order_id"]][0] == "FILLED"
        assert {row["instrument"] for row in desk.quotes()} == {"binance.BTCUSDT", "binance.ETHUSDT", OTHER}
        assert bought(desk, "BTCUSDT")["instrument"] in ("binance.BTCUSDT", OTHER)  # as the router chooses

        for actor in ("order_manager", "risk_checker", "router", "portfolio", "connector.other", "supervisor"):
            run.kill(actor)
        run.until(lambda status: all(actor["state"] == "READY" for actor in status["actors"].values()))
        bought(desk, OTHER)
        run.until(lambda status: OTHER in status["positions"])

        (quote,) = desk.quotes(OTHER)
        resting = desk.buy(OTHER, "0.001", far_below(quote["bid"]))
        assert resting["state"] == "ACCEPTED"
        with pytest.raises(CommandRefused, match="1 orders may be open there"):
            desk.remove_venue("other")
        with pytest.raises(CommandRefused, match="strategies use it: maker"):
            desk.remove_venue("binance")
        desk.cancel(resting["client_order_id"])
        assert desk.remove_venue("other") == {"venue": "other", "state": "STOPPED"}
        assert "connector.other" not in {row["actor"] for row in desk.status()}
        with pytest.raises(CommandRefused, match="cannot be traded here"):
            desk.buy(OTHER, "0.001")
        bought(desk, "binance.BTCUSDT")

        assert desk.add_venue("other", "binance", ["BTCUSDT"], **addresses(port))["connected"]
        bought(desk, OTHER)
        run.stop()


def test_a_venue_that_cannot_be_meant_is_refused() -> None:
    with trading_desk() as run, connect(frames="plain") as desk:
        for arguments, says in (
            (("binance", "binance", ["BTCUSDT"]), "there is one called so already"),
            (("other", "nonsense", ["BTCUSDT"]), "venues.other.kind: "),
            (("other", "binance", []), "venues.other.symbols: "),
        ):
            with pytest.raises(CommandRefused, match=says):
                desk.add_venue(*arguments)
        with pytest.raises(CommandRefused, match="a fake venue starts with the run only"):
            desk.add_venue("other", "binance", ["BTCUSDT"], simulate={})
        with pytest.raises(CommandRefused, match="must say where to find it"):
            desk.add_venue("other", "binance", ["BTCUSDT"], credentials={"key": "mykey", "secret": "mysecret"})
        assert [path for path in run.folder.rglob("*") if path.is_file() and b"mysecret" in path.read_bytes()] == []
