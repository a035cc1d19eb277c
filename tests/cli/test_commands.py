"""The command line: helpful when it is right, one message and no traceback when it is not."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from actors.cli.app import main
from runtime.clock import WallClock
from runtime.journal.log import Journal
from runtime.rundir import RunDirectory

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"


@pytest.fixture(autouse=True)
def _own_runs(monkeypatch: pytest.MonkeyPatch, short_folder: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))


def outcry(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[object]) -> int:
    monkeypatch.setattr(sys, "argv", ["outcry", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def announce(name: str) -> RunDirectory:
    directory = RunDirectory.create(name)
    directory.announce(
        socket=directory.path / "supervisor.sock",
        cluster_address="127.0.0.1:6379",
        started=WallClock().now(),
        configuration="demo.yaml",
        environment={"RAY_ADDRESS": "127.0.0.1:6379", "RAY_AUTH_TOKEN_PATH": "/run/a token"},
    )
    return directory


def test_the_help_names_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcry(monkeypatch, ["--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in ("run", "status", "tree", "stop", "env", "venue", "journal") if name not in text] == []


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", DEMO, "--seconds", "soon"], ["rnu"], ["run", DEMO, "--seconds", "-1"], ["status", "--jsn"]],
)
def test_a_wrong_command_line_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: Sequence[object]
) -> None:
    assert outcry(monkeypatch, arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_wrong_configuration_ends_with_2_and_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text("venues: {binance: {kind: binance, symbls: [BTCUSDT]}}\n")
    assert outcry(monkeypatch, ["run", file]) == 2
    captured = capsys.readouterr()
    assert captured.err == (f"outcry: {file}:1: venues.binance.symbls: unknown key; did you mean 'symbols'?\n")
    assert captured.out == ""


def test_a_summary_that_cannot_be_written_is_told_before_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert outcry(monkeypatch, ["run", DEMO, "--json", tmp_path / "absent" / "summary.json"]) == 2
    assert capsys.readouterr().err == (
        f"outcry: --json {tmp_path}/absent/summary.json: there is no folder {tmp_path}/absent; make it first\n"
    )


def test_a_summary_in_the_place_of_a_folder_is_told_before_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert outcry(monkeypatch, ["run", DEMO, "--json", tmp_path]) == 2
    assert capsys.readouterr().err == (
        f"outcry: --json {tmp_path}: cannot be written; give the name of a file in a folder of yours\n"
    )


@pytest.mark.parametrize("command", ["status", "tree", "stop", "env"])
def test_without_a_run_there_is_nothing_to_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert outcry(monkeypatch, [command]) == 1
    assert capsys.readouterr().err == ("outcry: nothing is running on this machine; start it with: outcry run CONFIG\n")


def test_the_one_run_is_found_without_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = announce("demo")
    assert outcry(monkeypatch, ["env"]) == 0
    assert capsys.readouterr().out == ("export RAY_ADDRESS=127.0.0.1:6379\nexport RAY_AUTH_TOKEN_PATH='/run/a token'\n")
    directory.remove()


def test_of_several_runs_one_has_to_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directories = [announce("one"), announce("two")]
    assert outcry(monkeypatch, ["env"]) == 2
    assert "several runs are alive; say which: --run NAME with one of one-" in capsys.readouterr().err
    assert outcry(monkeypatch, ["env", "--run", "two"]) == 0
    assert outcry(monkeypatch, ["env", "--run", "three"]) == 2
    for directory in directories:
        directory.remove()


def test_a_venue_that_is_not_known_or_cannot_be_started_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert outcry(monkeypatch, ["venue", "binanse"]) == 2
    assert capsys.readouterr().err == "outcry: venue binanse: is not known; did you mean 'binance'?\n"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert outcry(monkeypatch, ["venue", "binance", "--port", port]) == 2
        assert f"outcry: --port {port}: is taken by another program" in capsys.readouterr().err
    assert outcry(monkeypatch, ["venue", "binance", "--port", 0, "--tls", tmp_path / "c", tmp_path / "k"]) == 2
    assert capsys.readouterr().err == (
        f"outcry: --tls {tmp_path}/c: there is no such file; give a certificate and its key\n"
    )


def test_a_journal_is_verified(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "journal"
    assert outcry(monkeypatch, ["journal", "verify", folder]) == 2
    journal = Journal.open(folder)
    for record in (b"one", b"two"):
        journal.append(record)
    journal.close()
    capsys.readouterr()
    assert outcry(monkeypatch, ["journal", "verify", folder]) == 0
    assert "2 records in 1 segments" in capsys.readouterr().out
    segment = next(folder.glob("*.log"))
    segment.write_bytes(segment.read_bytes().replace(b"one", b"0ne"))
    assert outcry(monkeypatch, ["journal", "verify", folder]) == 1
    assert "DAMAGED" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_is_installed() -> None:
    command = Path(sys.executable).with_name("outcry")
    ended = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0
    assert "an actor-model trading runtime on Ray" in ended.stdout
