"""Two or more sources of one market, each with faults of its own, and one reader of what is arbitrated.

The venue tells trades without a hole and a book to the oracle of the faults' tests. Each source hears the venue with
its own batches and its own lag; it misses what the venue says while it is cut off, tells some of it twice, freezes,
dies and comes back, all from one seed.
"""

from collections import deque
from collections.abc import Sequence
from random import Random

from actors.arbitration import Arbiter
from actors.messages import BookDelta, BookInvalidated, BookSnapshot, MarketEvent, Quote, Trade
from actors.model.book import OrderBook
from actors.model.order import Side
from runtime.clock import NS_PER_MS
from tests.faults.market import Market
from tests.faults.oracle import Levels

VENUE, SYMBOL = "binance", "BTCUSDT"
NOW = 1_700_000_000_000_000_000


class Wrong(AssertionError):
    pass


class Source:
    """A connector in short: follows the venue, and what it publishes is under way for a while, in its order."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.up = True
        self.connected = True
        self.frozen_until = 0
        self.known = False
        """Has delivered a trade in this life."""
        self.under_way: deque[tuple[int, MarketEvent]] = deque()
        self._world = world
        self._stands: int | None = None
        """Sequence of its own book; None while it has none."""
        self._arrives = 0
        self._snapshot_at = 0

    def start(self) -> None:
        self.up = self.connected = True
        self.known = False
        self.under_way.clear()
        self._stands = None
        self._publish(BookInvalidated(VENUE, SYMBOL, "NO_SNAPSHOT: starts", self._world.time))
        self._snapshot_at = self._world.time + self._world.random.randrange(60 * NS_PER_MS)

    def kill(self) -> None:
        self.up = False
        self.under_way.clear()

    def cut(self) -> None:
        if self.connected:
            self.connected = False
            self._stands = None
            self._publish(BookInvalidated(VENUE, SYMBOL, "LINK_DOWN: cut", self._world.time))

    def connect(self) -> None:
        self.connected = True
        self._snapshot_at = self._world.time + self._world.random.randrange(60 * NS_PER_MS)

    def hear_trade(self, trade: Trade) -> None:
        if self.up and self.connected:
            self._publish(trade)

    def hear_quote(self, quote: Quote) -> None:
        if self.up and self.connected:
            self._publish(quote)

    def tell_book(self) -> None:
        """What the venue's book became since it was told last: whole where it has none."""
        world, last = self._world, self._world.market.last_id
        if not self.up or not self.connected or self.frozen_until > world.time:
            return
        if self._stands is None:
            if world.time >= self._snapshot_at:
                self.refresh()
        elif last > self._stands:
            bids, asks = world.changes(self._stands)
            ts = world.time
            self._publish(BookDelta(VENUE, SYMBOL, self._stands, last, bids, asks, ts, ts))
            self._stands = last

    def refresh(self) -> None:
        """As a connector answers `RefreshRequested`: its present book, or that it has none."""
        if not self.up:
            return
        world = self._world
        if self._stands is None and (not self.connected or world.time < self._snapshot_at):
            self._publish(BookInvalidated(VENUE, SYMBOL, "NO_SNAPSHOT: asked", world.time))
            return
        if self._stands is None:
            self._stands = world.market.last_id
        self._publish(BookSnapshot(VENUE, SYMBOL, self._stands, *world.true[self._stands], 0, world.time))

    def _publish(self, event: MarketEvent) -> None:
        random = self._world.random
        lag = random.randrange(40 * NS_PER_MS) if random.random() < 0.3 else random.randrange(3 * NS_PER_MS)
        self._arrives = max(self._arrives, self._world.time + lag)
        self.under_way.append((self._arrives, event))
        if random.random() < self._world.twice:
            self.under_way.append((self._arrives, event))


