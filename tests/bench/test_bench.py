"""`scripts/bench` as a person runs it: what it writes, not how fast anything was."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.machines import why_not

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench"
METRICS = [
    "feed_rate",
    "feed_1k_p50",
    "feed_1k_p99",
    "feed_10k_p50",
    "feed_10k_p99",
    "order_p50",
    "order_p90",
    "order_p99",
]
CONTENDERS = ["one_process", "two_processes", "ray_calls", "ray_calls_without_reply", "separate", "colocated"]
STREAM = ["rate", "p50_us", "p99_us"]
RATIOS = {
    ("feed_rate.separate", "feed_rate.ray_calls", 100.0),
    ("feed_rate.separate", "feed_rate.two_processes", 1.0),
    ("feed_1k_p50.separate", "feed_1k_p50.two_processes", 1.0),
    ("feed_1k_p99.separate", "feed_1k_p99.two_processes", 2.0),
    ("feed_10k_p50.separate", "feed_10k_p50.two_processes", 1.3),
    ("feed_10k_p99.separate", "feed_10k_p99.two_processes", 2.0),
    ("order_p50.separate", "order_p50.two_processes", 1.75),
    ("order_p90.separate", "order_p90.two_processes", 2.0),
    ("order_p50.colocated", "order_p50.one_process", 1.4),
    ("order_p90.colocated", "order_p90.one_process", 2.0),
}
WRITERS = ["process", "sqlite_normal", "power", "power_grouped", "sqlite_full", "machine"]


Row = dict[str, Any]


def bench(*arguments: str, file: Path, timeout_s: float = 900) -> tuple[list[Row], str]:
    with subprocess.Popen(
        [SCRIPT, "--json", file, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            shown, errors = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            shown, errors = process.communicate()
            raise AssertionError(f"not within {timeout_s:g} s:\n{shown}\n{errors}") from None
        finally:
            process.terminate()  # it ends what it has started
    assert process.returncode == 0, errors
    rows: list[Row] = json.loads(file.read_text())
    assert {tuple(row) for row in rows} == {("name", "value", "unit", "against", "ratio", "bar", "holds")}
    values = {row["name"]: row["value"] for row in rows}
    for row in rows:
        if row["against"] is None:
            assert row["ratio"] is None
        else:
            assert row["ratio"] == pytest.approx(values[row["name"]] / values[row["against"]])
        assert (row["holds"] is None) == (row["bar"] is None)
    return rows, shown


def bars(rows: list[Row]) -> set[tuple[str, str, float]]:
    return {(row["name"], row["against"], row["bar"]) for row in rows if row["bar"] and row["against"]}


def promised(rows: list[Row]) -> set[str]:
    return {row["name"] for row in rows if row["name"].startswith("promised.")}


@pytest.mark.slow
@pytest.mark.ray
def test_a_quick_run_writes_every_row_of_the_two_paths_with_its_ratio(tmp_path: Path) -> None:
    rows, shown = bench("--quick", "--parts", "paths", "journal", file=tmp_path / "rows.json")
    written = {f"journal_rate.{name}" for name in WRITERS}
    paths = {f"{metric}.{name}" for metric in [*METRICS, "order_p999"] for name in CONTENDERS}
    assert {row["name"] for row in rows} - promised(rows) == written | paths
    assert all(row["value"] > 0 for row in rows)
    assert bars(rows) == RATIOS
    assert {name.split(".")[3] for name in promised(rows)} == {"feed_rate", "feed_1k_p99", "order_p99"}
    assert "p99.9 of all rounds" in " ".join(shown.replace("│", " ").split())


@pytest.mark.slow
@pytest.mark.ray
def test_a_quick_run_writes_start_memory_and_risk_beside_ray(tmp_path: Path) -> None:
    parts = ("start", "memory", "risk")
    rows, shown = bench("--quick", "--parts", *parts, file=tmp_path / "rows.json")
    assert all(row["value"] > 0 for row in rows)
    assert bars(rows) == {
        ("start.first_quote", "start.bare_ray", 2.0),
        ("memory.desk", "memory.slim_ray", 1.15),
        ("memory.connector", "memory.promised_per_connector", 1.0),
        ("risk.all_checks_p50", "risk.ray_hop_p50", 0.5),
    }
    assert {name.split(".", 3)[3] for name in promised(rows)} == {"risk.all_checks_p99", "memory.connector"}
    for process in ("order_manager", "spare or idle worker", "Ray: GCS", "11 empty workers"):
        assert process in shown


@pytest.mark.slow
@pytest.mark.ray
def test_a_quick_run_writes_who_takes_over_and_how_fast(tmp_path: Path) -> None:
    rows, _ = bench("--quick", "--parts", "takeover", file=tmp_path / "rows.json")
    assert all(row["value"] > 0 for row in rows)
    assert bars(rows) == {("takeover.warm_spare", "takeover.ray_restart", 0.2)}
    assert {row["name"]: row["bar"] for row in rows if row["name"] == "takeover.standby"} == {"takeover.standby": 10.0}
    assert "takeover.new_process" in {row["name"] for row in rows}


@pytest.mark.slow
def test_a_quick_run_writes_what_each_durability_costs(tmp_path: Path) -> None:
    rows, shown = bench("--quick", "--parts", "durability", file=tmp_path / "rows.json")
    compared = {(row["name"], row["against"]) for row in rows}
    assert compared == {
        (f"durability_{metric}.{name}", None if name == "process" else f"durability_{metric}.process")
        for metric in ("order_p50", "order_p99")
        for name in ("process", "power", "machine")
    }
    assert all(row["value"] > 0 and row["unit"] == "us" for row in rows)
    assert "acknowledged by a follower" in shown


@pytest.mark.slow
@pytest.mark.ray
def test_a_soak_shows_its_first_and_last_minute(tmp_path: Path) -> None:
    rows, shown = bench("--soak", "2", file=tmp_path / "rows.json")
    values = {row["name"]: row["value"] for row in rows}
    assert values["soak.sent"] >= 20_000
    assert 0 < values["soak.first_minute_p50"] <= values["soak.first_minute_p99"] <= values["soak.first_minute_p999"]
    assert values["soak.last_minute_memory"] > 100
    assert values["soak.loss"] == 100 * values["soak.lost"] / values["soak.sent"]
    assert promised(rows) == {"promised.3.31.soak.loss"}
    assert "first minute" in shown
    assert "last minute" in shown


@pytest.mark.slow
@pytest.mark.ray
def test_six_venues_are_traded_on_and_recorded_at_once(tmp_path: Path) -> None:
    rows, shown = bench("--quick", "--parts", "venues", file=tmp_path / "rows.json")
    values = {row["name"]: row["value"] for row in rows}
    assert values["venues.connected"] == 6
    assert values["venues.sent"] == values["venues.recorded"] == 3_000
    assert {name.removeprefix("promised.").partition(".venues.")[2] for name in promised(rows)} == {
        "connected",
        "loss",
        "connect_p99",
        "feed_p99",
    }
    assert "binance-6" in shown


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "machines can be made")
def test_a_quick_run_writes_a_stream_between_two_hosts_beside_one(tmp_path: Path) -> None:
    rows, _ = bench("--quick", "--parts", "hosts", file=tmp_path / "rows.json")
    streams = {f"stream_{metric}.{hosts}" for metric in STREAM for hosts in ("one_host", "two_hosts")}
    assert {row["name"] for row in rows} - promised(rows) == streams
    assert all(row["value"] > 0 for row in rows)
