"""The machine of the head and of the supervisor is cut off: the venue empties the book of the connector elsewhere."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET
from tests.cluster.desk import LEDGER, PORT, all_ready, desk
from tests.cluster.machines import START_S, Machine, Network, network

OPEN = ("NEW", "PARTIALLY_FILLED")
WHERE = {"connector.binance": {"zone": "tokyo"}}

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.fixture
def net() -> Iterator[Network]:
    """The head, a node for the connector, and the venue's own machine."""
    with network(3) as made:
        made.start_ray(["", "zone=tokyo"])
        yield made


def open_orders(machine: Machine) -> list[str]:
    """At the venue on that machine."""
    said = machine.run(sys.executable, "-c", LEDGER, f"http://{machine.ip}:{PORT}/fake/ledger")
    ledger: dict[str, Any] = json.loads(said)
    return [id for id, rows in ledger["orders"].items() for row in rows if row["status"] in OPEN]


def test_cut_off_from_the_head_the_book_is_empty_after_its_time(net: Network) -> None:
    head, _, far = net.machines
    for part, value in (("key", DEMO_KEY), ("secret", DEMO_SECRET)):
        (head.folder / part).write_text(value)
    at = f"{far.ip}:{PORT}"
    process = far.start(
        *(sys.executable, "-m", "actors.simulation.server", "binance-usdm", "--symbols", "BTCUSDT"),
        *("--host", far.ip, "--port", str(PORT)),
    )
    assert far.until_connected(far.ip, PORT, START_S)
    venue = {
        "kind": "binance-usdm",
        "symbols": ["BTCUSDT"],
        "rest_url": f"http://{at}",
        "stream_url": f"ws://{at}",
        "trade_url": f"ws://{at}/ws-fapi/v1",
        "credentials": {part: f"file:{head.folder / part}" for part in ("key", "secret")},
        "contracts": {"cancel_all_after_s": 3},
    }
    strategy = {
        "class": "tests.survival.clerk:Clerk",
        "instruments": ["binance.BTCUSDT"],
        "parameters": {"until_file": "/never", "quantity": {"binance.BTCUSDT": "0.002"}},
    }
    configuration = {
        "venues": {"binance": venue},
        "strategies": {"maker": strategy},
        "placement": WHERE,
        "restart": {"spares": 0},
    }
    with desk(head, net.address, configuration) as running:
        running.until(
            lambda status: (
                status["fills"] > 5 and all_ready(status) and len(status["open_orders"]) > 1 and open_orders(far)
            )
        )
        head.unplug()
        deadline = time.monotonic() + START_S
        while left := open_orders(far):
            assert time.monotonic() < deadline, f"the book is not empty: {left}"
            time.sleep(0.2)
        head.plug()
    process.send_signal(signal.SIGTERM)
    process.wait(START_S)
