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
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from runtime.asking import Asker, NotDelivered
from runtime.clock import WallClock
from runtime.errors import ConfigError, Unavailable
from runtime.host.host import Host
from runtime.host.life import live
from runtime.links import NetworkIo
from runtime.spec import HostEnded, HostSpec, Launcher
from runtime.transport.network import UnixNetwork

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
NAME_TRIES = 20
NAME_PAUSE_S = 0.05
OBJECT_STORE_BYTES = 100_000_000
ANSWERED, NOT_DELIVERED, UNAVAILABLE = "answered", "not delivered", "unavailable"
"""What `RayHost.ask` may end with: an error would lose its class on its way through Ray."""


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

        read_environment()
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

    def close(self) -> None:
        import ray

        ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)


def read_environment() -> None:
    """Ray reads its environment when it is imported, which a user's module or a notebook may have done before."""
    raylet: Any = importlib.import_module("ray._raylet")
    raylet.Config.initialize("")
    raylet.AuthenticationTokenLoader.instance().reset_cache()


def _say_nothing() -> None:
    """Keep Ray from printing on this process's terminal: the supervisor reports and logs each end of a worker."""
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


class AttachedCluster:
    """A Ray that runs already; its token is found where RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN says."""

    def __init__(self, address: str, namespace: str) -> None:
        import ray

        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        read_environment()
        self.address = address
        self.environment = {"RAY_ADDRESS": address, "RAY_AUTH_MODE": os.environ["RAY_AUTH_MODE"]}
        try:
            ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(f"cluster.address: {address} cannot be joined: {error}") from error
        self.launcher: Launcher = RayLauncher(namespace)

    def close(self) -> None:
        import ray

        ray.shutdown()


class RayHost:
    """A host as a Ray actor: one process with one event loop, which Ray runs on uvloop."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._begun = asyncio.Event()
        self._asker: Asker

    async def run(self, spec: bytes, namespace: str) -> None:
        """Pending for the whole life of the host; returns when it was stopped in order."""
        clock = WallClock()
        try:
            await live(
                msgspec.msgpack.decode(spec, type=HostSpec),
                clock=clock,
                network=UnixNetwork(),
                io=NetworkIo(clock),
                launcher=RayLauncher(namespace),
                owns_process=True,
                on_begun=self._on_begun,
            )
        finally:
            self._over.set()

    def _on_begun(self, host: Host) -> None:
        self._asker = Asker(host)
        self._begun.set()

    async def ask(self, actor: str, payload: bytes, timeout_s: float) -> tuple[str, bytes]:
        """For who is outside: what an actor of this host answers, or why not; see `runtime.ray_client`."""
        try:
            await asyncio.wait_for(self._begun.wait(), timeout_s)
            return ANSWERED, await self._asker.ask(actor, payload, timeout_s)
        except NotDelivered as error:
            return NOT_DELIVERED, str(error).encode()
        except (TimeoutError, Unavailable) as error:
            return UNAVAILABLE, str(error).encode()

    async def over(self) -> None:
        """Pending as long as `run`: for a supervisor that did not start this host."""
        await self._over.wait()

    async def pid(self) -> int:
        return os.getpid()


class RayLauncher:
    """Starts hosts as detached, named Ray actors: they outlive whoever launched them, until the cluster ends."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._handles: dict[tuple[str, int], Any] = {}
        self._pids: dict[tuple[str, int], int] = {}
        self._watches: set[asyncio.Task[None]] = set()

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(spec, notify))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def adopt(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._wait_for(host, incarnation, pid, notify))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def kill(self, host: str, incarnation: int) -> None:
        import ray

        handle = self._handles.pop((host, incarnation), None)
        pid = self._pids.pop((host, incarnation), 0)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if handle is not None:
            ray.kill(handle)

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        import ray

        key = (spec.name, spec.incarnation)
        reason = "stopped"
        try:
            handle = self._handles[key] = await self._create(spec.name)
            ended = handle.run.remote(msgspec.msgpack.encode(spec), self._namespace)
            self._pids[key] = await handle.pid.remote()
            await ended
        except ray.exceptions.RayActorError as error:
            reason = f"its process died: {str(error).splitlines()[0]}"
        except (ray.exceptions.RayError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1]
        self._pids.pop(key, None)
        handle = self._handles.pop(key, None)
        if handle is not None:
            ray.kill(handle)
        notify(HostEnded(spec.name, spec.incarnation, reason))

    async def _create(self, name: str) -> Any:
        """A new host; whoever still bears its name belongs to a life that is over, and is killed."""
        import ray

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
                    )
                    .remote()
                )
            except ValueError:
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(name, namespace=self._namespace))
                await asyncio.sleep(NAME_PAUSE_S)
        raise ValueError(f"the name {name} stays taken")

    async def _wait_for(self, host: str, incarnation: int, pid: int, notify: Callable[[HostEnded], None]) -> None:
        import ray

        self._pids[host, incarnation] = pid
        reason = "stopped"
        try:
            handle = ray.get_actor(host, namespace=self._namespace)
            self._handles[host, incarnation] = handle
            await handle.over.remote()
        except (ray.exceptions.RayError, ValueError) as error:
            reason = str(error).splitlines()[0]
        notify(HostEnded(host, incarnation, reason))
