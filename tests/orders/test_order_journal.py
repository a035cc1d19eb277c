import pytest

from actors.orders.journal import OrderJournal
from actors.orders.records import EpochBegan, Record, decode
from runtime.errors import Unavailable
from tests.support.context import RecordingContext


def record(ts: int) -> Record:
    return Record(ts, 1, EpochBegan())


def written(ctx: RecordingContext) -> list[int]:
    return [decode(data).ts for data in ctx.journal]


def test_what_happened_while_the_disk_was_full_is_written_first_when_it_is_not() -> None:
    ctx, journal = RecordingContext(), OrderJournal()
    ctx.journal_broken = "disk full"
    journal.note(record(1), ctx)
    journal.note(record(2), ctx)
    with pytest.raises(Unavailable, match="disk full"):
        journal.intend(record(3), ctx)
    ctx.journal_broken = ""
    journal.intend(record(4), ctx)
    assert written(ctx) == [1, 2, 4]
    assert [event.ts for event in journal.replay(ctx)] == [1, 2, 4]


def test_what_waits_is_bounded_and_what_is_given_up_is_counted() -> None:
    ctx, journal = RecordingContext(), OrderJournal(bound=2)
    ctx.journal_broken = "disk full"
    for ts in (1, 2, 3):
        journal.note(record(ts), ctx)
    assert (len(journal), journal.lost) == (2, 1)
    ctx.journal_broken = ""
    journal.note(record(4), ctx)
    assert written(ctx) == [2, 3, 4]
