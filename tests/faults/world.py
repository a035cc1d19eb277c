"""A connector and a strategy in memory, with faults between them and the market, under a virtual clock.

The connector is the real one with the real protocol; the strategy's actor is the real one too. Between them is either
nothing, as on one host, or a small `FeedQueue`, as before a strategy that reads slowly. After everything that reaches
the strategy its book is held against the oracle.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Literal

import msgspec

from actors import names
from actors.connector.actor import Connector
from actors.messages import DeskSnapshot
from actors.settings import VenueSettings
from actors.strategy import InstrumentBook, Strategy, StrategyActor
from actors.venues.binance import BinanceSpot
from actors.venues.binance_usdm import BinanceUsdm
from runtime.actor import (
    ActorDown,
    FramesReceived,
    HttpAnswered,
    HttpFailed,
    HttpRequest,
    LinkDown,
    LinkUp,
    RefreshRequested,
    Started,
    Subscribed,
)
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.message import Message
from runtime.transport.feed_queue import FeedQueue
from tests.faults.contexts import ConnectorContext, StrategyContext
from tests.faults.faults import CALM, REFUSAL_BODY, AnswerFault, Faults, FrameFault, FrameFaults, Rates
from tests.faults.market import ChainedMarket, Market
from tests.venues.binance_spot import listing

NOW = 1_700_000_000_000_000_000
VENUE = "binance"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
STALE_S = 2.0
TICK_NS = 100 * NS_PER_MS
QUIET_TICK_NS = 500 * NS_PER_MS
LINGERING_NS = 5 * NS_PER_S
"""What was held back or delayed has arrived by then."""
HEALING_NS = 400 * NS_PER_S
"""By then every book is whole again: some attempts to get a snapshot, each after twice the time, at most a minute."""
KILL_RATE = 0.003
"""Per tick, of the connector."""
PROBED = b'{"result":true,"id":1}'
LISTING = listing(*SYMBOLS).body.replace(b'"baseAsset"', b'"marginAsset":"USDT","baseAsset"')


class Wrong(AssertionError):
    """A strategy had a valid book that was not the venue's."""


class Link:
    """One connection, from its opening to its end."""

    def __init__(self, faults: Faults) -> None:
        self.up = False
        self.frozen = False
        self.kept: list[bytes] = []
        """Sent while it was frozen."""
        self.faults = FrameFaults(faults)


class Watcher(Strategy):
    """Counts what it is handed; the world looks at the books."""

    def on_start(self) -> None:
        self.valid = self.invalid = 0

    def on_book(self, book: InstrumentBook) -> None:
        if book.is_valid:
            self.valid += 1
        else:
            self.invalid += 1


class Flavour(msgspec.Struct, frozen=True):
    """One of the venue's interfaces."""

    kind: Literal["binance", "binance-usdm"]
    protocol: type[BinanceSpot] | type[BinanceUsdm]
    market: type[Market]
    book_link: str
    """The link that brings the books; nothing happens on the others."""


SPOT = Flavour("binance", BinanceSpot, Market, "feed-0")
USDM = Flavour("binance-usdm", BinanceUsdm, ChainedMarket, "public-0")


