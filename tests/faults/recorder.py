"""A strategy that writes down each book it is handed, for somebody in another process to hold against the oracle."""

from pathlib import Path

import msgspec

from actors.strategy import InstrumentBook, Strategy
from tests.faults.oracle import digest


class Handed(msgspec.Struct, frozen=True):
    instrument: str
    is_valid: bool
    sequence: int
    digest: str
    reason: str


class Recorder(Strategy):
    """Parameter `file`: one JSON line for each book."""

    def on_start(self) -> None:
        self.file = Path(self.parameters["file"]).open("ab", buffering=0)  # noqa: SIM115

    def on_book(self, book: InstrumentBook) -> None:
        handed = Handed(
            book.instrument, book.is_valid, book.sequence, digest(list(book.bids), list(book.asks)), book.reason
        )
        self.file.write(msgspec.json.encode(handed) + b"\n")

    def on_stop(self) -> None:
        self.file.close()


def read(file: Path) -> list[Handed]:
    """Whole lines only: it may be being written."""
    if not file.exists():
        return []
    return [msgspec.json.decode(line, type=Handed) for line in file.read_bytes().split(b"\n")[:-1]]
