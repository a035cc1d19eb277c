"""A copy is the same byte for byte, whatever its pieces, and takes nothing that does not continue it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import Corrupt
from runtime.journal import Journal, verify
from runtime.replication import copying
from runtime.replication.copying import Bytes, Copy, holds, set_aside
from tests.replication.pair import segments, write

RECORDS = st.lists(st.binary(max_size=300), min_size=1, max_size=60)


def copy_all(source: Journal, copy: Copy) -> None:
    chunks = Bytes(source, copy.position)
    while (chunk := chunks.next()) is not None:
        copy.put(*chunk)
    chunks.close()


@given(RECORDS, st.integers(60, 2000), st.integers(60, 5000), st.data())
@settings(max_examples=150, deadline=None)
def test_a_copy_is_the_same_byte_for_byte_also_when_it_was_torn_in_between(
    records: list[bytes], segment_bytes: int, chunk_bytes: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as tmp, pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "CHUNK_BYTES", chunk_bytes)
        here, there = Path(tmp, "here"), Path(tmp, "there")
        source = Journal.open(here, segment_bytes=segment_bytes)
        first = data.draw(st.integers(0, len(records)))
        for record in records[:first]:
            source.append(record)
        copy = Copy.open_at(there)
        copy_all(source, copy)
        assert segments(there) == segments(here)
        copy.close()
        newest = max(there.glob("*.log"))
        size = newest.stat().st_size
        with newest.open("r+b") as file:
            file.truncate(data.draw(st.integers(0, size)) if size > 60 else size)
        try:
            copy = Copy.open_at(there)
        except Corrupt:  # cut within the header of the segment
            set_aside(there, 1)
            copy = Copy.open_at(there)
        assert copy.position is None or holds(here, copy.position)
        for record in records[first:]:
            source.append(record)
        copy_all(source, copy)
        assert segments(there) == segments(here)
        assert copy.position == source.position
        verdict = verify(there)
        assert (verdict.good, verdict.records) == (True, len(records))
        source.close()
        copy.close()


def opened(folder: Path, *records: bytes) -> Journal:
    journal = Journal.open(folder)
    journal.append_many(list(records))
    return journal


def test_bytes_that_do_not_continue_the_copy_are_refused_and_leave_it_as_it_is(tmp_path: Path) -> None:
    source, other = opened(tmp_path / "a", b"one", b"two"), opened(tmp_path / "b", b"one", b"two")
    copy = Copy.open_at(tmp_path / "copy")
    (chunk,) = [Bytes(source, None).next()]
    assert chunk is not None
    segment, offset, data = chunk
    copy.put(segment, offset, data[:100])
    copy.forget_partial()
    before = segments(tmp_path / "copy")
    foreign = Bytes(other, None).next()
    assert foreign is not None
    at = copy.position
    assert at is not None
    rest = data[at.offset :]
    for piece in (
        (1, at.offset, foreign[2][at.offset :]),
        (1, at.offset + 1, rest[1:]),
        (1, 0, data),
        (2, 0, data),
        (1, at.offset, rest[:-1] + bytes([rest[-1] ^ 1])),
    ):
        with pytest.raises(Corrupt):
            copy.put(*piece)
        copy.forget_partial()
        assert segments(tmp_path / "copy") == before
    copy.put(1, at.offset, rest)
    assert segments(tmp_path / "copy") == segments(tmp_path / "a")


def test_a_journal_holds_only_what_is_its_own_beginning(tmp_path: Path) -> None:
    records = [b"%d" % number for number in range(50)]
    whole = Journal.open(tmp_path / "whole", segment_bytes=600)
    copy = Copy.open_at(tmp_path / "copy")
    for record in records:
        whole.append(record)
        copy_all(whole, copy)
        assert copy.position is not None
        assert holds(tmp_path / "whole", copy.position)
    position = copy.position
    assert position is not None
    write(tmp_path / "other", *records)
    assert not holds(tmp_path / "other", position)
    assert not holds(tmp_path / "nothing", position)
    copy.close()
    longer = Journal.open(tmp_path / "copy", segment_bytes=600)
    longer.append(b"more")
    assert longer.position is not None
    assert not holds(tmp_path / "whole", longer.position)
    whole.append(b"else")
    assert not holds(tmp_path / "whole", longer.position)


def test_what_is_put_aside_is_kept_whole(tmp_path: Path) -> None:
    write(tmp_path / "journal", b"one", b"two")
    before = segments(tmp_path / "journal")
    aside = set_aside(tmp_path / "journal", 7)
    assert aside == tmp_path / "journal" / "aside-7"
    assert segments(aside) == before
    assert segments(tmp_path / "journal") == {}
    assert set_aside(tmp_path / "journal", 8) is None
