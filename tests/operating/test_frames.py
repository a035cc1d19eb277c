"""Tables come as pandas, as polars or as plain data, with the same columns, also when there is nothing in them."""

import subprocess
import sys
from decimal import Decimal

import pandas
import polars
import pytest

from actors.desk.frames import frame, library
from actors.desk.tables import QUOTES, tree_rows
from runtime.errors import ConfigError
from tests.desk.runs import ROOT

ROW = {
    "instrument": "binance.BTCUSDT",
    "bid": "99.5",
    "bid_quantity": "1",
    "ask": "100",
    "ask_quantity": "2",
    "ts_venue": 0,
    "ts_recv": 1_700_000_000_123_456_789,
}


def test_plain_data_keeps_every_number_exactly() -> None:
    (row,) = frame([ROW], QUOTES, "plain")
    assert row["bid"] == Decimal("99.5")
    assert row["ts_recv"] == 1_700_000_000_123_456_789
    assert list(row) == list(QUOTES)


def test_a_pandas_frame_has_numbers_and_times() -> None:
    made = frame([ROW], QUOTES, "pandas")
    assert list(made.columns) == list(QUOTES)
    assert made["bid"][0] == 99.5
    assert made["ts_recv"][0] == pandas.Timestamp(1_700_000_000_123_456_789, unit="ns", tz="UTC")
    assert made["ts_venue"].isna()[0]
    empty = frame([], QUOTES, "pandas")
    assert (list(empty.columns), len(empty), str(empty["bid"].dtype)) == (list(QUOTES), 0, "float64")
    assert empty["ts_recv"].dtype == made["ts_recv"].dtype


def test_a_polars_frame_has_numbers_and_times() -> None:
    made = frame([ROW], QUOTES, "polars")
    assert made.columns == list(QUOTES)
    assert made["bid"][0] == 99.5
    assert made.schema["ts_recv"] == polars.Datetime("ns", "UTC")
    assert made["ts_recv"].dt.epoch("ns")[0] == 1_700_000_000_123_456_789
    assert made["ts_venue"][0] is None
    assert frame([], QUOTES, "polars").schema == made.schema


def test_hosts_stand_once_in_the_tree_however_many_actors_share_them() -> None:
    actor = {"state": "READY", "pid": 7, "restarts": 0, "reason": "", "incarnation": 1, "host": "a+b"}
    rows = tree_rows({"actors": {"supervisor": actor, "a": actor, "b": actor}})
    assert [(row["name"], row["kind"], row["parent"]) for row in rows] == [
        ("supervisor", "supervisor", ""),
        ("a+b", "host", "supervisor"),
        ("a", "actor", "a+b"),
        ("b", "actor", "a+b"),
    ]


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="frames='excel': must be one of auto, pandas, polars, plain"):
        library("excel")


WITHOUT = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("pandas", "polars") else find(name, *rest)
from actors.desk.frames import library
print(library("auto"))
try:
    library("polars")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_the_extra_it_is_plain_data_and_asking_for_more_names_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "plain"
    assert second == (
        "ConfigError frames='polars': polars is not installed; it comes with the extra `notebook`: "
        'pip install "openoutcry[notebook]", or take frames="plain"'
    )
