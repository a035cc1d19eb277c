"""Ray, all of it: starting one, hosts as Ray actors, watching and killing them. Nothing else imports `ray`.

Ray restarts nothing (`max_restarts=0`: it would restart at once, without backoff) and retries nothing (a command sent
twice may be two). No message between actors is a Ray call; the one call a host has is `run`, and it stays pending for
the host's whole life: it ends with an error some 10 ms after the process is killed.
"""

import asyncio
import contextlib
import importlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from runtime import machine
from runtime.clock import WallClock
from runtime.errors import ConfigError, Unavailable
from runtime.host.life import live
from runtime.links import NetworkIo
from runtime.memory import resident_bytes
from runtime.placement import Node, Placement
from runtime.protocol import SUPERVISOR
from runtime.spec import Home, HostEnded, HostSpec, HostWaits, Launcher
from runtime.transport.network import Network, UnixNetwork

if TYPE_CHECKING:
    from runtime.transport.tls.authority import Authority
    from runtime.transport.tls.identity import Identity

SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "200",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_raylet_liveness_self_check_interval_ms": "1000",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Read by Ray when its processes start. Workers otherwise run at nice 15, and a dead node shows after 15 to 65 s."""
JOINING = {"RAY_gcs_server_request_timeout_seconds": "20"}
"""Read by Ray when it is imported: so long it looks for a node on this machine."""
NAME_TRIES = 20
NAME_PAUSE_S = 0.05
OBJECT_STORE_BYTES = 100_000_000


@cache
def _token() -> str:
    """One for all clusters that this process starts: Ray reads it once."""
    return secrets.token_hex(32)


class LocalCluster:
    """A slim Ray of our own on this machine: private folder, private token, no monitor; gone with this process."""

    def __init__(self, namespace: str, *, dashboard: bool = False) -> None:
        self.namespace = namespace
        self._folder = Path(tempfile.mkdtemp(prefix="oc", dir="/tmp"))
        token = self._folder / "token"
        token.touch(mode=0o600)
        token.write_text(_token())
        self.environment = {**SETTINGS, "RAY_AUTH_TOKEN_PATH": str(token)}
        os.environ.update(self.environment)
        import ray

        _read_environment()
        try:
            context: Any = ray.init(
                address="local",
                namespace=namespace,
                num_cpus=max(os.cpu_count() or 1, 1),
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=dashboard,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
                _temp_dir=str(self._folder),
            )
        except Exception as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise Unavailable(f"Ray does not start: {error}") from error
        _say_nothing()
        self.address = str(context.address_info["gcs_address"])
        self.environment["RAY_ADDRESS"] = self.address
        self.launcher: Launcher = RayLauncher(namespace)
        self.home = Home()

    def close(self) -> None:
        import ray

        ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)


def _read_environment() -> None:
    """Ray reads its environment when it is imported, which a user's module or a notebook may have done before."""
    raylet: Any = importlib.import_module("ray._raylet")
    raylet.Config.initialize("")
    raylet.AuthenticationTokenLoader.instance().reset_cache()


def _say_nothing() -> None:
    """Keep Ray from printing on this process's terminal: the supervisor reports and logs each end of a worker."""
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


class AttachedCluster:
    """A Ray that runs already; its token is found where RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN says.

    The node that this process is on becomes the run's own machine; `folder`, on it, keeps the run's authority.
    """

    def __init__(self, address: str, namespace: str, folder: Path, ports: tuple[int, int]) -> None:
        for name, value in (SETTINGS | JOINING).items():
            os.environ.setdefault(name, value)
        import ray

        from runtime.transport.tls.authority import Authority

        machine.check_reached(address)
        _read_environment()
        # A run of the same name and pid on another machine of the cluster must not be taken for this one.
        namespace = f"{namespace}-{secrets.token_hex(4)}"
        self.address = address
        self.environment = {"RAY_ADDRESS": address, "RAY_AUTH_MODE": os.environ["RAY_AUTH_MODE"]}
        try:
            ray.init(
                address=address,
                namespace=namespace,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address=machine.ip_towards(address.rpartition(":")[0]),
            )
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise ConfigError(
                f"cluster.address: {address} cannot be joined: Ray has to run on this machine too (scripts/worker "
                f"{address}), and the token has to be that of the head: {str(error).strip().splitlines()[0]}"
            ) from None
        self._namespace = namespace
        ip, node = _here()
        port = machine.free_port(ip, *ports, start=os.getpid())
        if not port:
            raise ConfigError(f"cluster.ports: none of {ports[0]} to {ports[1]} is free on {ip}; give others")
        authority = Authority.create(folder, namespace)
        self.home = Home(node, f"{ip}:{port}", ports, str(folder))
        self.launcher: Launcher = RayLauncher(namespace, authority)

    def close(self) -> None:
        """What is left of the run's hosts ends too: nobody would stop them any more."""
        import ray

        for actor in ray.util.list_named_actors(all_namespaces=True):
            if actor["namespace"] == self._namespace:
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(actor["name"], namespace=self._namespace))
        ray.shutdown()


def _here() -> tuple[str, str]:
    """Address and id of the node that this process is on."""
    ray: Any = importlib.import_module("ray")
    return ray.util.get_node_ip_address(), ray.get_runtime_context().get_node_id()


def _living_nodes() -> list[Node]:
    ray: Any = importlib.import_module("ray")
    return [
        Node(node["NodeID"], node["NodeManagerAddress"], node.get("Labels") or {})
        for node in ray.nodes()
        if node["Alive"]
    ]


