"""What a host of a cluster needs of the machine that it is on: an address of its own, and a folder for its socket."""

import contextlib
import socket
from collections.abc import Iterator

from msgspec.structs import replace

from runtime.errors import Unavailable
from runtime.rundir import RunDirectory, find_runs
from runtime.spec import Home, HostSpec

CONNECT_S = 5.0
FOLDER = "host"
"""Hosts on machines other than the run's have a folder of this name each."""


def ip_towards(host: str) -> str:
    """The address by which `host` knows this machine. Nothing is sent. Raises `Unavailable`."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 1))
        except OSError as error:
            raise Unavailable(f"{host} cannot be reached from here: {error}") from None
        ip: str = probe.getsockname()[0]
    return ip


def check_reached(address: str) -> None:
    """Raises `Unavailable` if nobody listens at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_S).close()
    except OSError as error:
        raise Unavailable(
            f"{address} cannot be reached: {error}; start Ray there (scripts/head), and let this machine reach the port"
        ) from None


def ports(home: Home, *, supervisor: bool) -> list[int]:
    """Where a host may listen. The supervisor's own port is kept free for its next life."""
    kept = int(home.tcp.rpartition(":")[2])
    return [kept] if supervisor else [port for port in range(home.ports[0], home.ports[1] + 1) if port != kept]


def free_port(ip: str, first: int, last: int, start: int) -> int:
    """One of them that nobody listens on now, looked for from the `start`th on; 0 if there is none."""
    count = last - first + 1
    for index in range(count):
        port = first + (start + index) % count
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((ip, port))
                return port
    return 0


@contextlib.contextmanager
def settled(spec: HostSpec, machine: str) -> Iterator[HostSpec]:
    """The host as it is on this machine: elsewhere than at home it has a folder of its own, gone when it ends.

    A folder that a killed host has left is removed by the next one.
    """
    if spec.home.machine in ("", machine):
        yield spec
        return
    find_runs()
    directory = RunDirectory.create(FOLDER)
    try:
        yield replace(spec, endpoint=str(directory.path / "s.sock"), log_folder=str(directory.path / "logs"))
    finally:
        directory.remove()
