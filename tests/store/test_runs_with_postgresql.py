"""`outcry run` with real processes and a real PostgreSQL that is killed meanwhile; the next run continues from both."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.orders.records import EpochBegan, decode
from actors.store.sqlite import SqliteDatabase
from tests.desk.runs import PATIENT, ROOT, Run, outcry_run
from tests.desk.truth import Truth, records, shortest
from tests.store.backing import PostgresqlBacking, built_anew, rows_of
from tests.store.server import Server

DEMO = ROOT / "configs" / "demo.yaml"

pytestmark = pytest.mark.slow


def configured() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["cluster"] = {"backend": "processes"}
    document["restart"] = PATIENT
    document["store"] = {"kind": "postgresql", "dsn": "env:OUTCRY_TEST_DSN", "schema": "desk-1"}
    document["strategies"]["maker"]["class"] = "tests.desk.trader:Trader"
    document["strategies"]["maker"]["parameters"]["take_every"] = 2
    return document


def fills_stored(postgresql: PostgresqlBacking) -> int:
    with postgresql.connected() as connection:
        (count,) = connection.execute("SELECT count(*)::int FROM fills").fetchone() or (0,)
    return int(count)


def epochs(journal: Path) -> list[int]:
    return [record.epoch for record in map(decode, records(journal)) if isinstance(record.event, EpochBegan)]


def held(summary: dict[str, Any]) -> dict[str, str]:
    return {symbol: shortest(text) for symbol, text in summary["positions"].items() if shortest(text) != "0"}


def test_orders_go_on_without_the_database_and_the_next_run_continues_from_the_journal(
    server: Server, postgresql: PostgresqlBacking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_TEST_DSN", postgresql.dsn)

    with outcry_run(configured(), "--quiet") as run:
        before = run.until(lambda status: status["fills"] > 0 and fills_stored(postgresql) > 0)
        server.kill()
        while_dead = run.until(lambda status: status["fills"] > before["fills"] + 10)
        assert while_dead["actors"]["store"]["state"] == "READY"
        server.start()
        run.until(lambda _: fills_stored(postgresql) >= while_dead["fills"])
        first = run.stop()
        assert first["restarts"] == dict.fromkeys(first["restarts"], 0)
        assert first["fills"] == fills_stored(postgresql)
        assert rows_of(postgresql.database()) == built_anew(run.journal, SqliteDatabase(tmp_path / "first.sqlite"))
        assert held(first) == Truth.of_journal(run.journal).positions
        assert epochs(run.journal) == [1]

        again = Run(run.folder, configured(), "--quiet")
        try:
            again.until(lambda status: status["fills"] > first["fills"] + 3)
            second = again.stop()
        finally:
            again.close()
        assert epochs(run.journal) == list(range(1, 3 + second["restarts"]["order_manager"]))
        assert held(second) == Truth.of_journal(run.journal).positions
        assert second["fills"] == fills_stored(postgresql)
        assert rows_of(postgresql.database()) == built_anew(run.journal, SqliteDatabase(tmp_path / "second.sqlite"))
        output = run.output() + again.output()
        assert "not-asked-for" not in output
        logs = "".join(file.read_text() for file in run.folder.rglob("*") if file.is_file() and "logs" in file.parts)
        assert "not-asked-for" not in logs
