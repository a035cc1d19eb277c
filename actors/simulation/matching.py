"""The matching engine of one symbol: price-time priority, and nothing else.

It knows no clock, no account, no venue and does no I/O: orders in, events out, in the order in which they happened.
Every number is a `Decimal`. Guarantees: the book is never crossed; what a taker gets is what makers give, at the
maker's price; at one price the earlier order trades first; a fill-or-kill order trades whole or not at all; of an
iceberg only the tip is in the book, and each new tip queues behind everybody else at its price.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from enum import Enum

import msgspec

from actors.model.order import Side, TimeInForce

ZERO = Decimal(0)


class EndReason(Enum):
    """Why an order left without being filled."""

    WOULD_TAKE = "WOULD_TAKE"
    """A post-only order that would have matched: it never traded."""
    NOT_FILLABLE = "NOT_FILLABLE"
    """A fill-or-kill order that could not trade whole: it never traded."""
    IMMEDIATE_REMAINDER = "IMMEDIATE_REMAINDER"
    """What was left of an immediate-or-cancel order."""
    NO_LIQUIDITY = "NO_LIQUIDITY"
    """What was left of a market order when the other side of the book was empty."""


class SelfTrade(Enum):
    """What happens when an order meets one of the same owner; the taker's mode decides."""

    ALLOW = "ALLOW"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"
    """Both lose what they would have traded."""


class Order(msgspec.Struct):
    """One order inside the engine. `price` None is a market order; a `quote_budget` replaces its `quantity`.

    `tip` makes it an iceberg that shows so much; an order without an `owner` never meets itself.
    """

    order_id: int
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    quote_budget: Decimal | None = None
    remaining: Decimal = ZERO
    tip: Decimal | None = None
    owner: str = ""
    self_trade: SelfTrade = SelfTrade.ALLOW
    shown: Decimal = ZERO


class Traded(msgspec.Struct, frozen=True):
    """One match. `price` is the maker's."""

    taker_id: int
    maker_id: int
    taker_side: Side
    price: Decimal
    quantity: Decimal


class Rested(msgspec.Struct, frozen=True):
    """What is left of the order waits in the book now."""

    order_id: int
    remaining: Decimal


class Ended(msgspec.Struct, frozen=True):
    """The engine took what is left of the order away by the order's own rules."""

    order_id: int
    remaining: Decimal
    reason: EndReason


class Canceled(msgspec.Struct, frozen=True):
    order_id: int
    remaining: Decimal


class Prevented(msgspec.Struct, frozen=True):
    """A trade with oneself that did not happen: what each side loses by it, and whether the order is over."""

    taker_id: int
    maker_id: int
    price: Decimal
    taker_quantity: Decimal
    maker_quantity: Decimal
    taker_ended: bool
    maker_ended: bool


class LevelChanged(msgspec.Struct, frozen=True):
    """The whole quantity that waits at this price now; zero when the level is gone."""

    side: Side
    price: Decimal
    quantity: Decimal


Event = Traded | Rested | Ended | Canceled | Prevented | LevelChanged


class Level:
    """The orders that wait at one price, earliest first; `quantity` is what they show."""

    __slots__ = ("orders", "quantity")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.quantity = ZERO


