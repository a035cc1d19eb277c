"""Records a second that the journal takes, beside SQLite in WAL mode that makes the same promise."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from runtime.journal import Durability, Journal
from runtime.replication.copying import Bytes, Copy
from scripts.benchmarks.report import Row
from scripts.benchmarks.statistics import median

RECORD = b"x" * 300
"""As long as that of a new order."""
SLICE_S = 0.3
"""Each contender in each round."""
GROUP = 10

Append = Callable[[], int]
"""Writes one record or one group as durably as promised; returns how many records that were."""

TITLES = {
    "process": "journal, `process`",
    "sqlite_normal": "SQLite, WAL, synchronous = NORMAL",
    "power": "journal, `power`",
    "power_grouped": f"journal, `power`, {GROUP} records of one turn of the loop together",
    "sqlite_full": "SQLite, WAL, synchronous = FULL",
    "machine": "journal, `machine`: the work of both ends, without the way between them",
}
AGAINST = {"process": "sqlite_normal", "power": "sqlite_full", "power_grouped": "sqlite_full", "machine": "process"}
"""Who promises the same: to survive the end of the process, or a power failure. Of `machine`: what it costs more."""


def measure(rounds: int, slice_s: float = SLICE_S) -> list[Row]:
    """Medians of interleaved rounds, on the disk where temporary files are; about a second and a half each."""
    rates: dict[str, list[float]] = {name: [] for name in TITLES}
    with tempfile.TemporaryDirectory(prefix="ob-") as folder, ExitStack() as stack:
        contenders = _open(Path(folder), stack)
        for _ in range(rounds):
            for name, append in contenders.items():
                rates[name].append(_rate(append, slice_s))
    values = {name: median(measured) for name, measured in rates.items()}
    return [_row(name, value, values) for name, value in values.items()]


def print_rows(console: Console, rows: list[Row]) -> None:
    table = Table("", "records/s", "of the other", title="Journal, one record at a time")
    for row, title in zip(rows, TITLES.values(), strict=True):
        table.add_row(title, f"{row.value:,.0f}", "" if row.ratio is None else f"{row.ratio:.2g}")
    console.print(table)


def _open(folder: Path, stack: ExitStack) -> dict[str, Append]:
    return {
        "process": _journal(folder, Durability.PROCESS, 1, stack),
        "sqlite_normal": _sqlite(folder, "NORMAL", stack),
        "power": _journal(folder, Durability.POWER, 1, stack),
        "power_grouped": _journal(folder, Durability.POWER, GROUP, stack),
        "sqlite_full": _sqlite(folder, "FULL", stack),
        "machine": _copied(folder, stack),
    }


def _journal(folder: Path, durability: Durability, group: int, stack: ExitStack) -> Append:
    journal = stack.enter_context(closing(Journal.open(folder / f"{durability.value}-{group}", durability)))

    def append() -> int:
        for _ in range(group):
            journal.append(RECORD)
        journal.commit()
        return group

    return append


def _copied(folder: Path, stack: ExitStack) -> Append:
    """The work of both ends, which two machines share."""
    journal = stack.enter_context(closing(Journal.open(folder / "original", Durability.MACHINE)))
    copy = stack.enter_context(closing(Copy.open_at(folder / "copy")))
    chunks = stack.enter_context(closing(Bytes(journal, None)))

    def append() -> int:
        journal.append(RECORD)
        while (chunk := chunks.next()) is not None:
            copy.put(*chunk)
        return 1

    return append


def _sqlite(folder: Path, synchronous: str, stack: ExitStack) -> Append:
    path = folder / f"{synchronous}.sqlite"
    connection = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL)")

    def append() -> int:
        connection.execute("INSERT INTO records (data) VALUES (?)", (RECORD,))
        return 1

    return append


def _rate(append: Append, slice_s: float) -> float:
    began = now = time.perf_counter()
    written = 0
    while now - began < slice_s:
        written += append()
        now = time.perf_counter()
    return written / (now - began)


def _row(name: str, value: float, values: dict[str, float]) -> Row:
    reference = AGAINST.get(name)
    if reference is None:
        return Row(f"journal_rate.{name}", value, "records/s", None, None, None, None)
    against, ratio = f"journal_rate.{reference}", value / values[reference]
    return Row(f"journal_rate.{name}", value, "records/s", against, ratio, None, None)
