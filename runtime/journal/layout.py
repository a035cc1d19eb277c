"""The bytes of a segment: how records are framed, chained and checked. No I/O.

A journal is a folder of segments, each named after its first sequence number: `00000000000000000001.log`. Integers
are little endian.

    segment   magic "OUTCRYJ1" (8) · journal id (16) · first sequence number (8) · digest of the record before (16)
              · CRC-32 of all that (4), then records until the end of the file
    record    length (4) · sequence number (8) · CRC-32 of these two (4) · digest (16) · payload (length)
    digest    SHA-256 of (digest of the record before · the first 16 bytes of the header · payload), cut to 16 bytes

The digest is checksum and hash chain in one: whoever changes, drops or inserts a record has to rewrite everything
behind it. The journal id is random and stands in for the digest before the first record, so no record of one journal
fits into another. The length has a checksum of its own, so that a record that was cut short (the file ends within
it: a torn tail) is told from one that was damaged, and the records after a damaged one are found.
"""

from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from zlib import crc32

MAGIC = b"OUTCRYJ1"
DIGEST_BYTES = 16
SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""
SEGMENTS = "[0-9]" * 20 + ".log"
"""Pattern of the names of segments."""
MAX_RECORD_BYTES = 64 * 1024 * 1024

_SEGMENT = Struct("<8s16sQ16s")
_LENGTH_AND_SEQUENCE = Struct("<IQ")
_HEAD = Struct("<IQI")
_CRC = Struct("<I")

_LENGTH_BYTES = 4
_LOWER_BYTES = 3
_BLOCK = 1 << (8 * _LOWER_BYTES)
"""So many records have the same upper bytes of their sequence numbers: what is looked for first."""

SEGMENT_HEADER_BYTES = _SEGMENT.size + _CRC.size
RECORD_HEADER_BYTES = _HEAD.size + DIGEST_BYTES


@dataclass(frozen=True)
class SegmentHeader:
    journal_id: bytes
    first_sequence: int
    previous: bytes
    """Digest of the record before the first one of this segment."""

    def encode(self) -> bytes:
        head = _SEGMENT.pack(MAGIC, self.journal_id, self.first_sequence, self.previous)
        return head + _CRC.pack(crc32(head))

    @classmethod
    def decode(cls, data: bytes) -> "SegmentHeader | None":
        """None if this is not the header of a segment."""
        if len(data) < SEGMENT_HEADER_BYTES:
            return None
        head = data[: _SEGMENT.size]
        magic, journal_id, first_sequence, previous = _SEGMENT.unpack(head)
        if magic != MAGIC or _CRC.unpack_from(data, _SEGMENT.size)[0] != crc32(head):
            return None
        return cls(journal_id, first_sequence, previous)


def segment_name(first_sequence: int) -> str:
    return f"{first_sequence:020d}.log"


def encode(record: bytes, sequence: int, previous: bytes) -> tuple[bytes, bytes]:
    """The framed record and its digest."""
    numbers = _LENGTH_AND_SEQUENCE.pack(len(record), sequence)
    head = numbers + _CRC.pack(crc32(numbers))
    digest = sha256(previous + head + record).digest()[:DIGEST_BYTES]
    return head + digest + record, digest


@dataclass(frozen=True)
class Damage:
    offset: int
    """Where in the segment the bad record begins."""
    reason: str


class Parser:
    """Reads the records of one segment in order and checks each against the chain.

    `offset` is where the last good record ended: what `parse` gets next has to begin there.
    """

    def __init__(self, sequence: int, digest: bytes, offset: int) -> None:
        self.sequence = sequence
        """Of the last good record; the next one has to have the number after it."""
        self.digest = digest
        self.offset = offset
        self.wanted = RECORD_HEADER_BYTES
        """How many bytes `parse` needs at least to make progress."""
        self.damage: Damage | None = None

    def parse(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take all whole records; an incomplete one stays for the next call. Stops for good at `damage`."""
        records: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        self.wanted = RECORD_HEADER_BYTES
        while end - at >= RECORD_HEADER_BYTES:
            length, sequence, crc = _HEAD.unpack_from(data, at)
            if crc != crc32(data[at : at + _LENGTH_AND_SEQUENCE.size]):
                self.damage = Damage(self.offset, "the header of the record is damaged")
                break
            if sequence != self.sequence + 1:
                self.damage = Damage(self.offset, f"record {sequence} stands where {self.sequence + 1} belongs")
                break
            after = at + RECORD_HEADER_BYTES + length
            if after > end:
                self.wanted = after - at
                break
            payload = data[at + RECORD_HEADER_BYTES : after]
            head_end = at + _HEAD.size
            digest = sha256(self.digest + data[at:head_end] + payload).digest()[:DIGEST_BYTES]
            if digest != data[head_end : head_end + DIGEST_BYTES]:
                self.damage = Damage(self.offset, f"record {sequence} does not match its digest")
                break
            records.append((sequence, payload))
            self.sequence, self.digest = sequence, digest
            self.offset += after - at
            at = after
        return records


def goes_on(rest: bytes, sequence: int) -> bool:
    """True if the whole header of a record after `sequence` stands anywhere in `rest`: what is before it is damaged."""
    for block in (sequence, sequence + _BLOCK):
        upper = block.to_bytes(8, "little")[_LOWER_BYTES:]
        at = rest.find(upper)
        while at >= 0:
            start = at - _LENGTH_BYTES - _LOWER_BYTES
            if start >= 0 and len(rest) - start >= RECORD_HEADER_BYTES:
                _, found, crc = _HEAD.unpack_from(rest, start)
                if found > sequence and crc == crc32(rest[start : start + _LENGTH_AND_SEQUENCE.size]):
                    return True
            at = rest.find(upper, at + 1)
    return False


def lost_sectors(rest: bytes, offset: int) -> bool:
    """True if `rest`, which begins at `offset` and is the end of a file, ends in at least one sector never written.

    After a power failure a file system shows such sectors as zeros. Everything after the first of them has to be zero.
    """
    zeros_from = offset + len(rest.rstrip(b"\0"))
    sector = zeros_from if zeros_from == offset else -(-zeros_from // SECTOR_BYTES) * SECTOR_BYTES
    return sector < offset + len(rest)
