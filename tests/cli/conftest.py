"""A folder with a path short enough for unix sockets."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="outcry-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)
