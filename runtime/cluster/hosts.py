"""Hosts as Ray actors: starting them, keeping spares, watching and killing them.

Ray restarts nothing (`max_restarts=0`: it would restart at once, without backoff) and retries nothing (a command sent
twice may be two). No message between actors is a Ray call; the one call a host has is `run`, and it stays pending for
the host's whole life: it ends with an error some 10 ms after the process is killed.
"""

import asyncio
import contextlib
import importlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from runtime import machine
from runtime.asking import Asker, NotDelivered
from runtime.clock import WallClock
from runtime.cluster.head import ask as ask_head
from runtime.cluster.orphan import end_soon, end_unneeded, end_unused, end_with_owner
from runtime.cluster.spares import NodeSpares
from runtime.errors import Unavailable
from runtime.host.host import Host
from runtime.host.life import live
from runtime.links import NetworkIo
from runtime.memory import resident_bytes
from runtime.pidfd import gone
from runtime.placement import Node, OnWait, Placement, on_wait
from runtime.protocol import SUPERVISOR
from runtime.spares import Warmth, get_warm
from runtime.spec import Home, HostEnded, HostSpec, HostWaits
from runtime.transport.network import Network, UnixNetwork

if TYPE_CHECKING:
    from runtime.transport.tls.authority import Authority
    from runtime.transport.tls.identity import Identity

NAME_TRIES = 100
NAME_PAUSE_S = 0.01
MAKE_ROOM_S = 5.0
"""So long a host stays where it may not be, while the one that it has to go for takes up its work."""
EVERYWHERE = frozenset({"CPU", "GPU", "memory", "object_store_memory"})
"""Resources that Ray finds out itself; so it does those with a colon in their names, as `node:10.0.0.1`."""
SPARE_ANSWER_S = 1.0
"""A spare that has not answered so long after it was chosen is frozen, and killed."""
ANSWERED, NOT_DELIVERED, UNAVAILABLE = "answered", "not delivered", "unavailable"
"""What `RayHost.ask` may end with: an error would lose its class on its way through Ray."""


def here() -> tuple[str, str]:
    """Address and id of the node that this process is on."""
    ray: Any = importlib.import_module("ray")
    return ray.util.get_node_ip_address(), ray.get_runtime_context().get_node_id()


def _living_nodes() -> list[Node]:
    ray: Any = importlib.import_module("ray")
    return [
        Node(node["NodeID"], node["NodeManagerAddress"], node.get("Labels") or {}, _own(node.get("Resources") or {}))
        for node in ray.nodes()
        if node["Alive"]
    ]


def _own(resources: Mapping[str, float]) -> frozenset[str]:
    """Those that the node was given when it was started, without what Ray counts on every node."""
    return frozenset(name for name in resources if name not in EVERYWHERE and ":" not in name)


