"""A fake venue as a process: what is served, where, and until when.

`serve` (from the shell) runs a venue on the current event loop; `run_venue` is a whole process.
"""

import argparse
import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from actors.simulation.binance.venue import DEFAULT_SYMBOLS, FakeBinance
from actors.simulation.binance_usdm.venue import DEFAULT_SYMBOLS as FUTURES_SYMBOLS
from actors.simulation.binance_usdm.venue import KIND as FUTURES
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.capture import Capture
from actors.simulation.shell import Server as Server
from actors.simulation.shell import Venue as Venue
from actors.simulation.shell import serve as serve
from runtime.clock import WallClock
from runtime.errors import ConfigError

KINDS = ("binance", FUTURES)

_PR_SET_PDEATHSIG = 1


def run_venue(
    kind: str,
    port: int,
    tls: tuple[str, str] | None = None,
    replay: str | None = None,
    speed: float = 1.0,
    seed: int = 1,
    ready: Callable[[int], None] | None = None,
    symbols: Sequence[str] | None = None,
    rate: float = 20.0,
    host: str = "127.0.0.1",
    order_limit: int | None = None,
    public_key: str | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Prints one line and calls `ready(port)` once it listens; raises `ConfigError`.

    `symbols` and `order_limit` are the kind's own where they are not given.
    """
    if kind not in KINDS:
        raise ConfigError(f"venue: there is no fake venue {kind!r}; there is {' and '.join(KINDS)}")
    capture = Capture.load(replay) if replay is not None else None
    pem = _text(public_key) if public_key is not None else None

    def make() -> Venue:
        now = WallClock().now()
        if kind == FUTURES:
            chosen, limit = symbols or FUTURES_SYMBOLS, order_limit or 300
            return FakeBinanceUsdm(now, seed, chosen, rate, capture, speed, order_limit=limit)
        chosen, limit = symbols or DEFAULT_SYMBOLS, order_limit or 100
        return FakeBinance(now, seed, chosen, rate, capture, speed, order_limit=limit, public_key=pem)

    async def main() -> None:
        venue = make()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        server = await serve(venue, host, port, tls)
        print(f"{kind} venue listening on {'https' if tls else 'http'}://{host}:{server.port}", flush=True)
        if ready is not None:
            ready(server.port)
        await stop.wait()
        await server.close()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m actors.simulation.server binance --port P …`, for whoever starts a venue as a child process."""
    parser = argparse.ArgumentParser(prog="python -m actors.simulation.server", description="Run a fake venue.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one, which is printed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--replay", metavar="CAPTURE", help="the common beginning of a recording's file names")
    parser.add_argument("--speed", type=float, default=1.0, help="of the replay; 0 is as fast as it is read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--symbols", help="separated by commas; the kind's own by default")
    parser.add_argument("--rate", type=float, default=20.0, help="steps of order flow a second and symbol")
    parser.add_argument("--order-limit", type=int, help="orders per 10 seconds")
    parser.add_argument("--public-key", metavar="PEM", help="file of an account's Ed25519 or RSA key: demo-ed25519")
    parser.add_argument("--parent-death", action="store_true", help="end when the parent process ends (Linux)")
    options = parser.parse_args(arguments)
    if options.parent_death:
        _end_with_parent()
    try:
        run_venue(
            options.kind,
            options.port,
            tls=tuple(options.tls) if options.tls else None,
            replay=options.replay,
            speed=options.speed,
            seed=options.seed,
            symbols=options.symbols.split(",") if options.symbols else None,
            rate=options.rate,
            host=options.host,
            order_limit=options.order_limit,
            public_key=options.public_key,
        )
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError as error:
        raise ConfigError(f"public key: {error}") from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _end_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
