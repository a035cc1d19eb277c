"""Following a journal while it is written."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import Corrupt
from runtime.journal import Follower, Journal, Position, lag_bytes
from runtime.journal.layout import encode, segment_name


def test_a_follower_waits_for_a_journal_that_does_not_exist_yet(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal")
    assert follower.poll() == []
    assert follower.position is None
    journal = Journal.open(tmp_path / "journal")
    assert follower.poll() == []
    journal.append(b"one")
    assert follower.poll() == [(1, b"one")]
    assert follower.poll() == []
    follower.close()
    journal.close()


def test_a_follower_crosses_segments_and_measures_its_lag(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=400)
    follower = Follower(tmp_path)
    for _ in range(5):
        journal.append(b"x" * 100)
    assert lag_bytes(tmp_path, follower.position) == 3 * 52 + 5 * 132
    assert [sequence for sequence, _ in follower.poll()] == [1, 2]
    assert lag_bytes(tmp_path, follower.position) == 2 * 52 + 3 * 132
    read = [1, 2]
    while records := follower.poll():
        read += [sequence for sequence, _ in records]
    assert read == [1, 2, 3, 4, 5]
    assert lag_bytes(tmp_path, follower.position) == 0
    follower.close()
    journal.close()


def test_a_follower_takes_about_as_much_as_it_was_asked_to(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append_many([b"x" * 68] * 10)
    journal.append(b"y" * 1000)
    follower = Follower(tmp_path)
    assert [sequence for sequence, _ in follower.poll(limit_bytes=350)] == [1, 2, 3]
    assert [sequence for sequence, _ in follower.poll(limit_bytes=750)] == [4, 5, 6, 7, 8, 9, 10]
    assert follower.poll(limit_bytes=10) == [(11, b"y" * 1000)]
    follower.close()
    journal.close()


@given(cut=st.integers(0, 200))
@settings(max_examples=50)
def test_a_follower_never_sees_a_torn_record(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal.open(folder)
    journal.append(b"one")
    follower = Follower(folder)
    assert follower.poll() == [(1, b"one")]
    assert follower.position is not None
    frame, _ = encode(b"x" * 150, 2, follower.position.digest)
    path = folder / segment_name(1)
    size = path.stat().st_size
    with path.open("ab", buffering=0) as file:
        file.write(frame[: min(cut, len(frame) - 1)])
        assert follower.poll() == []
        file.truncate(size)
    assert follower.poll() == []
    journal.append(b"two")
    assert follower.poll() == [(2, b"two")]
    follower.close()
    journal.close()


def test_a_follower_goes_on_at_its_position(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=300)
    first = Follower(tmp_path)
    journal.append(b"one")
    first.poll()
    first.close()
    for _ in range(3):
        journal.append(b"x" * 100)
    assert first.position is not None
    second = Follower(tmp_path, Position.parse(str(first.position)))
    read = []
    while records := second.poll():
        read += [sequence for sequence, _ in records]
    assert read == [2, 3, 4]
    second.close()
    journal.close()


def test_a_position_of_another_journal_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        journal = Journal.open(tmp_path / name)
        journal.append(b"one")
        journal.close()
    follower = Follower(tmp_path / "a")
    follower.poll()
    follower.close()
    stranger = Follower(tmp_path / "b", follower.position)
    with pytest.raises(Corrupt, match="another journal"):
        stranger.poll()
    stranger.close()


def test_a_journal_that_lost_what_was_read_is_refused(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append(b"one")
    size = (tmp_path / segment_name(1)).stat().st_size
    journal.append(b"two")
    follower = Follower(tmp_path)
    follower.poll()
    journal.close()
    with (tmp_path / segment_name(1)).open("ab") as file:
        file.truncate(size)
    with pytest.raises(Corrupt, match="ends before this position"):
        follower.poll()
    journal = Journal.open(tmp_path)
    journal.append(b"TWO")
    journal.append(b"three")
    with pytest.raises(Corrupt, match="does not match its digest"):
        follower.poll()
    follower.close()
    journal.close()


WRITER = """
import sys
from pathlib import Path
from runtime.journal import Journal
journal = Journal.open(Path(sys.argv[1]), segment_bytes=20_000)
for n in range(1, 20_001):
    journal.append(b"%d" % n * 20)
"""


@pytest.mark.slow
def test_a_follower_in_another_process_misses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) as writer:
        follower = Follower(tmp_path)
        read = []
        while writer.poll() is None:
            read += follower.poll()
        while records := follower.poll():
            read += records
    assert read == [(n, b"%d" % n * 20) for n in range(1, 20_001)]
    follower.close()