class World:
    """`capacity` of the queue before the strategy; without one it reads at once."""

    def __init__(self, seed: int, rates: Rates, capacity: int | None = None, flavour: Flavour = SPOT) -> None:
        self._flavour = flavour
        self.random = Random(f"world {seed}")
        self.faults = Faults(seed, rates)
        self.time = NOW
        self.markets = {symbol: flavour.market(symbol, self.random) for symbol in SYMBOLS}
        self._answered: dict[str, HttpAnswered] = {}
        """The first answer to each request."""
        self.link = Link(self.faults)
        self._leftover: list[bytes] = []
        """Of the connection before: in the mailbox since its end, and read only after the next was up."""
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._shed: list[str] = []
        self._is_faulty = True
        self.queue = FeedQueue(self.shed, capacity) if capacity else None
        self.connector: Connector | None = None
        self._life = 0
        """Of the connector; it may die and be started anew."""
        self.kills = 0
        self.watcher = Watcher()
        self.strategy = StrategyActor("watcher", self.watcher, [f"{VENUE}.{symbol}" for symbol in SYMBOLS])
        self._seed = seed
        self._patterns: tuple[str, ...] = ()
        self._strategy_ctx = StrategyContext(self, names.connector(VENUE))

    def run(self, faulty_ns: int) -> None:
        """A market in which everything goes wrong for some time and then nothing, until both books are whole again.

        Raises `Wrong`.
        """
        self._start_connector()
        self.after(self.random.randrange(NS_PER_S), self._start_strategy)
        self._until(self.time + faulty_ns, TICK_NS)
        self.faults.rates = CALM
        self._is_faulty = False
        self._until(self.time + LINGERING_NS, QUIET_TICK_NS)
        deadline = self.time + HEALING_NS
        while not self._is_whole():
            if self.time > deadline:
                raise Wrong("not healed")
            self._until(self.time + NS_PER_S, QUIET_TICK_NS)
        self._until(self.time + 2 * NS_PER_S, TICK_NS)
        if not self._is_whole():
            raise Wrong("not whole although nothing went wrong")

    def _is_whole(self) -> bool:
        """Both books valid and up to date in the strategy's eyes. Everything that waits for it is read first."""
        if self.watcher_is_up:
            self._read_all()
        return self.watcher_is_up and all(
            (book := self.book(symbol)).is_valid and book.sequence == market.last_id
            for symbol, market in self.markets.items()
        )

    @property
    def watcher_is_up(self) -> bool:
        return hasattr(self.watcher, "valid")

    def book(self, symbol: str) -> InstrumentBook:
        return self.watcher.book(f"{VENUE}.{symbol}")

    # ---- time

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._count += 1
        heappush(self.due, (self.time + delay_ns, self._count, action))

    def _until(self, end: int, tick_ns: int) -> None:
        tick = self.time + tick_ns
        while tick <= end:
            while self.due and self.due[0][0] <= tick:
                self.time, _, action = heappop(self.due)
                action()
            self.time = tick
            self._trade()
            tick += tick_ns

    # ---- the market and its stream

    def _trade(self) -> None:
        random = self.random
        for market in self.markets.values():
            for _ in range(random.randint(0, 5)):
                market.change()
            told = market.frame(self.time // NS_PER_MS)
            if told is not None and self.link.up:
                self._send(self.link, market.symbol, *told)
        if random.random() < 0.15:
            self._read_all()
        if self._is_faulty and self.connector is not None and random.random() < KILL_RATE:
            self._kill_connector()

    def _send(self, link: Link, symbol: str, last_id: int, frame: bytes) -> None:
        passed, ended = link.faults.pass_on(frame)
        if ended is FrameFault.CUT:
            self._cut(link)
        elif ended is FrameFault.FREEZE:
            link.frozen = True
            self.after(self.random.randrange(4 * NS_PER_S), lambda: self._thaw(link))
        if link.frozen:
            link.kept += passed
            return
        self._deliver(link, passed)
        if frame in passed and link.up and self.queue is None and self.watcher_is_up:
            book = self.book(symbol)
            if book.is_valid and book.sequence < last_id:
                raise Wrong(f"{symbol} valid at {book.sequence} although {last_id} was received")

    def _deliver(self, link: Link, payloads: list[bytes]) -> None:
        """What one read of the socket brings."""
        if payloads and link is self.link and link.up:
            self.to_connector(FramesReceived(self._flavour.book_link, payloads, self.time))

    def _cut(self, link: Link) -> None:
        link.up = False
        self._leftover = link.kept
        self.to_connector(LinkDown(self._flavour.book_link, "connection lost"))

    def _thaw(self, link: Link) -> None:
        link.frozen = False
        kept, link.kept = link.kept, []
        self._deliver(link, kept)

    def open_link(self, name: str) -> None:
        if name != self._flavour.book_link:
            self.after(5 * NS_PER_MS, lambda: self.to_connector(LinkUp(name)))
            return
        link = self.link = Link(self.faults)
        self.after(5 * NS_PER_MS, lambda: self._open(link))

    def _open(self, link: Link) -> None:
        if link is self.link:
            link.up = True
            self.to_connector(LinkUp(self._flavour.book_link))
            leftover, self._leftover = self._leftover, []
            self._deliver(link, leftover)

    def close_link(self, name: str) -> None:
        if name != self._flavour.book_link:
            return
        self._leftover = self.link.kept
        self.link = Link(self.faults)

    def probe(self, name: str) -> bool:
        if name != self._flavour.book_link:
            self.after(NS_PER_MS, lambda: self.to_connector(FramesReceived(name, [PROBED], self.time)))
            return True
        link = self.link
        if link.up and not link.frozen:
            self.after(NS_PER_MS, lambda: self._deliver(link, [PROBED]))
        return link.up

    # ---- requests

    def request(self, request: HttpRequest) -> None:
        """Seen by the venue after half of the way."""
        life = self._life
        self.after(self.random.randrange(50 * NS_PER_MS), lambda: self._answer(request, life))

    def _answer(self, request: HttpRequest, life: int) -> None:
        true = self._true_answer(request.id)
        answer: HttpAnswered | HttpFailed = true
        delay_ns = self.random.randrange(50 * NS_PER_MS)
        match self.faults.of_answer():
            case None:
                pass
            case AnswerFault.CORRUPT:
                answer = HttpAnswered(request.id, 200, {}, self.faults.corrupt(true.body), self.time)
            case AnswerFault.CUT:
                answer = HttpFailed(request.id, "connection lost", sent=True)
            case AnswerFault.REFUSE:
                status, headers = self.faults.refusal()
                answer = HttpAnswered(request.id, status, headers, REFUSAL_BODY, self.time)
            case AnswerFault.DELAY:
                delay_ns += self.faults.delay_ns()
            case AnswerFault.OUTDATED:
                answer = self._answered[request.id]
        self.after(delay_ns, lambda: self.to_connector(answer, life))

    def _true_answer(self, id: str) -> HttpAnswered:
        symbol = id.removeprefix("depth:")
        body = self.markets[symbol].depth() if symbol != id else LISTING
        answer = HttpAnswered(id, 200, {}, body, self.time)
        self._answered.setdefault(id, answer)
        return answer

    # ---- from the connector to the strategy

    def _start_connector(self) -> None:
        settings = VenueSettings(kind=self._flavour.kind, symbols=list(SYMBOLS), stale_after_s=STALE_S)
        self._life += 1
        self._connector_ctx = ConnectorContext(
            self, names.connector(VENUE), self._life, Random(self._seed * 100 + self._life)
        )
        self.connector = Connector(VENUE, self._flavour.protocol(VENUE, settings, None), int(STALE_S * NS_PER_S))
        self.to_connector(Started())
        if self._patterns:
            self.subscribed(self._patterns)

    def _kill_connector(self) -> None:
        """`kill -9`: what it had sent still arrives, and its supervisor starts another."""
        self.kills += 1
        self.connector = None
        self.link = Link(self.faults)
        self._leftover = []
        if self.watcher_is_up:
            self.to_strategy(ActorDown(names.connector(VENUE), self._life, "killed"))
            if any(self.book(symbol).is_valid for symbol in SYMBOLS):
                raise Wrong("valid although nobody keeps it")
        self.after(self.random.randrange(2 * NS_PER_S), self._start_connector)

    def to_connector(self, message: object, life: int | None = None) -> None:
        """Nothing reaches a connector that is dead, or a later life of it than was meant."""
        if self.connector is not None and life in (None, self._life):
            self.connector.receive(message, self._connector_ctx)

    def _start_strategy(self) -> None:
        self.to_strategy(Started())
        self.to_strategy(DeskSnapshot([], {}, False))

    def subscribed(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns
        life = self._life
        self.after(NS_PER_MS, lambda: self.to_connector(Subscribed("strategy.watcher", patterns), life))

    def published(self, event: Message) -> None:
        if not self.watcher_is_up:
            return
        if self.queue is None:
            self.to_strategy(event)
        else:
            self.queue.offer(event)
            if not self._is_faulty:
                self.after(0, self._read_all)

    def shed(self, topic: str) -> None:
        self._shed.append(topic)

    def _read_all(self) -> None:
        """The strategy has time: it reads all that waits, and what was shed is asked for and read as well."""
        if self.queue is None:
            return
        while len(self.queue) or self._shed:
            while len(self.queue):
                self.to_strategy(self.queue.take())
            shed, self._shed[:] = list(self._shed), []
            for topic in shed:
                self.to_connector(RefreshRequested(topic))

    def to_strategy(self, message: object) -> None:
        self.strategy.receive(message, self._strategy_ctx)
        if self.watcher_is_up:
            for symbol, market in self.markets.items():
                check(self.book(symbol), market)


def check(book: InstrumentBook, market: Market) -> None:
    """Raises `Wrong` unless the book is the venue's at its sequence, or says that it is invalid."""
    if not book.is_valid:
        if book.bids.best() or book.asks.best():
            raise Wrong(f"{market.symbol} is invalid and has levels")
        return
    truth = market.oracle.book_at(book.sequence)
    if truth is None:
        raise Wrong(f"{market.symbol} at {book.sequence}, where the venue never was")
    if list(book.bids) != truth.bids or list(book.asks) != truth.asks:
        raise Wrong(f"{market.symbol} at {book.sequence}: {list(book.bids)} {list(book.asks)}, truly {truth}")
