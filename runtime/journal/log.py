"""Writing a journal: one writer, one `write` per record or batch, torn tails cut when it is opened."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from runtime.errors import Bug, Corrupt, Unavailable
from runtime.journal.layout import (
    DIGEST_BYTES,
    MAX_RECORD_BYTES,
    SEGMENT_HEADER_BYTES,
    SEGMENTS,
    Parser,
    SegmentHeader,
    encode,
    goes_on,
    lost_sectors,
    segment_name,
)
from runtime.journal.position import Position
from runtime.journal.reader import Follower, next_records

SEGMENT_BYTES = 64 * 1024 * 1024
LOCK_TRIES = 20
LOCK_PAUSE_S = 0.01
"""A writer that was just killed may take some milliseconds to be gone; its successor is that fast."""


class Durability(Enum):
    PROCESS = "process"
    """What was appended survives the end of the process, `kill -9` included."""
    POWER = "power"
    """What was appended and committed also survives a power failure."""
    MACHINE = "machine"
    """Here as `PROCESS`; what was appended also survives the machine as soon as a follower on another has it, which
    is the business of `runtime.replication`."""


@dataclass(frozen=True)
class TornTail:
    """What opening cut off: a record whose write never ended and which nobody relied on, or a damaged last one."""

    segment: str
    offset: int
    length: int
    reason: str


class Journal:
    """Owns its folder: a second writer is refused. Not thread-safe.

    What `append` returned for is in the file. An append that raises `Unavailable` (disk full, I/O error) has left
    nothing behind, and the next may succeed; if its traces could not be removed, or a forced write failed, every
    further append is refused until the journal has been opened anew.
    """

    def __init__(self, folder: Path, durability: Durability, segment_bytes: int, lock: int) -> None:
        """Use `open`."""
        self.folder = folder
        self.durability = durability
        self.cut: TornTail | None = None
        """What opening had to cut off; somebody may want to know."""
        self._segment_bytes = segment_bytes
        self._lock = lock
        self._file = -1
        self._segment = 0
        self._size = 0
        self._id = b""
        self._sequence = 0
        self._digest = b""
        self._broken = ""
        self._dirty = False

    @classmethod
    def open(
        cls, folder: Path, durability: Durability = Durability.PROCESS, segment_bytes: int = SEGMENT_BYTES
    ) -> Self:
        """Open to append, create if there is none.

        Raises `Unavailable` if another process has it open or the folder cannot be used, `Corrupt` if the newest
        segment is damaged anywhere but in its last record. Older segments are checked when they are read.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(f"journal {folder}: {error.strerror}") from error
        journal = cls(folder, durability, segment_bytes, lock)
        try:
            _lock(lock)
            journal._recover()
        except BlockingIOError as error:
            journal.close()
            raise Unavailable(f"journal {folder} is open in another process") from error
        except OSError as error:
            journal.close()
            raise Unavailable(f"journal {folder}: {error.strerror}") from error
        except Corrupt:
            journal.close()
            raise
        return journal

    @property
    def sequence(self) -> int:
        """Number of the last record; 0 in an empty journal."""
        return self._sequence

    @property
    def position(self) -> Position | None:
        """After the last record; None while there is not even a segment."""
        if not self._segment:
            return None
        return Position(self._id, self._segment, self._size, self._sequence, self._digest)

    def append(self, record: bytes) -> int:
        """Write one record; returns its sequence number, counted from 1. Raises `Unavailable`."""
        framed, digest = encode(record, self._sequence + 1, self._digest)
        self._write(framed)
        self._digest = digest
        self._sequence += 1
        return self._sequence

    def append_many(self, records: Sequence[bytes]) -> int:
        """Write all of them by one `write`, or none; returns the sequence number of the last. Raises `Unavailable`."""
        frames: list[bytes] = []
        digest = self._digest
        for sequence, record in enumerate(records, start=self._sequence + 1):
            framed, digest = encode(record, sequence, digest)
            frames.append(framed)
        if frames:
            self._write(b"".join(frames))
            self._digest = digest
            self._sequence += len(frames)
        return self._sequence

    def commit(self) -> None:
        """Make everything appended as durable as configured: call it before something leaves that relies on it."""
        if self.durability is Durability.POWER and self._dirty:
            self.sync()

    def sync(self) -> None:
        """Force everything appended to the disk. Raises `Unavailable`."""
        self._check_usable()
        try:
            os.fdatasync(self._file)
        except OSError as error:
            # The kernel may have dropped the pages: a later success would prove nothing about them.
            self._broken = f"forcing the disk failed: {error.strerror}"
            raise Unavailable(f"journal {self.folder}: {self._broken}") from error
        self._dirty = False

    def read(self) -> Iterator[tuple[int, bytes]]:
        """All records from the first on: (sequence number, record). Raises `Corrupt` where the chain breaks."""
        follower = Follower(self.folder)
        try:
            while records := follower.poll():
                yield from records
            read = 0 if follower.position is None else follower.position.sequence
            if read < self._sequence:
                raise Corrupt(f"{self.folder / segment_name(read + 1)}: the segment is missing")
        finally:
            follower.close()

    def close(self) -> None:
        """Commit and release the folder."""
        try:
            if self._file >= 0 and not self._broken:
                self.commit()
        finally:
            for file in (self._file, self._lock):
                if file >= 0:
                    os.close(file)
            self._file = self._lock = -1
            self._broken = "it is closed"

    def _check_usable(self) -> None:
        if self._broken:
            raise Unavailable(f"journal {self.folder}: {self._broken}")

    def _write(self, frames: bytes) -> None:
        if self._broken:
            self._check_usable()
        if len(frames) > MAX_RECORD_BYTES:
            raise Bug(f"journal record of {len(frames)} bytes, at most {MAX_RECORD_BYTES} allowed")
        try:
            if self._size + len(frames) > self._segment_bytes and self._size > SEGMENT_HEADER_BYTES:
                self._start_segment()
            self._dirty = True
            written = os.write(self._file, frames)
        except OSError as error:
            self._take_back(str(error.strerror))
        if written != len(frames):
            self._take_back("no space left for the whole record")
        self._size += written

    def _take_back(self, reason: str) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError as error:
            self._broken = f"{reason}; taking the partial record back failed: {error.strerror}"
        raise Unavailable(f"journal {self.folder}: {self._broken or reason}")

    def _start_segment(self) -> None:
        """Readers find the new segment with its header in it: it is written beside and renamed."""
        path = self.folder / segment_name(self._sequence + 1)
        draft = path.with_suffix(".new")
        forced = self.durability is Durability.POWER
        if forced and self._file >= 0:
            self.sync()
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            header = SegmentHeader(self._id, self._sequence + 1, self._digest).encode()
            if os.write(file, header) != len(header):
                raise OSError(28, "no space left for a new segment")
            if forced:
                os.fsync(file)
            os.rename(draft, path)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._segment, self._size = file, self._sequence + 1, len(header)
        if forced:
            self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    # ---- opening ----

    def _recover(self) -> None:
        for draft in self.folder.glob("*.new"):
            draft.unlink()
        segments = sorted(self.folder.glob(SEGMENTS))
        while segments:
            path = segments.pop()
            with path.open("rb") as segment:
                header = SegmentHeader.decode(segment.read(SEGMENT_HEADER_BYTES))
            if header is not None:
                self._continue(path, header)
                return
            content = path.read_bytes()
            if content.strip(b"\0"):
                raise Corrupt(f"{path}: offset 0: the header of the segment is damaged")
            self.cut = TornTail(path.name, 0, len(content), "the segment was never written")
            path.unlink()
        self._create()

    def _create(self) -> None:
        self._id = self._digest = os.urandom(DIGEST_BYTES)
        self._start_segment()

    def _continue(self, path: Path, header: SegmentHeader) -> None:
        if path.name != segment_name(header.first_sequence):
            raise Corrupt(f"{path}: offset 0: the segment begins with record {header.first_sequence}")
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        parser = Parser(header.first_sequence - 1, header.previous, SEGMENT_HEADER_BYTES)
        size = os.fstat(self._file).st_size
        while next_records(self._file, parser):
            pass
        if parser.offset < size:
            self._cut(path, parser, size)
        self._id, self._segment = header.journal_id, header.first_sequence
        self._digest, self._sequence, self._size = parser.digest, parser.sequence, parser.offset

    def _cut(self, path: Path, parser: Parser, size: int) -> None:
        """Cut a torn tail, and a damaged last record, which is kept beside; refuse damage that records come after."""
        reason = "the file ends within the record"
        if parser.damage is not None:
            rest = os.pread(self._file, size - parser.offset, parser.offset)
            if lost_sectors(rest, parser.offset):
                reason = "sectors at the end were never written"
            elif goes_on(rest, parser.sequence + 1):
                raise Corrupt(f"{path}: offset {parser.offset}: {parser.damage.reason}")
            else:
                reason = parser.damage.reason
                path.with_name(f"{path.stem}-{parser.offset}.cut").write_bytes(rest)
        os.ftruncate(self._file, parser.offset)
        self.cut = TornTail(path.name, parser.offset, size - parser.offset, reason)


def _lock(file: int) -> None:
    """Raises `BlockingIOError` if another process keeps it."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
