"""The head and the workers of a cluster as scripts/head and scripts/worker start them."""

import tempfile
from contextlib import suppress
from pathlib import Path

from tests.cluster.machines import Machine, Network


def start_head(net: Network, storage: str, *options: str) -> None:
    """`storage` as of scripts/head."""
    net.head.start("scripts/head", f"--storage={storage}", *_where(net.head), *options)


def start_worker(net: Network, machine: Machine, *options: str) -> None:
    machine.start("scripts/worker", net.head.ip, *_where(machine), *options)


def _where(machine: Machine) -> tuple[str, ...]:
    """A new folder each time: Ray refuses a head in the old one while it sees other nodes of it in /proc."""
    folder = tempfile.mkdtemp(prefix="r", dir=machine.folder)
    return f"--node-ip-address={machine.ip}", f"--temp-dir={folder}", "--num-cpus=1"


def control_process(machine: Machine) -> int:
    """Pid of Ray's control process there."""
    for pid in machine.pids():
        with suppress(OSError):
            if Path(f"/proc/{pid}/exe").resolve().name == "gcs_server":
                return pid
    raise AssertionError("Ray's control process is not running")
