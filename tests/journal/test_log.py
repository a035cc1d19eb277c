"""Writing a journal: what is acknowledged stays, what fails leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import Bug, Corrupt, Unavailable
from runtime.journal import Durability, Journal, TornTail, verify
from runtime.journal.layout import SEGMENT_HEADER_BYTES, segment_name

RECORDS = [b"one", b"", b"three" * 100, b"\0\0\0\0"]


def written(folder: Path, records: list[bytes] = RECORDS, segment_bytes: int = 1 << 26) -> Path:
    journal = Journal.open(folder, segment_bytes=segment_bytes)
    for record in records:
        journal.append(record)
    journal.close()
    return folder


def contents(folder: Path) -> list[bytes]:
    journal = Journal.open(folder)
    records = [record for _, record in journal.read()]
    journal.close()
    return records


def test_records_are_numbered_from_one_and_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    assert [journal.append(record) for record in RECORDS] == [1, 2, 3, 4]
    assert list(journal.read()) == list(enumerate(RECORDS, start=1))
    journal.close()


def test_a_journal_goes_on_where_it_was_left(tmp_path: Path) -> None:
    written(tmp_path)
    journal = Journal.open(tmp_path)
    assert journal.cut is None
    assert journal.sequence == 4
    assert journal.append(b"five") == 5
    assert [record for _, record in journal.read()] == [*RECORDS, b"five"]
    journal.close()


def test_a_batch_is_one_write_and_gets_consecutive_numbers(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    assert journal.append_many([]) == 0
    assert journal.append_many([b"a", b"b", b"c"]) == 3
    assert journal.append(b"d") == 4
    assert list(journal.read()) == [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")]
    journal.close()


def test_a_full_segment_is_followed_by_another_named_after_its_first_record(tmp_path: Path) -> None:
    written(tmp_path, [b"x" * 100] * 7, segment_bytes=400)
    assert sorted(path.name for path in tmp_path.glob("*.log")) == [segment_name(n) for n in (1, 3, 5, 7)]
    assert contents(tmp_path) == [b"x" * 100] * 7


def test_a_record_larger_than_a_segment_and_than_a_read_gets_through(tmp_path: Path) -> None:
    records = [b"a", b"x" * 3_000_000, b"b"]
    assert contents(written(tmp_path, records, segment_bytes=1000)) == records


def test_a_record_larger_than_the_largest_is_a_bug_and_harms_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    with pytest.raises(Bug):
        journal.append(bytes(64 * 1024 * 1024))
    assert journal.append(b"next") == 1
    journal.close()


def test_a_second_writer_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    first = Journal.open(tmp_path)
    with pytest.raises(Unavailable, match="open in another process"):
        Journal.open(tmp_path)
    first.close()
    Journal.open(tmp_path).close()


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(Unavailable, match="closed"):
        journal.append(b"late")


def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="Not a directory"):
        Journal.open(tmp_path / "file" / "journal")


def test_power_durability_commits_and_reads_back(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, Durability.POWER, segment_bytes=200)
    for record in RECORDS:
        journal.append(record)
        journal.commit()
    journal.commit()
    journal.close()
    assert contents(tmp_path) == RECORDS


DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from runtime.errors import Unavailable
from runtime.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.open(Path(sys.argv[1]))
for _ in range(10):
    journal.append(b"x" * 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
for append in (lambda: journal.append(b"y" * 500), lambda: journal.append_many([b"z" * 100] * 20)):
    try:
        append()
    except Unavailable as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(journal.append(b"after"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 1, 50, 300])
def test_a_full_disk_is_unavailable_and_leaves_nothing_behind(tmp_path: Path, room: int) -> None:
    full = SEGMENT_HEADER_BYTES + 10 * 132 + room
    ended = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(tmp_path), str(full)],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    lines = ended.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"journal {tmp_path}: ")
    assert lines[2] == "11"
    assert contents(tmp_path) == [b"x" * 100] * 10 + [b"after"]
    assert verify(tmp_path).records == 11


def test_a_journal_whose_partial_write_cannot_be_taken_back_refuses_everything(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append(b"one")
    read_only = os.open(tmp_path / segment_name(1), os.O_RDONLY)
    os.dup2(read_only, journal._file)
    os.close(read_only)
    for _ in range(2):
        with pytest.raises(Unavailable, match="taking the partial record back failed"):
            journal.append(b"two")
    journal.close()
    assert contents(tmp_path) == [b"one"]


WRITE_FOR_EVER = """
import os, sys
from pathlib import Path
from runtime.journal import Journal
journal = Journal.open(Path(sys.argv[1]), segment_bytes=100_000)
n = journal.sequence
while True:
    records = [b"record %d" % (n + 1 + i) for i in range(1 + n % 2)]
    n = journal.append_many(records)
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(2000):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            for line in child.stdout:
                acknowledged = int(line)
        records = contents(tmp_path)
        assert len(records) >= acknowledged
        assert records == [b"record %d" % n for n in range(1, len(records) + 1)]


# ---- torn tails and damage ---------------------------------------------------------------------------------------