class RayHost:
    """A host as a Ray actor: one process with one event loop, which Ray runs on uvloop."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._begun = asyncio.Event()
        self._is_spare = True
        self._identity: Identity | None = None
        self._actors: list[str] = []
        self._asker: Asker
        self._watch: asyncio.Future[None] | None = None
        self._needed_at = monotonic()
        end_unneeded(lambda: self._needed_at if self._is_spare else inf)

    async def enrol(self) -> tuple[bytes, str]:
        """On a cluster, before `run`: a request for a certificate and this node's address. The key stays here."""
        from runtime.transport.tls.identity import Identity

        self._identity = self._identity or Identity()
        return self._identity.request(), here()[0]

    async def install(self, certificate: bytes, authority: bytes) -> None:
        if self._identity is not None:
            self._identity.install(certificate, authority)

    async def run(self, spec: bytes, namespace: str) -> None:
        """Pending for the whole life of the host; returns when it was stopped in order."""
        if not self._is_spare:
            raise RuntimeError("it is a host already")
        self._is_spare = False
        if self._watch is not None:
            self._watch.cancel()
        clock = WallClock()
        given = msgspec.msgpack.decode(spec, type=HostSpec)
        self._actors = [actor.name for actor in given.actors]
        network = self._network(given)
        try:
            with machine.settled(given, network.machine) as settled:
                await live(
                    settled,
                    clock=clock,
                    network=network,
                    io=NetworkIo(clock),
                    launcher=RayLauncher(namespace, _authority(given), given.home),
                    owns_process=True,
                    on_begun=self._on_begun,
                )
        finally:
            self._over.set()
            end_soon()

    def _on_begun(self, host: Host) -> None:
        if host.spec.name == SUPERVISOR:
            self._watch = asyncio.ensure_future(end_with_owner(host))
        self._asker = Asker(host)
        self._begun.set()

    async def ask(self, actor: str, payload: bytes, timeout_s: float) -> tuple[str, bytes]:
        """For who is outside: what an actor of this host answers, or why not; see `runtime.cluster.client`."""
        try:
            await asyncio.wait_for(self._begun.wait(), timeout_s)
            return ANSWERED, await self._asker.ask(actor, payload, timeout_s)
        except NotDelivered as error:
            return NOT_DELIVERED, str(error).encode()
        except (TimeoutError, Unavailable) as error:
            return UNAVAILABLE, str(error).encode()

    async def actors(self) -> list[str]:
        """Those that it holds, or is to hold; none while it is a spare."""
        return self._actors

    def _network(self, spec: HostSpec) -> Network:
        if self._identity is None:
            return UnixNetwork()
        from runtime.transport.tls.network import ClusterNetwork

        ip, node = here()
        ports = machine.ports(spec.home, supervisor=spec.name == SUPERVISOR)
        return ClusterNetwork(node, ip, ports, self._identity)

    async def over(self) -> None:
        """Pending as long as `run`: for a supervisor that did not start this host."""
        await self._over.wait()

    async def whereabouts(self) -> "Whereabouts":
        return Whereabouts(here()[1], os.getpid())

    async def get_warm(self, load: str, settings: str, home: Home) -> None:
        """Import what a host will need."""
        self._watch = asyncio.ensure_future(end_unused(home))
        get_warm(Warmth(load, settings))

    async def stay(self) -> None:
        """A spare is still needed."""
        self._needed_at = monotonic()

    async def is_spare(self) -> bool:
        """It is no host yet."""
        return self._is_spare


class Whereabouts(NamedTuple):
    node: str
    """Ray's id of the machine."""
    pid: int


def _authority(spec: HostSpec) -> "Authority | None":
    """The supervisor alone signs, with what is in a file of its own machine."""
    if spec.name != SUPERVISOR or not spec.home.authority:
        return None
    from runtime.transport.tls.authority import Authority

    return Authority.open(Path(spec.home.authority))


