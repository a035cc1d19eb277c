"""Hosts in one process, each as if on a machine of its own: every stream between two of them is TCP with mutual TLS."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from runtime.address import StreamKind
from runtime.clock import WallClock
from runtime.host.life import live
from runtime.protocol import SUPERVISOR
from runtime.spares import Warmth
from runtime.spec import Home, HostEnded, HostSpec
from runtime.transport.tls.authority import Authority
from runtime.transport.tls.identity import Identity
from runtime.transport.tls.network import ClusterNetwork
from tests.desk.runs import free_port
from tests.runtime.hosts import NoIo

IP = "127.0.0.1"


def member(authority: Authority, name: str, lifetime_s: float = 3600) -> Identity:
    """One whose certificate this authority has signed."""
    identity = Identity()
    identity.install(authority.sign(identity.request(), name, IP, lifetime_s), authority.pem)
    return identity


class TlsLauncher:
    """Starts hosts as tasks of the running loop; `kill` cancels one."""

    def __init__(self, folder: str) -> None:
        self._authority = Authority.create(Path(folder), "toys")
        self._home = Home(SUPERVISOR, f"{IP}:{free_port()}")
        self._lives: dict[tuple[str, int], asyncio.Task[None]] = {}

    def network(self, name: str) -> ClusterNetwork:
        port = int(self._home.tcp.rpartition(":")[2]) if name == SUPERVISOR else 0
        return ClusterNetwork(name, IP, [port], member(self._authority, name))

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        spec = msgspec.structs.replace(spec, kind=StreamKind.TCP, home=self._home)
        life = live(spec, clock=WallClock(), network=self.network(spec.name), io=NoIo(), launcher=self)
        task = asyncio.get_running_loop().create_task(life)
        self._lives[spec.name, spec.incarnation] = task
        task.add_done_callback(lambda _: notify(HostEnded(spec.name, spec.incarnation, "ended")))

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        task = self._lives.get((host, incarnation))
        if task is not None:
            task.add_done_callback(lambda _: notify(HostEnded(host, incarnation, "ended")))

    def kill(self, host: str, incarnation: int) -> None:
        task = self._lives.pop((host, incarnation), None)
        if task is not None:
            task.cancel()

    def resident_bytes(self, host: str, incarnation: int) -> int:
        return 0

    def keep_spares(self, count: int, warmth: Warmth) -> None: ...

    def spares(self) -> int:
        return 0
