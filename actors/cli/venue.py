"""`outcry venue`: the fake venue by itself, for unmodified clients of that venue."""

from pathlib import Path
from typing import Annotated

import typer

from actors.configuration.checks import is_free
from actors.configuration.problems import nearest
from runtime.errors import ConfigError

KINDS = ("binance", "binance-usdm")


def venue(
    kind: Annotated[str, typer.Argument(help="Which venue: binance or binance-usdm.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 chooses a free one.")] = 9001,
    tls: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="CERT KEY", help="Serve with TLS.", show_default=False)
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="CAPTURE", help="Play a recording: DIR/PREFIX, e.g. captures/BINANCE.", show_default=False
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Replay so many times faster; 0 is as fast as readers take it.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same market.")] = 1,
) -> None:
    """Run a fake venue: its production paths, its signatures, limits and streams. Ctrl-C ends it."""
    if kind not in KINDS:
        raise ConfigError(f"venue {kind}: is not known; {nearest(kind, KINDS)}")
    if port and not is_free(port):
        raise ConfigError(f"--port {port}: is taken by another program; give another one, or 0 for any free one")
    for file in tls or ():
        if not file.is_file():
            raise ConfigError(f"--tls {file}: there is no such file; give a certificate and its key")
    from actors.simulation.server import run_venue

    certificate = (str(tls[0]), str(tls[1])) if tls else None
    run_venue(kind, port, certificate, None if replay is None else str(replay), speed, seed)