class BookSide:
    """One side of the book. Keys are prices times 1 for bids and -1 for asks, so that the best is at the end."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[Decimal] = []
        self.levels: dict[Decimal, Level] = {}

    def best(self) -> Decimal | None:
        return self._keys[-1] * self._sign if self._keys else None

    def worst(self) -> Decimal | None:
        return self._keys[0] * self._sign if self._keys else None

    def prices(self) -> Iterator[Decimal]:
        """Best first."""
        for key in reversed(self._keys):
            yield key * self._sign

    def add(self, price: Decimal, order: Order) -> None:
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            insort(self._keys, price * self._sign)
        level.orders[order.order_id] = order
        _show(level, order)

    def take(self, price: Decimal, order: Order, quantity: Decimal) -> Decimal:
        """Take `quantity` off what this order shows; returns what is left at the price."""
        level = self.levels[price]
        order.remaining -= quantity
        order.shown -= quantity
        level.quantity -= quantity
        if not order.remaining:
            return self.remove(price, order)
        if not order.shown:
            del level.orders[order.order_id]
            level.orders[order.order_id] = order
            _show(level, order)
        return level.quantity

    def reduce(self, price: Decimal, order: Order, quantity: Decimal) -> Decimal:
        """Make the order smaller where it stands; returns what is left at the price."""
        level = self.levels[price]
        order.remaining -= quantity
        hidden = max(ZERO, order.shown - order.remaining)
        order.shown -= hidden
        level.quantity -= hidden
        return level.quantity if order.remaining else self.remove(price, order)

    def remove(self, price: Decimal, order: Order) -> Decimal:
        level = self.levels[price]
        level.quantity -= order.shown
        del level.orders[order.order_id]
        if not level.orders:
            del self.levels[price]
            del self._keys[bisect_left(self._keys, price * self._sign)]
            return ZERO
        return level.quantity

    def __len__(self) -> int:
        return len(self._keys)


def _show(level: Level, order: Order) -> None:
    order.shown = order.remaining if order.tip is None else min(order.tip, order.remaining)
    level.quantity += order.shown


class MatchingEngine:
    """`lot_size` is the step in which a market order with a quote budget buys or sells."""

    def __init__(self, lot_size: Decimal) -> None:
        self.lot_size = lot_size
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self._resting: dict[int, Order] = {}

    def side(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks

    def resting(self, order_id: int) -> Order | None:
        return self._resting.get(order_id)

    def levels(self, side: Side, limit: int) -> list[tuple[Decimal, Decimal]]:
        """(price, quantity), best first."""
        book = self.side(side)
        found: list[tuple[Decimal, Decimal]] = []
        for price in book.prices():
            if len(found) == limit:
                break
            found.append((price, book.levels[price].quantity))
        return found

    def cost(self, side: Side, quantity: Decimal, but_of: str = "") -> Decimal:
        """What a taker of `quantity` on `side` would pay or get in quote currency, as far as the book reaches.

        Orders of the owner `but_of` do not count.
        """
        total, left = ZERO, quantity
        other = self.asks if side is Side.BUY else self.bids
        for price in other.prices():
            taken = min(left, _waiting(other.levels[price], but_of))
            total += taken * price
            left -= taken
            if not left:
                break
        return total

    def lots_for(self, side: Side, quote_budget: Decimal, but_of: str = "") -> Decimal:
        """How much a taker on `side` gets for this much quote currency, in whole lots, as far as the book reaches."""
        total, left = ZERO, quote_budget
        other = self.asks if side is Side.BUY else self.bids
        for price in other.prices():
            lots = (left / price / self.lot_size).to_integral_value(ROUND_DOWN) * self.lot_size
            waiting = _waiting(other.levels[price], but_of)
            taken = min(lots, waiting)
            total += taken
            left -= taken * price
            if taken < waiting:
                break
        return total

    def submit(self, order: Order) -> list[Event]:
        """Match the order, then let the rest wait or end. Ids are the caller's and never reused."""
        other = self.asks if order.side is Side.BUY else self.bids
        if order.quote_budget is not None:
            but_of = "" if order.self_trade is SelfTrade.ALLOW else order.owner
            order.quantity = self.lots_for(order.side, order.quote_budget, but_of)
        order.remaining = order.quantity
        if order.post_only and self._crosses(order, other.best()):
            return [Ended(order.order_id, order.remaining, EndReason.WOULD_TAKE)]
        if order.time_in_force is TimeInForce.FOK and not self._can_fill(order, other):
            return [Ended(order.order_id, order.remaining, EndReason.NOT_FILLABLE)]
        events: list[Event] = []
        if self._match(order, other, events):
            return events
        if order.price is None:
            if order.remaining or (order.quote_budget is not None and other.best() is None):
                events.append(Ended(order.order_id, order.remaining, EndReason.NO_LIQUIDITY))
        elif order.remaining and order.time_in_force is TimeInForce.GTC:
            self._rest(order, order.price, events)
        elif order.remaining:
            events.append(Ended(order.order_id, order.remaining, EndReason.IMMEDIATE_REMAINDER))
        return events

    def cancel(self, order_id: int) -> list[Event]:
        """Take an order out of the book; no events when it is not there."""
        order = self._resting.pop(order_id, None)
        if order is None or order.price is None:
            return []
        left = self.side(order.side).remove(order.price, order)
        return [Canceled(order_id, order.remaining), LevelChanged(order.side, order.price, left)]

    def reduce(self, order_id: int, quantity: Decimal) -> list[Event]:
        """Make a waiting order smaller, where it stands in its queue; no events when it is not there."""
        order = self._resting.get(order_id)
        if order is None or order.price is None:
            return []
        left = self.side(order.side).reduce(order.price, order, quantity)
        if not order.remaining:
            del self._resting[order_id]
        return [LevelChanged(order.side, order.price, left)]

    def _rest(self, order: Order, price: Decimal, events: list[Event]) -> None:
        book = self.side(order.side)
        book.add(price, order)
        self._resting[order.order_id] = order
        events.append(Rested(order.order_id, order.remaining))
        events.append(LevelChanged(order.side, price, book.levels[price].quantity))

    def _crosses(self, order: Order, price: Decimal | None) -> bool:
        if price is None:
            return False
        if order.price is None:
            return True
        return price <= order.price if order.side is Side.BUY else price >= order.price

    def would_take(self, side: Side, price: Decimal) -> bool:
        """Whether a limit order at this price would trade at once."""
        best = (self.asks if side is Side.BUY else self.bids).best()
        return best is not None and (best <= price if side is Side.BUY else best >= price)

    def _can_fill(self, order: Order, other: BookSide) -> bool:
        needed = order.quantity
        for price in other.prices():
            if needed <= 0 or not self._crosses(order, price):
                break
            needed -= sum((maker.remaining for maker in other.levels[price].orders.values()), ZERO)
        return needed <= 0

    def _match(self, order: Order, other: BookSide, events: list[Event]) -> bool:
        """True when self-trade prevention has ended the order."""
        while order.remaining:
            price = other.best()
            if price is None or not self._crosses(order, price):
                return False
            maker = next(iter(other.levels[price].orders.values()))
            if order.owner and order.owner == maker.owner and order.self_trade is not SelfTrade.ALLOW:
                if self._prevent(order, maker, price, events):
                    return True
                continue
            quantity = min(order.remaining, maker.shown)
            left = other.take(price, maker, quantity)
            order.remaining -= quantity
            if not maker.remaining:
                del self._resting[maker.order_id]
            events.append(Traded(order.order_id, maker.order_id, order.side, price, quantity))
            events.append(LevelChanged(other.side, price, left))
        return False

    def _prevent(self, taker: Order, maker: Order, price: Decimal, events: list[Event]) -> bool:
        taken = maken = ZERO
        match taker.self_trade:
            case SelfTrade.EXPIRE_TAKER:
                taken = taker.remaining
            case SelfTrade.EXPIRE_MAKER:
                maken = maker.remaining
            case SelfTrade.EXPIRE_BOTH:
                taken, maken = taker.remaining, maker.remaining
            case SelfTrade.DECREMENT:
                taken = maken = min(taker.remaining, maker.remaining)
            case SelfTrade.ALLOW:
                """It would not have come here."""
        taker.remaining -= taken
        ends = (not taker.remaining, maken == maker.remaining)
        events.append(Prevented(taker.order_id, maker.order_id, price, taken, maken, *ends))
        if maken:
            events += self.reduce(maker.order_id, maken)
        return not taker.remaining


def _waiting(level: Level, but_of: str) -> Decimal:
    """All that waits at the level, shown or not, without the orders of this owner."""
    return sum((order.remaining for order in level.orders.values() if not but_of or order.owner != but_of), ZERO)
