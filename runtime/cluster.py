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
from typing import Any, NamedTuple

import msgspec

from runtime.clock import WallClock
from runtime.errors import ConfigError, Unavailable
from runtime.host.life import live
from runtime.links import NetworkIo
from runtime.pidfd import gone
from runtime.slim_ray import slim
from runtime.spares import Spares, Warmth, get_warm
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
NAME_TRIES = 100
NAME_PAUSE_S = 0.01
SPARE = "spare-"
"""What the names of spares begin with."""
SPARE_ANSWER_S = 1.0
"""A spare that has not answered so long after it was chosen is frozen, and killed."""
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
            with contextlib.nullcontext() if dashboard else slim():
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
    """A Ray that runs already; its token is found where RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN says."""

    def __init__(self, address: str, namespace: str) -> None:
        import ray

        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        _read_environment()
        self.address = address
        self.environment = {"RAY_ADDRESS": address, "RAY_AUTH_MODE": os.environ["RAY_AUTH_MODE"]}
        try:
            ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(f"cluster.address: {address} cannot be joined: {error}") from error
        self.launcher: Launcher = RayLauncher(namespace)
        self._namespace = namespace

    def close(self) -> None:
        """A spare that was being made while the run ended has nobody left who would end it."""
        import ray

        for actor in ray.util.list_named_actors(all_namespaces=True):
            if actor["namespace"] == self._namespace and actor["name"].startswith(SPARE):
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(actor["name"], namespace=self._namespace))
        ray.shutdown()


class RayHost:
    """A host as a Ray actor: one process with one event loop, which Ray runs on uvloop."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._is_spare = True

    async def run(self, spec: bytes, namespace: str) -> None:
        """Pending for the whole life of the host; returns when it was stopped in order."""
        if not self._is_spare:
            raise RuntimeError("it is a host already")
        self._is_spare = False
        clock = WallClock()
        try:
            await live(
                msgspec.msgpack.decode(spec, type=HostSpec),
                clock=clock,
                network=UnixNetwork(),
                io=NetworkIo(clock),
                launcher=RayLauncher(namespace),
                owns_process=True,
            )
        finally:
            self._over.set()

    async def over(self) -> None:
        """Pending as long as `run`: for a supervisor that did not start this host."""
        await self._over.wait()

    async def whereabouts(self) -> "Whereabouts":
        return Whereabouts(_node(), os.getpid())

    async def get_warm(self, load: str, settings: str) -> None:
        """Import what a host will need."""
        get_warm(Warmth(load, settings))

    async def is_spare(self) -> bool:
        """It is no host yet."""
        return self._is_spare


class Whereabouts(NamedTuple):
    node: str
    """Ray's id of the machine."""
    pid: int


def _node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


class RaySpare(NamedTuple):
    """A Ray actor that waits to become a host. It keeps its name then: Ray cannot rename an actor."""

    name: str
    handle: Any
    pid: int


class RayLauncher:
    """Starts hosts as detached, named Ray actors: they outlive whoever launched them, until the cluster ends."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._handles: dict[tuple[str, int], Any] = {}
        self._pids: dict[tuple[str, int], int] = {}
        self._watches: set[asyncio.Task[None]] = set()
        self._spares = Spares(self._start_spare, _end_spare)
        self._number = 0

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(spec, notify))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._wait_for(host, incarnation, carrier or host, notify))
        self._pids[host, incarnation] = pid
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

    def keep_spares(self, count: int, warmth: Warmth) -> None:
        self._spares.keep(count, warmth)

    def spares(self) -> int:
        return len(self._spares)

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded], None]) -> None:
        import ray

        key = (spec.name, spec.incarnation)
        reason = "stopped"
        try:
            spare = self._spares.take()
            if spare is not None:
                spec = msgspec.structs.replace(spec, carrier=spare.name)
                self._pids[key] = spare.pid
            handle = self._handles[key] = spare.handle if spare is not None else await self._create(spec.name)
            life = handle.run.remote(msgspec.msgpack.encode(spec), self._namespace)
            await self._end_of(life, handle, key, None if spare is None else SPARE_ANSWER_S)
        except ray.exceptions.RayActorError as error:
            reason = f"its process died: {str(error).splitlines()[0]}"
        except (ray.exceptions.RayError, ValueError, _Gone) as error:
            reason = str(error).strip().splitlines()[-1]
        self._pids.pop(key, None)
        handle = self._handles.pop(key, None)
        if handle is not None:
            ray.kill(handle)
        notify(HostEnded(spec.name, spec.incarnation, reason))

    async def _end_of(self, life: Any, handle: Any, key: tuple[str, int], answer_s: float | None = None) -> None:
        """Returns when the call `life` does, raises what ends it; of a process of this machine sooner than Ray.

        A process that does not say within `answer_s` where it is, is killed.
        """
        ended = asyncio.ensure_future(_result(life))
        watches: set[asyncio.Future[None]] = {ended}
        try:
            try:
                async with asyncio.timeout(answer_s):
                    node, pid = await handle.whereabouts.remote()
            except TimeoutError:
                self.kill(*key)
                raise _Gone("its spare process did not answer") from None
            if node == _node():
                self._pids[key] = pid
                watches.add(asyncio.ensure_future(gone(pid)))
            await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                raise _Gone("its process died")
            ended.result()
        finally:
            for watch in watches:
                watch.cancel()

    async def _create(self, name: str) -> Any:
        """A new host; whoever still bears its name belongs to a life that is over, and is killed."""
        import ray

        for _ in range(NAME_TRIES):
            try:
                return self._new(name)
            except ValueError:
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(name, namespace=self._namespace))
                await asyncio.sleep(NAME_PAUSE_S)
        raise ValueError(f"the name {name} stays taken")

    def _new(self, name: str, **placement: Any) -> Any:
        """Raises ValueError if the name is taken."""
        import ray

        return (
            ray.remote(RayHost)
            .options(
                name=name,
                namespace=self._namespace,
                lifetime="detached",
                num_cpus=0,
                max_restarts=0,
                max_task_retries=0,
                **placement,
            )
            .remote()
        )

    async def _start_spare(self, warmth: Warmth) -> RaySpare | None:
        """One that an earlier life of the supervisor has left, or a new one, on this machine."""
        import ray

        here = {"ray.io/node-id": _node()}
        try:
            while True:
                self._number += 1
                name = f"{SPARE}{self._number}"
                try:
                    handle = self._new(name, label_selector=here)
                except ValueError:
                    handle = ray.get_actor(name, namespace=self._namespace)
                    if not await handle.is_spare.remote():
                        continue
                await handle.get_warm.remote(warmth.load, warmth.settings)
                return RaySpare(name, handle, (await handle.whereabouts.remote()).pid)
        except (ray.exceptions.RayError, ValueError):
            return None

    async def _wait_for(self, host: str, incarnation: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        import ray

        reason = "stopped"
        try:
            handle = ray.get_actor(carrier, namespace=self._namespace)
            self._handles[host, incarnation] = handle
            await self._end_of(handle.over.remote(), handle, (host, incarnation))
        except (ray.exceptions.RayError, ValueError, _Gone) as error:
            reason = str(error).splitlines()[0]
        notify(HostEnded(host, incarnation, reason))


class _Gone(Exception):
    """The process is no more, whatever Ray knows by now."""


async def _result(call: Any) -> None:
    await call


def _end_spare(spare: RaySpare) -> None:
    import ray

    ray.kill(spare.handle)
