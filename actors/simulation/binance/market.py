"""One symbol of the venue: its matching engine, its update and trade ids, and everything it publishes.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from actors.model.order import Side
from actors.simulation.binance.candles import INTERVALS, Candle, Candles, interval_start
from actors.simulation.binance.numbers import fixed, to_ms
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.symbols import SymbolRules
from actors.simulation.matching import Event, LevelChanged, MatchingEngine, Order, Traded

_KEPT_TRADES = 1_000
_DAY_MS = 86_400_000
PARTIAL_DEPTHS = (5, 10, 20)
Quotes = tuple[tuple[Decimal, Decimal] | None, tuple[Decimal, Decimal] | None]


class Trade(msgspec.Struct, frozen=True):
    trade_id: int
    price: Decimal
    quantity: Decimal
    ms: int
    buyer_is_maker: bool

    def row(self) -> dict[str, object]:
        return {
            "id": self.trade_id,
            "price": fixed(self.price),
            "qty": fixed(self.quantity),
            "quoteQty": fixed(self.price * self.quantity),
            "time": self.ms,
            "isBuyerMaker": self.buyer_is_maker,
            "isBestMatch": True,
        }


class AggregateTrade(msgspec.Struct):
    """The trades of one taker order at one price."""

    aggregate_id: int
    price: Decimal
    quantity: Decimal
    first_id: int
    last_id: int
    ms: int
    buyer_is_maker: bool

    def row(self) -> dict[str, object]:
        return {
            "a": self.aggregate_id,
            "p": fixed(self.price),
            "q": fixed(self.quantity),
            "f": self.first_id,
            "l": self.last_id,
            "T": self.ms,
            "m": self.buyer_is_maker,
            "M": True,
        }


class DepthBatch:
    """The changes since the last diff of one speed: the last quantity of each level, and the first update id in it."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.first_id = 0
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}

    def add(self, first_id: int, side: Side, price: Decimal, quantity: Decimal) -> None:
        if not self.first_id:
            self.first_id = first_id
        (self.bids if side is Side.BUY else self.asks)[price] = quantity

    def take(self) -> "DepthBatch":
        full = DepthBatch(self.stream)
        full.first_id, full.bids, full.asks = self.first_id, self.bids, self.asks
        self.first_id, self.bids, self.asks = 0, {}, {}
        return full


Listener = Callable[["Market", list[Event], list[Trade], int], None]
"""Told of every engine event, with the trades among them, before they are published."""

Settled = Callable[["Market", list[Decimal], int], None]
"""Told when everything is published, with the prices of the trades there were."""


