"""What tests of a journal and its copy share."""

from pathlib import Path

import pytest

from tests.replication.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "here", tmp_path / "there")
