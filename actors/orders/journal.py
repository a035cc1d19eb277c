"""The order manager's side of the journal: intents before the wire, events as soon as the disk lets them."""

from collections import deque
from collections.abc import Iterator

from actors.orders.records import Record, decode, encode
from runtime.actor import Context
from runtime.errors import Unavailable


class OrderJournal:
    """What could not be written is kept, in order and up to a bound, and goes first as soon as writing works again."""

    def __init__(self, bound: int = 10_000) -> None:
        self.lost = 0
        """Records given up because the backlog was full; reconciling with the venue finds their facts again."""
        self._backlog: deque[bytes] = deque()
        self._bound = bound

    def __len__(self) -> int:
        """Records that still wait to be written."""
        return len(self._backlog)

    def replay(self, ctx: Context) -> Iterator[Record]:
        for _, data in ctx.read_journal():
            yield decode(data)

    def intend(self, record: Record, ctx: Context) -> None:
        """Write, or raise `Unavailable` and forget it: then the order must not go."""
        self._catch_up(ctx)
        ctx.append(encode(record))

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

    def _catch_up(self, ctx: Context) -> None:
        while self._backlog:
            ctx.append(self._backlog[0])
            self._backlog.popleft()
