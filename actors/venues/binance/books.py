"""The order books of one connection to Binance: each kept in step with its stream, rebuilt after any doubt.

A gap, a crossed book or a lost link makes a book INVALID before anything else is told. It is whole again with the next
`BookSnapshot`. Snapshots are asked for one after the other as the request weight allows, a book that keeps failing ever
more rarely.
"""

from collections import deque
from collections.abc import Callable
from urllib.parse import quote

import msgspec

from actors.messages import BookDelta, BookInvalidated, BookSnapshot
from actors.model.book import OrderBook
from actors.venues.binance.book_sync import BookState, BookSync, Step
from actors.venues.binance.frames import frame_decoder
from actors.venues.binance.payloads import DepthSnapshot, DepthUpdate
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.contract import BadFrame, Output, Resynchronised, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

AHEAD_NS = 60 * NS_PER_S
"""No event's time may be later than that after its reception."""
SNAPSHOTS_AT_ONCE = 4
RETRY_MIN_NS = NS_PER_S // 4
RETRY_MAX_NS = 60 * NS_PER_S
STEADY_NS = 10 * NS_PER_S
"""A book that stayed in step for so long begins with the shortest retry again."""

REQUEST = "depth:"
"""Prefix of the ids of depth requests; the symbol follows."""
PUMP = "snapshots"
RETRY = "snapshot:"
"""Prefix of wake-up tags; the symbol follows."""


class BookRule(msgspec.Struct, frozen=True):
    """Where an interface's snapshots come from and when its books are in step."""

    snapshot_path: str
    """With its query, up to the symbol."""
    snapshot_weight: int
    update: type[DepthUpdate]
    sync: Callable[[], BookSync]


SPOT = BookRule("/api/v3/depth?limit=5000&symbol=", 250, DepthUpdate, BookSync)
"""Weight of a depth request with more than 1000 levels: rest-api.md, "Order book"."""


class SymbolBook:
    """One symbol's book and how it stands with its stream."""

    __slots__ = ("attempts", "book", "link", "polled", "reason", "sync", "synced_at", "ts_recv", "ts_venue")

    def __init__(self, link: str, sync: BookSync) -> None:
        self.link = link
        self.sync = sync
        self.book = OrderBook()
        self.reason = "UNSYNCED: no update received yet"
        self.attempts = 0
        self.synced_at = 0
        self.ts_venue = 0
        self.ts_recv = 0
        self.polled: BookSnapshot | None = None
        """What REST told, while no stream does."""


