"""Rows as what a notebook likes to show: a pandas or polars frame, or plain data where neither is installed."""

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from runtime.errors import ConfigError

Kind = Literal["auto", "pandas", "polars", "plain"]
KINDS = ("auto", "pandas", "polars", "plain")


class Column(Enum):
    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    """A decimal string on the way here; `Decimal` in plain data, a float in a frame."""
    REAL = "real"
    FLAG = "flag"
    TIME = "time"
    """Nanoseconds since the epoch; in a frame a time in UTC."""
    DATA = "data"


Columns = Mapping[str, Column]
Rows = Sequence[Mapping[str, Any]]


def library(kind: str) -> str:
    """Which of pandas, polars and plain it will be. Raises ConfigError, which names the extra that has it."""
    if kind not in KINDS:
        raise ConfigError(f"frames={kind!r}: must be one of {', '.join(KINDS)}")
    if kind == "auto":
        return next((name for name in ("pandas", "polars") if importlib.util.find_spec(name)), "plain")
    if kind != "plain" and importlib.util.find_spec(kind) is None:
        raise ConfigError(
            f"frames={kind!r}: {kind} is not installed; it comes with the extra `notebook`: "
            'pip install "openoutcry[notebook]", or take frames="plain"'
        )
    return kind


def frame(rows: Rows, columns: Columns, kind: str) -> Any:
    """`kind` as `library` returns it. Every column is there, also when there is no row."""
    if kind == "plain":
        return [{name: _plain(row.get(name), column) for name, column in columns.items()} for row in rows]
    module = importlib.import_module(kind)
    data = {name: [_cell(row.get(name), column) for row in rows] for name, column in columns.items()}
    return _pandas(module, data, columns) if kind == "pandas" else _polars(module, data, columns)


def _plain(value: Any, column: Column) -> Any:
    return Decimal(value) if column is Column.NUMBER and value not in (None, "") else value


def _cell(value: Any, column: Column) -> Any:
    match column:
        case Column.NUMBER:
            return None if value in (None, "") else float(value)
        case Column.TIME:
            return value or None
        case Column.DATA:
            return None if value is None else str(value)
        case Column.TEXT | Column.COUNT | Column.REAL | Column.FLAG:
            return value


def _pandas(pandas: Any, data: dict[str, list[Any]], columns: Columns) -> Any:
    types = {Column.NUMBER: "float64", Column.REAL: "float64", Column.COUNT: "Int64", Column.FLAG: "boolean"}
    made = {}
    for name, column in columns.items():
        if column is Column.TIME:
            made[name] = pandas.to_datetime(pandas.Series(data[name], dtype="Int64"), unit="ns", utc=True)
        else:
            made[name] = pandas.Series(data[name], dtype=types.get(column, "object"))
    return pandas.DataFrame(made)


def _polars(polars: Any, data: dict[str, list[Any]], columns: Columns) -> Any:
    types = {
        Column.TEXT: polars.String,
        Column.DATA: polars.String,
        Column.NUMBER: polars.Float64,
        Column.REAL: polars.Float64,
        Column.COUNT: polars.Int64,
        Column.FLAG: polars.Boolean,
        Column.TIME: polars.Datetime("ns", "UTC"),
    }
    return polars.DataFrame(data, schema={name: types[column] for name, column in columns.items()})
