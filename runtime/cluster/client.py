"""Asking an actor of a run on a Ray cluster, from anywhere: through Ray Client, or as a Ray driver on the cluster.

A question is one call of the host that holds the actor and brings back one answer, so there is no Ray call for each
message. What Ray leaves hanging (a head that is gone) or says in a hundred lines (versions that differ) is said here at
once and in one. Nothing of the cluster depends on this process: it may end at any moment.
"""

import contextlib
import logging
import os
import platform
import re
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import Any, TypeVar

from runtime import machine
from runtime.asking import ConnectionLost, NotDelivered
from runtime.cluster.hosts import ANSWERED, NOT_DELIVERED
from runtime.cluster.spares import SPARE
from runtime.errors import ConfigError, Unavailable

Result = TypeVar("Result")

SCHEME = "ray://"
CLIENT_PORT = 10001
PROBE_S = 3.0
CONNECT_S = 100.0
LOOK_S = 1.0
"""So often it is looked whether the head is still there, while an answer is waited for."""
MARGIN_S = 5.0
THREADS = 16
NAMESPACE = "outcry-client"
ATTEMPTS = 3
TOKEN_VARIABLES = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


class RemoteActor:
    """`actor` of one run. May be used from any thread."""

    def __init__(self, address: str, actor: str, run: str = "") -> None:
        """`address` is "ray://HOST:PORT" or "HOST:PORT". Raises ConfigError or Unavailable."""
        self.address = address
        self._actor = actor
        self._host, self._port = endpoint_of(address)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ray ask")
        self._lost = ""
        self._handle: Any = None
        self._joined = False
        try:
            self._probe()
            self._call(self._join, CONNECT_S)
            self._joined = True
            self.run = self._call(lambda: self._choose(run), CONNECT_S)
        except BaseException:
            self.close()
            raise

    def ask(self, payload: bytes, timeout_s: float) -> bytes:
        """Raises `NotDelivered`, or `Unavailable` when it is not known whether the question got there."""
        kind: str
        content: bytes
        kind, content = self._call(lambda: self._ask(payload, timeout_s), timeout_s + MARGIN_S)
        if kind == ANSWERED:
            return content
        reason = content.decode()
        raise NotDelivered(reason) if kind == NOT_DELIVERED else Unavailable(reason)

    def close(self) -> None:
        """End this connection; a Ray that this process had joined before stays joined."""
        if not self._lost:
            self._lost = "this connection is closed"
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._joined:
            self._joined = False
            _leave(self.address)

    # ---- joining

    def _join(self) -> None:
        join(self.address)

    def _choose(self, run: str) -> str:
        """The namespace of the run."""
        runs = self._runs()
        chosen = sorted(name for name in runs if run in ("", *names_of(name)))
        if len(chosen) == 1:
            self._handle = self._find(runs[chosen[0]], chosen[0])
            return chosen[0]
        known = ", ".join(sorted(runs))
        if not runs:
            raise Unavailable(f"{self.address}: nothing runs on this cluster that could be asked; start it first")
        if not chosen:
            raise ConfigError(f"run={run!r}: no run on {self.address} is called so; there is {known}")
        raise ConfigError(f"several runs are alive on {self.address}; say which: run=… with one of {known}")

    def _runs(self) -> dict[str, str]:
        """Namespace of each run → what Ray calls the process that holds the actor.

        A host bears the names of all that it holds, unless a spare has become it: that one has to be asked.
        """
        import ray

        named = ray.util.list_named_actors(all_namespaces=True)
        found = {one["namespace"]: one["name"] for one in named if self._actor in one["name"].split("+")}
        for one in named:
            name, namespace = one["name"], one["namespace"]
            if namespace not in found and name.startswith(SPARE) and self._holds(name, namespace):
                found[namespace] = name
        return found

    def _holds(self, name: str, run: str) -> bool:
        import ray

        try:
            return self._actor in ray.get(self._find(name, run).actors.remote(), timeout=PROBE_S)
        except (ValueError, ray.exceptions.RayError):  # gone or frozen
            return False

    @staticmethod
    def _find(host: str, run: str) -> Any:
        import ray

        return ray.get_actor(host, namespace=run)

    # ---- asking

    def _ask(self, payload: bytes, timeout_s: float) -> tuple[str, bytes]:
        import ray

        handle = self._handle
        try:
            if handle is None:
                runs = self._runs()
                if self.run not in runs:
                    raise NotDelivered(f"run {self.run} is over, or its {self._actor} is being started again")
                handle = self._handle = self._find(runs[self.run], self.run)
            answer: tuple[str, bytes] = ray.get(
                handle.ask.remote(self._actor, payload, timeout_s), timeout=timeout_s + MARGIN_S
            )
            return answer
        except ray.exceptions.GetTimeoutError:
            raise Unavailable(f"no answer within {timeout_s:g} s") from None
        except ValueError as error:
            raise NotDelivered(f"{self._actor} of {self.run} is not up: {_first_line(error)}") from None
        except ray.exceptions.RayActorError as error:
            self._handle = None
            raise Unavailable(f"{self._actor} ended before it answered: {_first_line(error)}") from None

    def _call(self, function: Any, timeout_s: float) -> Any:
        """Run what may hang in a thread of its own, and look meanwhile whether the head is there."""
        if self._lost:
            raise ConnectionLost(self._lost)
        future: Future[Any] = self._threads.submit(function)
        waited = 0.0
        while True:
            try:
                return future.result(LOOK_S)
            except NotYet:
                waited += LOOK_S
            except (ConnectionError, RuntimeError) as error:
                raise self._lose(_first_line(error)) from None
            try:
                self._probe()
            except Unavailable as error:
                raise self._lose(str(error)) from None
            if waited > timeout_s:
                raise Unavailable(f"{self.address}: no answer within {timeout_s:g} s")

    def _lose(self, reason: str) -> Unavailable:
        """Ray's own connection is of no more use."""
        self._lost = (
            f"{reason.removeprefix(self.address + ': ')}: the connection to {self.address} was lost; connect again"
        )
        return ConnectionLost(self._lost)

    def _probe(self) -> None:
        try:
            socket.create_connection((self._host, self._port), PROBE_S).close()
        except OSError as error:
            what = "Ray Client server" if self.address.startswith(SCHEME) else "Ray head"
            raise Unavailable(
                f"{self.address}: no {what} answers there ({error}); "
                "is the head up, and is this the port that `ray start --head` was given?"
            ) from None


