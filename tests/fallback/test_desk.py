"""A whole desk on real sockets whose WebSockets are cut and refused while REST stays: it trades on, nothing is lost."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.desk.runs import PATIENT, START_S, Run, Status, free_port, outcry_run, venue_truth
from tests.desk.truth import Truth

pytestmark = pytest.mark.slow

QUANTITY = {"binance": "0.001", "binance-usdm": "0.002"}


def fault(port: int, **fields: object) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/fake/faults", data=json.dumps(fields).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=START_S) as answer:
        assert answer.status == 200


def no_faults(port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/fake/faults", method="DELETE")
    with urllib.request.urlopen(request, timeout=START_S) as answer:
        assert answer.status == 200


def desk(kind: str, port: int, notes: Path) -> dict[str, Any]:
    return {
        "cluster": {"backend": "processes"},
        "restart": PATIENT,
        "venues": {
            "venue": {
                "kind": kind,
                "symbols": ["BTCUSDT"],
                "credentials": {"key": "demo", "secret": "demo"},
                "simulate": {"port": port, "rate": 20},
                "fallback_after_s": 1.0,
                "fallback_poll_s": 0.2,
            }
        },
        "strategies": {
            "trader": {
                "class": "tests.fallback.trader:FallbackTrader",
                "instruments": ["venue.BTCUSDT"],
                "parameters": {"quantity": QUANTITY[kind], "notes": str(notes)},
            }
        },
    }


def cut_websockets(port: int) -> None:
    """Market data last: the strategy trades as soon as its quotes are degraded."""
    for link in ("ws-api", "user", "stream"):
        fault(port, kind="refuse_connect", link=link, count=None)
        fault(port, kind="cut", link=link, at_once=True)


def venue_of(status: Status) -> dict[str, Any]:
    venue: dict[str, Any] = status["venues"].get("venue", {})
    return venue


def is_well(status: Status) -> bool:
    venue = venue_of(status)
    books = set(venue.get("books", {}).values())
    return bool(venue.get("connected")) and not venue["degraded"] and books == {"SYNCED"} and venue["messages"] > 200


def is_by_rest(status: Status) -> bool:
    """Everything, and no WebSocket is open."""
    venue = venue_of(status)
    return (
        bool(venue.get("connected"))
        and {part.partition(" data ")[0] for part in venue["degraded"]} == {"market", "orders"}
        and set(venue["links"].values()) <= {"DOWN", "OPENING"}
    )


def notes(file: Path) -> dict[str, Any]:
    """Of the strategy, as they are now."""
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def has_heard(file: Path) -> bool:
    """Of its orders and of the market, while only REST works."""
    if not file.exists():
        return False
    written = notes(file)
    return len(written["done"]) == 2 and written["degraded_trades"] > 0 and written["degraded_books"] > 0


def has_traded(status: Status) -> bool:
    return (status["orders"].get("FILLED"), status["orders"].get("CANCELED")) == (1, 1)


@pytest.mark.parametrize("kind", ["binance", "binance-usdm"])
def test_orders_are_placed_filled_and_cancelled_while_only_rest_works(kind: str, tmp_path: Path) -> None:
    port, notes_file = free_port(), tmp_path / "notes.json"
    with outcry_run(desk(kind, port, notes_file)) as run:
        run.until(is_well)
        cut_websockets(port)
        run.until(lambda status: has_traded(status) and is_by_rest(status) and has_heard(notes_file))
        assert_is_told(run)
        no_faults(port)
        back = run.until(is_well)
        run.until(
            lambda status: (
                is_well(status)
                and venue_of(status)["messages"] > venue_of(back)["messages"] + 100
                and notes(notes_file)["quotes_after"] > 0
            )
        )
        truth = venue_truth(port)
        summary = run.stop()
        assert Truth.of_journal(run.journal) == truth
    written = notes(notes_file)
    assert sorted(written["done"]) == ["rests CANCELED", "takes FILLED"]
    assert written["degraded_quotes"] > 0
    assert written["degraded_books"] > 0
    assert written["degraded_trades"] > 0
    assert written["quotes_after"] > 0
    trades = written["trades"]
    assert trades == sorted(set(trades))
    missing = set(range(trades[0], trades[-1])) - set(trades)
    assert len(missing) <= sum(summary["dropped"].values()), f"nobody has dropped {sorted(missing)}"


def assert_is_told(run: Run) -> None:
    """By every view."""
    assert "degraded" in run.command("status")
    found = run.findings()
    assert "is degraded: orders by REST, because" in found
    assert "is degraded: market data" in found
