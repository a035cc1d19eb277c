"""Market data by REST while its socket is down: books and trades are polled, and joined to the streams afterwards.

What is polled is flagged `degraded`. Guarantees: a trade is published once, and in the order of its id, however it
came: polling begins after the last one that the stream told, and what the stream tells when it is back waits until a
poll made since has brought everything before it. A polled book that could not be polled again in time is invalidated.
The book of the stream is built anew by its own rule and takes the place of the polled one.

Polls share out a part of the request weight evenly, in the limiter's last lane: a 429 makes them wait, orders never.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import quote as escaped

import msgspec

from actors.messages import Quote, Trade
from actors.venues.binance.books import Books
from actors.venues.binance.frames import head_of
from actors.venues.binance.payloads import AggregateTick, DepthSnapshot, RecentTrade
from actors.venues.binance.streams import BUY, SELL, Handler, check_numbers
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.contract import BadFrame, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

ROUND = "poll-market"
"""Tag of its wake-ups."""
REQUEST = "poll:"
BOOK, TRADES = "poll:book:", "poll:trades:"
"""Prefixes of the ids of its requests; the symbol follows."""
SHARE = 0.4
"""Of the request weight of a minute."""
TRADES_EVERY = 5
"""Rounds: a request for trades weighs several times one for a book."""
PAGE = 1000
MOST_HELD = 10_000
JOIN_NS = 10 * NS_PER_S
"""The longest time that what the stream tells waits for what was polled."""
STALE_ROUNDS = 5


class PollRule(msgspec.Struct, frozen=True):
    """What an interface is asked. `{symbol}` and `{id}` are put into the paths."""

    book_path: str
    book_weight: int
    trades_path: str
    """The oldest first, from an id on."""
    newest_path: str
    """The last one."""
    trades_weight: int
    read_trades: Callable[[bytes], list[RecentTrade] | list[AggregateTick]]


SPOT_POLLS = PollRule(
    "/api/v3/depth?limit=100&symbol={symbol}",
    5,
    f"/api/v3/historicalTrades?limit={PAGE}&symbol={{symbol}}&fromId={{id}}",
    "/api/v3/trades?limit=1&symbol={symbol}",
    25,
    msgspec.json.Decoder(list[RecentTrade]).decode,
)
"""Source: github.com/binance/binance-spot-api-docs, rest-api.md, "Order book", "Old trade lookup"."""


class _Degraded:
    """A link whose symbols are polled."""

    def __init__(self, reason: str, books: list[str], trades: dict[str, str]) -> None:
        self.reason = reason
        self.books = books
        self.trades = trades
        """Symbol → stream."""
        self.rejoins_since: int | None = None
        """When its stream was heard again."""


class _Join:
    """One symbol's trades, polled and told by the stream."""

    def __init__(self, head: bytes, plain: Handler, cursor: int | None) -> None:
        self.head = head
        self.plain = plain
        self.cursor = cursor
        """Id of the last trade that was published; None before the first."""
        self.held: list[tuple[int, list[Output]]] = []
        self.complete_at: int | None = None
        """A poll made since then has brought everything that came before the stream was heard again."""
        self.is_joined = False
        self.asked_at = 0


