"""`scripts/bench` as a person runs it: what it writes, not how fast anything was."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.machines import why_not

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench"
METRICS = ["feed_rate", "feed_1k_p50", "feed_1k_p99", "feed_10k_p50", "feed_10k_p99", "order_p50", "order_p99"]
CONTENDERS = ["one_process", "two_processes", "ray_calls", "ray_calls_without_reply", "separate", "colocated"]
STREAM = ["rate", "p50_us", "p99_us"]
WRITERS = ["process", "sqlite_normal", "power", "power_grouped", "sqlite_full"]


@pytest.mark.slow
@pytest.mark.ray
def test_a_quick_run_writes_every_row_with_its_ratio(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    done = subprocess.run([SCRIPT, "--quick", "--json", file], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text())
    assert {tuple(row) for row in rows} == {("name", "value", "unit", "against", "ratio", "bar", "holds")}
    written = {f"journal_rate.{name}" for name in WRITERS}
    if not why_not():
        written |= {f"stream_{metric}.{hosts}" for metric in STREAM for hosts in ("one_host", "two_hosts")}
    assert {row["name"] for row in rows} == written | {f"{metric}.{name}" for metric in METRICS for name in CONTENDERS}
    values = {row["name"]: row["value"] for row in rows}
    assert all(value > 0 for value in values.values())
    for row in rows:
        if row["against"] is None:
            assert row["ratio"] is None
        else:
            assert row["ratio"] == pytest.approx(values[row["name"]] / values[row["against"]])
    assert {(row["name"], row["against"], row["bar"]) for row in rows if row["bar"] is not None} == {
        ("feed_rate.separate", "feed_rate.ray_calls", 50.0),
        ("order_p50.separate", "order_p50.two_processes", 3.0),
    }
    assert "Bars" in done.stdout
