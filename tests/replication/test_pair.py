"""An owner and its follower: what is acknowledged is there twice, and whatever is lost, the next life has all of it."""

from pathlib import Path

import pytest

from runtime.clock import NS_PER_S
from runtime.errors import Corrupt, Unavailable
from runtime.replication.copying import set_aside
from runtime.replication.messages import AttachCopy, JournalBytes, LifeRefused
from runtime.replication.owner import ACK_NS, PATIENCE_NS
from tests.replication.pair import Pair, address, segments, started, write


def test_what_is_appended_is_acknowledged_and_the_copy_is_the_same(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    assert pair.follower is not None
    owner.append(b"one", b"two")
    assert owner.clerk.copied == 0
    pair.carry()
    assert owner.clerk.copied == 2
    assert owner.clerk.problems[-1] == ""
    assert segments(pair.follower.folder) == segments(owner.folder) != {}


def test_several_are_on_their_way_at_once_and_are_acknowledged_in_order(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(*[b"%d" % number for number in range(10)])
    assert len([m for m in owner.ctx.told_to("follower") if isinstance(m, JournalBytes)]) == 10
    pair.carry_to_follower()
    assert owner.clerk.copied == 0
    pair.carry_to_owner()
    assert owner.clerk.copied == 10


def test_a_flood_shares_messages_and_is_bounded(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    assert pair.follower is not None
    owner.append(*[b"x" * 1000] * 1000)
    waiting = [m for m in owner.ctx.told_to("follower") if isinstance(m, JournalBytes)]
    assert len(waiting) == 64
    pair.carry()
    assert owner.clerk.copied == 1000
    assert segments(pair.follower.folder) == segments(owner.folder)


def test_a_new_follower_catches_up_before_it_counts(pair: Pair, tmp_path: Path) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one")
    pair.carry()
    pair.end_follower()
    owner.append(b"x" * 300_000, b"three")
    assert "killed" in owner.clerk.problems[-1]
    assert owner.clerk.copied == 1
    pair.follower = None
    new = pair.start_follower(tmp_path / "elsewhere", 2)
    assert owner.clerk.copied == 3
    assert owner.clerk.problems[-1] == ""
    assert segments(new.folder) == segments(owner.folder)


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_follower_whose_copy_is_shorter_goes_on_where_it_is(pair: Pair, cut: int) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(*[b"record %d" % number for number in range(20)])
    pair.carry()
    pair.end_follower()
    newest = max((pair.there / "journal-copy").glob("*.log"))
    with newest.open("r+b") as file:
        file.truncate(newest.stat().st_size - cut)
    owner.append(b"more")
    pair.start_follower(incarnation=2)
    assert owner.clerk.copied == 21
    assert segments(pair.there / "journal-copy") == segments(owner.folder)


def test_a_copy_of_another_journal_is_put_aside_when_the_owner_is_known_to_be_right(pair: Pair, tmp_path: Path) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one")
    pair.carry()
    pair.end_follower()
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "journal-copy", b"something", b"else", b"and", b"longer")
    before = segments(elsewhere / "journal-copy")
    pair.start_follower(elsewhere, 2)
    assert owner.clerk.copied == 1
    assert segments(elsewhere / "journal-copy") == segments(owner.folder)
    (aside,) = (elsewhere / "journal-copy").glob("aside-*")
    assert segments(aside) == before


def test_a_successor_without_a_journal_starts_from_the_copy(pair: Pair, tmp_path: Path) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one", b"x" * 700_000, b"three")
    pair.carry()
    pair.end_owner()
    successor = pair.start_owner(tmp_path / "elsewhere", 2)
    assert successor.clerk.replayed == [b"one", b"x" * 700_000, b"three"]
    assert successor.clerk.problems[-1] == ""
    successor.append(b"four")
    pair.carry()
    assert successor.clerk.copied == 4
    assert segments(pair.there / "journal-copy") == segments(successor.folder)


def test_a_successor_fetches_only_what_its_older_journal_does_not_have(pair: Pair, tmp_path: Path) -> None:
    first = started(pair).owner
    assert first is not None
    first.append(b"one")
    pair.carry()
    pair.end_owner()
    second = pair.start_owner(tmp_path / "elsewhere", 2)
    second.append(b"two", b"three")
    pair.carry()
    pair.end_owner()
    third = pair.start_owner(incarnation=3)
    assert third.clerk.replayed == [b"one", b"two", b"three"]
    assert not list(third.folder.glob("aside-*"))


def test_what_was_never_acknowledged_gives_way_to_what_was(pair: Pair, tmp_path: Path) -> None:
    first = started(pair).owner
    assert first is not None
    first.append(b"one")
    pair.carry()
    first.append(b"never left")
    pair.lose()
    pair.end_owner()
    second = pair.start_owner(tmp_path / "elsewhere", 2)
    assert second.clerk.replayed == [b"one"]
    second.append(b"two")
    pair.carry()
    pair.end_owner()
    third = pair.start_owner(incarnation=3)
    assert third.clerk.replayed == [b"one", b"two"]
    (aside,) = third.folder.glob("aside-*")
    assert b"never left" in segments(aside)["00000000000000000001.log"]


def test_the_owner_that_was_cut_off_is_refused_by_the_follower_and_ends(pair: Pair, tmp_path: Path) -> None:
    old = started(pair).owner
    assert old is not None
    old.append(b"one")
    pair.carry()
    old.append(b"never arrives in time")
    late = old.ctx.told_to("follower")
    pair.owner = None
    new = pair.start_owner(tmp_path / "elsewhere", 2)
    follower = pair.follower
    assert follower is not None
    before = segments(follower.folder)
    follower.ctx.told.clear()
    for message in late:
        follower.receive(message)
    assert (segments(follower.folder), follower.ctx.told) == (before, [])
    follower.receive(AttachCopy(1, 99, "1700000000000000000", address("owner", 1)))
    (refusal,) = follower.ctx.told_to("owner")
    assert refusal == LifeRefused(99, 2)
    follower.ctx.told.clear()
    old.owner._number = 99
    with pytest.raises(Unavailable, match="life 2 owns the journal now"):
        old.receive(refusal)
    new.append(b"two")
    pair.carry()
    assert new.clerk.copied == 3 - 1
    old.end()


def test_the_fence_outlives_the_follower(pair: Pair, tmp_path: Path) -> None:
    started(pair)
    pair.owner = None
    pair.start_owner(tmp_path / "elsewhere", 2)
    pair.end_follower()
    pair.owner = None
    follower = pair.start_follower(incarnation=2)
    follower.receive(AttachCopy(1, 5, "1700000000000000000", address("owner", 1)))
    assert follower.ctx.told_to("owner") == [LifeRefused(5, 2)]


def test_a_follower_that_does_not_answer_is_not_counted_on_until_it_does(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one")
    pair.lose()
    pair.pass_time(ACK_NS + NS_PER_S // 2, carrying=False)
    assert owner.clerk.problems[-1] == "the follower does not answer"
    assert owner.clerk.copied == 0
    pair.lose()
    pair.pass_time(2 * NS_PER_S)
    assert (owner.clerk.copied, owner.clerk.problems[-1]) == (1, "")


def test_a_follower_that_cannot_write_says_so_and_goes_on_when_it_can(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = started(pair).owner
    assert owner is not None
    assert pair.follower is not None
    copy = pair.follower.follower._copy
    assert copy is not None
    whole = copy._write

    def full(frames: bytes) -> None:
        raise Unavailable("No space left on device")

    monkeypatch.setattr(copy, "_write", full)
    owner.append(b"one", b"two")
    pair.carry()
    assert owner.clerk.problems[-1] == "the follower cannot write: No space left on device"
    assert pair.follower.follower.report().state["problem"] == "No space left on device"
    monkeypatch.setattr(copy, "_write", whole)
    pair.pass_time(2 * NS_PER_S)
    assert (owner.clerk.copied, owner.clerk.problems[-1]) == (2, "")
    assert segments(pair.follower.folder) == segments(owner.folder)


def test_an_owner_that_stays_where_it_was_begins_without_its_follower_after_a_while(pair: Pair) -> None:
    first = started(pair).owner
    assert first is not None
    first.append(b"one")
    pair.carry()
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    second = pair.start_owner(incarnation=2)
    pair.pass_time(PATIENCE_NS - NS_PER_S)
    assert second.ctx.file is None
    pair.pass_time(2 * NS_PER_S)
    assert second.clerk.replayed == [b"one"]
    assert second.clerk.problems[-1] != ""
    second.append(b"two")
    pair.start_follower(incarnation=2)
    assert second.clerk.copied == 2


def test_a_successor_elsewhere_never_begins_from_nothing(pair: Pair, tmp_path: Path) -> None:
    first = started(pair).owner
    assert first is not None
    first.append(b"one")
    pair.carry()
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    second = pair.start_owner(tmp_path / "elsewhere", 2)
    pair.pass_time(10 * PATIENCE_NS)
    assert second.ctx.file is None
    with pytest.raises(Corrupt, match="is known to hold all that was acknowledged"):
        pair.start_follower(tmp_path / "a third", 2)


def test_a_follower_that_was_away_for_a_life_is_not_believed(pair: Pair, tmp_path: Path) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one")
    pair.carry()
    pair.end_follower()
    pair.start_follower(tmp_path / "another", 2)
    owner.append(b"two")
    pair.carry()
    assert owner.clerk.copied == 2
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    pair.start_follower(incarnation=3)
    with pytest.raises(Corrupt, match="is known to hold all that was acknowledged"):
        pair.start_owner(tmp_path / "elsewhere", 2)


def test_an_owner_that_has_begun_with_less_than_the_copy_holds_ends_for_one_that_fetches_it(pair: Pair) -> None:
    first = started(pair).owner
    assert first is not None
    first.append(b"one", b"two")
    pair.carry()
    pair.end_owner()
    follower, pair.follower = pair.follower, None
    newest = max((pair.here / "journal").glob("*.log"))
    with newest.open("r+b") as file:
        file.truncate(newest.stat().st_size - 1)  # a power failure
    second = pair.start_owner(incarnation=2)
    pair.pass_time(2 * PATIENCE_NS)
    second.append(b"other")
    pair.follower = follower
    with pytest.raises(Unavailable, match="acknowledged records that this journal does not know"):
        pair._introduce()
    pair.end_owner()
    third = pair.start_owner(incarnation=3)
    assert third.clerk.replayed == [b"one", b"two"]
    assert third.clerk.problems[-1] == ""


def test_the_next_run_on_the_followers_machine_starts_from_its_copy(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one", b"two")
    pair.carry()
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    pair.start_follower(pair.here, run="2")
    again = pair.start_owner(pair.there, run="2")
    assert again.clerk.replayed == [b"one", b"two"]
    again.append(b"three")
    pair.carry()
    assert again.clerk.copied == 3
    assert segments(again.folder) == segments(pair.here / "journal-copy")


def test_the_next_run_with_its_follower_on_the_owners_machine_starts_from_there(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one", b"two")
    pair.carry()
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    elsewhere = pair.here.parent / "elsewhere"
    pair.start_follower(pair.here, run="2")
    again = pair.start_owner(elsewhere, run="2")
    assert again.clerk.replayed == [b"one", b"two"]
    again.append(b"three")
    pair.carry()
    assert again.clerk.copied == 3


def test_a_life_that_ends_before_it_has_begun_does_not_hide_the_copy_from_the_next(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one", b"two")
    pair.carry()
    pair.end_owner()
    assert pair.follower is not None
    pair.follower.end()
    pair.follower = None
    pair.start_owner(pair.here.parent / "elsewhere", run="2")
    pair.end_owner()  # it has looked for a copy there, in vain
    (pair.there / "journal-copy").rename(pair.here.parent / "elsewhere" / "journal-copy")
    again = pair.start_owner(pair.here.parent / "elsewhere", 2, run="2")
    pair.pass_time(2 * PATIENCE_NS)
    assert again.clerk.replayed == [b"one", b"two"]


def test_a_run_that_begins_with_two_different_journals_asks_which_one_is_meant(pair: Pair) -> None:
    write(pair.here / "journal", b"one")
    write(pair.there / "journal-copy", b"other", b"longer")
    pair.start_follower()
    with pytest.raises(Corrupt, match="do not continue each other"):
        pair.start_owner()
    assert pair.owner is not None
    assert set_aside(pair.there / "journal-copy", 1)


def test_what_is_told_before_the_journal_is_open_waits_in_order(pair: Pair) -> None:
    owner = pair.start_owner()
    owner.append(b"one", b"now or never", b"two")
    assert owner.ctx.file is None
    pair.start_follower()
    assert owner.journal.sequence == 2
    assert [record for _, record in owner.journal.read()] == [b"one", b"two"]
    assert owner.clerk.copied == 2
