"""The order manager's side of the journal: intents before the wire, events as soon as the disk lets them.

With a copy on another machine (`durability: machine`) what follows from an intent waits until the follower has it, in
order, for as long as it may still be worth something; while there is no follower intents are refused at once. Nothing
else waits: cancels go, and what the venue says counts.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from actors import names
from actors.messages import CheckChange, CheckOrder, CheckOrderList, OperatorRecorded
from actors.orders.records import Record, decode, encode
from actors.venues.refusals import deny
from runtime.actor import Context, JournalCopied, JournalCopyChanged
from runtime.errors import Unavailable

Check = CheckOrder | CheckChange | CheckOrderList


class _Due(msgspec.Struct, frozen=True):
    """Timer: has the first of those that wait been acknowledged?"""


class OrderJournal:
    """What could not be written is kept, in order and up to a bound, and goes first as soon as writing works again."""

    def __init__(self, patience_ns: int = 0, bound: int = 10_000) -> None:
        """Where the journal is copied, what follows from an intent waits so long at most."""
        self.lost = 0
        """Records given up because the backlog was full; reconciling with the venue finds their facts again."""
        self._backlog: deque[bytes] = deque()
        self._bound = bound
        self._patience_ns = patience_ns
        self._is_copied = False
        """A host that has it copied says so at the beginning of a life."""
        self._problem = ""
        self._appended = 0
        self._waiting: deque[tuple[int, int, str, Check | OperatorRecorded]] = deque()
        """Sequence number of the intent, until when it may wait, for whom, and what."""
        self._is_armed = False

    def __len__(self) -> int:
        """Records that still wait to be written."""
        return len(self._backlog)

    def replay(self, ctx: Context) -> Iterator[Record]:
        for _, data in ctx.read_journal():
            yield decode(data)

    def intend(self, record: Record, ctx: Context) -> None:
        """Write, or raise `Unavailable` that says why and forget it: then the order must not go."""
        if self._problem:
            raise Unavailable(f"NOT_DURABLE: no follower has a copy of the journal: {self._problem}")
        try:
            self._catch_up(ctx)
            self._appended = ctx.append(encode(record))
        except Unavailable as error:
            raise Unavailable(f"JOURNAL_UNAVAILABLE: {error}") from error

    def follow_up(self, to: str, message: Check | OperatorRecorded, ctx: Context) -> None:
        """Tell what follows from the intent that was written last, when it is as durable as configured."""
        if not self._is_copied:
            ctx.tell(to, message)
            return
        self._waiting.append((self._appended, ctx.now() + self._patience_ns, to, message))
        self._arm(ctx)

    def note(self, record: Record, ctx: Context) -> None:
        """Write now or later: it has happened, whatever the disk says."""
        self._backlog.append(encode(record))
        try:
            self._catch_up(ctx)
        except Unavailable as error:
            ctx.log.error("journal_unavailable", reason=str(error), waiting=len(self._backlog))
            if len(self._backlog) > self._bound:
                self._backlog.popleft()
                self.lost += 1

    def handlers(self, on_denial: Callable[[Any, Context], None]) -> dict[type, Callable[[Any, Context], object]]:
        """`on_denial` hears what becomes of an order whose intent has waited for too long: it never left."""

        def due(message: _Due, ctx: Context) -> None:
            self._is_armed = False
            now = ctx.now()
            while self._waiting and self._waiting[0][1] <= now:
                _, _, to, follows = self._waiting.popleft()
                self._give_up(to, follows, on_denial, ctx)
            self._arm(ctx)

        return {JournalCopied: self._on_copied, JournalCopyChanged: self._on_copy_changed, _Due: due}

    def _catch_up(self, ctx: Context) -> None:
        while self._backlog:
            ctx.append(self._backlog[0])
            self._backlog.popleft()

    def _on_copied(self, message: JournalCopied, ctx: Context) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= message.sequence:
            _, _, to, follows = waiting.popleft()
            ctx.tell(to, follows)

    def _on_copy_changed(self, message: JournalCopyChanged, ctx: Context) -> None:
        self._is_copied, self._problem = True, message.problem

    def _arm(self, ctx: Context) -> None:
        if self._waiting and not self._is_armed:
            self._is_armed = True
            ctx.after(max(0, self._waiting[0][1] - ctx.now()), _Due())

    def _give_up(
        self, to: str, message: Check | OperatorRecorded, on_denial: Callable[[Any, Context], None], ctx: Context
    ) -> None:
        reason = f"NOT_DURABLE: no follower has a copy of it: {self._problem or 'the follower does not answer'}"
        if isinstance(message, OperatorRecorded):
            ctx.tell(to, msgspec.structs.replace(message, problem=f"{reason}; it is written down and in force here"))
            return
        for denial in deny(message, reason, names.ORDER_MANAGER):
            on_denial(denial, ctx)
