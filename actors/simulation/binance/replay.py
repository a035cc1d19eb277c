"""A captured session played again: frames as they were, books that agree with them, own orders matched there.

What a client sees. Frames of a stream are sent verbatim, at the captured distances divided by `speed`; the first one
`_LEAD_NS` after somebody has subscribed. `GET /api/v3/depth` answers the book as it is at that moment of the replay:
the captured snapshot plus every diff played so far, with `lastUpdateId` the last `u` played. Before the replay has
reached the captured snapshot, the answer is that snapshot: the diffs up to its id are in it already and change
nothing. So a client that follows the venue's rule (buffer, snapshot, drop what is older, apply) ends in the same book
whenever it asks and however fast the replay runs. A replay as fast as it is read holds at the first diff of a symbol
until its snapshot is asked for, so that there is something left to apply. After the last frame the streams stay open
and silent.

Own orders meet the replayed book: marketable ones fill at captured prices, at most the captured quantity of a level
between two of its updates; resting ones fill at their own price when the replayed other side comes through it. They
leave the replayed streams untouched.
"""

from decimal import Decimal
from math import inf
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.model.order import Side
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.market import Market, Trade
from actors.simulation.binance.numbers import fixed, to_ms
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.symbols import SymbolRules, in_current_shape
from actors.simulation.capture import Capture, Frame
from actors.simulation.matching import Event, Order
from runtime.errors import ConfigError

_LEAD_NS = 250_000_000
"""Between the first subscription and the first frame: a client that opens several sockets gets the beginning on all."""
_BATCH_FRAMES = 64
"""Played in one go when the replay is as fast as its readers."""
_SNAPSHOT_WAIT_NS = 500_000_000
"""How long a replay without a speed holds at the first diff of a book that somebody may be about to synchronise."""

Level = tuple[str, str]