class Books:
    def __init__(self, venue: str, rest_url: str, limits: RateLimits, rule: BookRule = SPOT) -> None:
        self._venue = venue
        self._rule = rule
        self._url = rest_url + rule.snapshot_path
        self._limits = limits
        self._books: dict[str, SymbolBook] = {}
        self._decode_update = frame_decoder(rule.update)
        self._decode_snapshot = msgspec.json.Decoder(DepthSnapshot).decode
        self._wanted: deque[str] = deque()
        self._asked: set[str] = set()
        self._pump_due = False

    def add(self, symbol: str, link: str) -> None:
        self._books[symbol] = SymbolBook(link, self._rule.sync())

    def remove(self, symbol: str) -> None:
        """What is still on its way for it is ignored."""
        del self._books[symbol]
        if symbol in self._wanted:
            self._wanted.remove(symbol)

    # ---- the stream ----------------------------------------------------------------------------------------------

    def on_update(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        """Raises `msgspec.MsgspecError` or `ValueError` for what is no depth update; the book is then INVALID."""
        entry = self._books[symbol]
        update = self._decode_update(frame).data
        if update.time * NS_PER_MS - ts_recv > AHEAD_NS:
            raise ValueError(f"its time is {update.time}, more than a minute ahead")
        match entry.sync.on_update(update):
            case Step.APPLY:
                delta = BookDelta(
                    self._venue,
                    symbol,
                    entry.book.sequence,
                    update.last_id,
                    update.bids,
                    update.asks,
                    update.time * NS_PER_MS,
                    ts_recv,
                )
                _check_numbers(update)
                entry.book.apply_delta(delta)
                if entry.book.is_crossed:
                    return self._lost(symbol, entry, f"CROSSED: after update {update.last_id}", ts_recv)
                entry.ts_venue = delta.ts_venue
                entry.ts_recv = ts_recv
                return [delta]
            case Step.IGNORE | Step.BUFFER:
                return []
            case Step.REQUEST_SNAPSHOT:
                return self._want(symbol, ts_recv)
            case Step.RESTART:
                reason = f"GAP: update {update.first_id} after {entry.book.sequence}"
                return [*self._invalidate(symbol, entry, reason, ts_recv, gap=True), *self._want(symbol, ts_recv)]

    def invalidate(self, symbol: str, reason: str, now: int) -> list[Output]:
        """What came for it was wrong: it begins anew with the next update."""
        return self._lost(symbol, self._books[symbol], reason, now)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        outputs: list[Output] = []
        for symbol, entry in self._books.items():
            if entry.link == link:
                was_in_step = entry.sync.state is BookState.SYNCED
                entry.sync.invalidate()
                if was_in_step:
                    outputs += self._invalidate(symbol, entry, f"LINK_DOWN: {reason}", now, gap=False)
        return outputs

    def _lost(self, symbol: str, entry: SymbolBook, reason: str, now: int) -> list[Output]:
        entry.sync.invalidate()
        return self._invalidate(symbol, entry, reason, now, gap=True)

    def _invalidate(self, symbol: str, entry: SymbolBook, reason: str, now: int, *, gap: bool) -> list[Output]:
        if now - entry.synced_at > STEADY_NS:
            entry.attempts = 0
        entry.reason = reason
        entry.polled = None
        entry.book.invalidate(reason)
        outputs: list[Output] = [BookInvalidated(self._venue, symbol, reason, now)]
        if gap:
            outputs.append(Resynchronised(symbol, reason))
        return outputs

    # ---- snapshots -----------------------------------------------------------------------------------------------

    def _want(self, symbol: str, now: int) -> list[Output]:
        """Ask for a snapshot: at once the first time, then ever later."""
        entry = self._books[symbol]
        attempts, entry.attempts = entry.attempts, entry.attempts + 1
        if attempts:
            return [WakeUp(min(RETRY_MAX_NS, RETRY_MIN_NS << min(attempts - 1, 16)), RETRY + symbol)]
        return self._ask(symbol, now)

    def _ask(self, symbol: str, now: int) -> list[Output]:
        if symbol not in self._asked and symbol not in self._wanted:
            self._wanted.append(symbol)
        return self._pump(now)

    def _pump(self, now: int) -> list[Output]:
        outputs: list[Output] = []
        while self._wanted and len(self._asked) < SNAPSHOTS_AT_ONCE:
            wait = self._limits.spend(self._rule.snapshot_weight, Priority.BOOK, now)
            if wait:
                if not self._pump_due:
                    self._pump_due = True
                    outputs.append(WakeUp(wait, PUMP))
                break
            symbol = self._wanted.popleft()
            self._asked.add(symbol)
            outputs.append(HttpRequest(REQUEST + symbol, "GET", self._url + quote(symbol)))
        return outputs

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        if tag == PUMP:
            self._pump_due = False
            return self._pump(now)
        symbol = tag.removeprefix(RETRY)
        entry = self._books.get(symbol)
        if entry is None or entry.sync.state is not BookState.BUFFERING:
            return []
        return self._ask(symbol, now)

    def on_snapshot(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        symbol = answer.id.removeprefix(REQUEST)
        entry = self._books.get(symbol)
        self._asked.discard(symbol)
        outputs = self._pump(now)
        if entry is None or entry.sync.state is not BookState.BUFFERING:
            return outputs
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return outputs + self._want(symbol, now)
        try:
            snapshot = self._decode_snapshot(answer.body)
            updates = entry.sync.on_snapshot(snapshot.last_id)
            if updates is None:
                return outputs + self._want(symbol, now)
            return [*outputs, *self._rebuild(symbol, entry, snapshot, updates, answer.ts_recv)]
        except (msgspec.MsgspecError, ValueError) as error:
            entry.sync.invalidate()
            return [*outputs, BadFrame(answer.id, answer.body, str(error), drop_link=False)]

    def _rebuild(
        self, symbol: str, entry: SymbolBook, snapshot: DepthSnapshot, updates: list[DepthUpdate], ts_recv: int
    ) -> list[Output]:
        _check_numbers(snapshot)
        entry.book.apply_snapshot(
            BookSnapshot(self._venue, symbol, snapshot.last_id, snapshot.bids, snapshot.asks, 0, ts_recv)
        )
        for update in updates:
            _check_numbers(update)
            entry.book.apply_delta(
                BookDelta(
                    self._venue, symbol, entry.book.sequence, update.last_id, update.bids, update.asks, 0, ts_recv
                )
            )
        if entry.book.is_crossed:
            return self._lost(symbol, entry, f"CROSSED: after snapshot {snapshot.last_id}", ts_recv)
        entry.reason = ""
        entry.polled = None
        entry.synced_at = ts_recv
        entry.ts_venue = updates[-1].time * NS_PER_MS if updates else 0
        entry.ts_recv = ts_recv
        return [self._snapshot_of(symbol, entry)]

    # ---- polled while no stream tells ----------------------------------------------------------------------------

    def poll(self, symbol: str, snapshot: DepthSnapshot, ts_recv: int) -> list[Output]:
        """The best levels as REST told them. Nothing for a book in step, or for what is older than what is known.

        Raises `ValueError` for what is no book.
        """
        entry = self._books.get(symbol)
        if entry is None or entry.sync.state is BookState.SYNCED:
            return []
        _check_numbers(snapshot)
        known = entry.polled.sequence if entry.polled else -1
        if snapshot.last_id < known:
            return []
        entry.polled = BookSnapshot(
            self._venue, symbol, snapshot.last_id, snapshot.bids, snapshot.asks, 0, ts_recv, degraded=True
        )
        return [entry.polled] if snapshot.last_id > known else []

    def unpoll(self, symbol: str, reason: str, now: int) -> list[Output]:
        """It is polled no longer: INVALID, unless its stream has taken over."""
        entry = self._books.get(symbol)
        return self._invalidate(symbol, entry, reason, now, gap=False) if entry and entry.polled else []

    def polled_at(self, symbol: str) -> int:
        """0 while it is not polled."""
        entry = self._books.get(symbol)
        return entry.polled.ts_recv if entry and entry.polled else 0

    def is_synced(self, symbol: str) -> bool:
        entry = self._books.get(symbol)
        return entry is not None and entry.sync.state is BookState.SYNCED

    # ---- asked from outside --------------------------------------------------------------------------------------

    def current(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        entry = self._books.get(symbol)
        if entry is None:
            return None
        if entry.sync.state is BookState.SYNCED:
            return self._snapshot_of(symbol, entry)
        return entry.polled or BookInvalidated(self._venue, symbol, entry.reason, entry.ts_recv)

    def _snapshot_of(self, symbol: str, entry: SymbolBook) -> BookSnapshot:
        book = entry.book
        return BookSnapshot(
            self._venue, symbol, book.sequence, list(book.bids), list(book.asks), entry.ts_venue, entry.ts_recv
        )

    def states(self) -> dict[str, str]:
        """By symbol: its `BookState`, or DEGRADED while it is polled."""
        return {symbol: "DEGRADED" if entry.polled else entry.sync.state.value for symbol, entry in self._books.items()}

    def digests(self) -> dict[str, dict[str, int | str]]:
        """For each book in step: its sequence and the digest of all its levels."""
        return {
            symbol: {"sequence": entry.book.sequence, "digest": entry.book.digest()}
            for symbol, entry in self._books.items()
            if entry.sync.state is BookState.SYNCED
        }


def _check_numbers(update: DepthUpdate | DepthSnapshot) -> None:
    """That a price is one at all is seen by the book; that it has no sign, here: signs sort before digits."""
    for side in (update.bids, update.asks):
        for price, quantity in side:
            if price < "0" or not quantity.replace(".", "", 1).isdecimal():
                raise ValueError(f"not a level: {price[:40]!r}, {quantity[:40]!r}")
