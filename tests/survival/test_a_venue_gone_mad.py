"""A venue that cuts, freezes and sends what nobody can read, beside one that behaves: only its own link suffers."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.simulation.faults import Corrupt, Corruption, Cut, Fault, Freeze, LinkRole
from tests.desk.ending import end_trading
from tests.desk.runs import Run, Status, outcry_run
from tests.desk.truth import Truth, shortest
from tests.survival.desks import configuration, until
from tests.survival.venue import SYMBOLS, VenueThread, venue_thread

STALE_S = 5.0
"""Longer than a busy machine needs to open a link; one that takes longer is dropped as stale and never gets open."""
MANY, FEW = 300, 3
STREAM, WS_API, USER, REST = LinkRole.STREAM, LinkRole.WS_API, LinkRole.USER, LinkRole.REST
MARKET_DATA: dict[str, list[Fault]] = {
    "cut": [Cut(link=STREAM, at_once=True), Cut(link=STREAM, half_frame=True, after=20)],
    "freeze": [Freeze(link=STREAM, at_once=True)],
    "garbage": [Corrupt(link=STREAM, how=Corruption.GARBAGE, count=2)],
    "half a frame": [Corrupt(link=STREAM, how=Corruption.HALF)],
    "wrong types": [Corrupt(link=STREAM, how=Corruption.WRONG_TYPES)],
}
FLOOD: dict[str, list[Fault]] = {
    "10 MB": [Corrupt(link=STREAM, how=Corruption.HUGE, count=FEW)],
    "unknown streams": [Corrupt(link=STREAM, how=Corruption.HUGE, size_bytes=100, count=None)],
    "unknown symbols": [Corrupt(link=STREAM, how=Corruption.UNKNOWN_SYMBOL, count=FEW)],
    "depth answers": [Corrupt(link=REST, how=Corruption.HALF), Cut(link=STREAM, at_once=True)],
}
ORDERS: dict[str, list[Fault]] = {
    "orders cut": [Cut(link=WS_API, at_once=True), Cut(link=WS_API, half_frame=True, after=5)],
    "orders frozen": [Freeze(link=WS_API, at_once=True)],
    "answers in garbage": [Corrupt(link=WS_API, how=Corruption.GARBAGE)],
    "half answers": [Corrupt(link=WS_API, how=Corruption.HALF)],
    "answers of 10 MB": [Corrupt(link=WS_API, how=Corruption.HUGE, count=FEW)],
    "answers of wrong types": [Corrupt(link=WS_API, how=Corruption.WRONG_TYPES)],
}
EVENTS: dict[str, list[Fault]] = {
    "events in garbage": [Corrupt(link=USER, how=Corruption.GARBAGE)],
    "events of wrong types": [Corrupt(link=USER, how=Corruption.WRONG_TYPES)],
    "events of unknown symbols": [Corrupt(link=USER, how=Corruption.UNKNOWN_SYMBOL, count=FEW)],
}
"""What is no frame at all drops the link, whose backoff grows each time: few of those in one run."""
UNREADABLE = {
    "garbage": 1,
    "half a frame": 1,
    "wrong types": 1,
    "10 MB": 1,
    "unknown streams": MANY,
    "answers in garbage": 1,
    "half answers": 1,
    "answers of wrong types": 1,
    "events in garbage": 1,
    "events of wrong types": 1,
}
"""Of these at least so many frames are counted."""
LINES = 12
"""Of bad frames in the log in each minute, for hundreds of frames."""

pytestmark = pytest.mark.slow


def both(good: VenueThread, mad: VenueThread, folder: Path) -> dict[str, Any]:
    document = configuration(good, folder)
    document["venues"] = {
        "good": good.settings(folder),
        "mad": mad.settings(folder, stale_after_s=STALE_S),
    }
    parameters = {"until_file": str(folder / "end"), "quantity": 0.01}
    document["strategies"] = {
        venue: {
            "class": "tests.survival.clerk:Clerk",
            "instruments": [f"{venue}.{symbol}" for symbol in SYMBOLS],
            "parameters": parameters,
        }
        for venue in ("good", "mad")
    }
    document["risk"] = {"max_open_orders": 500, "max_order_notional": 100_000, "max_exposure": 10_000_000}
    document["orders"] = {"reconcile_every_s": 2.0}
    return document


def is_whole(status: Status, venue: str) -> bool:
    state = status["venues"].get(venue, {})
    return (
        state.get("connected", False)
        and set(state["links"].values()) == {"UP"}
        and set(state["books"].values()) == {"SYNCED"}
    )


def handled(status: Status, venue: str) -> int:
    """Messages of a venue."""
    messages: int = status["venues"][venue]["messages"]
    return messages


def filled(venue: VenueThread) -> int:
    return len(venue.truth().fills)


def both_truths(good: Truth, mad: Truth) -> Truth:
    positions = dict(good.positions)
    for symbol, quantity in mad.positions.items():
        positions[symbol] = shortest(Decimal(positions.get(symbol, "0")) + Decimal(quantity))
    return Truth(
        good.orders | mad.orders,
        sorted(good.fills + mad.fills),
        {symbol: quantity for symbol, quantity in positions.items() if Decimal(quantity)},
        good.terms | mad.terms,
    )


def bad_frames(status: Status) -> int:
    count: int = status["venues"]["mad"]["bad_frames"]
    return count


def go_mad(run: Run, good: VenueThread, mad: VenueThread, faults: list[Fault], unreadable: int) -> Status:
    """The status after everything is whole again; meanwhile so many frames are counted as bad, and the other venue's
    orders go on."""
    before = run.until(lambda status: is_whole(status, "mad") and is_whole(status, "good"))
    fills = filled(good)
    expected = sum(fault.count or 1 for fault in faults)
    mad.fault(*faults)
    until(lambda: mad.faults_fired() >= expected, lambda: f"{mad.faults_fired()} are too few of {faults}")
    run.until(lambda status: bad_frames(status) >= bad_frames(before) + unreadable)
    if any(isinstance(fault, Freeze) for fault in faults):
        run.until(lambda status: status["venues"]["mad"]["reconnects"] > before["venues"]["mad"]["reconnects"])
    mad.calm()
    calm = run.status()
    after = run.until(
        lambda status: is_whole(status, "mad") and handled(status, "mad") > handled(calm, "mad") + 20,
    )
    until(lambda: filled(good) > fills, "the other venue's orders do not go on")
    return after


@pytest.mark.parametrize("madness", [MARKET_DATA, FLOOD, ORDERS, EVENTS], ids=["market", "flood", "orders", "events"])
def test_only_the_mad_venues_own_links_suffer(tmp_path: Path, madness: dict[str, list[Fault]]) -> None:
    began = time.monotonic()
    with (
        venue_thread(rate=20.0) as good,
        venue_thread(rate=20.0, seed=8) as mad,
        outcry_run(both(good, mad, tmp_path), "--quiet") as run,
    ):
        run.until(lambda status: status["fills"] > 3 and is_whole(status, "mad") and is_whole(status, "good"))
        for name, faults in madness.items():
            after = go_mad(run, good, mad, faults, UNREADABLE.get(name, 0))
        kept = after["venues"]["mad"]["last_bad_frames"]
        assert all(frame["reason"] and frame["payload"] for frame in kept), kept
        assert max(len(frame["payload"]) for frame in kept) <= 300
        end_trading(run, tmp_path / "end", ("good", "mad"))
        minutes = 1 + (time.monotonic() - began) // 60
        logs = b"".join(file.read_bytes() for file in run.folder.glob("outcry/runs/*/logs/connector.mad.jsonl"))
        summary = run.stop()
        truth = both_truths(good.truth(), mad.truth())
        assert Truth.of_journal(run.journal).difference(truth) == {}
    assert 0 < logs.count(b'"bad_frame"') <= LINES * minutes
    assert (summary["venues"]["good"]["reconnects"], summary["venues"]["good"]["gaps"]) == (0, 0)
    assert set(summary["restarts"].values()) == {0}
