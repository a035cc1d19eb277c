"""A Ray of its own with empty actors, in a process of its own: what starting and memory are compared with.

`{"actors": N, "slim": "" | "yes", "folder": …}`; ready when every actor has answered. Ends with its standard input.
A slim head is that of `ray start` with everything left out that it has an option for.
"""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from runtime.cluster import SETTINGS
from runtime.cluster.node import wait_longer
from scripts.benchmarks.processes import arguments, report_ready

CLIENT_PORT = "client-port"
RAY = "from runtime.cluster.node import wait_longer; wait_longer(); from ray.scripts.scripts import main; main()"
"""Ray's command; it begins to wait a little longer than Ray would, for a machine that is busy."""


class Empty:
    async def pid(self) -> int:
        return os.getpid()


def main(actors: str, slim: str, folder: str) -> None:
    token = Path(folder, "token")
    token.write_text(secrets.token_hex(32))
    os.environ.update({**SETTINGS, "RAY_AUTH_TOKEN_PATH": str(token)})
    if slim:
        try:
            _serve(_start_slim(folder), int(actors), folder)
        finally:
            _end([*_heads(folder), *_client_servers(folder)])
    else:
        _serve("local", int(actors), folder, _temp_dir=folder, include_dashboard=False)


def _serve(address: str, actors: int, folder: str, **own: Any) -> None:
    import ray

    wait_longer()
    ray.init(address=address, log_to_driver=False, configure_logging=False, **own)
    empty: list[Any] = [ray.remote(num_cpus=0)(Empty).remote() for _ in range(actors)]
    pids = ray.get([actor.pid.remote() for actor in empty])
    heads = [process.pid for process in _heads(folder)]
    report_ready(workers=",".join(map(str, pids)), heads=",".join(map(str, heads)))
    while os.read(0, 1024):
        pass
    if address == "local":
        ray.shutdown()


def _heads(folder: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _belongs_to(process, folder)]


def _client_servers(folder: str) -> list[psutil.Process]:
    """`ray start` starts one in any case, and nothing in its command names the head's folder but its port."""
    mark = f"--port={Path(folder, CLIENT_PORT).read_text()}"
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "ray.util.client.server" in process.cmdline() and mark in process.cmdline():
                found.append(process)
    return found


def _end(heads: list[psutil.Process]) -> None:
    """`ray start` leaves daemons, and some of what they start outlives them for a minute."""
    for head in heads:
        with contextlib.suppress(psutil.Error):
            for process in (*head.children(recursive=True), head):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def _start_slim(folder: str) -> str:
    port, client_port, dashboard_port = (_port() for _ in range(3))
    Path(folder, CLIENT_PORT).write_text(str(client_port))
    subprocess.run(
        [
            *(sys.executable, "-c", RAY, "start", "--head", f"--port={port}"),
            *(f"--ray-client-server-port={client_port}", f"--dashboard-port={dashboard_port}"),
            *("--include-dashboard=false", "--no-monitor", "--include-log-monitor=false", "--disable-usage-stats"),
            *("--node-ip-address=127.0.0.1", "--object-store-memory=100000000", f"--temp-dir={folder}"),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return f"127.0.0.1:{port}"


def _port() -> int:
    """A free one outside the range of Ray's workers."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
        if port > 19_999:
            return port


def _belongs_to(process: psutil.Process, folder: str) -> bool:
    """A daemon of that head."""
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return folder in line and any(
        part in line for part in ("gcs_server", "raylet/raylet", "dashboard.py", "client.server")
    )


if __name__ == "__main__":
    main(**arguments())
