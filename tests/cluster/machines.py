"""Machines for tests: network namespaces with addresses of their own on one bridge, each with its own Ray node.

Nothing is made in the namespace of the tests themselves: the bridge has one too. They share the file system, so a test
of what travels between machines has to look at the sockets, not only at the result; `Network.disk` is each one's own.
Whatever runs in a namespace is killed with it.
"""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runtime.cluster import SETTINGS

ROOT = Path(__file__).parents[2]
RAY_PORT = 6379
START_S = 300.0
"""Ray on a busy machine."""
ASK_S = 60.0
"""Who joins a Ray that is just starting may wait for ever."""
POLL_S = 0.1
MOUNTED = 'mount --bind "$0" "$1" && shift && exec "$@"'
"""A command in a namespace has mounts of its own."""
CLONE_NEWNET = 0x40000000
"""Of setns(2), which Python has from 3.12 on."""
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"


class Machine:
    """One namespace with the address `ip`."""

    def __init__(self, name: str, ip: str, switch: str, port: str, folder: Path, token: Path) -> None:
        self.name = name
        self.ip = ip
        self.folder = folder
        self._switch = switch
        self._port = port
        self.disk = folder / "disk"
        """What its processes find in the folder `Network.disk`: a file system that no other machine has."""
        self.disk.mkdir()
        mounted = ("sh", "-c", MOUNTED, str(self.disk), str(folder.parent / "disk"))
        self._here = ("ip", "netns", "exec", name, *mounted)
        self._started: list[subprocess.Popen[str]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
            **SETTINGS,
            "RAY_AUTH_TOKEN_PATH": str(token),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(folder),
        }

    def start(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a process here; what it prints goes to `folder`/output.txt."""
        with (self.folder / "output.txt").open("a") as output:
            process = subprocess.Popen(
                [*self._here, *command],
                cwd=ROOT,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, *command: str, timeout_s: float = START_S, code: int | None = 0) -> str:
        """Run a command here; returns what it printed. Its exit code must be that, or with None may be any."""
        ended, said = self.outcome(*command, timeout_s=timeout_s)
        assert code in (None, ended), f"{command}: {said}"
        return said

    def outcome(self, *command: str, timeout_s: float = START_S) -> tuple[int, str]:
        """Run a command here: (its exit code, what it printed)."""
        ended = subprocess.run(
            [*self._here, *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr

    def until_connected(self, ip: str, port: int, timeout_s: float) -> bool:
        """True as soon as a TCP connection from here can be made; False if none could within so long."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self.run(sys.executable, "-c", CONNECT, ip, str(port), code=None):
                return True
            time.sleep(POLL_S)
        return False

    def pids(self) -> list[int]:
        """Every process that runs here."""
        return [int(pid) for pid in _ip("netns", "pids", self.name).split()]

    def processes(self, *words: str) -> list[str]:
        """Command lines of those that run here with one of these words in it."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
                found += [line] if any(word in line for word in words) else []
        return found

    def starved_s(self) -> dict[int, float]:
        """By pid, of all that run here: how long that thread has waited for a processor which waited most."""
        found = {}
        for pid in self.pids():
            waits = [0]
            for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    waits.append(int(file.read_text().split()[1]))
            found[pid] = max(waits) / 1e9
        return found

    def until_none(self, *words: str, timeout_s: float = START_S) -> None:
        """Returns when no process of which `processes` would tell is left here."""
        deadline = time.monotonic() + timeout_s
        while left := self.processes(*words):
            assert time.monotonic() < deadline, f"on {self.name} there is still {left}\n{self.output()}"
            time.sleep(POLL_S)

    def streams(self) -> list[str]:
        """Peers of the TCP connections that stand here, as `ip:port`."""
        listed = self.run("ss", "-Htn", "state", "established").splitlines()
        return [line.split()[3] for line in listed]

    def unplug(self) -> None:
        """Take the cable out: nothing arrives here and nothing leaves."""
        _ip("-n", self._switch, "link", "set", self._port, "down")

    def plug(self) -> None:
        _ip("-n", self._switch, "link", "set", self._port, "up")

    def enter(self) -> None:
        """What the calling thread opens from now on it opens here; the other threads stay where they are."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self.name}").open() as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"{self.name} cannot be entered")

    def other_addresses(self, count: int) -> list[str]:
        """By which it can be reached too, from now on."""
        addresses = [f"{self.ip.rpartition('.')[0]}.{100 + number}" for number in range(count)]
        for address in addresses:
            _ip("-n", self.name, "addr", "add", f"{address}/24", "dev", "eth0")
        return addresses

    def hand_over(self, heir: "Machine") -> None:
        """The other machine has this one's address from now on, and this one none."""
        _ip("-n", self.name, "addr", "flush", "dev", "eth0")
        _ip("-n", heir.name, "addr", "flush", "dev", "eth0")
        _ip("-n", heir.name, "addr", "add", f"{self.ip}/24", "dev", "eth0")
        heir.ip = self.ip

    def kill_all(self) -> None:
        """Everything that runs here is gone when this returns."""
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_S)
        for process in self._started:
            process.wait()

    def output(self) -> str:
        """What its processes have printed so far."""
        file = self.folder / "output.txt"
        return file.read_text() if file.exists() else ""


