"""Checking a whole journal from the outside: every checksum and the chain across all segments."""

import os
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import Unavailable
from runtime.journal.layout import (
    SEGMENT_HEADER_BYTES,
    SEGMENTS,
    Damage,
    Parser,
    SegmentHeader,
    goes_on,
    lost_sectors,
    segment_name,
)
from runtime.journal.log import TornTail
from runtime.journal.reader import next_records


@dataclass(frozen=True)
class Verdict:
    segments: int
    records: int
    """Good ones, from the first on without a gap."""
    length: int
    """Bytes of all segments."""
    segment: str = ""
    """Where the first bad record or header is, if there is one."""
    damage: Damage | None = None
    torn: TornTail | None = None
    """What the next opening will cut off: an unfinished write at the very end (no damage; a running writer may be at
    it), or the last record, if that is what is damaged."""

    @property
    def good(self) -> bool:
        return self.damage is None


def verify(folder: Path) -> Verdict:
    """Read everything; takes no lock. Raises `Unavailable` if the folder holds no journal or cannot be read."""
    try:
        paths = sorted(folder.glob(SEGMENTS))
        if not paths:
            raise Unavailable(f"{folder} holds no journal")
        length = sum(path.stat().st_size for path in paths)
        records = 0
        previous: tuple[bytes, bytes] | None = None
        for path in paths:
            with path.open("rb") as segment:
                parser, journal_id, damage, torn = _check(segment.fileno(), path.name, records + 1, previous)
            records = parser.sequence
            if torn is not None and path != paths[-1]:
                damage, torn = Damage(torn.offset, torn.reason), None
            if damage is not None or torn is not None:
                return Verdict(len(paths), records, length, path.name, damage, torn)
            previous = (parser.digest, journal_id)
        return Verdict(len(paths), records, length)
    except OSError as error:
        raise Unavailable(f"journal {folder}: {error.strerror}") from error


def _check(
    file: int, name: str, sequence: int, previous: tuple[bytes, bytes] | None
) -> tuple[Parser, bytes, Damage | None, TornTail | None]:
    size = os.fstat(file).st_size
    header = SegmentHeader.decode(os.pread(file, SEGMENT_HEADER_BYTES, 0))
    parser = Parser(sequence - 1, b"", 0)
    if header is None:
        if os.pread(file, size, 0).strip(b"\0"):
            return parser, b"", Damage(0, "the header of the segment is damaged"), None
        return parser, b"", None, TornTail(name, 0, size, "the segment was never written")
    if header.first_sequence != sequence or name != segment_name(sequence):
        return parser, b"", Damage(0, f"record {header.first_sequence} stands where {sequence} belongs"), None
    if previous is not None and (header.previous, header.journal_id) != previous:
        return parser, b"", Damage(0, "does not continue the segment before"), None
    parser = Parser(sequence - 1, header.previous, SEGMENT_HEADER_BYTES)
    while next_records(file, parser):
        pass
    torn = None
    if parser.offset < size:
        rest = size - parser.offset
        data = os.pread(file, rest, parser.offset)
        if parser.damage is None:
            torn = TornTail(name, parser.offset, rest, "the file ends within the record")
        elif lost_sectors(data, parser.offset):
            torn = TornTail(name, parser.offset, rest, "sectors at the end were never written")
            return parser, header.journal_id, None, torn
        elif not goes_on(data, parser.sequence + 1):
            torn = TornTail(name, parser.offset, rest, parser.damage.reason)
    return parser, header.journal_id, parser.damage, torn
