"""What only happens to a file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.backing import SqliteBacking, built_anew
from tests.store.desk import some_records, write
from tests.store.driven import DrivenStore

DATA = some_records(200)


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    backing = SqliteBacking(tmp_path)
    backing.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    write(tmp_path / "journal", DATA)
    store = DrivenStore(tmp_path / "journal", backing)
    assert store.counters["rebuilds"] == 1
    assert (tmp_path / "store.sqlite.old").read_bytes().startswith(b"no database")
    store.assert_equal_to_one_built_anew()


STORE = """
import sys
from pathlib import Path
from actors.store.catch_up import CatchUp
from actors.store import catch_up
from actors.store.sqlite import SqliteDatabase
catch_up.STEP_BYTES = 2000
followed = CatchUp(Path(sys.argv[1]), SqliteDatabase(Path(sys.argv[2])))
while followed.step():
    print(followed.sequence, flush=True)
"""


@pytest.mark.slow
def test_a_killed_store_catches_up_and_stores_nothing_twice(tmp_path: Path) -> None:
    journal, backing = tmp_path / "journal", SqliteBacking(tmp_path)
    write(journal, DATA)
    for steps in (3, 10, 30):
        command = [sys.executable, "-c", STORE, str(journal), str(backing.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as child:
            assert child.stdout is not None
            for _ in range(steps):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.stdout.read()
    assert built_anew(journal, backing.database()) == built_anew(journal, backing.elsewhere())
