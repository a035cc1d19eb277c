"""A desk that runs in processes of its own, and what its journal says about operators."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from actors.desk import Desk
from actors.messages import OperatorActed
from actors.orders.records import Record, decode
from runtime.journal import Follower
from tests.desk.runs import ROOT, Run, outcry_run

BTC = "binance.BTCUSDT"
COMING_UP = ("REBUILDING", "NO_PRICE")


def demo(**cluster: Any) -> dict[str, Any]:
    """The demo's configuration on another backend; limits wide enough for an operator beside the strategy."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    document["cluster"] = cluster or {"backend": "processes"}
    # A busy machine is not a dead process, and an order may take longer on it.
    document["restart"] = {"heartbeats_missed": 600, "lease_s": 60}
    document["orders"] = {"command_deadline_s": 5}
    document["venues"]["binance"]["recv_window_ms"] = 5000
    document["risk"]["max_open_orders"] = 50
    return document


@contextmanager
def trading_desk(document: dict[str, Any] | None = None) -> Iterator[Run]:
    """Entered when the strategy has traded; while it lasts `connect()` of this process finds the run."""
    with outcry_run(document or demo(), "--quiet") as run:
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(run.folder)
        try:
            run.until(lambda status: status["fills"] > 0)
            yield run
        finally:
            if before is None:
                del os.environ["XDG_RUNTIME_DIR"]
            else:
                os.environ["XDG_RUNTIME_DIR"] = before


def bought(desk: Desk, instrument: str = BTC) -> dict[str, Any]:
    """As soon as everybody is up again: until then the risk checker refuses, and says why."""
    deadline = time.monotonic() + 120
    while (order := desk.buy(instrument, "0.001"))["state"] == "DENIED" and order["reason"].startswith(COMING_UP):
        assert time.monotonic() < deadline, order
        time.sleep(0.1)
    assert order["state"] == "FILLED", order
    return order


def journal(folder: Path) -> list[Record]:
    follower = Follower(folder)
    records = []
    while batch := follower.poll():
        records += [decode(data) for _, data in batch]
    follower.close()
    return records


def actions(folder: Path) -> list[tuple[str, str, str, dict[str, str]]]:
    """Who, through which client, did what, in the order of the journal."""
    events = [record.event for record in journal(folder)]
    return [
        (event.who, event.client, event.action.value, event.arguments)
        for event in events
        if isinstance(event, OperatorActed)
    ]


def far_below(bid: Decimal) -> str:
    """A price at which nobody sells, within the price band."""
    return str(round(bid * 95 / 100, 2))
