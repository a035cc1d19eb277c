"""What a host is started with, and who starts hosts. No secret is ever part of it."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from runtime.address import Address, StreamKind
from runtime.spares import Warmth


class ActorSpec(msgspec.Struct, frozen=True, array_like=True):
    name: str
    incarnation: int
    journal: str = ""
    """Folder of the actor's journal; "" for an actor without one."""
    follower: str = ""
    """Name of the actor that keeps a copy of the journal on another machine; "" for none."""
    copy: str = ""
    """Folder of that copy, there."""
    run: str = ""
    """Tells this run from others that had the same folders; needed with a follower only."""


class Home(msgspec.Struct, frozen=True, array_like=True):
    """The machine that a run belongs to; empty for a run on one machine."""

    machine: str = ""
    tcp: str = ""
    """`ip:port` of the supervisor, the same in all its lives."""
    ports: tuple[int, int] = (0, 0)
    """First and last of those that hosts listen on."""
    authority: str = ""
    """Folder of the run's authority, on that machine."""
    owner: int = 0
    """Pid of the process on that machine that the run belongs to, and when it began (`process_started`)."""
    owner_began: int = 0


class HostSpec(msgspec.Struct, frozen=True, array_like=True):
    """All that a process needs to become a host: plain data that goes through Ray, a command line or memory."""

    name: str
    incarnation: int
    endpoint: str
    """Where it listens."""
    supervisor: str
    """Where the supervisor's host listens."""
    actors: list[ActorSpec]
    build: str
    """`module:function`: makes an actor of (name, settings)."""
    messages: str
    """`module:ATTRIBUTE`: the codec of everything that may be told."""
    settings: str
    """JSON, handed to `build`."""
    log_folder: str
    seed: int = 0
    heartbeat_ns: int = 100_000_000
    durability: str = "process"
    measures: str = ""
    """Name of the actor that gets `Measured`; "" for none."""
    kind: StreamKind = StreamKind.UNIX
    home: Home = Home()
    labels: dict[str, str] = {}
    """Of the node that it goes to; none for the run's own machine. Of no meaning on one machine."""
    yields_to: list[str] = []
    """Hosts on whose nodes it may not be: it goes elsewhere, and as long as there is nowhere else it waits."""
    displaces: list[str] = []
    """Those that yield to it: it goes where they are not if it can, and where it goes they end."""
    abroad: bool = False
    """Never on the run's own machine, whatever the labels. Of no meaning on one machine."""
    machine: str = ""
    """Where it runs, and where other machines reach it: known when it listens."""
    tcp: str = ""
    carrier: str = ""
    """What the launcher calls the process that carries this host; "" if that is the name of the host itself."""
    lease_ns: int = 0
    """Actors that watch the supervisor are told that it is down when it has heard nothing from here for so long; 0 for
    never."""
    alone_ns: int = 0
    """When no supervisor could be reached for so long it ends itself, in order; 0 for never."""

    def address(self, actor: str, incarnation: int) -> Address:
        return Address(actor, incarnation, self.kind, self.endpoint, self.name, self.machine, self.tcp)

    def supervisor_address(self, actor: str) -> Address:
        """Of an actor on the supervisor's host, in whichever life it is."""
        return Address(actor, 0, self.kind, self.supervisor, "", self.home.machine, self.home.tcp)


class HostEnded(msgspec.Struct, frozen=True):
    """Its process is gone: nothing that it held can act any more."""

    host: str
    incarnation: int
    reason: str


class HostWaits(msgspec.Struct, frozen=True):
    """It cannot be started now, and will be when it can: told again while that lasts."""

    host: str
    incarnation: int
    reason: str


class Launcher(Protocol):
    """Starts host processes and tells when they end, by calling `notify` on the caller's loop."""

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        """A spare becomes this host if there is one where it belongs; otherwise a new process does."""
        ...

    def adopt(self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]) -> None:
        """Watch a host that another life of the caller launched."""
        ...

    def kill(self, host: str, incarnation: int) -> None:
        """End it at once, without its help; also when it is frozen."""
        ...

    def resident_bytes(self, host: str, incarnation: int) -> int:
        """Main memory that its process holds; 0 where that is not known. Needs no help of the host either."""
        ...

    def keep_spares(self, count: int, warmth: Warmth) -> None:
        """Have so many warm processes ready from now on; returns at once. With 0 those that wait are ended."""
        ...

    def spares(self) -> int:
        """How many are ready."""
        ...
