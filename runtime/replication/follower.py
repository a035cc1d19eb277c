"""The follower: keeps a copy of a journal on another machine, byte for byte, and acknowledges what it has.

Guarantees
- What is acknowledged is in the copy's files, checked record by record against the hash chain.
- Of two owners only the newer one is listened to, whenever the older one wakes up.
- Nothing that was ever acknowledged is cut: a copy that is of no use is put aside, not deleted.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.actor import Context, Report, Started
from runtime.address import Address
from runtime.clock import NS_PER_MS
from runtime.errors import Corrupt, Unavailable
from runtime.message import Message
from runtime.replication.copying import Bytes, Copy, holds, position_of, set_aside, written
from runtime.replication.memory import OF_COPY, Memory, recall, remember
from runtime.replication.messages import (
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
from runtime.replication.succession import InUse, adopt

RETRY_NS = 100 * NS_PER_MS
WINDOW = 4
"""So many chunks are on their way to a new owner at once."""


class _Again(msgspec.Struct, frozen=True):
    """Timer: can it be opened now?"""


class JournalFollower:
    def __init__(self, folder: Path, run: str, journal_folder: Path) -> None:
        """`journal_folder` is where an owner on this machine would keep, or has kept, the journal."""
        self._folder = folder
        self._journal_folder = journal_folder
        self._run = run
        self._file = folder / OF_COPY
        self._memory = Memory()
        self._copy: Copy | None = None
        self._owner: Address | None = None
        self._number = 0
        self._failed = False
        """In this attempt: what follows does not continue the copy."""
        self._until = 0
        self._sending: Bytes | None = None
        self._chunk: tuple[int, int, bytes] | None = None
        self._records = 0
        self._problem = ""

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case JournalBytes():
                if self._is_present(message.life, message.number) and not self._failed:
                    self._take(message, ctx)
            case Started():
                self._start(ctx)
            case AttachCopy():
                self._attach(message, ctx)
            case _Again():
                self._open(ctx)
            case FollowFrom() | StartCopyAnew() | SendCopy() | CopyTaken():
                if self._is_present(message.life, message.number):
                    self._serve(message, ctx)
            case _:
                pass

    def report(self) -> Report:
        return Report(
            {"records": self._records},
            {
                "copy": str(self._folder),
                "sequence": 0 if self._copy is None else self._copy.sequence,
                "current": self._memory.current,
                "problem": self._problem,
            },
        )

    def _start(self, ctx: Context) -> None:
        memory = recall(self._file)
        if not memory.continues(self._run, ctx.incarnation):
            self._memory = Memory(self._run, ctx.incarnation, followed=True)
        elif memory.run == self._run:
            self._memory = replace(memory, life=ctx.incarnation)
        else:
            self._memory = Memory(self._run, ctx.incarnation)
        remember(self._file, self._memory)
        self._open(ctx)

    def _open(self, ctx: Context) -> None:
        """As soon as nothing that is left of an earlier run, whose machine was lost, has the journal here open."""
        try:
            if not self._memory.followed:
                self._adopt(ctx)
        except InUse as error:
            self._problem = f"what is left of an earlier run has to end first: {error}"
            ctx.after(RETRY_NS, _Again())
            return
        self._problem = ""
        self._copy = Copy.open_at(self._folder)
        if self._copy.cut is not None:
            ctx.log.warning("journal_tail_cut", actor=ctx.name, cut=str(self._copy.cut))

    def _adopt(self, ctx: Context) -> None:
        """An earlier run may have had the owner here: the newest journal is not to be overlooked."""
        try:
            adopted = adopt(self._journal_folder, self._folder, self._run)
        except Corrupt as error:
            ctx.log.warning("journal_not_adopted", reason=str(error))
            return
        if adopted:
            ctx.log.warning("journal_adopted", records=adopted, source=str(self._journal_folder))

    def let_go(self) -> None:
        if self._sending is not None:
            self._sending.close()
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def _is_present(self, life: int, number: int) -> bool:
        return self._copy is not None and (life, number) == (self._memory.owner, self._number)

    def _attach(self, message: AttachCopy, ctx: Context) -> None:
        if self._copy is None:
            return  # it asks again
        if message.life < self._memory.owner or message.run != self._run:
            ctx.log.warning("owner_refused", life=message.life, newest=self._memory.owner)
            ctx.tell(message.owner, LifeRefused(message.number, self._memory.owner))
            return
        if message.life > self._memory.owner:
            self._memory = replace(self._memory, owner=message.life)
            remember(self._file, self._memory)
        self._owner, self._number = message.owner, message.number
        self._begin_attempt(self._copy, ctx)

    def _begin_attempt(self, copy: Copy, ctx: Context) -> None:
        copy.forget_partial()
        self._failed = False
        if self._sending is not None:
            self._sending.close()
            self._sending = None
        self._answer(CopyStands(self._number, written(copy.position), self._standing()), ctx)

    def _standing(self) -> Standing:
        if self._memory.current:
            return Standing.CURRENT
        return Standing.UNKNOWN if self._memory.followed else Standing.FIRST

    def _serve(self, message: Any, ctx: Context) -> None:
        assert self._copy is not None
        match message:
            case FollowFrom(until=until):
                self._until = until
                self._memory = replace(self._memory, followed=True)
                remember(self._file, self._memory)
                self._caught_up(self._copy)
            case StartCopyAnew():
                self._copy.close()
                aside = set_aside(self._folder, ctx.now())
                ctx.log.warning("copy_put_aside", folder=str(aside))
                self._memory = replace(self._memory, followed=True, current=False)
                remember(self._file, self._memory)
                self._copy = Copy.open_at(self._folder)
                self._begin_attempt(self._copy, ctx)
            case SendCopy(position=text):
                position = position_of(text)
                if position is not None and not holds(self._folder, position):
                    self._answer(NotInCopy(self._number), ctx)
                    return
                self._sending = Bytes(self._copy, position)
                self._chunk = self._sending.next()
                for _ in range(WINDOW):
                    self._send(ctx)
            case CopyTaken():
                self._send(ctx)
            case _:
                pass

    def _send(self, ctx: Context) -> None:
        """The next chunk to a new owner; the last one says so."""
        if self._sending is None:
            return
        following = self._sending.next() if self._chunk is not None else None
        segment, offset, data = self._chunk or (0, 0, b"")
        self._answer(CopyBytes(self._number, segment, offset, data, following is None), ctx)
        self._chunk = following
        if following is None:
            self._sending.close()
            self._sending = None

    def _take(self, message: JournalBytes, ctx: Context) -> None:
        copy = self._copy
        assert copy is not None
        before = copy.sequence
        try:
            copy.put(message.segment, message.offset, message.data)
            if not self._memory.current:
                self._caught_up(copy)
        except (Corrupt, Unavailable) as error:
            copy.forget_partial()
            self._failed = True
            if str(error) != self._problem:
                ctx.log.error("copy_not_written", reason=str(error))
            self._problem = str(error)
            self._answer(CopyFailed(self._number, self._problem), ctx)
            return
        self._problem = ""
        self._records += copy.sequence - before
        self._answer(Copied(self._number, copy.sequence), ctx)

    def _caught_up(self, copy: Copy) -> None:
        if not self._memory.current and copy.sequence >= self._until:
            self._memory = replace(self._memory, current=True)
            remember(self._file, self._memory)

    def _answer(self, message: Message, ctx: Context) -> None:
        if self._owner is not None:
            ctx.tell(self._owner, message)
