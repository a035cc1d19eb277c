"""Where the recordings of real venues are."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def captures() -> Path:
    default = Path(__file__).parents[2].parent / "shared" / "data" / "captures"
    folder = Path(os.environ.get("OUTCRY_CAPTURES", default))
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}; set OUTCRY_CAPTURES")
    return folder
