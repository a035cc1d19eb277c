"""A strategy's desk: the market as it last saw it, its ledger, its bars, and everything it may do."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from actors import names
from actors.feeds import MarketFeeds
from actors.messages import (
    CancelOrder,
    ListKind,
    MarketEvent,
    ModifyOrder,
    OrderRehearsed,
    QueryHistory,
    Quote,
    SubmitOrder,
    SubmitOrderList,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.bars import BarBuilder
from actors.model.book import OrderBook
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps, TimeInForce
from actors.model.order_id import order_id
from actors.settings import VenueSettings
from actors.strategy.amount import Amount, wire_amount
from actors.strategy.ledger import Ledger
from actors.strategy.lists import Leg, linked
from runtime.actor import Context, Timer
from runtime.clock import NS_PER_S

NEVER = 1 << 63


class TimerDue(msgspec.Struct, frozen=True):
    name: str
    number: int


class InstrumentBook(OrderBook):
    """The book that `on_book` gets; it knows whose it is."""

    __slots__ = ("instrument", "is_degraded")

    def __init__(self, instrument: str) -> None:
        super().__init__()
        self.instrument = instrument
        self.is_degraded = False
        """Its stream is down and REST is asked for its best levels: older and rarer than the stream's."""


class Desk:
    """Made anew for each life of the strategy's actor, with the context of that life."""

    def __init__(
        self,
        strategy: str,
        instruments: Sequence[str],
        ctx: Context,
        rehearse_every_ns: int = 0,
        venues: Mapping[str, VenueSettings] | None = None,
    ) -> None:
        self.strategy = strategy
        self.feeds = MarketFeeds(venues or {})
        self.instruments = tuple(instruments)
        self.ctx = ctx
        self.ledger = Ledger()
        self.quotes: dict[str, Quote] = {}
        self.rules: dict[str, Instrument] = {}
        self.books: dict[str, InstrumentBook] = {}
        self.venues: dict[str, VenueUp | VenueDown] = {}
        self.bar_builders: dict[str, dict[int, BarBuilder]] = {}
        """Instrument → length in nanoseconds → builder."""
        self.market_recv = 0
        """`ts_recv` of the market event being handled; 0 while something else is."""
        self.submitted = 0
        self.rehearsal_due = 0 if rehearse_every_ns else NEVER
        """A market event that was read later is followed by a rehearsal."""
        self._rehearse_every_ns = rehearse_every_ns
        self._changes = 0
        """Asked for; each may need a client order id, too."""
        self._asked = 0
        """Queries of history."""
        self._topics: set[tuple[str, str]] = set()
        self._timers: dict[str, tuple[int, Timer]] = {}
        self._timer_number = 0

    # ---- market data

    def follow(self, kind: str, instrument: str) -> None:
        """Subscribe to a kind of market data of an instrument, once."""
        if (kind, instrument) in self._topics:
            return
        venue, symbol = self.split(instrument)
        if not venue:
            raise ValueError(f"market data needs a venue: one of {', '.join(self.instruments)}")
        self._topics.add((kind, instrument))
        self.feeds.read(venue, [symbol], (kind,), self.ctx)

    def ask_history(self, instrument: str, kind: str, start: int, end: int) -> str:
        venue, symbol = self.split(instrument)
        if not venue:
            raise ValueError(f"history needs a venue: one of {', '.join(self.instruments)}")
        self._asked += 1
        id = f"{self.ctx.incarnation}.{self._asked}"
        query = QueryHistory(self.ctx.name, id, kind, symbol, start, end)
        self.ctx.tell(self.feeds.of(instrument)[0], query)
        return id

    def book(self, instrument: str) -> InstrumentBook:
        book = self.books.get(instrument)
        if book is None:
            self.follow("book", instrument)
            book = self.books[instrument] = InstrumentBook(instrument)
        return book

    def quote(self, instrument: str) -> Quote | None:
        self.follow("quote", instrument)
        return self.quotes.get(instrument)

    def build_bars(self, instrument: str, seconds: int) -> None:
        self.follow("trade", instrument)
        length_ns = seconds * NS_PER_S
        self.bar_builders.setdefault(instrument, {}).setdefault(length_ns, BarBuilder(instrument, length_ns))

    # ---- orders

    def submit(
        self,
        side: Side,
        instrument: str,
        quantity: Amount,
        price: Amount | None,
        time_in_force: TimeInForce | str,
        post_only: bool,
    ) -> str:
        if price is None and post_only:
            raise ValueError("a market order takes liquidity: post_only needs a price")
        now = self.ctx.now()
        self.submitted += 1
        order = self._order(side, instrument, quantity, price, time_in_force, post_only, now)
        self.ledger.submit(order, now)
        stamps = Stamps(market_recv=self.market_recv, submitted=now)
        self.ctx.tell(names.ORDER_MANAGER, SubmitOrder(order, stamps))
        if self._rehearse_every_ns:
            self.rehearsal_due = now + self._rehearse_every_ns
        return order.client_order_id

    def rehearse(self, event: MarketEvent) -> None:
        """Go the way of an order without an order, after an event that brought none."""
        now = self.ctx.now()
        self.rehearsal_due = now + self._rehearse_every_ns
        price = event.price if isinstance(event, Trade) else event.bid if isinstance(event, Quote) else "1"
        instrument = f"{event.venue}.{event.symbol}"
        order = self._order(Side.BUY, instrument, "1", price, TimeInForce.GTC, False, now)
        ledger = Ledger()
        ledger.submit(order, now)
        stamps = Stamps(market_recv=self.market_recv, submitted=now)
        self.ctx.tell(names.ORDER_MANAGER, OrderRehearsed(order, stamps))

    def _order(
        self,
        side: Side,
        instrument: str,
        quantity: Amount,
        price: Amount | None,
        time_in_force: TimeInForce | str,
        post_only: bool,
        now: int,
    ) -> OrderSpec:
        venue, symbol = self.split(instrument)
        return OrderSpec(
            client_order_id=self._next_id(now),
            strategy=self.strategy,
            venue=venue,
            symbol=symbol,
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=wire_amount("quantity", quantity),
            price=None if price is None else wire_amount("price", price),
            time_in_force=TimeInForce(time_in_force),
            post_only=post_only,
        )

    def _next_id(self, now: int) -> str:
        return order_id(self.ctx.incarnation, self.ctx.name, self.strategy, now, self.submitted + self._changes)

    def cancel(self, client_order_id: str) -> None:
        if self.ledger.request_cancel(client_order_id, self.ctx.now()) is not None:
            self.ctx.tell(names.ORDER_MANAGER, CancelOrder(client_order_id, self.strategy))

    def submit_list(self, kind: ListKind, instrument: str, legs: Sequence[Leg]) -> list[str]:
        venue, symbol = self.split(instrument)
        if not venue:
            raise ValueError(f"an order list needs a venue: one of {', '.join(self.instruments)}")
        ctx = self.ctx
        now = ctx.now()
        specs = []
        for leg in legs:
            self.submitted += 1
            specs.append(leg.spec(self._next_id(now), self.strategy, venue, symbol))
        orders = linked(kind, specs)
        for order in orders:
            self.ledger.submit(order, now)
        stamps = Stamps(market_recv=self.market_recv, submitted=now)
        ctx.tell(names.ORDER_MANAGER, SubmitOrderList(kind, orders, stamps))
        return [order.client_order_id for order in orders]

    def modify(self, client_order_id: str, quantity: Amount | None, price: Amount | None) -> str | None:
        if quantity is None and price is None:
            raise ValueError("modify needs a quantity, a price, or both")
        wire_quantity = "" if quantity is None else wire_amount("quantity", quantity)
        wire_price = "" if price is None else wire_amount("price", price)
        ctx = self.ctx
        now = ctx.now()
        if self.ledger.request_change(client_order_id, now) is None:
            return None
        self._changes += 1
        new_id = self._next_id(now)
        stamps = Stamps(market_recv=self.market_recv, submitted=now)
        ctx.tell(
            names.ORDER_MANAGER,
            ModifyOrder(client_order_id, self.strategy, new_id, wire_quantity, wire_price, stamps),
        )
        return new_id

    def cancel_all(self) -> None:
        for client_order_id in list(self.ledger.orders):
            self.cancel(client_order_id)

    def position(self, instrument: str) -> Decimal:
        self.split(instrument)
        return self.ledger.positions.get(instrument, Decimal(0))

    def split(self, instrument: str) -> tuple[str, str]:
        """`binance.BTCUSDT` → venue and symbol; a symbol alone leaves the venue to the router.

        Raises ValueError for what is not among the strategy's instruments in the configuration.
        """
        if instrument in self.instruments:
            venue, _, symbol = instrument.partition(".")
            return venue, symbol
        if any(known.partition(".")[2] == instrument for known in self.instruments):
            return "", instrument
        raise ValueError(f"{instrument!r} is no instrument of strategy {self.strategy}: {', '.join(self.instruments)}")

    # ---- time

    def set_timer(self, name: str, seconds: float) -> None:
        self.cancel_timer(name)
        self._timer_number += 1
        due = TimerDue(name, self._timer_number)
        self._timers[name] = (self._timer_number, self.ctx.after(round(seconds * NS_PER_S), due))

    def cancel_timer(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name)[1].cancel()

    def take_timer(self, due: TimerDue) -> bool:
        """False if it was cancelled or set anew while it was on its way."""
        if self._timers.get(due.name, (0, None))[0] != due.number:
            return False
        del self._timers[due.name]
        return True
