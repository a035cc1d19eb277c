"""Simulated order flow of one symbol: makers around a random walk, takers, cancels. Seeded, venue-neutral, pure.

Everybody else at the fake venue. After every step the book has at least `_LEVELS` price levels on each side; when the
walk moves through the best quote, takers follow it there.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from random import Random

from actors.model.order import Side, TimeInForce
from actors.simulation.matching import (
    BookSide,
    Canceled,
    Ended,
    Event,
    LevelChanged,
    MatchingEngine,
    Order,
    Prevented,
    Rested,
    Traded,
)

_NS_PER_S = 1_000_000_000
_LEVELS = 24
_MOST_LEVELS = 48
_MOST_ORDERS = 200
_HALF_SPREAD = 1.0e-5
"""Of the price: how far the makers keep from the fair price at least."""
_LEVEL_STEP = 2.0e-5
"""Of the price: the usual distance between levels."""
_STEP_VOLATILITY = 1.5e-5
"""Of the price: standard deviation of the fair price from one step to the next."""
_TAKERS = 0.22
_CANCELS = 0.38


class OrderFlow:
    """`submit` and `cancel` act on the same engine, with the time of the step; `next_order_id` gives fresh ids."""

    def __init__(
        self,
        engine: MatchingEngine,
        submit: Callable[[Order, int], list[Event]],
        cancel: Callable[[int, int], list[Event]],
        next_order_id: Callable[[], int],
        price: Decimal,
        tick_size: Decimal,
        ordinary_quantity: Decimal,
        random: Random,
    ) -> None:
        self._engine = engine
        self._submit = submit
        self._cancel = cancel
        self._next_order_id = next_order_id
        self._tick_size = tick_size
        self._ordinary = float(ordinary_quantity)
        self._random = random
        self._fair = float(price)
        self._mine: dict[int, None] = {}

    def pause_ns(self, rate: float) -> int:
        """How long until the next step, at `rate` steps a second on average."""
        return max(1, int(self._random.expovariate(rate) * _NS_PER_S))

    def seed(self, now: int) -> None:
        """Fill an empty book."""
        self._replenish(now)

    def step(self, now: int) -> None:
        self._fair *= 1 + self._random.gauss(0, _STEP_VOLATILITY)
        self._follow_fair_price(now)
        chance = self._random.random()
        if chance < _TAKERS:
            self._take(now)
        elif chance < _CANCELS:
            self._cancel_one(now)
        else:
            self._make(self._random.choice((Side.BUY, Side.SELL)), self._random.expovariate(0.25), now)
        if len(self._mine) > _MOST_ORDERS:
            self._withdraw(next(iter(self._mine)), now)
        self._replenish(now)

    def _follow_fair_price(self, now: int) -> None:
        """Whoever knows that the price has moved takes what is quoted on the wrong side of it."""
        fair = self._on_tick(self._fair, Side.BUY)
        best_ask, best_bid = self._engine.asks.best(), self._engine.bids.best()
        if best_ask is not None and best_ask < fair:
            self._send(Side.BUY, self._quantity() * 3, fair, TimeInForce.IOC, now)
        elif best_bid is not None and best_bid > fair + self._tick_size:
            self._send(Side.SELL, self._quantity() * 3, fair + self._tick_size, TimeInForce.IOC, now)

    def _take(self, now: int) -> None:
        side = self._random.choice((Side.BUY, Side.SELL))
        best = self._other(side).best()
        if best is not None:
            slippage = Decimal(self._random.choice((0, 0, 0, 2, 5))) * self._tick_size
            limit = best + slippage if side is Side.BUY else best - slippage
            self._send(side, self._quantity(), limit, TimeInForce.IOC, now)

    def _cancel_one(self, now: int) -> None:
        if self._mine:
            self._withdraw(self._random.choice(list(self._mine)), now)

    def _make(self, side: Side, levels_away: float, now: int) -> None:
        """A limit order that does not cross: `levels_away` from the fair price, or behind the other side's best."""
        away = self._fair * (_HALF_SPREAD + levels_away * _LEVEL_STEP)
        price = self._on_tick(self._fair - away if side is Side.BUY else self._fair + away, side)
        best = self._other(side).best()
        if best is not None:
            price = min(price, best - self._tick_size) if side is Side.BUY else max(price, best + self._tick_size)
        self._rest(side, price, now)

    def _replenish(self, now: int) -> None:
        for book in (self._engine.bids, self._engine.asks):
            if book.best() is None:
                self._make(book.side, 0, now)
            while len(book) < _LEVELS:
                self._rest(book.side, self._beyond(book), now)
            if len(book) > _MOST_LEVELS:
                self._cancel_worst(book, now)

    def _beyond(self, book: BookSide) -> Decimal:
        """A price a little worse than the worst of the book."""
        away = Decimal(self._fair * _LEVEL_STEP * self._random.uniform(0.5, 1.5))
        ticks = max(Decimal(1), (away / self._tick_size).to_integral_value()) * self._tick_size
        worst = book.worst()
        assert worst is not None
        return worst - ticks if book.side is Side.BUY else worst + ticks

    def _rest(self, side: Side, price: Decimal, now: int) -> None:
        self._send(side, self._quantity(), max(price, self._tick_size), TimeInForce.GTC, now)

    def _cancel_worst(self, book: BookSide, now: int) -> None:
        worst = book.worst()
        if worst is None:
            return
        for order_id in [order_id for order_id in book.levels[worst].orders if order_id in self._mine]:
            self._withdraw(order_id, now)

    def _withdraw(self, order_id: int, now: int) -> None:
        del self._mine[order_id]
        self._cancel(order_id, now)

    def _send(self, side: Side, quantity: Decimal, price: Decimal, time_in_force: TimeInForce, now: int) -> None:
        order_id = self._next_order_id()
        if time_in_force is TimeInForce.GTC:
            self._mine[order_id] = None
        for event in self._submit(Order(order_id, side, quantity, price, time_in_force), now):
            match event:
                case Traded():
                    if self._engine.resting(event.maker_id) is None:
                        self._mine.pop(event.maker_id, None)
                case Ended() | Canceled():
                    self._mine.pop(event.order_id, None)
                case Rested() | LevelChanged() | Prevented():
                    pass

    def _other(self, side: Side) -> BookSide:
        return self._engine.asks if side is Side.BUY else self._engine.bids

    def _quantity(self) -> Decimal:
        lots = self._random.expovariate(1 / self._ordinary) / float(self._engine.lot_size)
        return max(1, round(lots)) * self._engine.lot_size

    def _on_tick(self, price: float, side: Side) -> Decimal:
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        return (Decimal(price) / self._tick_size).to_integral_value(rounding) * self._tick_size
