"""`outcry run`: a configuration is started, shown while it runs, stopped in order and summed up."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvloop
from rich.console import Console

from actors.configuration import load
from actors.settings import Configuration
from actors.status import Status, summarise
from actors.view.live import LiveView
from actors.view.plain import PlainView
from actors.view.summary import summary_table
from runtime.errors import ConfigError


def run(
    config: Annotated[Path, typer.Argument(help="A YAML configuration, e.g. configs/demo.yaml.", show_default=False)],
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop by itself after so long.", show_default=False)
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the summary to this file.", show_default=False)] = None,
    capture: Annotated[
        Path | None, typer.Option(help="Folder of the recordings to replay.", show_default=False)
    ] = None,
    speed: Annotated[float | None, typer.Option(help="Replay so many times faster.", show_default=False)] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Run on the Ray cluster with this head; in a Ray job: auto.", show_default=False
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing while it runs.")] = False,
) -> None:
    """Run a configuration until Ctrl-C, `outcry stop` or the end of --seconds."""
    configuration = load(config, capture=capture, speed=speed, address=address)
    if json is not None:
        _check_writable(json)
    console = Console()
    view = _view(console, configuration.name, seconds, quiet)
    with view:
        status = uvloop.run(_run(configuration, str(config.resolve()), seconds, None if quiet else view.show))
    console.print(summary_table(status))
    if json is not None:
        _write(json, status)


def _check_writable(file: Path) -> None:
    if not file.parent.is_dir():
        raise ConfigError(f"--json {file}: there is no folder {file.parent}; make it first")
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise ConfigError(f"--json {file}: cannot be written; give the name of a file in a folder of yours")


def _view(console: Console, name: str, seconds: float | None, quiet: bool) -> LiveView | PlainView:
    if console.is_terminal and not quiet:
        return LiveView(console, name, seconds)
    return PlainView(console, name, quiet)


async def _run(
    configuration: Configuration, file: str, seconds: float | None, on_status: Callable[[Status], None] | None
) -> Status:
    # Imported here, because it loads Ray: what is wrong with a configuration is said before that.
    from actors import system

    stop = asyncio.Event()
    running = asyncio.ensure_future(
        system.run(configuration, seconds=seconds, on_status=on_status, stop=stop, file=file)
    )

    def end() -> None:
        """The first signal asks for an orderly stop, the second one stops waiting for it."""
        if stop.is_set():
            running.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    try:
        return await running
    except asyncio.CancelledError:
        sys.exit(130)


def _write(file: Path, status: Status) -> None:
    unfinished = file.with_name(f".{file.name}.new")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(summarise(status))) + b"\n")
    unfinished.rename(file)
