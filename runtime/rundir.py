"""Where a run keeps its sockets and how other terminals of the same user find it.

`$XDG_RUNTIME_DIR/outcry/runs` or `/tmp/outcry-<uid>/runs`, readable by the user alone, holds for each run a record
`<name>-<pid>.json` and a folder `<name>-<pid>`. Paths are short because the path of a unix socket ends at 107 bytes.
"""

import os
import shutil
import stat
from pathlib import Path

import msgspec

from runtime.errors import ConfigError

LONGEST_BASE = 40
"""So that `<base>/outcry/runs/<name>-<pid>/<socket>` stays below 107 bytes."""


class RunRecord(msgspec.Struct, frozen=True):
    """What another terminal needs to know about a run. It holds no secret."""

    name: str
    pid: int
    """The run lives as long as this process."""
    process_started: int
    """Start of that process in clock ticks since boot: tells it from a later one with the same pid."""
    folder: str
    socket: str
    """Unix socket on which the supervisor answers."""
    cluster_address: str
    """host:port of the cluster's head; "" when there is none."""
    started: int
    """Nanoseconds since the epoch."""
    configuration: str
    """The file it runs."""
    environment: dict[str, str] = {}
    """What to export for the cluster's own tools."""


class RunDirectory:
    """The folder of one run; removed with its record when the run ends."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self._record_file = path.with_name(f"{path.name}.json")

    @classmethod
    def create(cls, name: str) -> "RunDirectory":
        path = _runs_folder() / f"{name}-{os.getpid()}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return cls(path, name)

    def announce(
        self,
        *,
        socket: Path,
        cluster_address: str,
        started: int,
        configuration: str,
        environment: dict[str, str] | None = None,
    ) -> RunRecord:
        """Let other terminals find this run from now on."""
        record = RunRecord(
            name=self.name,
            pid=os.getpid(),
            process_started=process_started(os.getpid()),
            folder=str(self.path),
            socket=str(socket),
            cluster_address=cluster_address,
            started=started,
            configuration=configuration,
            environment=environment or {},
        )
        unfinished = self._record_file.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
        unfinished.rename(self._record_file)
        return record

    def remove(self) -> None:
        self._record_file.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)


def find_runs() -> list[RunRecord]:
    """The living runs of this user, oldest first. What dead ones left behind is removed."""
    runs = _runs_folder()
    for folder in runs.glob("*-*/"):
        pid = folder.name.rpartition("-")[2]
        if pid.isdigit() and not process_started(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
    living = []
    for file in runs.glob("*.json"):
        try:
            record = msgspec.json.decode(file.read_bytes(), type=RunRecord)
        except FileNotFoundError:
            continue
        except msgspec.DecodeError:
            file.unlink(missing_ok=True)
            continue
        if process_started(record.pid) == record.process_started:
            living.append(record)
        else:
            file.unlink(missing_ok=True)
    return sorted(living, key=lambda record: record.started)


def _runs_folder() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and len(base) <= LONGEST_BASE and os.access(base, os.W_OK):
        root = Path(base, "outcry")
    else:
        root = Path(f"/tmp/outcry-{os.getuid()}")
    root.mkdir(mode=0o700, exist_ok=True)
    status = root.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ConfigError(f"{root}: must be a folder of your own that nobody else can enter (chmod 700 {root})")
    runs = root / "runs"
    runs.mkdir(mode=0o700, exist_ok=True)
    return runs


def process_started(pid: int) -> int:
    """Clock ticks since boot (proc(5), field 22 of /proc/<pid>/stat); 0 when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    zombie = fields[0] in "ZX"
    return 0 if zombie else int(fields[19])
