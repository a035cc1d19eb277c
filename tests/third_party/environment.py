"""A virtual environment of its own for each third-party client, made once per version and kept outside the checkout."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_INSTALL_TIMEOUT_S = 240


def client_python(requirement: str) -> str:
    """The interpreter of an environment with exactly this client; the test is skipped where it cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "openoutcry-tests"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / f"{requirement.replace('==', '-')}-py{version}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests of several processes want the same one
        if complete.exists():
            return str(python)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            for command in _commands(folder, str(python), requirement):
                subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{requirement} cannot be installed here: {error}")
        complete.touch()
    return str(python)


def _commands(folder: Path, python: str, requirement: str) -> list[list[str]]:
    uv = shutil.which("uv")
    if uv is not None:
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, requirement],
        ]
    return [[sys.executable, "-m", "venv", str(folder)], [python, "-m", "pip", "install", "--quiet", requirement]]
