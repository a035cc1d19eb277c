"""The recorded traffic through the fake venue's own interface into the protocol: no gap, and every book exact."""

import pytest

from actors.messages import BookSnapshot
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.capture import Capture
from actors.venues.contract import BadFrame, Resynchronised
from runtime.clock import NS_PER_S
from tests.venues_usdm.recording import PREFIX, SYMBOLS, books, frames, levels_of, needs_recording
from tests.venues_usdm.world import START, World

pytestmark = [pytest.mark.slow, needs_recording]


@pytest.mark.parametrize(
    ("snapshot_delay_ns", "levels_of_a_side"), [(0, 2000), (NS_PER_S // 2, 2000), (3 * NS_PER_S, 500)]
)
def test_a_replay_has_no_gap_and_ends_with_the_recorded_books(snapshot_delay_ns: int, levels_of_a_side: int) -> None:
    """A late snapshot has 1000 levels of a book that has grown beyond them: the far ones stay unknown."""
    fake = FakeBinanceUsdm(START, replay=Capture.load(PREFIX))
    world = World(fake, SYMBOLS, http_delay_ns=snapshot_delay_ns)
    world.run(90 * NS_PER_S)
    assert [output for output in world.outputs if isinstance(output, Resynchronised | BadFrame)] == []
    for symbol, (last_id, levels) in books().items():
        book = world.venue.book(symbol)
        assert isinstance(book, BookSnapshot)
        assert book.sequence == last_id
        for side, rows in (("bids", book.bids), ("asks", book.asks)):
            expected = sorted(levels[side].items(), reverse=side == "bids")[:levels_of_a_side]
            assert list(levels_of([list(level) for level in rows]).items())[:levels_of_a_side] == expected
    assert world.state()["replay"] == {"finished": True, "played": len(frames()), "total": len(frames())}
