"""`python -m runtime.cluster.node [options of `ray start`]`: a node of a cluster with our settings, in the foreground.

It runs Ray's own command line, and adds to it what a head needs that may be lost and come back:

`--storage FOLDER` (by default one below ~/.local/state/outcry) keeps on disk what Ray's control process knows: which
nodes, actors and names there are. `--storage redis://HOST:PORT` keeps it in a Redis, for a head that may come back on
another machine; its password is where `--storage-password env:NAME` or `file:PATH` says, and is on no command line.
`--storage none` keeps it in memory: everything that runs on the cluster ends with the head.

With storage a control process that dies is started again where it was; Ray would end the node and all that is on it.
"""

import argparse
import os
import signal
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runtime.clock import NS_PER_S, WallClock
from runtime.cluster import SETTINGS
from runtime.errors import ConfigError

FORGETFUL = "none"
REDIS = ("redis://", "rediss://")
GCS = "gcs_server"
INTENSITY = 5
"""So often within `PERIOD_NS` the control process is started again; then Ray ends the node."""
PERIOD_NS = 60 * NS_PER_S
START_NS = 150 * NS_PER_S
POLL_S = 0.2
STOPPED = (0, signal.SIGTERM, -signal.SIGTERM, 128 + signal.SIGTERM)
"""How a process ends that was asked to, as by `ray stop`."""


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--storage")
    parser.add_argument("--storage-password")
    given, arguments = parser.parse_known_args()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        if "--head" in arguments:
            _keep(given.storage, _secret(given.storage_password))
        elif given.storage or given.storage_password:
            raise ConfigError("--storage: is for the head alone")
    except ConfigError as error:
        sys.exit(f"outcry: {error}")
    wait_longer()
    sys.argv = ["ray", "start", "--block", *arguments]
    import_module("ray.scripts.scripts").main()


def _keep(storage: str | None, password: str | None) -> None:
    """Let Ray's control process keep what it knows there, and live again when it dies."""
    if storage == FORGETFUL:
        return
    if storage is not None and storage.startswith(REDIS):
        if "@" in storage:
            raise ConfigError(
                "--storage: a password does not belong there; say where it is: --storage-password file:PATH"
            )
        os.environ["RAY_REDIS_ADDRESS"] = storage
    else:
        folder = _folder() if storage is None else Path(storage).expanduser().absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--storage {storage}: the folder cannot be made: {error}") from None
        os.environ.update(RAY_gcs_storage="rocksdb", RAY_gcs_storage_path=str(folder))
    _hide(password)
    _revive()


def _folder() -> Path:
    """One for each version of Ray, which need not understand what another has written."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state, "outcry", f"head-{version('ray')}").expanduser()


def _secret(reference: str | None) -> str | None:
    kind, _, where = (reference or "").partition(":")
    try:
        match kind:
            case "":
                return None
            case "env" if where:
                return os.environ.pop(where)
            case "file" if where:
                return Path(where).expanduser().read_text().strip()
    except KeyError:
        raise ConfigError(f"--storage-password: the environment has no {where}") from None
    except OSError as error:
        raise ConfigError(f"--storage-password: {error}") from None
    raise ConfigError("--storage-password: must say where to find it: env:NAME or file:PATH")


def _hide(password: str | None) -> None:
    """Ray would write it on the command lines of its control process and of every worker, for all to see."""
    if password is None:
        return
    node, services = _internals()
    start, check = services.start_ray_process, node.Node.check_persisted_session_name

    def start_ray_process(command: list[str], process_type: str, *more: Any, **named: Any) -> Any:
        if process_type == GCS:
            command = [*command, "--fromenv=redis_password"]
            named["env_updates"] = {**(named.get("env_updates") or {}), "FLAGS_redis_password": password}
        return start(command, process_type, *more, **named)

    def check_persisted_session_name(self: Any) -> Any:
        parameters = self._ray_params
        default, parameters.redis_password = parameters.redis_password, password
        try:
            return check(self)
        finally:
            parameters.redis_password = default

    services.start_ray_process = start_ray_process
    node.Node.check_persisted_session_name = check_persisted_session_name


def wait_longer() -> None:
    """Ray gives a new node half a minute to be known to the head; a busy machine needs more."""
    _, services = _internals()
    get_node = services.get_node
    clock = WallClock()
    until = clock.now() + START_NS

    def get_node_in_time(gcs_address: str, node_id: str) -> Any:
        while True:
            try:
                return get_node(gcs_address, node_id)
            except RuntimeError:
                if clock.now() > until:
                    raise
                time.sleep(POLL_S)

    services.get_node = get_node_in_time


def _internals() -> tuple[Any, Any]:
    return import_module("ray._private.node"), import_module("ray._private.services")


def _revive() -> None:
    """`ray start --block` asks once a second which of its processes have died; the control process lives again."""
    node, _ = _internals()
    dead_processes = node.Node.dead_processes
    revived: list[int] = []
    clock = WallClock()

    def still_dead(self: Any) -> list[tuple[str, Any]]:
        dead: list[tuple[str, Any]] = dead_processes(self)
        process = dict(dead).get(GCS)
        if process is None or process.returncode in STOPPED:
            return dead
        now = clock.now()
        revived[:] = [then for then in revived if now - then < PERIOD_NS]
        if len(revived) >= INTENSITY:
            return dead
        revived.append(now)
        sys.stderr.write(f"outcry: Ray's control process died ({process.returncode}) and is started again\n")
        del self.all_processes[GCS]
        self._gcs_address = self._gcs_client = None
        self.start_gcs_server()
        return [(kind, other) for kind, other in dead if kind != GCS]

    node.Node.dead_processes = still_dead


if __name__ == "__main__":
    main()
