"""A venue that cuts two hundred links at once: they come back as fast as its limit lets them, and no faster."""

from collections import Counter
from pathlib import Path

import pytest

from actors.simulation.binance.symbols import LISTINGS, Listing
from actors.simulation.faults import Cut, LinkRole
from runtime.clock import NS_PER_S
from tests.desk.runs import Status, outcry_run
from tests.survival.built import NARROW
from tests.survival.desks import BUILT, Desk, configuration
from tests.survival.venue import SYMBOLS, Connect, venue_thread

LINKS = 200
LIMIT = 300
WINDOW_S = 20
"""In which the venue, and so the connector, counts: five minutes at the real one."""

pytestmark = pytest.mark.slow


def up(status: Status) -> int:
    return Counter(status["venues"].get("binance", {}).get("links", {}).values())["UP"]


def reconnects(status: Status) -> int:
    count: int = status["venues"]["binance"]["reconnects"]
    return count


def most_within_a_window(connects: list[Connect]) -> int:
    times = [connect.ts for connect in connects]
    return max(sum(ts <= other < ts + WINDOW_S * NS_PER_S for other in times) for ts in times)


def test_two_hundred_links_come_back_within_the_venues_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURVIVAL", str(tmp_path))
    (tmp_path / NARROW).write_text(str(WINDOW_S))
    others = [Listing(f"X{n}", "USDT", "0.01", "0.00001", "5", "100.00", "1") for n in range(LINKS - len(SYMBOLS))]
    for listing in others:
        monkeypatch.setitem(LISTINGS, listing.symbol, listing)
    symbols = [*SYMBOLS, *(listing.symbol for listing in others)]
    with venue_thread(symbols, rate=0.5) as venue:
        venue.limit_connects(WINDOW_S)
        document = configuration(venue, tmp_path)
        document["venues"]["binance"]["symbols"] = symbols
        with outcry_run(document, "--quiet", program=BUILT) as run:
            desk = Desk(run, venue, tmp_path / "end")
            run.until(lambda status: up(status) == LINKS + 1)
            before = reconnects(desk.until_it_trades())
            venue.fault(Cut(link=LinkRole.STREAM, at_once=True))
            run.until(lambda status: reconnects(status) > before)
            after = desk.goes_on()
            assert after["venues"]["binance"]["links"]["orders"] == "UP"
            run.until(lambda status: up(status) == LINKS + 1 and reconnects(status) >= before + LINKS)
            journal, summary = desk.end()
            assert journal == venue.truth()
            connects = venue.connects()
    assert summary["venues"]["binance"]["reconnects"] >= LINKS
    assert [connect for connect in connects if connect.refused] == []
    assert len(connects) > 2 * LINKS
    assert most_within_a_window(connects) <= LIMIT
