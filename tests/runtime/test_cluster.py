"""A Ray of our own starts whatever happened in this process before."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.cluster import LocalCluster

IMPORTED_FIRST = """
import ray
from runtime.cluster import LocalCluster
cluster = LocalCluster("imported-first")
try:
    print(ray.get(ray.remote(lambda: "answered").options(num_cpus=0).remote(), timeout=200))
finally:
    cluster.close()
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_cluster_starts_and_answers_when_somebody_imported_ray_before() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED_FIRST], capture_output=True, text=True, timeout=300)
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
    done = subprocess.run([sys.executable, "-c", PROCESSES], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "gcs_server" in done.stdout
    assert "raylet" in done.stdout
    for extra in ("log_monitor.py", "monitor.py", "dashboard.py"):
        assert extra not in done.stdout


IMPORTED = (
    "import sys, actors.plan, runtime.cluster; print(sorted({'rich', 'aiohttp', 'typer', 'yaml'} & set(sys.modules)))"
)


def test_a_host_imports_nothing_that_only_terminals_files_or_requests_need() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


LEFT_BEHIND = """
import asyncio, sys, ray
from pathlib import Path
from runtime.cluster import AttachedCluster
from runtime.spares import Warmth
async def main():
    cluster = AttachedCluster(sys.argv[1], "left-behind", Path(sys.argv[2]), (20000, 20999))
    cluster.launcher.keep_spares(1, Warmth())
    while not cluster.launcher.spares():
        await asyncio.sleep(0.02)
    print(ray.util.list_named_actors())
    cluster.close()
asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_spare_that_nobody_ended_is_gone_with_the_run_that_was_attached(
    local_ray: LocalCluster, tmp_path: Path
) -> None:
    import ray

    environment = {**os.environ, **local_ray.environment}
    done = subprocess.run(
        [sys.executable, "-c", LEFT_BEHIND, local_ray.address, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "['spare-1']\n", done.stderr
    deadline = time.monotonic() + 60
    while left := [
        actor
        for actor in ray.util.list_named_actors(all_namespaces=True)
        if actor["namespace"].startswith("left-behind")
    ]:  # Ray ends what belonged to a process a moment after it
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