class Market:
    """`submit` and `cancel` are the only ways in. Every change of a level takes one update id; diffs chain."""

    def __init__(self, rules: SymbolRules, hub: StreamHub, candles: Candles, price: Decimal, first_ids: int) -> None:
        self.rules = rules
        self.symbol = rules.symbol
        self.engine = MatchingEngine(rules.lot_size)
        self.candles = candles
        self.last_price = price
        self.last_update_id = first_ids
        self.trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self.aggregates: deque[AggregateTrade] = deque(maxlen=_KEPT_TRADES)
        self.listener: Listener | None = None
        self.settled: Settled | None = None
        self._prices: list[Decimal] = []
        self._hub = hub
        self._next_order_id = first_ids
        self._next_trade_id = first_ids
        self._next_aggregate_id = first_ids
        self._prefix = rules.symbol.lower() + "@"
        self._fast = DepthBatch(self._prefix + "depth@100ms")
        self._slow = DepthBatch(self._prefix + "depth")
        self._best: Quotes = (None, None)
        self._partial_sent: dict[str, int] = {}

    def next_order_id(self) -> int:
        self._next_order_id += 1
        return self._next_order_id

    def submit(self, order: Order, now: int) -> list[Event]:
        events = self.engine.submit(order)
        self._after(events, now)
        return events

    def cancel(self, order_id: int, now: int) -> list[Event]:
        events = self.engine.cancel(order_id)
        self._after(events, now)
        return events

    def reduce(self, order_id: int, quantity: Decimal, now: int) -> list[Event]:
        """Make a waiting order smaller where it stands."""
        events = self.engine.reduce(order_id, quantity)
        self._after(events, now)
        return events

    def best(self) -> Quotes:
        """(price, quantity) of the best bid and of the best ask."""
        bid, ask = self.engine.bids.best(), self.engine.asks.best()
        return (
            None if bid is None else (bid, self.engine.bids.levels[bid].quantity),
            None if ask is None else (ask, self.engine.asks.levels[ask].quantity),
        )

    def snapshot(self, limit: int) -> dict[str, object]:
        return {
            "lastUpdateId": self.last_update_id,
            "bids": _rows(self.engine.levels(Side.BUY, limit)),
            "asks": _rows(self.engine.levels(Side.SELL, limit)),
        }

    def book_ticker(self) -> dict[str, object]:
        """As `GET /api/v3/ticker/bookTicker` answers."""
        bid, ask = self.best()
        return {
            "symbol": self.symbol,
            "bidPrice": fixed(bid[0] if bid else Decimal(0)),
            "bidQty": fixed(bid[1] if bid else Decimal(0)),
            "askPrice": fixed(ask[0] if ask else Decimal(0)),
            "askQty": fixed(ask[1] if ask else Decimal(0)),
        }

    def day(self, now_ms: int) -> Candle:
        """The last 24 hours in one candle."""
        return self.candles.window(now_ms - _DAY_MS, now_ms + 1) or Candle(now_ms - _DAY_MS, self.last_price)

    def tick_fast(self, now: int) -> None:
        """Every 100 ms: what changed since, and the tops of the book."""
        self._publish_batch(self._fast, now)
        self._publish_partial("@100ms")

    def tick_slow(self, now: int) -> None:
        """Every second: the slow diff, tickers and candles."""
        self._publish_batch(self._slow, now)
        self._publish_partial("")
        self._publish_tickers(to_ms(now))
        self._publish_candles(to_ms(now))

    def _wanted(self, stream: str) -> bool:
        return self._hub.wanted(stream)

    def _after(self, events: list[Event], now: int) -> None:
        if not events:
            return
        trades = self._number_trades(events, to_ms(now))
        if self.listener is not None:
            self.listener(self, events, trades, now)
        self._publish(events, trades, to_ms(now))
        self._settle(now)

    def _settle(self, now: int) -> None:
        prices, self._prices = self._prices, []
        if self.settled is not None:
            self.settled(self, prices, now)

    def _number_trades(self, events: list[Event], ms: int) -> list[Trade]:
        trades = []
        for event in events:
            if isinstance(event, Traded):
                self._next_trade_id += 1
                trades.append(
                    Trade(self._next_trade_id, event.price, event.quantity, ms, event.taker_side is Side.SELL)
                )
        return trades

    def _publish(self, events: list[Event], trades: list[Trade], ms: int) -> None:
        for trade in trades:
            self._record_trade(trade)
            if self._wanted(stream := self._prefix + "trade"):
                self._hub.publish(stream, self._trade_event(trade))
        self._publish_aggregates(trades)
        for event in events:
            if isinstance(event, LevelChanged):
                self.last_update_id += 1
                self._record_change(self.last_update_id, event.side, event.price, event.quantity)
        self._publish_best()

    def _record_trade(self, trade: Trade) -> None:
        self.last_price = trade.price
        self._prices.append(trade.price)
        self.trades.append(trade)
        self.candles.add_trade(trade.trade_id, trade.ms, trade.price, trade.quantity, not trade.buyer_is_maker)

    def _record_change(self, update_id: int, side: Side, price: Decimal, quantity: Decimal) -> None:
        self._fast.add(update_id, side, price, quantity)
        self._slow.add(update_id, side, price, quantity)

    def _trade_event(self, trade: Trade) -> dict[str, object]:
        return {
            "e": "trade",
            "E": trade.ms,
            "s": self.symbol,
            "t": trade.trade_id,
            "p": fixed(trade.price),
            "q": fixed(trade.quantity),
            "T": trade.ms,
            "m": trade.buyer_is_maker,
            "M": True,
        }

    def _publish_aggregates(self, trades: list[Trade]) -> None:
        aggregates: list[AggregateTrade] = []
        for trade in trades:
            if aggregates and aggregates[-1].price == trade.price:
                aggregates[-1].quantity += trade.quantity
                aggregates[-1].last_id = trade.trade_id
                continue
            self._next_aggregate_id += 1
            ids = (trade.trade_id, trade.trade_id)
            aggregates.append(
                AggregateTrade(
                    self._next_aggregate_id, trade.price, trade.quantity, *ids, trade.ms, trade.buyer_is_maker
                )
            )
        self.aggregates.extend(aggregates)
        if self._wanted(stream := self._prefix + "aggTrade"):
            for aggregate in aggregates:
                head = {"e": "aggTrade", "E": aggregate.ms, "s": self.symbol}
                self._hub.publish(stream, head | aggregate.row())

    def _publish_best(self) -> None:
        best = self.best()
        if best == self._best:
            return
        self._best = best
        if not self._wanted(stream := self._prefix + "bookTicker"):
            return
        bid, ask = best
        if bid is None or ask is None:
            return
        event = {
            "u": self.last_update_id,
            "s": self.symbol,
            "b": fixed(bid[0]),
            "B": fixed(bid[1]),
            "a": fixed(ask[0]),
            "A": fixed(ask[1]),
        }
        self._hub.publish(stream, event)

    def _publish_batch(self, batch: DepthBatch, now: int) -> None:
        if not batch.first_id:
            return
        full = batch.take()
        if not self._wanted(full.stream):
            return
        event = {
            "e": "depthUpdate",
            "E": to_ms(now),
            "s": self.symbol,
            "U": full.first_id,
            "u": self.last_update_id,
            "b": _rows(sorted(full.bids.items(), reverse=True)),
            "a": _rows(sorted(full.asks.items())),
        }
        self._hub.publish(full.stream, event)

    def _publish_partial(self, speed: str) -> None:
        for depth in PARTIAL_DEPTHS:
            stream = f"{self._prefix}depth{depth}{speed}"
            if self._wanted(stream) and self._partial_sent.get(stream) != self.last_update_id:
                self._partial_sent[stream] = self.last_update_id
                self._hub.publish(stream, self.snapshot(depth))

    def _publish_tickers(self, ms: int) -> None:
        if self._wanted(stream := self._prefix + "miniTicker"):
            self._hub.publish(stream, self.mini_ticker_event(ms))
        if self._wanted(stream := self._prefix + "ticker"):
            self._hub.publish(stream, self._ticker_event(ms))

    def mini_ticker_event(self, ms: int) -> dict[str, object]:
        day = self.day(ms)
        return {
            "e": "24hrMiniTicker",
            "E": ms,
            "s": self.symbol,
            "c": fixed(day.close),
            "o": fixed(day.open),
            "h": fixed(day.high),
            "l": fixed(day.low),
            "v": fixed(day.volume),
            "q": fixed(day.quote),
        }

    def _ticker_event(self, ms: int) -> dict[str, object]:
        day, quotes = self.day(ms), self.book_ticker()
        last = self.trades[-1].quantity if self.trades else Decimal(0)
        return {
            "e": "24hrTicker",
            "E": ms,
            "s": self.symbol,
            "p": fixed(day.close - day.open),
            "P": f"{(day.close / day.open - 1) * 100:.3f}",
            "w": fixed(day.quote / day.volume if day.volume else day.close),
            "x": fixed(day.open),
            "c": fixed(day.close),
            "Q": fixed(last),
            "b": quotes["bidPrice"],
            "B": quotes["bidQty"],
            "a": quotes["askPrice"],
            "A": quotes["askQty"],
            "o": fixed(day.open),
            "h": fixed(day.high),
            "l": fixed(day.low),
            "v": fixed(day.volume),
            "q": fixed(day.quote),
            "O": day.open_ms,
            "C": ms,
            "F": day.first_id,
            "L": day.last_id,
            "n": day.count,
        }

    def _publish_candles(self, ms: int) -> None:
        """Once a second; a candle that has just ended is sent once more, closed."""
        for interval in INTERVALS:
            stream = f"{self._prefix}kline_{interval}"
            if not self._wanted(stream):
                continue
            start = interval_start(interval, ms)
            if ms - start < 1_000:
                self._publish_candle(stream, interval, interval_start(interval, start - 1), ms, closed=True)
            self._publish_candle(stream, interval, start, ms, closed=False)

    def _publish_candle(self, stream: str, interval: str, open_ms: int, ms: int, closed: bool) -> None:
        candle = self.candles.candle(interval, open_ms)
        if candle is not None:
            event = {"e": "kline", "E": ms, "s": self.symbol, "k": candle.payload(self.symbol, interval, closed)}
            self._hub.publish(stream, event)


def _rows(levels: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[str, str]]:
    return [(fixed(price), fixed(quantity)) for price, quantity in levels]
