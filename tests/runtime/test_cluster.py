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