class RayLauncher:
    """Starts hosts as detached, named Ray actors: they outlive whoever launched them, until the cluster ends.

    With an authority each is given a certificate before it begins, and a new one in time.
    """

    def __init__(self, namespace: str, authority: "Authority | None" = None, home: Home | None = None) -> None:
        self._namespace = namespace
        self._authority = authority
        self._home = home or Home()
        self._placement = Placement(partial(ask_head, _living_nodes))
        self._handles: dict[tuple[str, int], Any] = {}
        self._pids: dict[tuple[str, int], int] = {}
        self._launches: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._watches: set[asyncio.Task[None]] = set()
        self._farewells: dict[tuple[str, int], str] = {}
        """Why those end that were ended here."""
        self._spares = NodeSpares(
            namespace,
            lambda name, node: self._new(name, **_only_on(node)),
            lambda: here()[1],
            self._placement.nodes,
            self._home,
        )

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        self._launches[spec.name, spec.incarnation] = self._watch(self._run(spec, notify))

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        self._watch(self._wait_for(host, incarnation, carrier or host, notify))

    def kill(self, host: str, incarnation: int) -> None:
        self._placement.had_to_be_killed(host, incarnation)
        self._end(host, incarnation)

    def _end(self, host: str, incarnation: int) -> None:
        import ray

        handle = self._handles.pop((host, incarnation), None)
        launch = self._launches.pop((host, incarnation), None)
        if handle is None and launch is not None:
            launch.cancel()  # it still waits for a node
        pid = self._pids.pop((host, incarnation), 0)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if handle is not None:
            ray.kill(handle)

    async def _make_room(self, spec: HostSpec, displaced: list[tuple[str, int]]) -> None:
        """End those that may not be where this host now is, when it has taken up what they did meanwhile."""
        await asyncio.sleep(MAKE_ROOM_S)
        for key in set(displaced) & set(self._placement.displaced(spec)):
            self._farewells[key] = f"made room for {spec.name}"
            self._end(*key)

    def _watch(self, waiting: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(waiting)
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)
        return task

    def resident_bytes(self, host: str, incarnation: int) -> int:
        return resident_bytes(self._pids.get((host, incarnation), 0))

    def keep_spares(self, count: int, warmth: Warmth) -> None:
        self._spares.keep(count, warmth)

    def spares(self) -> int:
        return len(self._spares)

    async def _run(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        import ray

        key = (spec.name, spec.incarnation)
        reason = "stopped"
        try:
            node = await self._placement.find(spec, notify)
            if displaced := self._placement.displaced(spec):
                self._watch(self._make_room(spec, displaced))
            spare = self._spares.take(node)
            if spare is not None:
                spec = msgspec.structs.replace(spec, carrier=spare.name)
                if spare.is_here:
                    self._pids[key] = spare.pid
            handle = spare.handle if spare is not None else await self._create(spec.name, node, on_wait(spec, notify))
            self._handles[key] = handle
            async with self._certified(handle, spec.name):
                life = handle.run.remote(msgspec.msgpack.encode(spec), self._namespace)
                await self._end_of(life, handle, key, None if spare is None else SPARE_ANSWER_S)
        except ray.exceptions.RayActorError as error:
            reason = f"its process died: {str(error).splitlines()[0]}"
        except (ray.exceptions.RayError, ValueError, _Gone) as error:
            reason = str(error).strip().splitlines()[-1]
        self._pids.pop(key, None)
        self._launches.pop(key, None)
        self._placement.has_ended(*key)
        handle = self._handles.pop(key, None)
        if handle is not None:
            with contextlib.suppress(ray.exceptions.RayError):
                ray.kill(handle)
        notify(HostEnded(spec.name, spec.incarnation, self._farewells.pop(key, reason)))

    @contextlib.asynccontextmanager
    async def _certified(self, handle: Any, name: str) -> AsyncIterator[None]:
        """While it is entered the host has a certificate, if it needs one."""
        if self._authority is None:
            yield
            return
        from runtime.transport.tls.enrolment import Enrolment

        enrolment = Enrolment(self._authority, name, handle.enrol.remote, handle.install.remote)
        await enrolment.certify()
        with enrolment.renewing():
            yield

    async def _end_of(self, life: Any, handle: Any, key: tuple[str, int], answer_s: float | None = None) -> None:
        """Returns when the call `life` does, raises what ends it; of a process of this machine sooner than Ray.

        A process that does not say within `answer_s` where it is, is killed.
        """
        ended = asyncio.ensure_future(_result(life))
        watches: set[asyncio.Future[None]] = {ended}
        try:
            try:
                async with asyncio.timeout(answer_s):
                    node, pid = await handle.whereabouts.remote()
            except TimeoutError:
                self.kill(*key)
                raise _Gone("its spare process did not answer") from None
            self._placement.is_at(*key, node)
            if node == here()[1]:  # elsewhere the number is another process's
                self._pids[key] = pid
                watches.add(asyncio.ensure_future(gone(pid)))
            await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                raise _Gone("its process died")
            ended.result()
        finally:
            for watch in watches:
                watch.cancel()

    async def _create(self, name: str, node: str, on_wait: OnWait) -> Any:
        """A new host; whoever still bears its name belongs to a life that is over, and is killed."""
        import ray

        where = _only_on(node) if node else {}
        for _ in range(NAME_TRIES):
            try:
                return await ask_head(partial(self._new, name, **where), on_wait)
            except ValueError:
                with contextlib.suppress(ValueError):
                    ray.kill(await ask_head(partial(self._find, name), on_wait))
                await asyncio.sleep(NAME_PAUSE_S)
        raise ValueError(f"the name {name} stays taken")

    def _new(self, name: str, **where: Any) -> Any:
        """Raises ValueError if the name is taken."""
        import ray

        return (
            ray.remote(RayHost)
            .options(
                name=name,
                namespace=self._namespace,
                lifetime="detached",
                num_cpus=0,
                max_restarts=0,
                max_task_retries=0,
                **where,
            )
            .remote()
        )

    def _find(self, name: str) -> Any:
        """Raises ValueError if nobody bears the name."""
        import ray

        return ray.get_actor(name, namespace=self._namespace)

    async def _wait_for(self, host: str, incarnation: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        import ray

        reason = "stopped"
        try:
            handle: Any = await ask_head(partial(self._find, carrier))
            self._handles[host, incarnation] = handle
            over = handle.over.remote()
            async with self._certified(handle, host):
                await self._end_of(over, handle, (host, incarnation))
        except (ray.exceptions.RayError, ValueError, _Gone) as error:
            reason = str(error).splitlines()[0]
        notify(HostEnded(host, incarnation, reason))


def _only_on(node: str) -> dict[str, Any]:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}


class _Gone(Exception):
    """The process is no more, whatever Ray knows by now."""


async def _result(call: Any) -> None:
    await call