class World:
    def __init__(self, seed: int, sources: int, *, faults: float = 0.01, twice: float = 0.02) -> None:
        self.random = Random(f"sources {seed}")
        self.twice = twice
        self.time = NOW
        self.market = Market(SYMBOL, self.random)
        self.sources = {name: Source(name, self) for name in [f"source-{index}" for index in range(sources)]}
        self.arbiter = Arbiter(self._ask)
        self.book = OrderBook()
        self.trades: list[int] = []
        self.quotes: list[int] = []
        self.expired = False
        """What was held has been let go by time: a hole may then be filled too late."""
        self.sheds = 0
        self._faults = faults
        self._trade_id = 1_000
        self._history: list[tuple[int, Levels, Levels]] = []
        """Every change of the venue's book: sequence and levels."""
        self.true: dict[int, tuple[Levels, Levels]] = {}
        """The venue's book after each change, by the oracle."""
        self._note()

    def _note(self) -> None:
        last = self.market.last_id
        true = self.market.oracle.book_at(last)
        assert true is not None
        self.true[last] = true.bids, true.asks

    def changes(self, since: int) -> tuple[Levels, Levels]:
        """Levels that changed after `since`, as they are now: absolute quantities, zero for those that are no more."""
        true = self.true[self.market.last_id]
        touched: tuple[set[str], set[str]] = (set(), set())
        for sequence, bids, asks in reversed(self._history):
            if sequence <= since:
                break
            touched[0].update(price for price, _ in bids)
            touched[1].update(price for price, _ in asks)
        now = dict(true[0]), dict(true[1])
        bids, asks = (
            [(price, side.get(price, "0")) for price in sorted(prices)]
            for prices, side in zip(touched, now, strict=True)
        )
        return bids, asks

    def run(self, seconds: float) -> None:
        for source in self.sources.values():
            source.start()
        end = self.time + round(seconds * 1000) * NS_PER_MS
        while self.time < end:
            self.time += NS_PER_MS
            self._happen(self._faults)
        for source in self.sources.values():
            source.frozen_until = 0
            if not source.up:
                source.start()
            elif not source.connected:
                source.connect()
        end = self.time + 2_000 * NS_PER_MS
        while self.time < end:
            self.time += NS_PER_MS
            self._happen(0)

    def _happen(self, faults: float) -> None:
        random, ts = self.random, self.time
        for _ in range(random.choice((0, 0, 1, 3))):
            self._trade_id += 1
            trade = Trade(VENUE, SYMBOL, str(self._trade_id), "100.00", "1", Side.BUY, ts, ts)
            for source in self.sources.values():
                source.hear_trade(trade)
        for _ in range(random.choice((0, 0, 1, 4))):
            self.market.change()
            update = self.market.oracle._updates[-1]
            self._history.append((update.last_id, update.bids, update.asks))
            self._note()
            quote = Quote(VENUE, SYMBOL, "1", "1", "2", "1", 0, ts, False, update.last_id)
            for source in self.sources.values():
                source.hear_quote(quote)
        for source in self.sources.values():
            if random.random() < 0.1:  # each with batches of its own
                source.tell_book()
            if random.random() < faults:
                self._fail(source)
            self._recover(source)
        for source in random.sample(list(self.sources.values()), len(self.sources)):
            self._deliver(source)
        if self.arbiter.due and self.arbiter.due <= self.time:
            self.expired = True
            self._read(self.arbiter.release(self.time))

    def _fail(self, source: Source) -> None:
        match self.random.randrange(4):
            case 0 if source.up:
                source.kill()
                self._read(self.arbiter.gone(source.name, "killed", self.time))
            case 1:
                source.cut()
            case 2:
                source.frozen_until = self.time + self.random.randrange(60 * NS_PER_MS)
            case _ if self.sheds < 20:
                self.sheds += 1
                self.book.invalidate("shed")
                self.arbiter.shed(f"book.{VENUE}.{SYMBOL}")
                for each in self.sources.values():
                    each.refresh()

    def _recover(self, source: Source) -> None:
        if not source.up and self.random.random() < 0.01:
            source.start()
        elif not source.connected and self.random.random() < 0.01:
            source.connect()

    def _ask(self, name: str, topic: str) -> None:
        self.sources[name].refresh()

    def _deliver(self, source: Source) -> None:
        while source.under_way and source.under_way[0][0] <= self.time and source.frozen_until <= self.time:
            _, event = source.under_way.popleft()
            if isinstance(event, Trade):
                source.known = True
            self._read(self.arbiter.take(source.name, event, self.time))

    # ---- the reader

    def _read(self, events: Sequence[MarketEvent]) -> None:
        for event in events:
            match event:
                case Trade():
                    self._read_trade(int(event.trade_id))
                case Quote():
                    if self.quotes and event.sequence <= self.quotes[-1]:
                        raise Wrong(f"quote {event.sequence} after {self.quotes[-1]}")
                    self.quotes.append(event.sequence)
                case BookDelta():
                    if not self.book.apply_delta(event):
                        raise Wrong(f"a delta that does not apply: {self.book.reason}")
                    self._compare()
                case BookSnapshot():
                    self.book.apply_snapshot(event)
                    self._compare()
                case BookInvalidated():
                    self.book.invalidate(event.reason)
                case _:
                    raise Wrong(f"nobody has told {event}")

    def _read_trade(self, number: int) -> None:
        if self.trades and number <= self.trades[-1]:
            raise Wrong(f"trade {number} after {self.trades[-1]}")
        if self.trades and not self.expired:
            missing = set(range(self.trades[-1] + 1, number))
            for source in self.sources.values():
                coming = {int(event.trade_id) for _, event in source.under_way if isinstance(event, Trade)}
                if source.known and missing & coming:
                    raise Wrong(f"{sorted(missing & coming)} left out while {source.name} was about to bring them")
        self.trades.append(number)

    def _compare(self) -> None:
        true = self.true.get(self.book.sequence)
        if true is None:
            raise Wrong(f"a book of a sequence that never was: {self.book.sequence}")
        if (list(self.book.bids), list(self.book.asks)) != true:
            raise Wrong(f"not the venue's book of {self.book.sequence}")

    @property
    def told(self) -> int:
        return self._trade_id
