"""Skips what needs network namespaces where they cannot be made, and says why."""

import pytest

from tests.cluster.machines import why_not


@pytest.fixture(scope="session", autouse=True)
def _needs_namespaces() -> None:
    if reason := why_not():
        pytest.skip(reason)
