"""The fake venues of a run: one process for each venue with `simulate`, outside of the desk as the real ones are."""

import asyncio
import contextlib
import re
import signal
import sys

from actors.settings import Configuration, Simulation, VenueSettings
from runtime.errors import Unavailable

LISTENING = re.compile(rb"listening on http://([\d.]+):(\d+)")
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
TRADE_PATHS = {"binance": "/ws-api/v3", "binance-usdm": "/ws-fapi/v1"}


class FakeVenues:
    """Started before the desk and ended after it; each dies with this process."""

    def __init__(self) -> None:
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self, configuration: Configuration, ip: str = "127.0.0.1") -> Configuration:
        """Returns the configuration with the addresses of the fake venues, at `ip`, in place of the real ones."""
        venues = dict(configuration.venues)
        for name, venue in configuration.venues.items():
            if venue.simulate is not None:
                port = await self._start(name, venue, venue.simulate, ip)
                venues[name] = venue.model_copy(
                    update={
                        "rest_url": f"http://{ip}:{port}",
                        "stream_url": f"ws://{ip}:{port}",
                        "trade_url": f"ws://{ip}:{port}{TRADE_PATHS[venue.kind]}",
                    }
                )
        return configuration.model_copy(update={"venues": venues})

    async def close(self) -> None:
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _start(self, name: str, venue: VenueSettings, simulate: Simulation, ip: str) -> int:
        arguments = [
            "--host",
            ip,
            "--port",
            str(simulate.port),
            "--seed",
            str(simulate.seed),
            "--rate",
            str(simulate.rate),
        ]
        if simulate.capture:
            arguments += ["--replay", simulate.capture, "--speed", str(simulate.speed)]
        else:
            arguments += ["--symbols", ",".join(venue.symbols)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "actors.simulation.server",
            venue.kind,
            *arguments,
            "--parent-death",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._processes.append(process)
        if process.stdout is None or process.stderr is None:
            raise Unavailable(f"venues.{name}.simulate: no pipe to the fake venue")
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        found = LISTENING.search(line)
        if found is None:
            said = (line + await process.stderr.read()).decode(errors="replace").strip()
            raise Unavailable(f"venues.{name}.simulate: the fake venue does not start: {said[-500:]}")
        return int(found[2])
