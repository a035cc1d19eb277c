"""Finding a desk: the run on this machine, a run's folder, or a Ray cluster anywhere."""

import getpass
import os
import re
import socket
import sys
from pathlib import Path

from actors import names
from actors.desk.desk import ANSWER_S, Desk
from actors.desk.frames import Kind, library
from actors.desk.way import LocalWay, Way
from runtime.errors import ConfigError, Unavailable
from runtime.rundir import RunRecord, find_runs


def connect(
    target: str | Path | None = None,
    *,
    run: str = "",
    read_only: bool = False,
    client: str = "",
    frames: Kind = "auto",
    timeout_s: float = ANSWER_S,
) -> Desk:
    """Connect to a running desk.

    `target` is nothing for the run on this machine, as `outcry status` finds it; a run's folder; "ray://HOST:10001",
    from any machine through Ray Client; or "HOST:PORT" of the cluster's head, on a machine of the cluster. `run` says
    which one, if there are several. `client` is a name of your own for the journal, next to your user@host.
    `read_only=True` refuses every command. `frames` is what tables come as: pandas or polars, which the extra
    `notebook` installs, or plain lists of dicts; by default the first of these that is there.

    Raises ConfigError for a target that cannot be right, Unavailable if nobody answers there.
    """
    kind = library(frames)
    way = _way(target, run)
    return Desk(way, _who(), client or _program(), read_only=read_only, library=kind, timeout_s=timeout_s)


def _way(target: str | Path | None, run: str) -> Way:
    if target is None or target == "":
        return LocalWay(_choose(find_runs(), run))
    if isinstance(target, Path) or "/" in target.removeprefix("ray://") or Path(target).is_dir():
        return LocalWay(_of_folder(Path(target).expanduser().absolute()))
    if ":" in target:
        from runtime.cluster.client import RemoteActor

        return RemoteActor(target, names.GATEWAY, run)
    raise ConfigError(f"{target!r}: is neither a run's folder nor the address of a Ray cluster")


def _choose(runs: list[RunRecord], name: str) -> RunRecord:
    chosen = [record for record in runs if name in ("", record.name, Path(record.folder).name)]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(Path(record.folder).name for record in runs)
    if not runs:
        raise Unavailable("nothing is running on this machine; start it with: outcry run CONFIG")
    if not chosen:
        raise ConfigError(f"run={name!r}: no run is called so; there is {known}")
    raise ConfigError(f"several runs are alive; say which: connect(run=…) with one of {known}")


def _of_folder(folder: Path) -> RunRecord:
    for record in find_runs():
        if Path(record.folder) == folder:
            return record
    raise ConfigError(f"{folder}: is not the folder of a living run of yours; `outcry status` finds those")


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _program() -> str:
    name = re.sub(r"[^\w.-]", "", Path(sys.argv[0] if sys.argv else "").name) or "python"
    return f"{name}-{os.getpid()}"
