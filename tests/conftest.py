"""Fixtures for more than one folder of tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

settings.register_profile("outcry", deadline=None)  # how fast something was is the benchmark's matter
settings.load_profile("outcry")

if TYPE_CHECKING:
    from runtime.cluster import LocalCluster


@pytest.fixture(scope="session")
def local_ray() -> "Iterator[LocalCluster]":
    """One slim Ray for all tests that need one in this process; each uses a namespace of its own."""
    from runtime.cluster import LocalCluster

    cluster = LocalCluster("tests")
    yield cluster
    cluster.close()
