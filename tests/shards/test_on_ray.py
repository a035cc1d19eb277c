"""The same on Ray: another connector is another Ray actor, and no event is lost on the way to it."""

from pathlib import Path

import pytest

from actors.desk import connect
from tests.desk.runs import outcry_run
from tests.shards.desks import connectors, end, goes_on
from tests.shards.market import SYMBOLS, assert_nothing_lost_or_doubled, configuration, dozen
from tests.shards.watcher import Record

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def test_a_shard_comes_and_goes_on_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dozen(monkeypatch) as (venue, witness):
        document = configuration(venue, tmp_path) | {"cluster": {"backend": "ray"}}
        with outcry_run(document, "--quiet") as run:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(run.folder))
            goes_on(run)
            with connect(frames="plain", client="test") as desk:
                for shards in (2, 1):
                    assert list(desk.set_shards("binance", shards)["shards"]) == connectors(goes_on(run))
            end(run, venue, tmp_path)
        record = Record(tmp_path / "record")
        assert_nothing_lost_or_doubled(record, witness, SYMBOLS)
    assert record.lives == 1
