"""A Ray to run on: one of our own on this machine, or one that runs already on many."""

import contextlib
import importlib
import logging
import os
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from runtime import machine
from runtime.cluster.head import node_ended
from runtime.cluster.hosts import RayLauncher, here
from runtime.cluster.slim import slim
from runtime.errors import ConfigError, Unavailable
from runtime.rundir import process_started
from runtime.spec import Home, Launcher

SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "200",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_raylet_liveness_self_check_interval_ms": "1000",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "3600",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Read by Ray when its processes start. Workers otherwise run at nice 15, and a dead node shows after 15 to 65 s."""
JOINING = {"RAY_gcs_server_request_timeout_seconds": "20"}
"""Read by Ray when it is imported: so long it looks for a node on this machine."""
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

        read_environment()
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
        self.home = Home()

    async def ended(self) -> None:
        """Returns when Ray has ended on this machine, and with it all hosts on it."""
        await node_ended()

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
    """A Ray that runs already; its token is found where RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN says.

    The node that this process is on becomes the run's own machine; `folder`, on it, keeps the run's authority.
    """

    def __init__(self, address: str, namespace: str, folder: Path, ports: tuple[int, int]) -> None:
        for name, value in (SETTINGS | JOINING).items():
            os.environ.setdefault(name, value)
        import ray

        from runtime.transport.tls.authority import Authority

        machine.check_reached(address)
        read_environment()
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
        ip, node = here()
        port = machine.free_port(ip, *ports, start=os.getpid())
        if not port:
            raise ConfigError(f"cluster.ports: none of {ports[0]} to {ports[1]} is free on {ip}; give others")
        authority = Authority.create(folder, namespace)
        self.home = Home(node, f"{ip}:{port}", ports, str(folder), os.getpid(), process_started(os.getpid()))
        self.launcher: Launcher = RayLauncher(namespace, authority, self.home)

    async def ended(self) -> None:
        """Returns when Ray has ended on this machine, and with it all hosts on it."""
        await node_ended()

    def close(self) -> None:
        """What is left of the run's hosts ends too: nobody would stop them any more.

        While the head is away they end by themselves (`runtime.cluster.orphan`).
        """
        import ray

        with contextlib.suppress(Unavailable, ray.exceptions.RayError):
            machine.check_reached(self.address)
            self._kill_left()
        ray.shutdown()

    def _kill_left(self) -> None:
        import ray

        for actor in ray.util.list_named_actors(all_namespaces=True):
            if actor["namespace"] == self._namespace:
                with contextlib.suppress(ValueError):
                    ray.kill(ray.get_actor(actor["name"], namespace=self._namespace))