class MarketFallback:
    def __init__(
        self,
        venue: str,
        rest_url: str,
        limits: RateLimits,
        books: Books,
        handlers: dict[bytes, Handler],
        last_trades: dict[str, int],
        poll_ns: int,
        rule: PollRule = SPOT_POLLS,
    ) -> None:
        """`handlers`, by head of frame, are exchanged for those that hold trades back, and put back afterwards."""
        self._venue = venue
        self._url = rest_url
        self._limits = limits
        self._books = books
        self._handlers = handlers
        self._last_trades = last_trades
        self._poll_ns = poll_ns
        self._rule = rule
        self._links: dict[str, _Degraded] = {}
        self._joins: dict[str, _Join] = {}
        self._queue: deque[tuple[str, str]] = deque()
        """(prefix, symbol) of what is asked next."""
        self._asked: set[tuple[str, str]] = set()
        self._rounds = 0
        self._timer_set = False
        self._quotes: dict[str, tuple[str, str, str, str]] = {}
        self._failure = ""
        """Why the last poll got no answer."""
        self.skips: Callable[[str], bool] = lambda symbol: False
        """Symbols that the venue does not list."""
        self.unjoined = 0
        """Times that trades were published although what came before them could not be polled."""
        self._decode_book = msgspec.json.Decoder(DepthSnapshot).decode

    def reasons(self) -> dict[str, str]:
        """Link → why it is polled, and why even that fails."""
        failure = f"; REST fails too: {self._failure}" if self._failure else ""
        return {name: link.reason + failure for name, link in self._links.items()}

    def forget(self, link: str) -> None:
        """It is not there any more, and none of its symbols is."""
        degraded = self._links.pop(link, None)
        for symbol in degraded.trades if degraded else ():
            self._joins.pop(symbol, None)

    def is_polled(self, link: str) -> bool:
        return link in self._links

    # ---- links ---------------------------------------------------------------------------------------------------

    def begin(self, link: str, reason: str, books: Iterable[str], trades: dict[str, str], now: int) -> list[Output]:
        """Poll what it carried; `trades` are symbol → stream."""
        degraded = self._links.get(link)
        if degraded is None:
            self._links[link] = _Degraded(reason, list(books), trades)
        else:
            degraded.reason, degraded.rejoins_since = reason, None
        for symbol, stream in trades.items():
            self._hold(symbol, stream)
        return self._pump(now)

    def on_link_down(self, link: str) -> None:
        """While it was about to take over again: what it has told meanwhile is polled."""
        degraded = self._links.get(link)
        if degraded is not None:
            degraded.rejoins_since = None
            for symbol, stream in degraded.trades.items():
                self._hold(symbol, stream)

    def on_heard(self, link: str, now: int) -> list[Output]:
        """Its stream is alive again; called again and again, until it has taken over."""
        degraded = self._links.get(link)
        if degraded is None:
            return []
        if degraded.rejoins_since is None:
            degraded.rejoins_since = now
            for symbol in degraded.trades:
                if (join := self._joins.get(symbol)) is not None:
                    join.complete_at = now
                    self._queue.appendleft((TRADES, symbol))
            return self._pump(now)
        is_late = now - degraded.rejoins_since > JOIN_NS
        outputs = self._give_up(degraded) if is_late else []
        waits = any(symbol in self._joins and not self._joins[symbol].is_joined for symbol in degraded.trades)
        if waits or not (is_late or all(self._books.is_synced(symbol) for symbol in degraded.books)):
            return outputs
        del self._links[link]
        for symbol in degraded.books:
            outputs += self._books.unpoll(symbol, "UNSYNCED: no update received yet", now)
            self._quotes.pop(symbol, None)
        return outputs

    def _give_up(self, degraded: _Degraded) -> list[Output]:
        """The stream cannot wait any longer for what was before it."""
        outputs: list[Output] = []
        for symbol in degraded.trades:
            join = self._joins.get(symbol)
            if join is not None and not join.is_joined:
                self.unjoined += 1
                outputs += self._join(symbol, join)
        return outputs

    # ---- asking --------------------------------------------------------------------------------------------------

    def on_wake_up(self, now: int) -> list[Output]:
        self._timer_set = False
        return self._pump(now) if self._links else []

    def _pump(self, now: int) -> list[Output]:
        outputs: list[Output] = []
        if not self._queue:
            if self._timer_set:
                return []
            self._begin_round()
            outputs += self._drop_stale(now)
        while self._queue:
            asks, symbol = self._queue[0]
            if (asks, symbol) in self._asked or self.skips(symbol) or (asks == TRADES and symbol not in self._joins):
                self._queue.popleft()
                continue
            wait = self._limits.spend(
                self._rule.book_weight if asks == BOOK else self._rule.trades_weight, Priority.HISTORY, now
            )
            if wait:
                return outputs + self._set_timer(wait)
            self._queue.popleft()
            outputs.append(self._request(asks, symbol, now))
        return outputs + self._set_timer(self._interval_ns())

    def _begin_round(self) -> None:
        with_trades = self._rounds % TRADES_EVERY == 0
        self._rounds += 1
        for link in self._links.values():
            self._queue.extend((BOOK, symbol) for symbol in link.books if not self._books.is_synced(symbol))
            if with_trades:
                self._queue.extend((TRADES, symbol) for symbol in link.trades)

    def _interval_ns(self) -> int:
        """So long that all rounds of a minute together keep to their share of the weight."""
        books = sum(len(link.books) for link in self._links.values())
        trades = sum(len(link.trades) for link in self._links.values())
        weight = books * self._rule.book_weight + trades * self._rule.trades_weight / TRADES_EVERY
        return max(self._poll_ns, int(weight * 60 * NS_PER_S / (self._limits.weight.limit * SHARE)))

    def _request(self, asks: str, symbol: str, now: int) -> HttpRequest:
        self._asked.add((asks, symbol))
        path = self._rule.book_path
        if asks == TRADES:
            join = self._joins[symbol]
            join.asked_at = now
            path = self._rule.newest_path if join.cursor is None else self._rule.trades_path
            path = path.replace("{id}", str((join.cursor or 0) + 1))
        return HttpRequest(asks + symbol, "GET", self._url + path.replace("{symbol}", escaped(symbol)))

    def _set_timer(self, delay_ns: int) -> list[Output]:
        if self._timer_set or not self._links:
            return []
        self._timer_set = True
        return [WakeUp(delay_ns, ROUND)]

    def _drop_stale(self, now: int) -> list[Output]:
        """A polled book is the market of a moment ago, or none."""
        oldest = now - STALE_ROUNDS * self._interval_ns()
        outputs: list[Output] = []
        for link in self._links.values():
            for symbol in link.books:
                if 0 < self._books.polled_at(symbol) < oldest:
                    outputs += self._books.unpoll(symbol, "DEGRADED: not polled in time", now)
        return outputs

    # ---- answers -------------------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        asks = BOOK if answer.id.startswith(BOOK) else TRADES
        symbol = answer.id.removeprefix(asks)
        self._asked.discard((asks, symbol))
        self._failure = answer.reason if isinstance(answer, HttpFailed) else ""
        if isinstance(answer, HttpFailed) or answer.status != 200:
            if isinstance(answer, HttpAnswered):
                self._failure = f"status {answer.status}"
            if asks == TRADES and symbol in self._joins and self._joins[symbol].complete_at is not None:
                self._queue.append((asks, symbol))
            return []
        try:
            if asks == BOOK:
                return self._on_book(symbol, self._decode_book(answer.body), answer.ts_recv)
            return self._on_trades(symbol, self._rule.read_trades(answer.body), answer.ts_recv, now)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [BadFrame(answer.id, answer.body, f"{type(error).__name__}: {error}", drop_link=False)]

    def _on_book(self, symbol: str, snapshot: DepthSnapshot, ts_recv: int) -> list[Output]:
        link = next((each for each in self._links.values() if symbol in each.books), None)
        if link is None:
            return []
        outputs = self._books.poll(symbol, snapshot, ts_recv)
        if outputs and link.rejoins_since is None and snapshot.bids and snapshot.asks:
            best = (*snapshot.bids[0], *snapshot.asks[0])
            if self._quotes.get(symbol) != best:
                self._quotes[symbol] = best
                outputs.append(Quote(self._venue, symbol, *best, 0, ts_recv, True))
        return outputs

    def _on_trades(
        self, symbol: str, rows: list[RecentTrade] | list[AggregateTick], ts_recv: int, now: int
    ) -> list[Output]:
        join = self._joins.get(symbol)
        if join is None or join.is_joined:
            return []
        outputs: list[Output] = []
        for row in rows:
            check_numbers(row.price, row.quantity)
            if join.cursor is None or row.id > join.cursor:
                join.cursor = row.id
                side = SELL if row.buyer_is_maker else BUY
                ts_venue = row.time * NS_PER_MS
                told = Trade(self._venue, symbol, str(row.id), row.price, row.quantity, side, ts_venue, ts_recv, True)
                outputs.append(told)
        if len(rows) >= PAGE or (join.complete_at is not None and join.asked_at < join.complete_at):
            self._queue.appendleft((TRADES, symbol))
            return outputs + self._pump(now)
        return outputs if join.complete_at is None else outputs + self._join(symbol, join)

    # ---- the stream's own trades ---------------------------------------------------------------------------------

    def _hold(self, symbol: str, stream: str) -> None:
        join = self._joins.get(symbol)
        if join is None:
            join = _Join(head_of(stream), self._handlers[head_of(stream)], self._last_trades.get(symbol))
            self._joins[symbol] = join
            self._handlers[join.head] = partial(self._on_told, symbol)
        join.held.clear()
        join.complete_at, join.is_joined = None, False

    def _on_told(self, symbol: str, frame: bytes, ts_recv: int) -> list[Output]:
        join = self._joins[symbol]
        events = join.plain(frame, ts_recv)
        id = self._last_trades[symbol]
        if join.cursor is not None and id <= join.cursor:
            return []
        if join.is_joined:
            self._put_back(symbol, join)
            return events
        join.held.append((id, events))
        if len(join.held) <= MOST_HELD:
            return []
        self.unjoined += 1
        return self._join(symbol, join)

    def _join(self, symbol: str, join: _Join) -> list[Output]:
        """From here on the stream tells the trades; what it told meanwhile comes first."""
        join.is_joined = True
        held, join.held = join.held, []
        new = [(id, events) for id, events in held if join.cursor is None or id > join.cursor]
        if new:
            self._put_back(symbol, join)
        return [event for _, events in new for event in events]

    def _put_back(self, symbol: str, join: _Join) -> None:
        self._handlers[join.head] = join.plain
        del self._joins[symbol]
