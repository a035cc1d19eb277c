"""Memory of the whole demo desk, process by process, beside a slim Ray head and an empty worker for each Ray actor.

The spare is a Ray actor too. The slim head is that of `ray start` with all left out that it has an option for, and
without the server for Ray Client; the demo's own process and its fake venue have nothing they are compared with.
Every number is PSS, in which a page that n processes share counts as an n-th part for each; MB are 2^20 bytes.
"""

import asyncio
import contextlib
import itertools
import signal
import sys
import tempfile
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from actors.status import Status
from scripts.benchmarks.processes import Child
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.statistics import median
from scripts.benchmarks.statuses import until_status

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
TIMEOUT_S = 180.0
DESK_BAR = 1.15
CONNECTOR_MB = 50.0


class Memory(msgspec.Struct, frozen=True):
    desk: dict[str, float]
    """Process → MB, of the demo: its own, those of its actors, Ray's and the fake venue's."""
    actors: int
    """Ray actors, the spare included."""
    connector: float
    head: dict[str, float]
    empty_worker: float

    @property
    def reference(self) -> float:
        return sum(self.head.values()) + self.actors * self.empty_worker


def pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no Pss")


async def measure(folder: Path, settle_s: float) -> Memory:
    status, desk = await _desk(settle_s)
    actors = len({actor.pid for actor in status.actors.values()}) + status.spares
    head, empty_worker = await _empty(actors, Path(tempfile.mkdtemp(prefix="m", dir=folder)), settle_s)
    connector = median([desk[name] for name in desk if name.startswith("connector.")])
    return Memory(desk, actors, connector, head, empty_worker)


def rows(memory: Memory) -> list[Row]:
    """The bar of a connector is one of MB, so it has a row of the promised number to be compared with."""
    reference = alone("memory.slim_ray", memory.reference, "MB")
    promised = alone("memory.promised_per_connector", CONNECTOR_MB, "MB")
    return [
        reference,
        compared("memory.desk", sum(memory.desk.values()), "MB", reference, DESK_BAR),
        promised,
        compared("memory.connector", memory.connector - memory.empty_worker, "MB", promised, 1.0),
    ]


def print_rows(console: Console, memory: Memory) -> None:
    table = Table("demo desk", "MB", "slim Ray head and empty workers", "MB", title="Memory (PSS)")
    workers = memory.actors * memory.empty_worker
    reference = {**memory.head, f"{memory.actors} empty workers of {memory.empty_worker:.0f}": workers}
    for left, right in itertools.zip_longest(_lines(memory.desk), _lines(reference), fillvalue=("", "")):
        table.add_row(*left, *right)
    console.print(table)


def _lines(processes: dict[str, float]) -> list[tuple[str, str]]:
    return [(name, f"{mb:.0f}") for name, mb in {**processes, "together": sum(processes.values())}.items()]


async def _desk(settle_s: float) -> tuple[Status, dict[str, float]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actors.cli", "run", str(DEMO), "--quiet"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until_status(process.pid, _is_settled, TIMEOUT_S)
        await asyncio.sleep(settle_s)
        status = await until_status(process.pid, _is_settled, TIMEOUT_S)
        names = {actor.pid: name for name, actor in status.actors.items()}
        root = psutil.Process(process.pid)
        measured: dict[str, float] = {}
        for member in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError, ValueError):  # gone since it was listed
                name = "outcry run" if member.pid == process.pid else names.get(member.pid) or _name(member)
                measured[name] = measured.get(name, 0.0) + pss(member.pid)
        return status, measured
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


def _is_settled(status: Status) -> bool:
    """Everybody trades and a spare waits."""
    return bool(status.spares and status.fills)


async def _empty(actors: int, folder: Path, settle_s: float) -> tuple[dict[str, float], float]:
    child = await Child.start("scripts.benchmarks.bare_ray", actors=str(actors), slim="yes", folder=str(folder))
    try:
        await asyncio.sleep(settle_s)
        workers = {int(pid) for pid in child.ready["workers"].split(",")}
        head: dict[str, float] = {}
        for pid in map(int, child.ready["heads"].split(",")):
            root = psutil.Process(pid)
            for member in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error, OSError, ValueError):
                    if member.pid not in workers and _name(member) not in ("spare or idle worker", "Ray Client"):
                        head[_name(member)] = pss(member.pid)
        return head, median([pss(pid) for pid in workers])
    finally:
        await child.stop()


def _name(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    for part, name in (
        ("gcs_server", "Ray: GCS"),
        ("raylet/raylet", "Ray: raylet"),
        ("DashboardAgent", "Ray: node agent"),
        ("RuntimeEnvAgent", "Ray: environment agent"),
        ("dashboard.py", "Ray: dashboard server"),
        ("dashboard/agent.py", "Ray: node agent"),
        ("client.server", "Ray Client"),
        ("actors.simulation", "fake venue"),
        ("ray::", "spare or idle worker"),
    ):
        if part in line:
            return name
    return str(process.name())
