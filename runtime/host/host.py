"""The host: runs its actors one message at a time on one event loop, and carries out what they ask for.

A turn begins with something from outside (bytes of a stream, frames of a link, a timer) and ends when the mailboxes it
filled are empty or a millisecond has passed. What actors told in a turn leaves at its end with one write per stream,
after what they appended to a journal in it is as durable as configured.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from msgspec.structs import replace

from runtime.actor import (
    Actor,
    ActorDown,
    ActorUp,
    HttpAnswered,
    HttpFailed,
    HttpRequest,
    Logger,
    Started,
    Stopping,
    Undelivered,
)
from runtime.address import Address
from runtime.clock import Clock
from runtime.directory import NO_VERSION, Directory
from runtime.errors import Bug, Unavailable, needs_somebody
from runtime.host.cell import Cell
from runtime.host.feeds import Feeds
from runtime.host.links import HostLink
from runtime.host.measures import Measures
from runtime.host.scheduler import Scheduler
from runtime.host.sessions import Session
from runtime.host.strangers import Strangers
from runtime.host.waiting import WaitingRoom
from runtime.journal.log import Durability, Journal
from runtime.links.contract import Io
from runtime.message import Lane, Message
from runtime.protocol import ANY_INCARNATION, SUPERVISOR, ActorFailed, ActorVitals
from runtime.spec import HostSpec, Launcher
from runtime.transport.network import Listener, Network
from runtime.transport.stream import Stream
from runtime.transport.tell import Peer
from runtime.transport.wire import Codec

AWAY_BEATS = 10
GRACE_S = 2.0
"""So long a message waits for a name that this host has never heard of."""


class Host:
    """Owns the cells of its actors and every stream and link they use. All calls on its own loop."""

    def __init__(
        self,
        spec: HostSpec,
        *,
        codec: Codec,
        clock: Clock,
        network: Network,
        io: Io,
        random: Random,
        log: Logger,
    ) -> None:
        self.spec = spec
        self.codec = codec
        self.clock = clock
        self.network = network
        self.io = io
        self.random = random
        self.log = log
        self.loop = asyncio.get_running_loop()
        self.directory = Directory()
        self.directory.add(spec.supervisor_address(SUPERVISOR))
        self.feeds = Feeds(self)
        self.measures = Measures()
        self.halted: asyncio.Future[None] = self.loop.create_future()
        """Fails when a journal could not be made durable: nothing leaves this host any more."""
        self._scheduler = Scheduler(clock, self.fail, self.end_turn)
        self.accept = self._scheduler.accept
        self.accept_all = self._scheduler.accept_all
        self.queue = self._scheduler.queue
        self._beaten = 0
        """When the last heartbeat was sent; 0 for a host that sends none."""
        self._away_until = 0
        self._supervisor_lost = False
        self.sessions: dict[Stream, Session] = {}
        self._lives: dict[str, int] = {}
        """Host → its first incarnation that is listened to."""
        self.strangers = Strangers(clock, log)
        self._cells: dict[str, Cell] = {}
        self._published: list[Cell] = []
        self._dirty: list[Stream] = []
        self._unsynced: set[Journal] = set()
        self._first_has_left = False
        """The first message of a turn leaves at once; those that follow it share one write at the end."""
        self._waiting = WaitingRoom(self._undelivered)
        self._peers: dict[tuple[str, int, str], Peer] = {}
        self._listener: Listener | None = None

    # -- life

    async def listen(self) -> None:
        self._listener = await self.network.listen(
            self.spec.endpoint, lambda: Stream(self.codec, Session(self), self.dirty), self.strangers.refused
        )
        self.spec = replace(self.spec, machine=self.network.machine, tcp=self.network.tcp)

    def start(self, name: str, incarnation: int, actor: Actor, journal: Journal | None = None) -> None:
        """Begin a life; `Started` is its first message."""
        address = self.spec.address(name, incarnation)
        cell = Cell(address, actor, self, journal, self.log)
        self._cells[name] = cell
        earlier = self.directory.add(address)
        if earlier is not None:
            self._tell_watchers(name, ActorDown(name, earlier.incarnation, "a later life began"))
        self._arrived(address)
        self.accept(cell, Lane.CONTROL, Started())
        self.feeds.renew_all(name)
        self.end_turn()

    def stop(self, name: str) -> Cell | None:
        """End a life in order: what waits on the two upper lanes is handled, then `Stopping`."""
        cell = self._cells.get(name)
        if cell is not None:
            self.accept(cell, Lane.CONTROL, Stopping())
            self.end_turn()
        return cell

    def remove(self, name: str) -> None:
        cell = self._cells.pop(name, None)
        if cell is not None:
            self._scheduler.forget(cell)
            cell.end()

    async def close(self) -> None:
        """End everything: cells, links, streams. What was told before is written."""
        for name in list(self._cells):
            self.remove(name)
        self.end_turn()
        for peer in self._peers.values():
            peer.close("the host stops")
        for stream in list(self.sessions):
            stream.close()
        if self._listener is not None:
            self._listener.close()
        self._scheduler.close()
        await self.io.close()

    def cell(self, name: str) -> Cell | None:
        return self._cells.get(name)

    def cells(self) -> Iterable[Cell]:
        return list(self._cells.values())

    def beat(self, now: int) -> None:
        """A heartbeat leaves."""
        if self._beaten and now - self._beaten > AWAY_BEATS * self.spec.heartbeat_ns:
            self._away_until = now + AWAY_BEATS * self.spec.heartbeat_ns
        self._beaten = now

    def is_away(self, cell: Cell, now: int) -> bool:
        """It was frozen or blocked for so long that its supervisor may have given it up: what others asked of it
        meanwhile waits until the supervisor has had the time to say so, and commands have grown too old."""
        if self._beaten and now - self._beaten > AWAY_BEATS * self.spec.heartbeat_ns:
            self.beat(now)
        return now < self._away_until and cell.name != f"host.{self.spec.name}"

    def vitals(self) -> list[ActorVitals]:
        now = self.clock.now()
        return [
            ActorVitals(
                cell.name,
                cell.address.incarnation,
                len(cell.mailbox),
                cell.mailbox.waiting_ns(now),
                cell.mailbox.handled,
                cell.mailbox.dropped + cell.outlets.dropped,
            )
            for cell in self._cells.values()
        ]

    # -- lives that end badly

    def fail(self, cell: Cell, error: Exception) -> None:
        """This life is over; the host and its other actors go on, the supervisor decides about the next."""
        self.log.error("actor_failed", actor=cell.name, error=repr(error), exc_info=error)
        if self._cells.get(cell.name) is cell:
            self.remove(cell.name)
        reason = f"{type(error).__name__}: {error}"
        failed = ActorFailed(cell.name, cell.address.incarnation, reason, needs_somebody(error))
        self._tell_peer(cell.name, self._supervisor(), failed)

    def _supervisor(self) -> Address:
        address = self.directory.find(SUPERVISOR)
        if address is None:
            raise Bug("a host without a supervisor")
        return address

    # -- what actors ask for

    def tell(self, sender: Cell, to: str | Address, message: Message) -> None:
        name = to if isinstance(to, str) else to.actor
        local = self._cells.get(name)
        if local is not None:
            if isinstance(to, Address) and to.incarnation not in (ANY_INCARNATION, local.address.incarnation):
                self._undelivered(sender.name, name, message, f"incarnation {to.incarnation} is over")
            elif not self.queue(local, message.lane, message):
                self._undelivered(sender.name, name, message, "Overloaded: its mailbox is full")
            return
        address = self.directory.find(name) if isinstance(to, str) else to
        if address is not None:
            self._tell_peer(sender.name, address, message)
        elif self._waiting.hold(sender.name, name, message):
            self.loop.call_later(GRACE_S, self._expire, name)
        else:
            self._undelivered(sender.name, name, message, "no such actor is up")

    def _tell_peer(self, sender: str, address: Address, message: Message) -> None:
        key = (address.actor, address.incarnation, address.endpoint)
        peer = self._peers.get(key)
        if peer is None or peer.down:
            here = self.spec.address(f"host.{self.spec.name}", self.spec.incarnation)
            peer = self._peers[key] = Peer(address, here, self.network, self.codec, self, self._undelivered)
        peer.tell(sender, message)
        if not self._first_has_left and not self._unsynced:
            self._first_has_left = True
            peer.flush()

    def _undelivered(self, sender: str, to: str, message: Message, reason: str) -> None:
        cell = self._cells.get(sender)
        if cell is not None:
            self.queue(cell, Lane.CONTROL, Undelivered(to, message, reason))

    def has_published(self, cell: Cell) -> None:
        """Its outlets hold events of this turn."""
        self._published.append(cell)

    def supervisor_is_lost(self, reason: str) -> None:
        """Tell who watches it: what it has granted holds no longer."""
        self._supervisor_lost = True
        self._tell_watchers(SUPERVISOR, ActorDown(SUPERVISOR, ANY_INCARNATION, reason))
        self.end_turn()

    def supervisor_is_back(self) -> None:
        self._supervisor_lost = False
        self._tell_watchers(SUPERVISOR, ActorUp(self._supervisor()))

    def watch(self, cell: Cell, name: str) -> None:
        cell.watching.add(name)
        address = self.directory.find(name)
        if name == SUPERVISOR and self._supervisor_lost:
            self.queue(cell, Lane.CONTROL, ActorDown(SUPERVISOR, ANY_INCARNATION, "has not heard this host for long"))
        elif address is not None:
            self.queue(cell, Lane.CONTROL, ActorUp(address))

    def replace_directory(self, version: int, addresses: list[Address]) -> None:
        """Take over the supervisor's directory: tell watchers, let streams and subscriptions follow."""
        supervisor = self._supervisor()
        if not any(address.actor == SUPERVISOR for address in addresses):
            addresses = [*addresses, supervisor]
        self._follow(*self.directory.replace(version, addresses))

    def change_directory(self, since: int, version: int, addresses: list[Address], gone: list[str]) -> None:
        """Take over what has changed since a version. If this host has another one it has none from now on, says so
        with its next heartbeat, and is told the whole directory."""
        if since == self.directory.version:
            self._follow(*self.directory.change(version, addresses, gone))
        else:
            self.directory.version = NO_VERSION

    def _follow(self, up: list[Address], down: list[Address]) -> None:
        for address in down:
            for key, peer in list(self._peers.items()):
                if key[:2] == (address.actor, address.incarnation):
                    peer.close("that life is over")
                    del self._peers[key]
            gone = ActorDown(address.actor, address.incarnation, "not in the directory any more")
            self._tell_watchers(address.actor, gone)
        for address in up:
            self._arrived(address)
        for name in {address.actor for address in (*up, *down)}:
            self.feeds.renew_all(name)

    def met(self, address: Address) -> None:
        """Somebody who subscribes here lives and may be told something, whether the supervisor has said so yet or not.

        A life that begins anew in its old host subscribes sooner than the directory with it gets here.
        """
        known = self.directory.find(address.actor)
        if known is not None and known.incarnation >= address.incarnation:
            return
        self.directory.add(address)
        if known is not None:
            self._tell_watchers(address.actor, ActorDown(address.actor, known.incarnation, "a later life began"))
        self._arrived(address)

    def fence(self, lives: dict[str, int]) -> None:
        """Listen no longer to hosts of an earlier life than these, whatever of them is still on its way."""
        self._lives.update(lives)
        for stream, session in list(self.sessions.items()):
            if session.sender is not None and not self.listens_to(session.sender):
                del self.sessions[stream]
                stream.close()

    def listens_to(self, sender: Address) -> bool:
        """`sender` is a host's own actor: its incarnation is that of the host."""
        if sender.incarnation >= self._lives.get(sender.host, 0):
            return True
        self.log.warning("life_fenced", peer=sender.host, life=sender.incarnation)
        return False

    def _arrived(self, address: Address) -> None:
        """An actor is up: tell its watchers, and deliver what has been waiting for it."""
        self._tell_watchers(address.actor, ActorUp(address))
        for sender, message in self._waiting.arrived(address.actor):
            cell = self._cells.get(sender)
            if cell is not None:
                self.tell(cell, address, message)

    def _expire(self, name: str) -> None:
        self._waiting.expire(name)
        self.end_turn()

    def _tell_watchers(self, name: str, event: ActorUp | ActorDown) -> None:
        for cell in self._cells.values():
            if name in cell.watching:
                self.queue(cell, Lane.CONTROL, event)

    def append(self, cell: Cell, record: bytes) -> int:
        if cell.journal is None:
            raise Bug(f"{cell.name} has no journal")
        sequence = cell.journal.append(record)
        if cell.journal.durability is Durability.POWER:
            self._unsynced.add(cell.journal)
        return sequence

    def open_link(self, cell: Cell, link: str, url: str, lane: Lane) -> None:
        earlier = cell.links.pop(link, None)
        if earlier is not None:
            earlier.close()
        opened = cell.links[link] = HostLink(self, cell, link, lane)
        opened.open(url)

    def request(self, cell: Cell, request: HttpRequest) -> None:
        def done(answer: HttpAnswered | HttpFailed) -> None:
            if cell.alive:
                self.accept(cell, Lane.CONTROL, answer)
                self.end_turn()

        self.io.request(request, done)

    # -- the end of a turn

    def dirty(self, stream: Stream) -> None:
        self._dirty.append(stream)

    def end_turn(self) -> None:
        """Make journals durable, then let everything leave. A journal that cannot be synced lets nothing out."""
        if self._scheduler.running or self.halted.done():
            return
        self._first_has_left = False
        if self._unsynced:
            journals, self._unsynced = self._unsynced, set()
            try:
                for journal in journals:
                    journal.commit()
            except Unavailable as error:
                self.halted.set_exception(error)
                return
        if self._published:
            published, self._published = self._published, []
            for cell in published:
                self._flush(cell)
        if self._dirty:
            dirty, self._dirty = self._dirty, []
            for stream in dirty:
                stream.flush()

    def _flush(self, cell: Cell) -> None:
        try:
            cell.outlets.flush()
        except (TypeError, ValueError) as error:
            self.fail(cell, error)


BuildActor = Callable[[str, str, Launcher], Actor]
"""(name, settings as JSON, what the supervisor starts hosts with) → the actor."""


def load(path: str) -> Any:
    """`module:ATTRIBUTE` → the object."""
    from importlib import import_module

    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
