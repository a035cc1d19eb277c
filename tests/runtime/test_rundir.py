"""A run is found by other terminals of its user as long as it lives, and leaves nothing behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.errors import ConfigError
from runtime.rundir import RunDirectory, RunRecord, find_runs


@pytest.fixture
def base(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(f"/tmp/outcry-test-{os.getpid()}")
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    subprocess.run(["rm", "-r", str(folder)], check=True)


def announce(directory: RunDirectory, started: int = 7) -> RunRecord:
    return directory.announce(
        socket=directory.path / "supervisor.sock",
        cluster_address="127.0.0.1:6379",
        started=started,
        configuration="configs/demo.yaml",
        environment={"RAY_ADDRESS": "127.0.0.1:6379"},
    )


def test_a_run_is_found_while_it_lives_and_gone_when_it_is_removed(base: Path) -> None:
    directory = RunDirectory.create("demo")
    assert find_runs() == []
    record = announce(directory)
    assert find_runs() == [record]
    assert (record.name, record.pid) == ("demo", os.getpid())
    assert record.socket == f"{base}/outcry/runs/demo-{os.getpid()}/supervisor.sock"
    directory.remove()
    assert find_runs() == []
    assert list((base / "outcry" / "runs").iterdir()) == []


def test_runs_are_listed_in_the_order_they_were_started_in(base: Path) -> None:
    announce(RunDirectory.create("second"), started=2)
    announce(RunDirectory.create("first"), started=1)
    assert [record.name for record in find_runs()] == ["first", "second"]


def test_what_a_dead_run_left_behind_is_removed(base: Path) -> None:
    script = (
        "import os; from pathlib import Path; from runtime.rundir import RunDirectory;"
        "d = RunDirectory.create('dead');"
        "d.announce(socket=d.path / 's', cluster_address='', started=1, configuration='c'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=120)
    assert len(list((base / "outcry" / "runs").iterdir())) == 2
    assert find_runs() == []
    assert list((base / "outcry" / "runs").iterdir()) == []


def test_a_later_process_with_the_same_pid_is_not_taken_for_the_run(base: Path) -> None:
    record = announce(RunDirectory.create("demo"))
    file = base / "outcry" / "runs" / f"demo-{os.getpid()}.json"
    file.write_text(file.read_text().replace(str(record.process_started), str(record.process_started - 1)))
    assert find_runs() == []


def test_a_record_that_cannot_be_read_is_removed(base: Path) -> None:
    RunDirectory.create("demo")
    file = base / "outcry" / "runs" / "broken-1.json"
    file.write_text("{")
    assert find_runs() == []
    assert not file.exists()


def test_only_the_user_can_enter_the_folder(base: Path) -> None:
    directory = RunDirectory.create("demo")
    assert [path.stat().st_mode & 0o777 for path in (directory.path, base / "outcry", base / "outcry" / "runs")] == [
        0o700,
        0o700,
        0o700,
    ]


def test_a_folder_that_others_can_enter_is_refused(base: Path) -> None:
    (base / "outcry").mkdir(mode=0o755)
    (base / "outcry").chmod(0o755)
    with pytest.raises(ConfigError, match=f"chmod 700 {base}/outcry"):
        RunDirectory.create("demo")


def test_a_long_runtime_folder_is_not_used_because_sockets_could_not_be_bound_there(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = base / ("x" * 60)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    directory = RunDirectory.create("outcry-test")
    assert directory.path == Path(f"/tmp/outcry-{os.getuid()}/runs/outcry-test-{os.getpid()}")
    directory.remove()
