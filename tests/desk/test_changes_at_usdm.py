"""A desk at USD-M futures on real processes and sockets: orders are modified in place, through crashes too."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.orders.records import decode
from tests.desk.runs import free_port, outcry_run
from tests.desk.test_runs import Trading, assert_equal_to_the_venue, demo
from tests.desk.truth import records

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Trading]:
    port, end = free_port(), tmp_path / "end"
    document = demo("processes")
    document["venues"]["binance"]["kind"] = "binance-usdm"
    document["venues"]["binance"]["simulate"]["port"] = port
    document["strategies"]["maker"]["class"] = "tests.desk.trader:Trader"
    document["strategies"]["maker"]["parameters"] |= {"until_file": str(end), "changes": True}
    with outcry_run(document, "--quiet") as run:
        yield Trading(run, port, end)


def test_price_and_quantity_are_those_of_the_venue_whoever_dies(desk: Trading) -> None:
    desk.until_it_trades()
    for actor in ("connector.binance", "order_manager", "risk_checker"):
        desk.run.kill(actor)
        desk.goes_on()
    truth, journal, summary = desk.end()
    assert_equal_to_the_venue(truth, journal, summary)
    events = [decode(record).event for record in records(desk.run.journal)]
    counts = Counter(type(event).__name__ for event in events)
    assert min(counts["ChangeIntended"], counts["OrderAmended"]) > 2
    reasons = {str(getattr(event, "reason", "")).partition(":")[0] for event in events}
    assert "NOT_SUPPORTED" in reasons, "there are no order lists at that venue, and it says so"
