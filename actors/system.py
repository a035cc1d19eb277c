"""The life of a run: fake venues, Ray, the supervisor and through it everything else; then an orderly stop."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from actors import plan, status
from actors.fake_venues import FakeVenues
from actors.messages import CODEC
from actors.settings import Configuration
from actors.status import Status
from runtime.clock import WallClock
from runtime.errors import Unavailable
from runtime.links import NetworkIo
from runtime.machine import ip_towards
from runtime.outside import Outside
from runtime.protocol import SUPERVISOR, TableTold
from runtime.rundir import RunDirectory
from runtime.spec import Home, HostEnded, HostWaits, Launcher
from runtime.transport.network import UnixNetwork

POLL_S = 0.5
STOP_TIMEOUT_S = 30.0
ENDED = (
    "Ray has ended on this machine, and with it the run: start Ray here again, and then the run, which knows from its "
    "journal (journal.path) what is open at the venues"
)


class Backend(Protocol):
    """What runs the hosts: Ray, or plain processes."""

    launcher: Launcher
    address: str
    environment: dict[str, str]
    home: Home

    async def ended(self) -> None:
        """Returns when what the hosts run on is gone, and all of them with it."""
        ...

    def close(self) -> None: ...


class _Processes:
    """Hosts as plain processes, which end with this one."""

    def __init__(self) -> None:
        from runtime.process import ProcessLauncher

        self.launcher: Launcher = ProcessLauncher(os.getpid())
        self.address = ""
        self.environment: dict[str, str] = {}
        self.home = Home()

    async def ended(self) -> None:
        await asyncio.Event().wait()

    def close(self) -> None: ...


def _open_backend(configuration: Configuration, folder: Path) -> Backend:
    namespace = folder.name
    cluster_settings = configuration.cluster
    if cluster_settings.backend == "processes":
        return _Processes()
    from runtime.cluster import AttachedCluster, LocalCluster

    if cluster_settings.address is not None:
        return AttachedCluster(cluster_settings.address, namespace, folder, cluster_settings.ports)
    return LocalCluster(namespace, dashboard=cluster_settings.dashboard)


def _venue_ip(configuration: Configuration) -> str:
    """Where fake venues listen: hosts of other machines have to reach them too."""
    address = configuration.cluster.address
    return "127.0.0.1" if address is None else ip_towards(address.rpartition(":")[0])


async def run(
    configuration: Configuration,
    *,
    seconds: float | None,
    on_status: Callable[[Status], None] | None,
    stop: asyncio.Event,
    file: str = "",
) -> Status:
    """Start everything, keep it going until `stop`, `outcry stop` or the end of `seconds`; returns the last status.

    `on_status` is called twice a second. Nothing that was started is left when this returns or raises.
    """
    directory = RunDirectory.create(configuration.name)
    venues = FakeVenues()
    backend: Backend | None = None
    try:
        configuration = await venues.start(configuration, _venue_ip(configuration))
        backend = _open_backend(configuration, directory.path)
        desk = Desk(configuration, directory, backend, file)
        return await desk.run(seconds, on_status, stop)
    finally:
        if backend is not None:
            backend.close()
        await venues.close()
        directory.remove()


class Desk:
    """One run. Keeps the supervisor alive; the rest is the supervisor's."""

    def __init__(self, configuration: Configuration, directory: RunDirectory, backend: Backend, file: str) -> None:
        (directory.path / "logs").mkdir()
        self._configuration = configuration
        self._directory = directory
        self._backend = backend
        self._file = file
        self._clock = WallClock()
        self._started = self._clock.now()
        self._settings = plan.RunSettings.of(configuration, directory.path, backend.home, self._started)
        self._lives = 0
        self._stopping = False
        self._supervisor_over = asyncio.Event()

    async def run(
        self, seconds: float | None, on_status: Callable[[Status], None] | None, stop: asyncio.Event
    ) -> Status:
        self._start_supervisor()
        socket = self._directory.path / f"{SUPERVISOR}.sock"
        self._directory.announce(
            socket=socket,
            cluster_address=self._backend.address,
            started=self._started,
            configuration=self._file,
            environment=self._backend.environment,
        )
        port = self._configuration.metrics.port
        with metrics_port(port) as publish:

            def show(table: TableTold) -> None:
                publish(table)
                if on_status is not None:
                    on_status(self._status(table))

            async with outside(socket, self._directory.path / "run.sock") as caller:
                ended = asyncio.ensure_future(self._backend.ended())
                ended.add_done_callback(lambda _: stop.set())
                await self._until_stopped(caller, seconds, show, stop)
                if ended.done():
                    ended.result()
                    raise Unavailable(ENDED)
                ended.cancel()
                table = await self._stop(caller)
            show(table)
        return self._status(table)

    def _start_supervisor(self) -> None:
        self._lives += 1
        spec = plan.supervisor_spec(self._configuration, self._settings, self._lives)
        self._backend.launcher.launch(spec, self._supervisor_ended)

    def _supervisor_ended(self, event: HostEnded | HostWaits) -> None:
        if isinstance(event, HostWaits):
            return
        if self._stopping:
            self._supervisor_over.set()
        else:
            self._start_supervisor()

    async def _until_stopped(
        self, caller: Outside, seconds: float | None, show: Callable[[TableTold], None], stop: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        deadline = None if seconds is None else loop.time() + seconds
        while not stop.is_set() and (deadline is None or loop.time() < deadline):
            try:
                table = await caller.table(POLL_S)
            except Unavailable:
                table = None
            if table is not None:
                if table.stopping:
                    return
                show(table)
            left = POLL_S if deadline is None else min(POLL_S, deadline - loop.time())
            try:
                await asyncio.wait_for(stop.wait(), max(left, 0.0))
            except TimeoutError:
                continue

    async def _stop(self, caller: Outside) -> TableTold:
        """Stop the hosts in their phases, then the supervisor; returns its last table.

        What does not stop in time is ended with the backend.
        """
        table = await caller.stop_hosts("asked by the run", STOP_TIMEOUT_S)
        self._stopping = True
        caller.stop_supervisor()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._supervisor_over.wait(), STOP_TIMEOUT_S)
        return table

    def _status(self, table: TableTold) -> Status:
        return status.of_rows(
            table.rows,
            name=self._configuration.name,
            ts=self._clock.now(),
            started=self._started,
            spares=table.spares,
        )


@contextlib.contextmanager
def metrics_port(port: int | None) -> Iterator[Callable[[TableTold], None]]:
    """While it is entered the table given last is served as metrics; without a port nothing is."""
    if port is None:
        yield lambda table: None
        return
    from actors.metrics import families
    from runtime.telemetry.metrics import MetricsPort

    served = MetricsPort(port)
    try:
        yield lambda table: served.publish(families(table.rows))
    finally:
        served.close()


def outside(supervisor: Path, endpoint: Path) -> Outside:
    """A caller from outside the run: answers come to `endpoint`, which has to lie in the run's own folder."""
    clock = WallClock()
    return Outside(str(supervisor), str(endpoint), codec=CODEC, clock=clock, network=UnixNetwork(), io=NetworkIo(clock))