class _Combined(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Snapshot(msgspec.Struct):
    last_update_id: int = msgspec.field(name="lastUpdateId")
    bids: list[Level] = []
    asks: list[Level] = []


class _Diff(msgspec.Struct):
    last_id: int = msgspec.field(name="u")
    first_id: int = msgspec.field(name="U")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")


class _AggregateTrade(msgspec.Struct):
    aggregate_id: int = msgspec.field(name="a")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    last_id: int = msgspec.field(name="l")
    ms: int = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")


_combined = msgspec.json.Decoder(_Combined)
_diff = msgspec.json.Decoder(_Diff)
_trade = msgspec.json.Decoder(_AggregateTrade)
_snapshot = msgspec.json.Decoder(_Snapshot)


class ReplayedMarket(Market):
    """The captured book, kept apart from the engine that matches own orders against it."""

    def __init__(self, rules: SymbolRules, hub: StreamHub, snapshot: bytes, captured: set[str], now: int) -> None:
        book = _snapshot.decode(snapshot)
        price = Decimal(book.bids[0][0]) if book.bids else Decimal(1)
        candles = Candles(rules.symbol, to_ms(now), price, rules.tick_size, invent=False)
        super().__init__(rules, hub, candles, price, book.last_update_id)
        self.was_asked = False
        """Whether somebody has had a snapshot."""
        self._captured = captured
        self._captured_levels: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._level_orders: dict[tuple[Side, Decimal], int] = {}
        self._set_levels(_sides(book.bids, book.asks), now)

    def snapshot(self, limit: int) -> dict[str, object]:
        self.was_asked = True
        bids = sorted(self._captured_levels[Side.BUY].items(), reverse=True)[:limit]
        asks = sorted(self._captured_levels[Side.SELL].items())[:limit]
        return {
            "lastUpdateId": self.last_update_id,
            "bids": [(fixed(price), fixed(quantity)) for price, quantity in bids],
            "asks": [(fixed(price), fixed(quantity)) for price, quantity in asks],
        }

    def play(self, stream: str, payload: bytes, now: int) -> None:
        """Take one captured frame into the book; it is published by the caller."""
        kind = stream.partition("@")[2]
        if kind == "depth@100ms":
            diff = _diff.decode(payload)
            if diff.last_id > self.last_update_id:
                self.last_update_id = diff.last_id
                changed = _sides(diff.bids, diff.asks)
                self._set_levels(changed, now)
                for side, price, quantity in changed:
                    self._record_change(diff.first_id, side, price, quantity)
        elif kind == "aggTrade":
            event = _trade.decode(payload)
            price, quantity = Decimal(event.price), Decimal(event.quantity)
            self._record_trade(Trade(event.last_id, price, quantity, event.ms, event.buyer_is_maker))
            self._settle(now)

    def tick_fast(self, now: int) -> None:
        """The fast diffs are the captured ones."""
        self._fast.take()
        self._publish_partial("@100ms")

    def _wanted(self, stream: str) -> bool:
        """Streams that were not captured are made from the replayed book and trades."""
        return stream not in self._captured and super()._wanted(stream)

    def _publish(self, events: list[Event], trades: list[Trade], ms: int) -> None:
        """Own trades are not part of what was captured."""

    def _set_levels(self, changed: list[tuple[Side, Decimal, Decimal]], now: int) -> None:
        """Take away everything that changed before setting anything, so that the market does not trade with itself."""
        for side, price, quantity in changed:
            levels = self._captured_levels[side]
            if quantity:
                levels[price] = quantity
            else:
                levels.pop(price, None)
            self._withdraw(side, price, now)
        for side, price, quantity in changed:
            if quantity:
                self._withdraw_crossed(side, price, now)
                order_id = self._level_orders[side, price] = self.next_order_id()
                self.submit(Order(order_id, side, quantity, price), now)

    def _withdraw_crossed(self, side: Side, price: Decimal, now: int) -> None:
        """A level that the newer one has overtaken is stale; a client's own order there stays and trades."""
        other_side = Side.SELL if side is Side.BUY else Side.BUY
        stale = []
        for other in self.engine.side(other_side).prices():
            if not (other <= price if side is Side.BUY else other >= price):
                break
            stale.append(other)
        for other in stale:
            self._withdraw(other_side, other, now)

    def _withdraw(self, side: Side, price: Decimal, now: int) -> None:
        order_id = self._level_orders.pop((side, price), None)
        if order_id is not None:
            self.cancel(order_id, now)


def _sides(bids: list[Level], asks: list[Level]) -> list[tuple[Side, Decimal, Decimal]]:
    return [(Side.BUY, Decimal(price), Decimal(quantity)) for price, quantity in bids] + [
        (Side.SELL, Decimal(price), Decimal(quantity)) for price, quantity in asks
    ]


class Replay:
    """Plays the frames of one recording into its markets and onto the streams; `speed` 0 is as fast as read."""

    product = "Binance spot"

    def __init__(self, capture: Capture, hub: StreamHub, speed: float, now: int) -> None:
        self._hub = hub
        self._speed = inf if speed == 0 else speed
        self._frames = capture.frames
        self.played = 0
        self.infos: list[dict[str, Any]] = []
        self.markets: dict[str, Market] = {}
        self._replayed: dict[str, ReplayedMarket] = {}
        self._began: int | None = None
        self._held: ReplayedMarket | None = None
        self._held_until = 0
        self._seen: set[str] = set()
        """Symbols whose first diff has been played."""
        try:
            self._read(capture, now)
        except (KeyError, msgspec.DecodeError) as error:
            raise ConfigError(f"replay: {capture.name} is not a recording of {self.product}: {error!r}") from None

    def _read(self, capture: Capture, now: int) -> None:
        self.infos = [in_current_shape(info) for info in exchange_info(capture)]
        rules = {info["symbol"]: SymbolRules(info) for info in self.infos}
        captured = captured_streams(capture)
        for symbol, payload in depth_snapshots(capture).items():
            market = ReplayedMarket(rules[symbol], self._hub, payload, captured, now)
            self.markets[symbol] = self._replayed[symbol] = market

    @property
    def total(self) -> int:
        return len(self._frames)

    @property
    def finished(self) -> bool:
        return self.played == len(self._frames)

    @property
    def waits_for_readers(self) -> bool:
        return self._speed == inf and not self.finished

    def begin(self, now: int) -> None:
        """Called for every subscription; the first one counts."""
        if self._began is None:
            self._began = now + _LEAD_NS

    def next_due(self) -> int | None:
        if self._began is None or self.finished:
            return None
        due = self._due(self._frames[self.played])
        return max(due, self._held_until) if self._is_held() else due

    def advance(self, now: int) -> None:
        """Play what is due, at most a batch when the replay is as fast as its readers."""
        batch = _BATCH_FRAMES if self._speed == inf else len(self._frames)
        while batch and (due := self.next_due()) is not None and due <= now:
            self._play(self._frames[self.played], now)
            self.played += 1
            batch -= 1

    def _is_held(self) -> bool:
        return self._held is not None and not self._held.was_asked

    def _due(self, frame: Frame) -> int:
        since_first = frame.ts - self._frames[0].ts
        return (self._began or 0) + int(since_first / self._speed)

    def _play(self, frame: Frame, now: int) -> None:
        message = _combined.decode(frame.payload)
        market = self._replayed.get(message.stream.partition("@")[0].upper())
        payload = bytes(message.data)
        if market is not None:
            market.play(message.stream, payload, now)
            if self._speed == inf and "@depth" in message.stream and self._hub.wanted(message.stream):
                self._hold(market, now)
        self._hub.publish_encoded(message.stream, payload)

    def _hold(self, market: ReplayedMarket, now: int) -> None:
        if market.symbol not in self._seen:
            self._seen.add(market.symbol)
            self._held, self._held_until = market, now + _SNAPSHOT_WAIT_NS


def captured_streams(capture: Capture) -> set[str]:
    return {_combined.decode(frame.payload).stream for frame in capture.frames}


def exchange_info(capture: Capture) -> list[dict[str, object]]:
    for answer in capture.answers:
        if urlsplit(answer.url).path.endswith("/exchangeInfo"):
            symbols: list[dict[str, object]] = answer.json()["symbols"]
            return symbols
    raise ConfigError(f"replay: the recording {capture.name} has no exchangeInfo answer")


def depth_snapshots(capture: Capture) -> dict[str, bytes]:
    """The first captured depth answer of each symbol."""
    found: dict[str, bytes] = {}
    for answer in capture.answers:
        url = urlsplit(answer.url)
        if url.path.endswith("/depth"):
            found.setdefault(parse_qs(url.query)["symbol"][0], answer.payload)
    if not found:
        raise ConfigError(f"replay: the recording {capture.name} has no depth snapshots")
    return found
