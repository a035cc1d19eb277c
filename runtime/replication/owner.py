"""The owner's side: an actor whose journal has a copy on another machine, around the actor that it is for.

Guarantees
- The actor begins when its journal holds everything that was ever acknowledged, by this machine's own or by the copy's
  word (see `succession`); what it is told before waits, in order.
- It hears `JournalCopied` when the follower has acknowledged what it appended, `JournalCopyChanged` when there is a
  follower or none. What it does about it is its own business: nothing else waits for the follower.
- An owner that finds out that the copy knows more than its own journal, or that there is a later owner, ends.

One way for everything: what is in the file and not yet sent is read from there and sent, whether it was appended just
now or while there was no follower. It is written here first: a record that the disk has refused is nowhere.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from runtime.actor import (
    Actor,
    ActorDown,
    ActorUp,
    Context,
    Finishing,
    Holding,
    Impatient,
    JournalCopied,
    JournalCopyChanged,
    Report,
    Started,
    Undelivered,
)
from runtime.address import Address
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import Unavailable
from runtime.journal.log import Durability, Journal
from runtime.journal.position import Position
from runtime.replication.copying import CHUNK_BYTES, Bytes, Copy, holds, position_of, set_aside, written
from runtime.replication.memory import OF_OWNER, Memory, begin_life, remember
from runtime.replication.messages import (
    FROM_FOLLOWER,
    AttachCopy,
    Copied,
    CopyBytes,
    CopyFailed,
    CopyStands,
    CopyTaken,
    FollowFrom,
    JournalBytes,
    LifeRefused,
    NotInCopy,
    SendCopy,
    Standing,
    StartCopyAnew,
)
from runtime.replication.succession import Decision, InUse, adopt, decide, nobody_knows, own_position, parted

LOOK_NS = 100 * NS_PER_MS
ACK_NS = 500 * NS_PER_MS
"""A follower that has not acknowledged for so long is not counted on until it does."""
RETRY_NS = 500 * NS_PER_MS
FETCH_NS = 5 * NS_PER_S
"""A follower that has sent nothing of what is fetched for so long is asked anew."""
PATIENCE_NS = 3 * NS_PER_S
"""Longer than a follower takes to come back; then a journal that is known to be the one is opened without it. Where
there is none yet it is waited for: the desk's journal may be where it is."""
WINDOW_BYTES = 4 * CHUNK_BYTES
WINDOW = 64
"""What is on its way to the follower is no more than that; what comes meanwhile shares the next message."""
RECENT = 1_000
MOST_HELD = 10_000


class _Look(msgspec.Struct, frozen=True):
    """Timer: has the follower answered?"""


EVENTS = (Started, ActorUp, ActorDown, Undelivered, _Look)


