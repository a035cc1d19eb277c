"""A Ray of our own starts whatever happened in this process before."""

import subprocess
import sys

import pytest

IMPORTED_FIRST = """
import ray
from runtime.cluster import LocalCluster
cluster = LocalCluster("imported-first")
try:
    print(ray.get(ray.remote(lambda: "answered").options(num_cpus=0).remote(), timeout=30))
finally:
    cluster.close()
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_cluster_starts_and_answers_when_somebody_imported_ray_before() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED_FIRST], capture_output=True, text=True, timeout=90)
    assert done.stdout == "answered\n", done.stderr


PROCESSES = """
import os, subprocess
from runtime.cluster import LocalCluster
cluster = LocalCluster("slim")
subprocess.run(["ps", "-ww", "--no-headers", "-o", "args", "--ppid", str(os.getpid())], check=True)
cluster.close()
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_cluster_of_our_own_has_no_monitors_and_no_dashboard() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESSES], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "gcs_server" in done.stdout
    assert "raylet" in done.stdout
    for extra in ("log_monitor.py", "monitor.py", "dashboard.py"):
        assert extra not in done.stdout


IMPORTED = (
    "import sys, actors.plan, runtime.cluster; print(sorted({'rich', 'aiohttp', 'typer', 'yaml'} & set(sys.modules)))"
)


def test_a_host_imports_nothing_that_only_terminals_files_or_requests_need() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