def names_of(namespace: str) -> list[str]:
    """What a run may be called by: "<name>-<pid>-<mark>" or "<name>-<pid>", and shorter as long as that is one run."""
    parts = re.fullmatch(r"((.+?)-\d+)(-[0-9a-f]{8})?", namespace)
    return [namespace] if parts is None else [namespace, parts[1], parts[2]]


def endpoint_of(address: str) -> tuple[str, int]:
    """Raises ConfigError for what is no "ray://HOST:PORT" or "HOST:PORT"."""
    host, separator, port = address.removeprefix(SCHEME).rstrip("/").rpartition(":")
    if not separator and address.startswith(SCHEME):
        host, port = port, str(CLIENT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"{address!r}: must be ray://HOST:PORT (Ray Client) or HOST:PORT (on a machine of the cluster)"
        )
    return host, int(port)


# ---- Ray knows one cluster in a process

_lock = threading.Lock()
_users: dict[str, int] = {}
"""Address → connections of ours, if it was us who joined."""


def join(address: str) -> None:
    """Join the cluster, unless this process has. Raises ConfigError, or Unavailable."""
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    os.environ.setdefault("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "5")
    if any(name in os.environ for name in TOKEN_VARIABLES) or Path("~/.ray/auth_token").expanduser().exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    with _lock:
        if _users.get(address):
            _users[address] += 1
            return
        if any(_users.values()):
            other = next(name for name, count in _users.items() if count)
            raise ConfigError(
                f"{address}: this process has joined {other}; Ray allows one cluster: close that desk first"
            )
        if ray.is_initialized():
            return
        _init(ray, address)
        _users[address] = 1


def _init(ray: Any, address: str) -> None:
    from runtime.cluster import read_environment

    read_environment()
    host, _ = endpoint_of(address)
    where = {} if address.startswith(SCHEME) else {"_node_ip_address": machine.ip_towards(host)}
    logging.getLogger("ray").setLevel(logging.ERROR)
    for attempt in range(ATTEMPTS):
        try:
            ray.init(
                address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
                **where,
            )
            return
        except Exception as error:
            with contextlib.suppress(Exception):
                ray.shutdown()
            explained = _explained(address, error, ray.__version__)
            # The process that the server starts for each client does not always come up at the first try, or in time.
            if isinstance(explained, ConfigError) or attempt + 1 == ATTEMPTS:
                raise explained from None


def _explained(address: str, error: Exception, version: str) -> ConfigError | Unavailable:
    """What Ray says, and what to do about it."""
    text, lower = _first_line(error), str(error).lower()
    if "version" in lower:
        return ConfigError(
            f"{address}: {text}. Ray Client needs the same Ray and the same minor version of Python on both sides; "
            f"here are Ray {version} and Python {platform.python_version()}"
        )
    if "auth" in lower or "token" in lower:
        return ConfigError(
            f"{address}: {text}. Say where the cluster's token is: RAY_AUTH_TOKEN_PATH=… (or RAY_AUTH_TOKEN=…)"
        )
    return Unavailable(f"{address}: cannot be joined: {text}")


def _leave(address: str) -> None:
    import ray

    with _lock:
        if address not in _users:
            return
        _users[address] -= 1
        if not _users[address]:
            del _users[address]
            with contextlib.suppress(Exception):
                ray.shutdown()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
