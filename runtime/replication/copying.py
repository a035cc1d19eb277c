"""A copy of a journal, byte for byte, on the file system: reading the one, writing the other. No messages."""

import os
from pathlib import Path

from runtime.errors import Corrupt, Unavailable
from runtime.journal.layout import SEGMENT_HEADER_BYTES, SEGMENTS, Parser, SegmentHeader, segment_name
from runtime.journal.log import Durability, Journal
from runtime.journal.position import Position
from runtime.journal.reader import READ_BYTES

CHUNK_BYTES = 128 * 1024
UNLIMITED = 1 << 62
"""A copy begins a segment where the original does."""


class Copy(Journal):
    """Written only by `put`. Every record is checked against the chain before it is written."""

    _partial = b""

    @classmethod
    def open_at(cls, folder: Path) -> "Copy":
        """Cuts a torn tail as `Journal.open` does; raises what that raises."""
        return cls.open(folder, Durability.MACHINE, UNLIMITED)

    def put(self, segment: int, offset: int, data: bytes) -> None:
        """Append what stands there in the original; the rest of a record that is not whole yet is kept for the next.

        Raises `Corrupt` if it does not continue this copy, `Unavailable` if it cannot be written. What came before it
        stays; go on at `position`, with `forget_partial`, then.
        """
        if offset == 0:
            self._enter(segment, data[:SEGMENT_HEADER_BYTES])
            offset, data = SEGMENT_HEADER_BYTES, data[SEGMENT_HEADER_BYTES:]
        if (segment, offset) != (self._segment, self._size + len(self._partial)):
            raise Corrupt(
                f"{self.folder}: bytes of segment {segment} from {offset} on do not continue the copy, "
                f"which is at {self._segment}, {self._size + len(self._partial)}"
            )
        data = self._partial + data if self._partial else data
        parser = Parser(self._sequence, self._digest, self._size)
        parser.parse(data)
        if parser.damage is not None:
            raise Corrupt(f"{self.folder}: {parser.damage.reason}")
        whole = parser.offset - self._size
        if whole:
            self._write(data[:whole])
            self._sequence, self._digest = parser.sequence, parser.digest
        self._partial = data[whole:]

    def forget_partial(self) -> None:
        self._partial = b""

    def _create(self) -> None:
        """Nothing: the first segment comes from elsewhere."""

    def _enter(self, segment: int, head: bytes) -> None:
        header = SegmentHeader.decode(head)
        if header is None or header.first_sequence != segment or segment != self._sequence + 1 or self._partial:
            raise Corrupt(f"{self.folder}: segment {segment} does not come after record {self._sequence}")
        if self._segment and (header.journal_id, header.previous) != (self._id, self._digest):
            raise Corrupt(f"{self.folder}: segment {segment} does not continue the one before")
        self._check_usable()
        self._id, self._digest = header.journal_id, header.previous
        try:
            self._start_segment()
        except OSError as error:
            raise Unavailable(f"journal {self.folder}: {error.strerror}") from error


class Bytes:
    """Hands out the bytes of a journal that is written in this process, from a position on, as they are."""

    def __init__(self, journal: Journal, position: Position | None) -> None:
        self._journal = journal
        self._segment = 0 if position is None else position.segment
        self._offset = 0 if position is None else position.offset
        self._file = -1

    def next(self) -> tuple[int, int, bytes] | None:
        """(segment, offset, data) of what comes next, None when nothing does. Raises `Unavailable`."""
        newest = self._journal.position
        if newest is None:
            return None
        try:
            if self._file < 0:
                self._open(self._segment or 1)
            end = newest.offset if self._segment == newest.segment else os.fstat(self._file).st_size
            if self._offset >= end:
                if self._segment == newest.segment:
                    return None
                self._open(self._after())
                return self.next()
            data = os.pread(self._file, min(CHUNK_BYTES, end - self._offset), self._offset)
        except OSError as error:
            raise Unavailable(f"journal {self._journal.folder}: {error.strerror}") from error
        segment, offset = self._segment, self._offset
        self._offset += len(data)
        return segment, offset, data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _after(self) -> int:
        later = [int(path.stem) for path in self._journal.folder.glob(SEGMENTS)]
        return min(segment for segment in later if segment > self._segment)

    def _open(self, segment: int) -> None:
        file = os.open(self._journal.folder / segment_name(segment), os.O_RDONLY)
        if segment != self._segment:
            self._offset = 0
        self.close()
        self._file, self._segment = file, segment


def holds(folder: Path, position: Position) -> bool:
    """True if the journal there has exactly that record at that position: all before it is the same too."""
    try:
        with (folder / segment_name(position.segment)).open("rb", buffering=0) as segment:
            file = segment.fileno()
            header = SegmentHeader.decode(os.pread(file, SEGMENT_HEADER_BYTES, 0))
            if header is None or header.journal_id != position.journal_id:
                return False
            parser = Parser(header.first_sequence - 1, header.previous, SEGMENT_HEADER_BYTES)
            while (left := position.offset - parser.offset) > 0:
                wanted = min(left, max(READ_BYTES, parser.wanted))
                data = os.pread(file, wanted, parser.offset)
                if not parser.parse(data) and (parser.damage is not None or len(data) < wanted or parser.wanted > left):
                    return False
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unavailable(f"journal {folder}: {error.strerror}") from error
    return (parser.offset, parser.sequence, parser.digest) == (position.offset, position.sequence, position.digest)


def set_aside(folder: Path, now: int) -> Path | None:
    """Move the segments into a folder of their own beside the rest, `aside-<now>`; None if there are none."""
    segments = sorted(folder.glob(SEGMENTS), reverse=True)
    if not segments:
        return None
    aside = folder / f"aside-{now}"
    aside.mkdir()
    for path in segments:
        path.rename(aside / path.name)
    return aside


def position_of(text: str) -> Position | None:
    return Position.parse(text) if text else None


def written(position: Position | None) -> str:
    return "" if position is None else str(position)
