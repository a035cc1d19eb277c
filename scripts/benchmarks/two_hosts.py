"""One stream between two processes: over a unix socket on one host, and over TCP with mutual TLS between two hosts.

The hosts are network namespaces, so both ends share one clock and the same cores; there is no wire between them. What
is measured is what the way costs in the processes and in the kernel.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from runtime.address import Address, StreamKind
from runtime.message import Message
from runtime.transport.stream import FrameReader, Stream
from runtime.transport.tls.authority import Authority
from runtime.transport.tls.identity import Identity
from runtime.transport.tls.network import ClusterNetwork
from runtime.transport.wire import Codec
from scripts.benchmarks.report import Row
from scripts.benchmarks.statistics import median, percentile
from tests.cluster.machines import Machine, network, why_not

FLOOD = 200_000
PACED = 2_000
PACE_NS = 1_000_000
BATCH = 32
"""As one read of a venue's socket brings in a flood."""
PAYLOAD = "x" * 150
START_S = 20.0
TITLES = {"one_host": "one host, unix socket", "two_hosts": "two hosts, TCP with mutual TLS 1.3"}


class Stamped(Message, frozen=True, array_like=True, tag=True):
    sent: int
    payload: str


class Over(Message, frozen=True, array_like=True, tag=True):
    pass


CODEC = Codec([Stamped, Over])


class Measured(msgspec.Struct, frozen=True):
    rate: float
    """Messages a second."""
    p50_us: float
    p99_us: float


class Receiver:
    """Counts the flood, then times what comes paced."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._count = 0
        self._first = 0
        self._last = 0
        self._waits: list[float] = []

    def stream_up(self, stream: Stream) -> None: ...

    def stream_read(self, stream: Stream, messages: FrameReader) -> None:
        now = time.monotonic_ns()
        while batch := messages.take():
            for message in batch:
                if not isinstance(message, Stamped):
                    self.over.set()
                elif self._count < FLOOD:
                    self._first = self._first or message.sent
                    self._count += 1
                    self._last = now
                else:
                    self._waits.append((now - message.sent) / 1_000)

    def stream_writable(self, stream: Stream) -> None: ...

    def stream_down(self, stream: Stream, reason: str) -> None:
        self.over.set()

    def measured(self) -> Measured:
        waits = sorted(self._waits)
        return Measured(self._count / ((self._last - self._first) / 1e9), percentile(waits, 50), percentile(waits, 99))


class Sender:
    def __init__(self) -> None:
        self.writable = asyncio.Event()

    def stream_up(self, stream: Stream) -> None: ...

    def stream_read(self, stream: Stream, messages: FrameReader) -> None: ...

    def stream_writable(self, stream: Stream) -> None:
        self.writable.set()

    def stream_down(self, stream: Stream, reason: str) -> None:
        raise ConnectionError(reason)

    async def send(self, stream: Stream) -> None:
        for _ in range(FLOOD // BATCH):
            while stream.congested:
                self.writable.clear()
                await self.writable.wait()
            stream.send_all([Stamped(time.monotonic_ns(), PAYLOAD) for _ in range(BATCH)])
            stream.flush()
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
        due = time.monotonic_ns()
        for _ in range(PACED):
            due += PACE_NS
            await asyncio.sleep(max(due - time.monotonic_ns(), 0) / 1e9)
            stream.send(Stamped(time.monotonic_ns(), PAYLOAD))
            stream.flush()
        stream.send(Over())
        stream.flush()


def _network(folder: Path, machine: str, ip: str) -> ClusterNetwork:
    authority, identity = Authority.open(folder), Identity()
    identity.install(authority.sign(identity.request(), machine, ip), authority.pem)
    return ClusterNetwork(machine, ip, [0], identity)


async def _receive(folder: Path, machine: str, ip: str) -> None:
    receiver, here = Receiver(), _network(folder, machine, ip)
    listener = await here.listen(
        str(folder / "s"), lambda: Stream(CODEC, receiver, lambda _: None), lambda peer, reason: None
    )
    address = Address("receiver", 1, StreamKind.TCP, str(folder / "s"), "receiver", machine, here.tcp)
    _write(folder / "address", msgspec.json.encode(address))
    await receiver.over.wait()
    listener.close()
    _write(folder / "measured", msgspec.json.encode(receiver.measured()))


async def _send(folder: Path, machine: str, ip: str) -> None:
    address = msgspec.json.decode((folder / "address").read_bytes(), type=Address)
    sender, streams = Sender(), list[Stream]()

    def make() -> Stream:
        streams.append(Stream(CODEC, sender, lambda _: None))
        return streams[0]

    await _network(folder, machine, ip).dial(address, make)
    await sender.send(streams[0])
    streams[0].close()
    await asyncio.sleep(0.2)


def _write(file: Path, data: bytes) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(data)
    unfinished.rename(file)


def _run(receiver: Machine, sender: Machine, folder: Path) -> Measured:
    folder.mkdir()
    Authority.create(folder, "bench")
    command = (sys.executable, "-m", "scripts.benchmarks.two_hosts")
    receiver.start(*command, "receive", str(folder), receiver.name, receiver.ip)
    _until(folder / "address", receiver)
    sender.run(*command, "send", str(folder), sender.name, sender.ip)
    _until(folder / "measured", receiver)
    return msgspec.json.decode((folder / "measured").read_bytes(), type=Measured)


def _until(file: Path, machine: Machine) -> None:
    deadline = time.monotonic() + START_S
    while not file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file.name} is not there: {machine.output()}")
        time.sleep(0.02)


def measure(rounds: int) -> list[Row]:
    """Medians of interleaved rounds, some five seconds each; none where no namespaces can be made."""
    if why_not():
        return []
    taken: dict[str, list[Measured]] = {name: [] for name in TITLES}
    with network(2) as net:
        first, second = net.machines
        for number in range(rounds):
            taken["one_host"].append(_run(first, first, net.folder / f"{number}a"))
            taken["two_hosts"].append(_run(first, second, net.folder / f"{number}b"))
    return [row for metric, unit in METRICS.items() for row in _rows(metric, unit, taken)]


METRICS = {"rate": "msg/s", "p50_us": "us", "p99_us": "us"}


def _rows(metric: str, unit: str, taken: dict[str, list[Measured]]) -> list[Row]:
    values = {name: median([getattr(measured, metric) for measured in each]) for name, each in taken.items()}
    reference = f"stream_{metric}.one_host"
    return [
        Row(
            f"stream_{metric}.{name}",
            value,
            unit,
            None if name == "one_host" else reference,
            None if name == "one_host" else value / values["one_host"],
            None,
            None,
        )
        for name, value in values.items()
    ]


def print_rows(console: Console, rows: list[Row]) -> None:
    if not rows:
        console.print(f"one stream on two hosts: not measured, {why_not()}")
        return
    table = Table("", "messages/s", "p50 at 1,000/s, us", "p99 at 1,000/s, us", title="One stream of messages")
    values = {row.name: row.value for row in rows}
    for name, title in TITLES.items():
        table.add_row(title, *(f"{values[f'stream_{metric}.{name}']:,.0f}" for metric in METRICS))
    console.print(table)


if __name__ == "__main__":
    role, where, machine_name, machine_ip = sys.argv[1:]
    uvloop.run((_receive if role == "receive" else _send)(Path(where), machine_name, machine_ip))
