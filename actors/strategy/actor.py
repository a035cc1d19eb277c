"""The actor around a user's strategy: subscribes to what the class overrides and turns messages into hook calls.

Guarantees: hooks run one at a time and in the order of the messages; none runs before the first `DeskSnapshot`, from
which own orders and positions continue; every order carries the time at which the market data that caused it was
read; an exception of a hook is not caught.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from actors import names
from actors.messages import (
    AggregateTrade,
    BookDelta,
    BookInvalidated,
    BookLevels,
    BookSnapshot,
    CancelOrder,
    DeskSnapshot,
    FeedsMoved,
    FillRecorded,
    HistoryFailed,
    HistoryPage,
    InstrumentsListed,
    Kline,
    Liquidation,
    MarketEvent,
    MarkPrice,
    MiniTicker,
    ModifyOrder,
    OrderRehearsed,
    OrderUpdated,
    PositionForceClosed,
    PositionsReported,
    QueryHistory,
    Quote,
    SubmitOrder,
    SubmitOrderList,
    Ticker,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.bars import Bar, BarBuilder
from actors.model.order_state import OrderState
from actors.settings import VenueSettings
from actors.strategy.base import Later, Strategy
from actors.strategy.desk import Desk, TimerDue
from runtime.actor import ActorDown, ActorUp, Context, Report, Started, Stopping, Undelivered
from runtime.clock import NS_PER_MS

BAR_GRACE_NS = 50 * NS_PER_MS
"""A bar is closed by time so long after its end: trades read before the end are handled by then."""
CANCEL_RETRY_NS = 100 * NS_PER_MS
SAMPLED = 16
"""Of what one read of the socket brought the first and each so many-th is measured: to record a delay takes a third of
the time of a hook."""

FEED_HOOKS = {
    "quote": "on_quote",
    "trade": "on_trade",
    "book": "on_book",
    "ticker": "on_ticker",
    "mark": "on_mark_price",
    "liquidation": "on_liquidation",
    "aggtrade": "on_aggregate_trade",
    "miniticker": "on_mini_ticker",
}
"""Kind of market data → the hook that subscribes to it."""


Told = Ticker | Kline | MarkPrice | Liquidation | AggregateTrade | MiniTicker | BookLevels


class BarDue(msgspec.Struct, frozen=True):
    instrument: str
    length_ns: int


class CancelDue(msgspec.Struct, frozen=True):
    """A cancel that did not reach the order manager is sent again."""

    cancel: CancelOrder


class StrategyActor:
    def __init__(
        self,
        name: str,
        strategy: Strategy,
        instruments: Sequence[str],
        parameters: Mapping[str, Any] | None = None,
        rehearse_every_ns: int = 0,
        venues: Mapping[str, VenueSettings] | None = None,
    ) -> None:
        """`name` as in the configuration: its orders carry it, `orders.<name>` and `fills.<name>` are its topics."""
        self._venues = venues or {}
        self.name = name
        self.strategy = strategy
        self.instruments = tuple(instruments)
        self.parameters = dict(parameters or {})
        self._desk: Desk
        self._rehearse_every_ns = rehearse_every_ns
        self._ready = False
        self._counters = dict.fromkeys(("bars", "fills", "denied", "cancels_retried", "unexpected"), 0)
        self._quotes = self._trades = self._books = 0
        self._measured = 0
        """`ts_recv` of the market event that was measured last."""
        self._handlers: dict[type, Callable[[Any], Later]] = {
            Quote: self._on_quote,
            Trade: self._on_trade,
            Ticker: partial(self._on_told, strategy.on_ticker),
            Kline: partial(self._on_told, strategy.on_kline),
            MarkPrice: partial(self._on_told, strategy.on_mark_price),
            Liquidation: partial(self._on_told, strategy.on_liquidation),
            AggregateTrade: partial(self._on_told, strategy.on_aggregate_trade),
            MiniTicker: partial(self._on_told, strategy.on_mini_ticker),
            BookLevels: partial(self._on_told, strategy.on_levels),
            PositionsReported: partial(self._on_account, strategy.on_positions),
            PositionForceClosed: partial(self._on_account, strategy.on_force_closed),
            HistoryPage: self._on_history,
            HistoryFailed: self._on_history,
            BookSnapshot: self._on_book,
            BookDelta: self._on_book,
            BookInvalidated: self._on_book,
            OrderUpdated: self._on_order,
            FillRecorded: self._on_fill,
            TimerDue: self._on_timer,
            BarDue: self._on_bar_due,
            DeskSnapshot: self._on_snapshot,
            Undelivered: self._on_undelivered,
            CancelDue: self._on_cancel_due,
            InstrumentsListed: self._on_instruments,
            VenueUp: self._on_venue,
            VenueDown: self._on_venue,
            ActorUp: _ignore,
            ActorDown: self._on_actor_down,
            FeedsMoved: lambda moved: self._desk.feeds.on_moved(moved, self._desk.ctx),
            Stopping: self._on_stopping,
        }

    def receive(self, message: Any, ctx: Context) -> Later:
        handler = self._handlers.get(type(message))
        if handler is not None:
            later = handler(message)
            desk = self._desk
            if desk.market_recv > desk.rehearsal_due and later is None and isinstance(message, MarketEvent):
                desk.rehearse(message)
            return later
        if type(message) is Started:
            self._start(ctx)
        else:
            self._counters["unexpected"] += 1
        return None

    def is_finished(self) -> bool:
        """After `Stopping`: every cancel has been answered."""
        return not self._ready or not self._desk.ledger.is_cancelling

    def report(self) -> Report:
        market = {"quotes": self._quotes, "trades": self._trades, "books": self._books}
        if not self._ready:
            return Report(market | self._counters, {"ready": False})
        ledger = self._desk.ledger
        return Report(
            counters=market | self._counters | self._desk.feeds.counters() | {"orders": self._desk.submitted},
            state={
                "ready": True,
                "own_orders": len(ledger.orders),
                "own_positions": {instrument: str(quantity) for instrument, quantity in ledger.positions.items()},
                "strategy": self.strategy.on_report(),
            },
        )

    # ---- beginning and end of a life

    def _start(self, ctx: Context) -> None:
        self._desk = Desk(self.name, self.instruments, ctx, self._rehearse_every_ns, self._venues)
        self.strategy.bind(self._desk, self.parameters)
        ctx.watch(names.ORDER_MANAGER)
        ctx.subscribe(names.ORDER_MANAGER, f"orders.{self.name}", f"fills.{self.name}")
        for venue in dict.fromkeys(instrument.partition(".")[0] for instrument in self.instruments):
            ctx.watch(names.connector(venue))
            ctx.subscribe(names.connector(venue), f"venue.{venue}")
        for publisher in dict.fromkeys(
            one for instrument in self.instruments for one in self._desk.feeds.of(instrument)
        ):
            ctx.watch(publisher)
        for kind, hook in FEED_HOOKS.items():
            if getattr(type(self.strategy), hook) is not getattr(Strategy, hook):
                for instrument in self.instruments:
                    self._desk.follow(kind, instrument)

    def _on_snapshot(self, snapshot: DeskSnapshot) -> Later:
        desk = self._desk
        desk.market_recv = 0
        lost = desk.ledger.restore(snapshot, desk.ctx.now())
        if self._ready:
            return in_turn(partial(self.strategy.on_order, update) for update in lost)
        self._ready = True
        return self.strategy.on_start()

    def _on_stopping(self, _: Stopping) -> Later:
        if not self._ready:
            return None
        self._desk.market_recv = 0
        for kind in self._handlers:  # who is told of the market would trade on
            if issubclass(kind, MarketEvent | TimerDue | BarDue):
                self._handlers[kind] = _ignore
        return self.strategy.on_stop()

    # ---- market data

    def _on_instruments(self, listed: InstrumentsListed) -> None:
        for rules in listed.instruments:
            self._desk.rules[f"{rules.venue}.{rules.symbol}"] = rules

    def _on_quote(self, quote: Quote) -> Later:
        desk, ts_recv = self._desk, quote.ts_recv
        self._quotes += 1
        if ts_recv != self._measured or not self._quotes % SAMPLED:
            self._measure(quote)
        desk.quotes[f"{quote.venue}.{quote.symbol}"] = quote
        if not self._ready:
            return None
        desk.market_recv = ts_recv
        return self.strategy.on_quote(quote)

    def _on_trade(self, trade: Trade) -> Later:
        desk, ts_recv = self._desk, trade.ts_recv
        self._trades += 1
        if ts_recv != self._measured or not self._trades % SAMPLED:
            self._measure(trade)
        if not self._ready:
            return None
        desk.market_recv = ts_recv
        builders = desk.bar_builders and desk.bar_builders.get(trade.instrument)
        if not builders:
            return self.strategy.on_trade(trade)
        price, quantity = Decimal(trade.price), Decimal(trade.quantity)
        closed: list[Bar] = []
        for builder in builders.values():
            first = builder.end is None
            closed += builder.add(price, quantity, ts_recv)
            if first:
                self._wait_for(builder)
        if not closed:
            return self.strategy.on_trade(trade)
        return in_turn((*self._bar_calls(closed), partial(self.strategy.on_trade, trade)))

    def _measure(self, event: Quote | Trade | BookSnapshot | BookDelta | BookInvalidated) -> None:
        ctx = self._desk.ctx
        self._measured = event.ts_recv
        ctx.measure("feed_deliver", event.venue, ctx.now() - event.ts_recv)

    def _on_told(self, hook: Callable[[Any], Later], event: Told) -> Later:
        self._desk.market_recv = event.ts_recv
        return hook(event) if self._ready else None

    def _on_account(self, hook: Callable[[Any], Later], event: PositionsReported | PositionForceClosed) -> Later:
        self._desk.market_recv = 0
        return hook(event) if self._ready else None

    def _on_venue(self, state: VenueUp | VenueDown) -> Later:
        self._desk.market_recv = 0
        self._desk.venues[state.venue] = state
        return self.strategy.on_venue(state) if self._ready else None

    def _on_history(self, answer: HistoryPage | HistoryFailed) -> Later:
        self._desk.market_recv = 0
        return self.strategy.on_history(answer) if self._ready else None

    def _on_book(self, event: BookSnapshot | BookDelta | BookInvalidated) -> Later:
        desk, ts_recv = self._desk, event.ts_recv
        self._books += 1
        if ts_recv != self._measured or not self._books % SAMPLED:
            self._measure(event)
        book = desk.book(event.instrument)
        was_valid = book.is_valid
        match event:
            case BookDelta():
                book.apply_delta(event)
            case BookSnapshot():
                book.apply_snapshot(event)
                book.is_degraded = event.degraded
            case BookInvalidated():
                book.invalidate(event.reason)
        if not self._ready or not (book.is_valid or was_valid):
            return None
        desk.market_recv = ts_recv
        return self.strategy.on_book(book)

    def _on_bar_due(self, due: BarDue) -> Later:
        desk = self._desk
        desk.market_recv = 0
        builder = desk.bar_builders[due.instrument][due.length_ns]
        closed = builder.close_until(desk.ctx.now() - BAR_GRACE_NS)
        self._wait_for(builder)
        return in_turn(self._bar_calls(closed))

    def _wait_for(self, builder: BarBuilder) -> None:
        if builder.end is not None:
            ctx = self._desk.ctx
            delay_ns = max(builder.end + BAR_GRACE_NS - ctx.now(), 0)
            ctx.after(delay_ns, BarDue(builder.instrument, builder.length_ns))

    def _bar_calls(self, closed: Sequence[Bar]) -> list[Callable[[], Later]]:
        self._counters["bars"] += len(closed)
        return [partial(self.strategy.on_bar, bar) for bar in closed]

    # ---- own orders and timers

    def _on_order(self, update: OrderUpdated) -> Later:
        desk = self._desk
        desk.market_recv = 0
        desk.ledger.update(update)
        if update.state is OrderState.DENIED:
            self._counters["denied"] += 1
        return self.strategy.on_order(update) if self._ready else None

    def _on_fill(self, recorded: FillRecorded) -> Later:
        desk = self._desk
        desk.market_recv = 0
        desk.ledger.fill(recorded)
        self._counters["fills"] += 1
        return self.strategy.on_fill(recorded.fill) if self._ready else None

    def _on_timer(self, due: TimerDue) -> Later:
        self._desk.market_recv = 0
        return self.strategy.on_timer(due.name) if self._desk.take_timer(due) else None

    def _on_undelivered(self, undelivered: Undelivered) -> Later:
        now = self._desk.ctx.now()
        match undelivered.message:
            case QueryHistory() as query:
                reason = f"UNDELIVERED: {undelivered.reason}"
                return self._on_history(HistoryFailed(query.reply_to, query.request_id, reason))
            case SubmitOrder(order=order):
                reason = f"UNDELIVERED: {undelivered.reason}"
                return self._on_order(OrderUpdated(order, OrderState.DENIED, "0", None, reason, "", now))
            case OrderRehearsed():
                pass
            case SubmitOrderList(orders=orders):
                reason = f"UNDELIVERED: {undelivered.reason}"
                denied = [OrderUpdated(order, OrderState.DENIED, "0", None, reason, "", now) for order in orders]
                return in_turn([partial(self._on_order, update) for update in denied])
            case ModifyOrder(client_order_id=client_order_id):
                update = self._desk.ledger.unchanged(client_order_id, f"UNDELIVERED: {undelivered.reason}", now)
                return None if update is None else self._on_order(update)
            case CancelOrder() as cancel:
                self._counters["cancels_retried"] += 1
                self._desk.ctx.after(CANCEL_RETRY_NS, CancelDue(cancel))
            case _:
                self._counters["unexpected"] += 1
        return None

    def _on_cancel_due(self, due: CancelDue) -> None:
        if due.cancel.client_order_id in self._desk.ledger.orders:
            self._desk.ctx.tell(names.ORDER_MANAGER, due.cancel)

    def _on_actor_down(self, down: ActorDown) -> Later:
        desk = self._desk
        if down.name == names.ORDER_MANAGER:
            desk.ledger.doubt()
            return None
        desk.market_recv = 0
        of, books = desk.feeds.of, desk.books.items()
        lost = [book for instrument, book in books if book.is_valid and of(instrument) == (down.name,)]
        for book in lost:
            book.invalidate(f"CONNECTOR_DOWN: {down.reason}")
        return in_turn(partial(self.strategy.on_book, book) for book in lost) if self._ready else None


def _ignore(_: Any) -> None: ...


def in_turn(calls: Sequence[Callable[[], Later]] | Iterator[Callable[[], Later]]) -> Later:
    """Call each after the one before is done; an awaitable is returned only if one of them is asynchronous."""
    rest = iter(calls)
    for call in rest:
        pending = call()
        if pending is not None:
            return _go_on(pending, rest)
    return None


async def _go_on(pending: Awaitable[None], rest: Iterator[Callable[[], Later]]) -> None:
    await pending
    for call in rest:
        later = call()
        if later is not None:
            await later
