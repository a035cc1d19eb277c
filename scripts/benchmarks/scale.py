"""One venue on 1, 2, 4, 8 and 16 connectors: what each costs, beside what the model says, and 1,000 on paper.

The constants of the model come from the runs with 1 and with 4 connectors, all others are predicted. The same sixteen
symbols at the same low rate each time, so that what changes is the number of processes alone.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from actors.messages import CODEC
from actors.model.rendezvous import owner
from actors.status import Status
from runtime.address import Address, StreamKind
from runtime.protocol import SUPERVISOR, DirectoryChanged
from scripts.benchmarks.cost_model import OTHERS, Constants, Machine, Shape, cost, saturations
from scripts.benchmarks.memory import pss
from scripts.benchmarks.processes import Child
from scripts.benchmarks.report import Row, alone, compared
from scripts.benchmarks.scale_venue import SYMBOLS
from scripts.benchmarks.statistics import median
from scripts.benchmarks.statuses import until_status

CONNECTORS = (1, 2, 4, 8, 16)
CALIBRATED = (1, 4)
RATE = 4.0
"""Orders at the venue a second and symbol."""
MEASURE_S = 6.0
START_S = 240.0
STRATEGY, LESS = "reader", "less"
"""The one reads all symbols, the other one: what they differ in is what events cost."""
ADDRESSES, ROUNDS = 1_000, 20
"""Of a directory, and how often it is written to see how long that takes."""

THOUSAND = Shape(venues=20, shards=50, symbols=1_000, rate=10.0, strategies=20, nodes=20)
NODE = Machine(cores=64, memory_mb=256 * 1024, files=1_048_576, network_mb=1_000)


class Scale(msgspec.Struct, frozen=True):
    """One run. CPU is seconds of a core a second."""

    shape: Shape
    connector_cpu: float
    """Median of the connectors; so are the next two."""
    connector_mb: float
    connector_files: float
    supervisor_cpu: float
    supervisor_files: float
    supervisor_beats: float
    reader_cpu: float
    less_cpu: float
    """Of the one that reads one symbol."""
    hosts: int


async def measure(folder: Path, connectors: tuple[int, ...] = CONNECTORS) -> list[Scale]:
    venue = await Child.start("scripts.benchmarks.scale_venue", rate=str(RATE))
    try:
        return [await _measure(number, int(venue.ready["port"]), folder) for number in connectors]
    finally:
        await venue.stop()


async def _measure(connectors: int, port: int, folder: Path) -> Scale:
    file = folder / f"scale-{connectors}.json"
    file.write_text(json.dumps(_configuration(connectors, port, folder)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actors.cli", "run", str(file), "--quiet"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        before = await until_status(process.pid, _is_in_step, START_S)
        began, used = time.monotonic(), _cpu(before)
        await asyncio.sleep(MEASURE_S)
        span, spent = time.monotonic() - began, _cpu(before)
        after = await until_status(process.pid, _is_in_step, START_S)
        return _scale(connectors, before, after, {pid: (spent[pid] - used[pid]) / span for pid in used})
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


def _configuration(connectors: int, port: int, folder: Path) -> dict[str, Any]:
    """Each connector has as many symbols as any other: hashing sixteen symbols would not spread them evenly."""
    return {
        "name": "scale",
        "cluster": {"backend": "processes"},
        "venues": {
            "binance": {
                "kind": "binance",
                "symbols": SYMBOLS,
                "shards": connectors,
                "pinned": {symbol: number % connectors for number, symbol in enumerate(SYMBOLS)},
                "credentials": {"key": "demo", "secret": "demo"},
                "rest_url": f"http://127.0.0.1:{port}",
                "stream_url": f"ws://127.0.0.1:{port}",
                "trade_url": f"ws://127.0.0.1:{port}/ws-api/v3",
            }
        },
        "strategies": {
            name: {
                "class": "actors.strategies.observer:Observer",
                "instruments": [f"binance.{symbol}" for symbol in symbols],
            }
            for name, symbols in ((STRATEGY, SYMBOLS), (LESS, SYMBOLS[:1]))
        },
        "restart": {"spares": 0, "heartbeats_missed": 300},
        "orders": {"rehearse_every_ms": 0},
        "journal": {"path": str(folder / f"journal-{connectors}")},
    }


def _is_in_step(status: Status) -> bool:
    """Every actor is up and every book whole."""
    books = [book for venue in status.venues.values() for book in venue.books.values()]
    ready = all(actor.state.value == "READY" for actor in status.actors.values())
    return ready and len(books) == len(SYMBOLS) and set(books) == {"SYNCED"}


def _cpu(status: Status) -> dict[int, float]:
    return {actor.pid: _seconds(actor.pid) for actor in status.actors.values()}


def _seconds(pid: int) -> float:
    """Of CPU, all threads, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def _scale(connectors: int, before: Status, after: Status, cpu: Mapping[int, float]) -> Scale:
    actors = after.actors
    pids = [actor.pid for name, actor in actors.items() if name.startswith("connector.")]
    supervisor = actors[SUPERVISOR]
    span = (after.ts - before.ts) / 1e9
    events = after.venues["binance"].messages - before.venues["binance"].messages
    beats = supervisor.mailbox.handled - before.actors[SUPERVISOR].mailbox.handled
    return Scale(
        Shape(1, connectors, len(SYMBOLS), events / span / len(SYMBOLS), 2, 1),
        median([cpu[pid] for pid in pids]),
        median([pss(pid) for pid in pids]),
        median([_files(pid) for pid in pids]),
        cpu[supervisor.pid],
        _files(supervisor.pid),
        beats / span,
        cpu[actors[f"strategy.{STRATEGY}"].pid],
        cpu[actors[f"strategy.{LESS}"].pid],
        len({actor.pid for actor in actors.values()}) - 1,
    )


