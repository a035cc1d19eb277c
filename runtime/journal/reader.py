"""Following a journal from outside its writer: another actor, process or thread, by polling."""

import os
from pathlib import Path

from runtime.errors import Corrupt, Unavailable
from runtime.journal.layout import SEGMENT_HEADER_BYTES, SEGMENTS, Parser, SegmentHeader, segment_name
from runtime.journal.position import Position

READ_BYTES = 1024 * 1024


def next_records(file: int, parser: Parser, limit_bytes: int = READ_BYTES) -> list[tuple[int, bytes]]:
    """The next whole records of a segment, about `limit_bytes`; [] at its end, at damage or at a torn record."""
    records = parser.parse(os.pread(file, limit_bytes, parser.offset))
    while not records and parser.wanted > limit_bytes:
        limit_bytes = parser.wanted
        records = parser.parse(os.pread(file, limit_bytes, parser.offset))
    return records


def lag_bytes(folder: Path, position: Position | None) -> int:
    """How much of a journal comes after a position; 0 where nothing can be read."""
    lag = 0
    for path in folder.glob(SEGMENTS):
        segment = int(path.stem)
        if position is not None and segment < position.segment:
            continue
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue
        lag += size if position is None or segment > position.segment else max(0, size - position.offset)
    return lag


class Follower:
    """Hands out every record once, in order, across segments, never a torn one.

    Takes no lock and never disturbs the writer. A record is handed out when its bytes are in the file, which may be
    a moment before its writer has acknowledged it.
    """

    def __init__(self, folder: Path, position: Position | None = None) -> None:
        """Begin after `position`, or with the first record. The folder may still be empty or missing."""
        self._folder = folder
        self._position = position
        self._file: int | None = None
        self._parser = Parser(0, b"", 0)

    @property
    def position(self) -> Position | None:
        """After the last record handed out; None before the journal exists."""
        return self._position

    def poll(self, limit_bytes: int = READ_BYTES) -> list[tuple[int, bytes]]:
        """What has come since, (sequence number, record) each, of about `limit_bytes` at most; [] if nothing has.

        Raises `Corrupt` where the journal is damaged or does not continue at the position; `Unavailable` if it cannot
        be read just now.
        """
        try:
            if self._file is None and not self._begin():
                return []
            while True:
                if records := self._read(limit_bytes):
                    return records
                if self._segment_is_empty() or not self._enter(self._parser.sequence + 1):
                    return []
        except OSError as error:
            raise Unavailable(f"journal {self._folder}: {error.strerror}") from error

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self) -> bool:
        position = self._position
        if position is None:
            return self._enter(1)
        file = self._open(position.segment)
        if file is None:
            raise Corrupt(f"{self._folder}: segment {segment_name(position.segment)} is gone")
        self._file = file
        header = SegmentHeader.decode(os.pread(file, SEGMENT_HEADER_BYTES, 0))
        if header is None or header.journal_id != position.journal_id:
            raise Corrupt(f"{self._folder}: this is another journal than the one read before")
        self._parser = Parser(position.sequence, position.digest, position.offset)
        return True

    def _enter(self, sequence: int) -> bool:
        """Go on to the segment that begins with `sequence`; it appears, whole header and all, when the writer does."""
        file = self._open(sequence)
        if file is None:
            return False
        header = SegmentHeader.decode(os.pread(file, SEGMENT_HEADER_BYTES, 0))
        previous = self._position
        if header is None or header.first_sequence != sequence:
            os.close(file)
            raise Corrupt(f"{self._folder / segment_name(sequence)}: offset 0: the header of the segment is damaged")
        if previous is not None and (header.previous, header.journal_id) != (previous.digest, previous.journal_id):
            os.close(file)
            raise Corrupt(f"{self._folder / segment_name(sequence)}: offset 0: does not continue the segment before")
        self.close()
        self._file = file
        self._parser = Parser(sequence - 1, header.previous, SEGMENT_HEADER_BYTES)
        self._position = Position(header.journal_id, sequence, SEGMENT_HEADER_BYTES, sequence - 1, header.previous)
        return True

    def _open(self, sequence: int) -> int | None:
        try:
            return os.open(self._folder / segment_name(sequence), os.O_RDONLY)
        except FileNotFoundError:
            return None

    def _read(self, limit_bytes: int) -> list[tuple[int, bytes]]:
        assert self._file is not None
        assert self._position is not None
        parser = self._parser
        if os.fstat(self._file).st_size < parser.offset:
            raise Corrupt(f"{self._where()}: the journal ends before this position")
        records = next_records(self._file, parser, limit_bytes)
        if records:
            self._position = Position(
                self._position.journal_id, self._position.segment, parser.offset, parser.sequence, parser.digest
            )
        elif parser.damage is not None:
            raise Corrupt(f"{self._where()}: {parser.damage.reason}")
        return records

    def _segment_is_empty(self) -> bool:
        return self._position is not None and self._position.segment == self._parser.sequence + 1

    def _where(self) -> str:
        assert self._position is not None
        return f"{self._folder / segment_name(self._position.segment)}: offset {self._parser.offset}"
