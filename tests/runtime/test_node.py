"""What `python -m runtime.cluster.node` is given, before Ray is started."""

import subprocess
import sys
from pathlib import Path

import pytest


def said(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.cluster.node", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.slow
def test_what_cannot_be_right_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    redis = ("--head", "--storage=redis://10.0.0.9:6379")
    assert said(*redis, "--storage-password=secret") == (
        "outcry: --storage-password: must say where to find it: env:NAME or file:PATH\n"
    )
    assert "the environment has no NOWHERE" in said(*redis, "--storage-password=env:NOWHERE")
    assert "No such file" in said(*redis, f"--storage-password=file:{tmp_path}/nowhere")
    assert "a password does not belong there" in said("--head", "--storage=redis://:secret@10.0.0.9:6379")
    assert "the folder cannot be made" in said("--head", f"--storage={tmp_path}/file/folder")
    assert said("--address=10.0.0.1:6379", "--storage=none") == "outcry: --storage: is for the head alone\n"
