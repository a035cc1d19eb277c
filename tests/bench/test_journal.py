"""The journal's rows of the benchmark."""

import io

from rich.console import Console

from scripts.benchmarks.journal import measure, print_rows


def test_each_way_of_writing_is_measured_beside_the_one_that_promises_the_same() -> None:
    rows = measure(rounds=1, slice_s=0.01)
    assert {row.name: row.against for row in rows} == {
        "journal_rate.process": "journal_rate.sqlite_normal",
        "journal_rate.sqlite_normal": None,
        "journal_rate.power": "journal_rate.sqlite_full",
        "journal_rate.power_grouped": "journal_rate.sqlite_full",
        "journal_rate.sqlite_full": None,
        "journal_rate.machine": "journal_rate.process",
    }
    assert all(row.value > 0 and row.unit == "records/s" for row in rows)
    shown = Console(file=io.StringIO(), width=120)
    print_rows(shown, rows)
    assert isinstance(shown.file, io.StringIO)
    assert "SQLite, WAL, synchronous = FULL" in shown.file.getvalue()