class Network:
    """Some machines on one switch; the first is the head of the Ray cluster."""

    def __init__(self, machines: list[Machine], folder: Path) -> None:
        self.machines = machines
        self.head = machines[0]
        self.folder = folder
        self.disk = folder / "disk"
        """On each machine another folder: its own `Machine.disk`."""

    @property
    def address(self) -> str:
        """Of the cluster's head."""
        return f"{self.head.ip}:{RAY_PORT}"

    def start_ray(self, labels: Sequence[str]) -> None:
        """One node for each of the labels, as in `placement`: `zone=tokyo`. The first machine is the head."""
        for machine, label in zip(self.machines, labels, strict=False):
            self.start_node(machine, label)
            if machine is self.head:
                self.until_nodes(1)
        self.until_nodes(len(labels))

    def start_node(self, machine: Machine, labels: str = "") -> None:
        role = [f"--address={self.address}"]
        if machine is self.head:
            role = ["--head", "--storage=none", f"--port={RAY_PORT}", "--include-dashboard=false"]
        resource = labels.removeprefix("resource=") if labels.startswith("resource=") else ""
        given = f'--resources={{"{resource}": 1}}' if resource else f"--labels={labels}"
        machine.start(
            *(sys.executable, "-m", "runtime.cluster.node", *role),  # more patient than `ray start`
            *(f"--node-ip-address={machine.ip}", "--num-cpus=1", given),
            *(f"--temp-dir={tempfile.mkdtemp(prefix='r', dir=machine.folder)}", "--object-store-memory=80000000"),
            *("--disable-usage-stats", "--include-log-monitor=false"),
        )

    def _nodes(self) -> str:
        ask = (sys.executable, "-m", "tests.cluster.nodes", self.address, self.head.ip)
        return self.head.run(*ask, code=None, timeout_s=ASK_S)

    def until_nodes(self, count: int) -> None:
        """Returns when so many nodes of the cluster are alive."""
        deadline = time.monotonic() + START_S
        said = ""
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                said = self._nodes()
            if sum(line.startswith("alive ") for line in said.splitlines()) == count:
                return
            time.sleep(POLL_S)
        outputs = "\n".join(f"{machine.name}: {machine.output()}" for machine in self.machines)
        raise AssertionError(f"not {count} nodes within {START_S:g} s: {said}\n{outputs}")


def why_not() -> str:
    """Why no namespaces can be made here; "" if they can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if shutil.which("ip") is None or shutil.which("ss") is None:
        return "`ip` and `ss` are not installed (apt-get install iproute2)"
    name = f"oc{os.getpid()}{secrets.token_hex(2)}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "exec", name, "true")
        _ip("-n", name, "link", "add", "br0", "type", "bridge")
    except OSError as error:
        return f"network namespaces cannot be made here (root is needed): {error}"
    finally:
        with contextlib.suppress(OSError):
            _ip("netns", "del", name)
    return ""


@contextlib.contextmanager
def network(count: int) -> Iterator[Network]:
    """So many machines. Whatever was made or started in them is gone afterwards, also after a failure."""
    mark = f"oc{os.getpid()}{secrets.token_hex(2)}"
    # Ray refuses a second head with the address of one that it finds in /proc, in whichever namespace that is.
    subnet = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 1}"
    folder = Path(tempfile.mkdtemp(prefix="ocm", dir="/tmp"))
    (folder / "disk").mkdir()
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    switch = f"{mark}s"
    machines: list[Machine] = []
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "br0", "type", "bridge")
        _ip("-n", switch, "link", "set", "br0", "up")
        for index in range(count):
            name, ip = f"{mark}n{index}", f"{subnet}.{index + 1}"
            home = folder / f"{index}"
            home.mkdir(mode=0o700)
            _ip("netns", "add", name)
            machines.append(Machine(name, ip, switch, f"p{index}", home, token))
            _ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", f"p{index}", "netns", switch)
            _ip("-n", switch, "link", "set", f"p{index}", "master", "br0", "up")
            for change in (
                ("addr", "add", f"{ip}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
                ("route", "add", "default", "via", f"{subnet}.254"),
            ):
                _ip("-n", name, *change)
        yield Network(machines, folder)
    finally:
        for machine in machines:
            machine.kill_all()
        for name in (*(machine.name for machine in machines), switch):
            with contextlib.suppress(OSError):
                _ip("netns", "del", name)
        shutil.rmtree(folder, ignore_errors=True)


def _ip(*arguments: str) -> str:
    """Raises `OSError` with what `ip` said."""
    ended = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {ended.stderr.strip()}")
    return ended.stdout
