"""A desk whose venue has a dozen symbols: when it is in step, when it goes on, and how it ends."""

from pathlib import Path
from typing import Any

from tests.desk.runs import Run, Status
from tests.desk.truth import Truth
from tests.shards.market import SYMBOLS
from tests.survival.venue import VenueThread

BUSY_S = 180.0
"""A machine on which many others work, too, takes so long."""
FINAL = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED"}


def in_step(status: Status) -> bool:
    venue = status["venues"].get("binance", {})
    return (
        status["fills"] > 0
        and venue.get("connected")
        and sorted(venue["books"]) == SYMBOLS
        and set(venue["books"].values()) == {"SYNCED"}
        and all(actor["state"] == "READY" for actor in status["actors"].values())
    )


def end(run: Run, venue: VenueThread, folder: Path) -> dict[str, Any]:
    """End the trading and the run; the venue's ledger and the journal have to say the same."""
    (folder / "end").touch()
    after = run.status()["ts"] + 2_000_000_000
    run.until(lambda status: status["ts"] > after and not set(status["orders"]) - FINAL, BUSY_S)
    summary = run.stop()
    assert Truth.of_journal(run.journal) == venue.truth()
    return summary


def goes_on(run: Run) -> Status:
    """Returns when new fills and much new market data have come."""
    before = run.until(in_step, BUSY_S)
    messages = before["venues"]["binance"]["messages"]
    return run.until(
        lambda status: (
            in_step(status)
            and status["fills"] > before["fills"] + 5
            and status["venues"]["binance"]["messages"] > messages + 300
        ),
        BUSY_S,
    )


def connectors(status: Status) -> list[str]:
    return [name for name in status["actors"] if name.startswith("connector")]
