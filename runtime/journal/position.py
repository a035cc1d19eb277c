"""Where a reader of a journal stands; it keeps this with what it made of the records."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Position:
    """After record `sequence`. Exact: a journal that does not hold that record there, with that digest, is refused."""

    journal_id: bytes
    segment: int
    """First sequence number of the segment."""
    offset: int
    sequence: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.journal_id.hex()}:{self.segment}:{self.offset}:{self.sequence}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The inverse of `str`; raises ValueError."""
        journal_id, segment, offset, sequence, digest = text.split(":")
        return cls(bytes.fromhex(journal_id), int(segment), int(offset), int(sequence), bytes.fromhex(digest))
