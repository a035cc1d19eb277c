"""The verdict on a whole journal."""

from pathlib import Path

import pytest

from runtime.errors import Unavailable
from runtime.journal import Journal, TornTail, Verdict, verify
from runtime.journal.layout import Damage, segment_name


def written(folder: Path) -> Path:
    journal = Journal.open(folder, segment_bytes=300)
    for _ in range(3):
        journal.append(b"x" * 100)
    journal.close()
    return folder


def test_a_good_journal_is_counted(tmp_path: Path) -> None:
    verdict = verify(written(tmp_path))
    assert verdict == Verdict(segments=3, records=3, length=3 * (52 + 132))
    assert verdict.good


def test_a_torn_tail_is_told_but_is_no_damage(tmp_path: Path) -> None:
    path = written(tmp_path) / segment_name(3)
    path.write_bytes(path.read_bytes()[:-1])
    verdict = verify(tmp_path)
    assert verdict.good
    assert verdict.torn == TornTail(segment_name(3), 52, 131, "the file ends within the record")
    assert verdict.records == 2


def test_a_torn_record_before_the_end_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path) / segment_name(2)
    path.write_bytes(path.read_bytes()[:-1])
    verdict = verify(tmp_path)
    assert not verdict.good
    assert (verdict.segment, verdict.damage) == (segment_name(2), Damage(52, "the file ends within the record"))


def test_a_record_that_was_changed_together_with_its_checksums_breaks_the_chain_behind_it(tmp_path: Path) -> None:
    other = Journal.open(tmp_path / "forged", segment_bytes=300)
    other.append(b"y" * 100)
    other.close()
    written(tmp_path / "real")
    forged = (tmp_path / "forged" / segment_name(1)).read_bytes()
    (tmp_path / "real" / segment_name(1)).write_bytes(forged)
    verdict = verify(tmp_path / "real")
    assert (verdict.segment, verdict.damage) == (segment_name(2), Damage(0, "does not continue the segment before"))


def test_a_folder_without_a_journal_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no journal"):
        verify(tmp_path)