def _files(pid: int) -> int:
    return int(psutil.Process(pid).num_fds())


def calibrated(few: Scale, many: Scale) -> Constants:
    """Of two runs: what does not depend on the number of connectors falls out of their difference."""
    events = [run.shape.events / run.shape.connectors for run in (few, many)]
    event_cpu = max(few.connector_cpu - many.connector_cpu, 0.0) / (events[0] - events[1])
    files_per_host = (many.supervisor_files - few.supervisor_files) / (many.hosts - few.hosts)
    address_bytes, address_cpu = directory_of(ADDRESSES)
    change_bytes, change_cpu = directory_of(1)
    all_events = sum(run.shape.events for run in (few, many))
    read_cpu = sum(run.reader_cpu for run in (few, many))
    reader_cpu = max(read_cpu - few.less_cpu - many.less_cpu, 0.0) / (all_events * (1 - 1 / few.shape.symbols))
    reader_idle = (read_cpu - reader_cpu * all_events) / 2
    return Constants(
        idle_cpu=max(many.connector_cpu - event_cpu * events[1], 0.0),
        event_cpu=event_cpu,
        reader_idle=max(reader_idle, 0.0),
        reader_cpu=reader_cpu,
        beat_cpu=many.supervisor_cpu / many.supervisor_beats,
        connector_mb=many.connector_mb,
        connector_files=many.connector_files,
        supervisor_files=few.supervisor_files - few.hosts * files_per_host,
        supervisor_files_per_host=files_per_host,
        address_bytes=address_bytes,
        address_cpu=address_cpu,
        change_bytes=change_bytes,
        change_cpu=change_cpu,
    )


def directory_of(actors: int) -> tuple[float, float]:
    """(bytes of one address in a directory of so many, seconds to write it)."""
    addresses = [
        Address(
            f"connector.venue-{number}.{owner(str(number), 50)}",
            1,
            StreamKind.TCP,
            f"/tmp/outcry-0/desk/{number}.1.sock",
            f"connector.venue-{number}",
            "node-17",
            "10.0.0.17:20123",
        )
        for number in range(actors)
    ]
    message = DirectoryChanged(1, addresses, {address.host: 1 for address in addresses})
    begun = time.process_time()
    for _ in range(ROUNDS):
        frame = CODEC.encode(message)
    return len(frame) / actors, (time.process_time() - begun) / ROUNDS / actors


def rows(runs: list[Scale]) -> list[Row]:
    """Each measured value beside the predicted one."""
    found: list[Row] = []
    of = _constants(runs)
    for run in runs:
        for name, unit, measured, predicted in _values(run, of):
            number = run.shape.connectors
            row = alone(f"scale.predicted.{name}.{number}", predicted, unit)
            found += [row, compared(f"scale.{name}.{number}", measured, unit, row, None)]
    thousand = saturations(THOUSAND, of, NODE)
    return [*found, *(alone(f"scale.thousand.{each.what}", each.used, "of what there is") for each in thousand)]


def _constants(runs: list[Scale]) -> Constants:
    by_number = {run.shape.connectors: run for run in runs}
    few, many = (by_number.get(number) for number in CALIBRATED)
    return calibrated(few or runs[0], many or runs[-1])


def _values(run: Scale, of: Constants) -> list[tuple[str, str, float, float]]:
    at = cost(run.shape, of)
    return [
        ("connector_cpu", "cores", run.connector_cpu, at.connector_cpu),
        ("connector_memory", "MB", run.connector_mb, of.connector_mb),
        ("connector_files", "files", run.connector_files, of.connector_files),
        ("supervisor_beats", "1/s", run.supervisor_beats, at.supervisor_beats),
        ("supervisor_cpu", "cores", run.supervisor_cpu, at.supervisor_cpu),
        ("supervisor_files", "files", run.supervisor_files, at.supervisor_files),
        ("reader_cpu", "cores", run.reader_cpu, at.reader_cpu),
        ("hosts", "processes", run.hosts, float(run.shape.connectors + run.shape.strategies + OTHERS)),
    ]


def print_rows(console: Console, runs: list[Scale]) -> None:
    table = Table("connectors", "what", "measured", "predicted", "error", title="Scale: one venue on more connectors")
    of = _constants(runs)
    for run in runs:
        number = run.shape.connectors
        note = " (calibrated)" if number in CALIBRATED else ""
        for index, (name, unit, measured, predicted) in enumerate(_values(run, of)):
            error = f"{100 * (predicted / measured - 1):+.0f} %" if measured else "–"
            first = f"{number}{note}" if index == 0 else ""
            table.add_row(first, name.replace("_", " "), f"{measured:.3g} {unit}", f"{predicted:.3g}", error)
    console.print(table)
    at = cost(THOUSAND, of)
    paper = Table(
        "what", "used", "and then", title=f"On paper: {THOUSAND.connectors} connectors on {THOUSAND.nodes} nodes"
    )
    for each in saturations(THOUSAND, of, NODE):
        paper.add_row(each.what, f"{100 * each.used:.0f} %", each.then)
    console.print(paper)
    console.print(
        f"one change of one actor makes the supervisor send {at.directory_mb:.2f} MB ({at.directory_cpu:.3f} s of its "
        f"core), a start of all {at.start_mb:.0f} MB"
    )