@given(cut=st.integers(0, 10_000))
@settings(max_examples=200)
def test_a_cut_at_any_offset_keeps_the_whole_records_before_it(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = written(tmp_path_factory.mktemp("journal"))
    path = folder / segment_name(1)
    whole = path.read_bytes()
    cut %= len(whole)
    path.write_bytes(whole[:cut])
    ends = [SEGMENT_HEADER_BYTES]
    for record in RECORDS:
        ends.append(ends[-1] + 32 + len(record))
    if 0 < cut < SEGMENT_HEADER_BYTES:
        with pytest.raises(Corrupt, match="offset 0: the header of the segment is damaged"):
            Journal.open(folder)
        return
    journal = Journal.open(folder)
    kept = sum(end <= cut for end in ends) - 1
    assert [record for _, record in journal.read()] == RECORDS[: max(kept, 0)]
    assert (journal.cut is None) == (cut in ends)
    journal.append(b"after")
    assert [record for _, record in journal.read()] == [*RECORDS[: max(kept, 0)], b"after"]
    journal.close()


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_a_flipped_bit_stops_the_opening_unless_it_is_in_the_last_record(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    folder = written(tmp_path_factory.mktemp("journal"))
    path = folder / segment_name(1)
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at] ^= 1 << bit
    path.write_bytes(data)
    verdict = verify(folder)
    assert not verdict.good
    assert verdict.damage is not None
    assert verdict.damage.offset <= at
    last = len(data) - 32 - len(RECORDS[-1])
    if at < last:
        with pytest.raises(Corrupt, match=f"{segment_name(1)}: offset {verdict.damage.offset}"):
            Journal.open(folder)
        assert path.read_bytes() == bytes(data)
    else:
        journal = Journal.open(folder)
        assert journal.cut == verdict.torn == TornTail(path.name, last, len(data) - last, verdict.damage.reason)
        assert [record for _, record in journal.read()] == RECORDS[:-1]
        journal.close()
        assert (folder / f"{path.stem}-{last}.cut").read_bytes() == bytes(data[last:])
        assert verify(folder).good


@pytest.mark.parametrize("begin", [3, 40, 5000])
def test_damage_over_many_records_is_found_to_be_in_the_middle(tmp_path: Path, begin: int) -> None:
    folder = written(tmp_path, [b"record %d" % n for n in range(6000)])
    path = folder / segment_name(1)
    data = bytearray(path.read_bytes())
    data[begin * 40 : begin * 40 + 30_000] = b"\x55" * 30_000
    path.write_bytes(data)
    with pytest.raises(Corrupt, match=rf"{path.name}: offset \d+: "):
        Journal.open(folder)
    assert path.read_bytes() == bytes(data)


def test_garbage_written_over_the_whole_end_is_cut(tmp_path: Path) -> None:
    folder = written(tmp_path, [b"record %d" % n for n in range(1000)])
    path = folder / segment_name(1)
    data = path.read_bytes()
    path.write_bytes(data[:20_000] + b"\x55" * (len(data) - 20_000))
    journal = Journal.open(folder)
    assert journal.cut is not None
    assert journal.cut.offset + journal.cut.length == len(data)
    assert 400 < journal.sequence < 500
    journal.close()


def test_damage_in_an_older_segment_is_named_when_it_is_read(tmp_path: Path) -> None:
    written(tmp_path, [b"x" * 100] * 6, segment_bytes=400)
    path = tmp_path / segment_name(3)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    journal = Journal.open(tmp_path)
    records = journal.read()
    assert [next(records)[0], next(records)[0]] == [1, 2]
    with pytest.raises(Corrupt, match=f"{segment_name(3)}: offset 52: the header of the record is damaged"):
        next(records)
    journal.close()


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    written(tmp_path, [b"x" * 100] * 6, segment_bytes=400)
    (tmp_path / segment_name(3)).unlink()
    journal = Journal.open(tmp_path)
    with pytest.raises(Corrupt, match=f"{segment_name(3)}: the segment is missing"):
        list(journal.read())
    journal.close()


def test_sectors_that_a_power_failure_left_unwritten_are_a_torn_tail(tmp_path: Path) -> None:
    written(tmp_path, [b"one", b"x" * 2000])
    path = tmp_path / segment_name(1)
    data = path.read_bytes()
    path.write_bytes(data[:1024] + bytes(len(data) - 1024))
    journal = Journal.open(tmp_path)
    offset = SEGMENT_HEADER_BYTES + 35
    assert journal.cut == TornTail(segment_name(1), offset, 2032, "sectors at the end were never written")
    assert [record for _, record in journal.read()] == [b"one"]
    journal.close()


def test_a_segment_that_was_begun_but_never_written_is_dropped(tmp_path: Path) -> None:
    written(tmp_path, [b"one"])
    (tmp_path / segment_name(2)).write_bytes(b"")
    (tmp_path / "00000000000000000003.new").write_bytes(b"half")
    journal = Journal.open(tmp_path)
    assert journal.cut == TornTail(segment_name(2), 0, 0, "the segment was never written")
    assert journal.append(b"two") == 2
    journal.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [segment_name(1), "lock"]


def test_records_of_one_journal_do_not_fit_into_another(tmp_path: Path) -> None:
    written(tmp_path / "a", [b"x" * 100] * 4, segment_bytes=300)
    written(tmp_path / "b", [b"x" * 100] * 4, segment_bytes=300)
    (tmp_path / "a" / segment_name(3)).write_bytes((tmp_path / "b" / segment_name(3)).read_bytes())
    verdict = verify(tmp_path / "a")
    assert verdict.records == 2
    assert verdict.damage is not None
    assert verdict.damage.reason == "does not continue the segment before"