class RayHost:
    """A host as a Ray actor: one process with one event loop, which Ray runs on uvloop."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._identity: Identity | None = None

    async def enrol(self) -> tuple[bytes, str]:
        """On a cluster, before `run`: a request for a certificate and this node's address. The key stays here."""
        from runtime.transport.tls.identity import Identity

        self._identity = self._identity or Identity()
        return self._identity.request(), _here()[0]

    async def install(self, certificate: bytes, authority: bytes) -> None:
        if self._identity is not None:
            self._identity.install(certificate, authority)

    async def run(self, spec: bytes, namespace: str) -> None:
        """Pending for the whole life of the host; returns when it was stopped in order."""
        clock = WallClock()
        given = msgspec.msgpack.decode(spec, type=HostSpec)
        network = self._network(given)
        try:
            with machine.settled(given, network.machine) as here:
                await live(
                    here,
                    clock=clock,
                    network=network,
                    io=NetworkIo(clock),
                    launcher=RayLauncher(namespace, _authority(given)),
                    owns_process=True,
                )
        finally:
            self._over.set()

    def _network(self, spec: HostSpec) -> Network:
        if self._identity is None:
            return UnixNetwork()
        from runtime.transport.tls.network import ClusterNetwork

        ip, node = _here()
        ports = machine.ports(spec.home, supervisor=spec.name == SUPERVISOR)
        return ClusterNetwork(node, ip, ports, self._identity)

    async def over(self) -> None:
        """Pending as long as `run`: for a supervisor that did not start this host."""
        await self._over.wait()

    async def pid(self) -> tuple[int, str]:
        """And the node that it is on."""
        return os.getpid(), _here()[1]


def _authority(spec: HostSpec) -> "Authority | None":
    """The supervisor alone signs, with what is in a file of its own machine."""
    if spec.name != SUPERVISOR or not spec.home.authority:
        return None
    from runtime.transport.tls.authority import Authority

    return Authority.open(Path(spec.home.authority))


class RayLauncher:
    """Starts hosts as detached, named Ray actors: they outlive whoever launched them, until the cluster ends.

    With an authority each is given a certificate before it begins, and a new one in time.
    """

    def __init__(self, namespace: str, authority: "Authority | None" = None) -> None:
        self._namespace = namespace
        self._authority = authority
        self._placement = Placement(_living_nodes)
        self._handles: dict[tuple[str, int], Any] = {}
        self._pids: dict[tuple[str, int], int] = {}
        self._launches: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._watches: set[asyncio.Task[None]] = set()

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(spec, notify))
        self._launches[spec.name, spec.incarnation] = task
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def adopt(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._wait_for(host, incarnation, notify))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def kill(self, host: str, incarnation: int) -> None:
        import ray

        handle = self._handles.pop((host, incarnation), None)
        launch = self._launches.pop((host, incarnation), None)
        if handle is None and launch is not None:
            launch.cancel()  # it still waits for a node
        pid = self._pids.pop((host, incarnation), 0)
        self._placement.had_to_be_killed(host, incarnation)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if handle is not None:
            ray.kill(handle)

    def resident_bytes(self, host: str, incarnation: int) -> int:
        return resident_bytes(self._pids.get((host, incarnation), 0))

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        import ray

        key = (spec.name, spec.incarnation)
        reason = "stopped"
        try:
            node = await self._placement.find(spec, notify)
            handle = self._handles[key] = await self._create(spec.name, node)
            async with self._certified(handle, spec.name):
                ended = handle.run.remote(msgspec.msgpack.encode(spec), self._namespace)
                await self._ask_pid(key, handle)
                await ended
        except ray.exceptions.RayActorError as error:
            reason = f"its process died: {str(error).splitlines()[0]}"
        except (ray.exceptions.RayError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1]
        self._pids.pop(key, None)
        self._launches.pop(key, None)
        self._placement.has_ended(*key)
        handle = self._handles.pop(key, None)
        if handle is not None:
            ray.kill(handle)
        notify(HostEnded(spec.name, spec.incarnation, reason))

    @contextlib.asynccontextmanager
    async def _certified(self, handle: Any, name: str) -> AsyncIterator[None]:
        """While it is entered the host has a certificate, if it needs one."""
        if self._authority is None:
            yield
            return
        from runtime.transport.tls.enrolment import Enrolment

        enrolment = Enrolment(self._authority, name, handle.enrol.remote, handle.install.remote)
        await enrolment.certify()
        with enrolment.renewing():
            yield

    async def _ask_pid(self, key: tuple[str, int], handle: Any) -> None:
        """Only of this machine's processes: elsewhere the number is another process's."""
        pid, node = await handle.pid.remote()
        self._placement.is_at(*key, node)
        if node == _here()[1]:
            self._pids[key] = pid

    async def _create(self, name: str, node: str) -> Any:
        """A new host; whoever still bears its name belongs to a life that is over, and is killed."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        where = {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)} if node else {}
        for _ in range(NAME_TRIES):
            try:
                return (
                    ray.remote(RayHost)
                    .options(
                        name=name,
                        namespace=self._namespace,
                        lifetime="detached",
                        num_cpus=0,
                        max_restarts=0,
                        max_task_retries=0,
                        **where,
                    )
                    .remote()
                )
            except ValueError:
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(name, namespace=self._namespace))
                await asyncio.sleep(NAME_PAUSE_S)
        raise ValueError(f"the name {name} stays taken")

    async def _wait_for(self, host: str, incarnation: int, notify: Callable[[HostEnded], None]) -> None:
        import ray

        reason = "stopped"
        try:
            handle: Any = ray.get_actor(host, namespace=self._namespace)
            self._handles[host, incarnation] = handle
            over = handle.over.remote()
            await self._ask_pid((host, incarnation), handle)
            async with self._certified(handle, host):
                await over
        except (ray.exceptions.RayError, ValueError) as error:
            reason = str(error).splitlines()[0]
        notify(HostEnded(host, incarnation, reason))