class Owner:
    def __init__(
        self,
        actor: Actor,
        folder: Path,
        copy_folder: Path,
        follower: str,
        run: str,
        address: Address,
        opened: Callable[[Journal], None],
    ) -> None:
        """`address` is this life's own, `opened` gives the journal to the host. `copy_folder` is where a follower on
        this machine would keep its copy."""
        self._actor = actor
        self._folder = folder
        self._copy_folder = copy_folder
        self._follower = follower
        self._run = run
        self._address = address
        self._opened = opened
        self._held: list[Any] = []
        """What came before the journal was open."""
        self._journal: Journal | None = None
        self._own: Position | None = None
        self._is_own_known = False
        self._is_first = False
        """No life of this run has led yet: what is fetched may not contradict what is here."""
        self._fetching: Copy | None = None
        self._has_to_adopt = False
        self._began = 0
        self._number = 0
        self._asked = 0
        """When the follower was last asked for something, or answered."""
        self._is_up = False
        self._sender: Bytes | None = None
        """None while the follower is not attached."""
        self._on_the_way: deque[tuple[int, int]] = deque()
        """When it was sent, and how many bytes."""
        self._bytes_on_the_way = 0
        self._sent = 0
        """Sequence number up to which everything was sent."""
        self._behind_until = 0
        """The follower is attached, and catches up with this record first."""
        self._recent: deque[Position] = deque(maxlen=RECENT)
        self._copied = 0
        self._problem = "no follower has been heard of yet"

    # -- the actor that it is around

    def receive(self, message: Any, ctx: Context) -> Awaitable[None] | None:
        kind = type(message)
        if kind is Copied:
            self._on_copied(message, ctx)
        elif kind in FROM_FOLLOWER:
            if message.number == self._number:
                self._on_answer(message, ctx)
        elif kind in EVENTS and self._is_mine(message):
            self._on_event(message, ctx)
        elif self._journal is None:
            self._hold(message, ctx)
        else:
            pending = self._actor.receive(message, ctx)
            if self._journal.sequence != self._sent:
                self._send(ctx)
            return pending
        return None

    def _hold(self, message: Any, ctx: Context) -> None:
        if isinstance(self._actor, Impatient):
            message = self._actor.before_open(message, ctx)
        if message is None:
            return
        if len(self._held) < MOST_HELD:
            self._held.append(message)
        else:
            ctx.log.error("message_dropped", message=type(message).__name__, reason=self._problem)

    def report(self) -> Report:
        report = self._actor.report() if self._journal is not None else Report()
        copy = {"follower": self._follower, "problem": self._problem, "sequence": self._copied}
        return Report(report.counters, {**report.state, "journal_copy": copy})

    def is_finished(self) -> bool:
        """Everything has been copied, if there is somebody who copies."""
        is_copied = self._sender is None or not self._on_the_way
        return is_copied and (not isinstance(self._actor, Finishing) or self._actor.is_finished())

    def let_go(self) -> None:
        self._forget_what_is_on_the_way()
        if self._fetching is not None:
            self._fetching.close()
            self._fetching = None
        if isinstance(self._actor, Holding):
            self._actor.let_go()

    def _is_mine(self, message: Any) -> bool:
        match message:
            case ActorUp(address):
                return address.actor == self._follower
            case ActorDown(name):
                return name == self._follower
            case Undelivered(to):
                return to == self._follower
            case _:
                return True

    def _on_event(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                self._start(ctx)
            case ActorUp():
                self._is_up = True
                self._attach(ctx)
            case ActorDown(_, _, reason):
                self._is_up = False
                self._asked = 0
                self._lose(f"the follower is down: {reason}", ctx)
            case Undelivered(_, _, reason):
                self._lose(f"the follower cannot be reached: {reason}", ctx)
            case _:
                self._look(ctx)

    # -- attaching

    def _start(self, ctx: Context) -> None:
        self._is_own_known, has_led = begin_life(self._folder / OF_OWNER, self._run, ctx.incarnation)
        self._has_to_adopt = self._is_own_known and not has_led
        self._look(ctx)

    def _begin(self, ctx: Context) -> None:
        """A run that is over may still have the copy open: its hosts take a while to see that its machine is lost."""
        try:
            adopted = adopt(self._copy_folder, self._folder, self._run) if self._has_to_adopt else 0
        except InUse as error:
            self._lose(f"what is left of an earlier run has to end first: {error}", ctx)
            return
        if adopted:
            ctx.log.warning("journal_adopted", records=adopted, source=str(self._copy_folder))
        self._own = own_position(self._folder)
        self._began = ctx.now()
        ctx.watch(self._follower)

    def _attach(self, ctx: Context) -> None:
        self._number += 1
        self._asked = ctx.now()
        self._forget_what_is_on_the_way()
        if self._fetching is not None:
            self._fetching.close()
            self._own, self._fetching = self._fetching.position, None
        ctx.tell(self._follower, AttachCopy(ctx.incarnation, self._number, self._run, self._address))

    def _look(self, ctx: Context) -> None:
        now = ctx.now()
        ctx.after(LOOK_NS, _Look())
        if not self._began:
            self._begin(ctx)
            return
        if self._on_the_way and now - self._on_the_way[0][0] > ACK_NS:
            self._lose("the follower does not answer", ctx)
        if self._is_up and self._sender is None and now - self._asked > (FETCH_NS if self._fetching else RETRY_NS):
            self._attach(ctx)
        is_the_one = self._own is not None and self._is_own_known
        if is_the_one and self._journal is None and self._fetching is None and now - self._began > PATIENCE_NS:
            self._open(ctx)

    def _lose(self, problem: str, ctx: Context) -> None:
        """From now on nothing is acknowledged."""
        self._forget_what_is_on_the_way()
        if problem != self._problem:
            ctx.log.warning("journal_not_copied", reason=problem)
            self._problem = problem
            if self._journal is not None:
                self._actor.receive(JournalCopyChanged(problem), ctx)

    def _forget_what_is_on_the_way(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        self._on_the_way.clear()
        self._bytes_on_the_way = 0

    # -- what the follower answers

    def _on_answer(self, message: Any, ctx: Context) -> None:
        self._asked = ctx.now()
        match message:
            case CopyStands(_, text, standing):
                position = position_of(text)
                if self._journal is None:
                    self._succeed(position, standing, ctx)
                else:
                    self._lead(self._journal, position, standing, ctx)
            case CopyBytes():
                self._on_bytes(message, ctx)
            case NotInCopy():
                self._own_has_parted(ctx)
            case CopyFailed(_, reason):
                self._lose(f"the follower cannot write: {reason}", ctx)
            case LifeRefused(_, life):
                raise Unavailable(f"life {life} owns the journal now")
            case _:
                pass

    def _succeed(self, copy: Position | None, standing: Standing, ctx: Context) -> None:
        own, self._is_first = self._own, standing is Standing.FIRST
        own_holds = copy is None or (own is not None and own.sequence >= copy.sequence and holds(self._folder, copy))
        match decide(self._is_own_known, copy, standing, own_holds):
            case Decision.OPEN:
                if copy is not None and own_holds:
                    self._recent.append(copy)
                self._lead(self._open(ctx), copy, standing, ctx)
            case Decision.FETCH if own is not None and copy is not None and own.sequence >= copy.sequence:
                self._own_has_parted(ctx)
            case Decision.FETCH:
                self._fetch(ctx)
            case Decision.REFUSE:
                raise nobody_knows(self._folder, f"that of {self._follower}")

    def _own_has_parted(self, ctx: Context) -> None:
        """The copy has acknowledged records that are not here, so what is here besides was never acknowledged."""
        if self._fetching is not None:
            self._fetching.close()
            self._fetching = None
        if self._is_first:
            raise parted(self._folder, f"that of {self._follower}")
        aside = set_aside(self._folder, ctx.now())
        ctx.log.error("journal_put_aside", folder=str(aside), reason="the copy holds other records, acknowledged ones")
        self._own = None
        self._fetch(ctx)

    def _fetch(self, ctx: Context) -> None:
        self._fetching = Copy.open_at(self._folder)
        ctx.tell(self._follower, SendCopy(ctx.incarnation, self._number, written(self._own)))

    def _on_bytes(self, message: CopyBytes, ctx: Context) -> None:
        copy = self._fetching
        if copy is None:
            return
        if message.data:
            copy.put(message.segment, message.offset, message.data)
        if not message.last:
            ctx.tell(self._follower, CopyTaken(ctx.incarnation, self._number))
            return
        before = 0 if self._own is None else self._own.sequence
        ctx.log.warning("journal_fetched", records=copy.sequence - before, sequence=copy.sequence)
        copy.close()
        self._own, self._fetching = copy.position, None
        if (position := self._own) is not None:
            self._recent.append(position)
        self._lead(self._open(ctx), position, Standing.CURRENT, ctx)

    # -- leading

    def _open(self, ctx: Context) -> Journal:
        """The actor's life begins."""
        remember(self._folder / OF_OWNER, Memory(self._run, ctx.incarnation, followed=True))
        journal = Journal.open(self._folder, Durability.MACHINE)
        if journal.cut is not None:
            ctx.log.warning("journal_tail_cut", actor=ctx.name, cut=str(journal.cut))
        self._opened(journal)
        self._journal = journal
        self._actor.receive(JournalCopyChanged(self._problem), ctx)
        self._actor.receive(Started(), ctx)
        held, self._held = self._held, []
        for message in held:
            self._actor.receive(message, ctx)
        return journal

    def _lead(self, journal: Journal, copy: Position | None, standing: Standing, ctx: Context) -> None:
        """Send what the copy does not have, if it is the beginning of this journal."""
        is_beginning = (
            copy is None or copy in self._recent or (copy.sequence <= journal.sequence and holds(self._folder, copy))
        )
        if not is_beginning and standing is not Standing.UNKNOWN:
            raise Unavailable("the copy has acknowledged records that this journal does not know")
        if not is_beginning:
            ctx.tell(self._follower, StartCopyAnew(ctx.incarnation, self._number))
            return
        self._behind_until = journal.sequence
        self._sender = Bytes(journal, copy)
        self._sent = 0 if copy is None else copy.sequence
        ctx.tell(self._follower, FollowFrom(ctx.incarnation, self._number, self._behind_until))
        self._send(ctx)
        if copy is not None:
            self._reached(copy.sequence, ctx)

    def _send(self, ctx: Context) -> None:
        """What is in the file and not on its way, as far as the window allows."""
        sender, journal = self._sender, self._journal
        if sender is None or journal is None:
            return
        while self._bytes_on_the_way < WINDOW_BYTES and len(self._on_the_way) < WINDOW:
            chunk = sender.next()
            if chunk is None:
                self._sent = journal.sequence
                if (position := journal.position) is not None:
                    self._recent.append(position)
                return
            ctx.tell(self._follower, JournalBytes(ctx.incarnation, self._number, *chunk))
            self._on_the_way.append((ctx.now(), len(chunk[2])))
            self._bytes_on_the_way += len(chunk[2])

    def _on_copied(self, message: Copied, ctx: Context) -> None:
        if message.number != self._number or not self._on_the_way:
            return
        self._bytes_on_the_way -= self._on_the_way.popleft()[1]
        self._reached(message.sequence, ctx)
        if self._journal is not None and self._journal.sequence != self._sent:
            self._send(ctx)

    def _reached(self, sequence: int, ctx: Context) -> None:
        self._copied = sequence
        if self._problem and sequence >= self._behind_until:
            self._problem = ""
            ctx.log.info("journal_copied", sequence=sequence)
            self._actor.receive(JournalCopyChanged(""), ctx)
        if not self._problem:
            self._actor.receive(JournalCopied(sequence), ctx)
