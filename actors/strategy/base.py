"""What a user writes a strategy with: override hooks, call actions."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from actors.messages import (
    AggregateTrade,
    BookLevels,
    HistoryFailed,
    HistoryPage,
    Kline,
    Liquidation,
    ListKind,
    MarkPrice,
    MiniTicker,
    OrderFilled,
    OrderUpdated,
    PositionForceClosed,
    PositionsReported,
    Quote,
    Ticker,
    Trade,
    VenueDown,
    VenueUp,
)
from actors.model.bars import Bar
from actors.model.instrument import Instrument
from actors.model.order import Side, TimeInForce
from actors.strategy.amount import Amount
from actors.strategy.desk import Desk, InstrumentBook
from actors.strategy.lists import Leg
from runtime.actor import Logger

Later = Awaitable[None] | None
"""What a hook returns: nothing, or a coroutine if it is `async`."""


class Strategy:
    """Base of every strategy; the same class trades live, on fake venues, in a simulation and in a replay.

    Hooks run one at a time: the next message waits until a hook is done, also while it is `await`ing; market data
    that piles up meanwhile is conflated. No hook runs before the own orders and positions are known, so after a crash
    `on_start` sees what the earlier life left. An exception ends this life; a new one is started by the supervisor.

    A strategy is subscribed to what it overrides: without `on_book` no book is sent to it. Instruments are
    `<venue>.<SYMBOL>` as in the configuration; a symbol alone in `buy` and `sell` lets the router choose the venue.
    """

    _desk: Desk
    _parameters: Mapping[str, Any]

    def bind(self, desk: Desk, parameters: Mapping[str, Any]) -> None:
        """Called by the strategy's actor at the beginning of each life, before any hook."""
        self._desk = desk
        self._parameters = MappingProxyType(dict(parameters))

    # ---- hooks: override those that matter, plain or async

    def on_start(self) -> Later:
        """Own orders and positions are known."""

    def on_quote(self, quote: Quote) -> Later:
        """Best bid or ask changed."""

    def on_trade(self, trade: Trade) -> Later:
        """Somebody traded."""

    def on_book(self, book: InstrumentBook) -> Later:
        """The book changed or became invalid: look at `book.is_valid` before trading on it."""

    def on_bar(self, bar: Bar) -> Later:
        """A bar that was asked for by `bars` is closed."""

    def on_ticker(self, ticker: Ticker) -> Later:
        """What the last 24 hours came to, as the venue counts."""

    def on_kline(self, kline: Kline) -> Later:
        """The venue's own bar, asked for by `klines`, has grown or is `closed`."""

    def on_mark_price(self, mark: MarkPrice) -> Later:
        """What a contract is valued at, and its next funding; only venues of contracts tell it."""

    def on_liquidation(self, liquidation: Liquidation) -> Later:
        """The venue closed somebody's position; only venues of contracts tell it."""

    def on_aggregate_trade(self, trade: AggregateTrade) -> Later:
        """All that one taker order traded at one price."""

    def on_mini_ticker(self, ticker: MiniTicker) -> Later:
        """The last 24 hours in prices and volumes alone."""

    def on_levels(self, levels: BookLevels) -> Later:
        """The best levels of a book, asked for by `levels`, have changed."""

    def on_venue(self, state: VenueUp | VenueDown) -> Later:
        """Orders may go to a venue again, or may not; `state.degraded` says why they go by REST, if they do."""

    def on_positions(self, positions: PositionsReported) -> Later:
        """What a venue of contracts says the whole account holds there, at first or since it changed."""

    def on_force_closed(self, closed: PositionForceClosed) -> Later:
        """The venue itself has closed a position of the account, or a part of it."""

    def on_history(self, answer: HistoryPage | HistoryFailed) -> Later:
        """A page of what `history` asked for, or why there are no more."""

    def on_order(self, update: OrderUpdated) -> Later:
        """An own order changed state. `DENIED` is a refusal of the desk itself, `UNKNOWN` may still be filled."""

    def on_fill(self, fill: OrderFilled) -> Later:
        """An own order was executed, in part or whole; `position` counts it already."""

    def on_timer(self, name: str) -> Later:
        """A timer that was set by `set_timer` has run out."""

    def on_stop(self) -> Later:
        """The life ends in order; what is sent here still leaves. By default every open order is cancelled."""
        self.cancel_all()
        return None

    def on_report(self) -> dict[str, Any]:
        """What a dashboard should show of this strategy: plain data. Called twice a second."""
        return {}

    # ---- actions

    def buy(
        self,
        instrument: str,
        quantity: Amount,
        price: Amount | None = None,
        *,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
    ) -> str:
        """Send an order to the order manager and return its client order id; without a price it is a market order.

        `quantity` is in the base asset. Amounts are Decimal, str or int; a float raises TypeError.
        """
        return self._desk.submit(Side.BUY, instrument, quantity, price, time_in_force, post_only)

    def sell(
        self,
        instrument: str,
        quantity: Amount,
        price: Amount | None = None,
        *,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
    ) -> str:
        """As `buy`."""
        return self._desk.submit(Side.SELL, instrument, quantity, price, time_in_force, post_only)

    def submit_list(self, kind: ListKind | str, instrument: str, *legs: Leg) -> list[str]:
        """Send orders that depend on one another; all of them are placed, or none. Returns their client order ids.

        OCO: two for one quantity, one of them a stop: as soon as one works, the other ends. OTO: the second is placed
        when the first, a limit order, is filled. OTOCO: the same with a pair as second and third. Each is an order of
        its own in `orders` and `on_order`; cancelling one of them cancels all that are open.
        """
        return self._desk.submit_list(ListKind(kind), instrument, legs)

    def modify(
        self, client_order_id: str, *, price: Amount | None = None, quantity: Amount | None = None
    ) -> str | None:
        """Give an own open limit order another price, another quantity, or both; what is not given stays.

        `quantity` is of the whole order, what is filled included. Until it is known what became of it, the order is
        `PENDING_UPDATE`, and what is filled meanwhile counts against the new quantity. Then `on_order` tells: the order
        as it is now; or as it was, with the reason; or, where the venue cannot change it like this, that it is
        `CANCELED` and another one, whose `order.replaces` is its id, has taken its place. The venue may refuse that
        other one when the first is gone already: it is then `REJECTED`.

        Returns the client order id of that other order, if there is going to be one; None if nothing was asked because
        the order does not work or something is under way with it.
        """
        return self._desk.modify(client_order_id, quantity, price)

    def cancel(self, client_order_id: str) -> None:
        """Ask for the cancel of an own order; nothing happens if it is done or its cancel is on its way."""
        self._desk.cancel(client_order_id)

    def cancel_all(self) -> None:
        """Cancel every own open order."""
        self._desk.cancel_all()

    def set_timer(self, name: str, seconds: float) -> None:
        """Have `on_timer(name)` called once; a timer of the same name is replaced."""
        self._desk.set_timer(name, seconds)

    def cancel_timer(self, name: str) -> None:
        self._desk.cancel_timer(name)

    def bars(self, instrument: str, seconds: int) -> None:
        """Have `on_bar` called with each bar of that length, from the first trade on; call it in `on_start`."""
        self._desk.build_bars(instrument, seconds)

    def klines(self, instrument: str, interval: str) -> None:
        """Have `on_kline` called with the venue's own bars of an interval that it knows, e.g. "1m" or "4h"."""
        self._desk.follow(f"kline_{interval}", instrument)

    def levels(self, instrument: str, depth: int) -> None:
        """Have `on_levels` called with so many levels of each side: one of the depths that the venue tells, e.g. 5."""
        self._desk.follow(f"depth{depth}", instrument)

    def history(self, instrument: str, kind: str, start: int, end: int) -> str:
        """Ask the venue for the past: `kind` is "aggtrade" or e.g. "kline_1m", times are nanoseconds, `end` exclusive.

        Answered page by page in `on_history`; returns the `request_id` that the pages carry.
        """
        return self._desk.ask_history(instrument, kind, start, end)

    async def sleep(self, seconds: float) -> None:
        """In an async hook only. Everything but this strategy goes on."""
        await asyncio.sleep(seconds)

    # ---- what is known

    def position(self, instrument: str) -> Decimal:
        """Signed base quantity of this strategy: the sum of its fills."""
        return self._desk.position(instrument)

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """`<venue>.<SYMBOL>` → signed base quantity."""
        return MappingProxyType(self._desk.ledger.positions)

    @property
    def orders(self) -> Mapping[str, OrderUpdated]:
        """Own open orders by client order id, from submission until they are done."""
        return MappingProxyType(self._desk.ledger.orders)

    def book(self, instrument: str) -> InstrumentBook:
        """The order book, invalid until its first snapshot; the first call subscribes to it."""
        return self._desk.book(instrument)

    def quote(self, instrument: str) -> Quote | None:
        """The last quote, None before the first; the first call subscribes to it."""
        return self._desk.quote(instrument)

    @property
    def venues(self) -> Mapping[str, VenueUp | VenueDown]:
        """The state of each venue of the instruments, once it is known."""
        return MappingProxyType(self._desk.venues)

    def rules(self, instrument: str) -> Instrument | None:
        """The venue's rules: tick and lot size, least and greatest amounts; None until the venue has listed them."""
        return self._desk.rules.get(instrument)

    @property
    def instruments(self) -> Sequence[str]:
        """As the configuration names them: `<venue>.<SYMBOL>`."""
        return self._desk.instruments

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As in the configuration."""
        return self._parameters

    def number(self, name: str, default: Amount, instrument: str = "") -> Decimal:
        """A number of the parameters, exactly as it was written; `default` if it is not there.

        It may be a mapping from instrument to number, of which `instrument` chooses.
        """
        value = self._parameters.get(name, default)
        if isinstance(value, Mapping):
            value = value.get(instrument, default)
        return Decimal(str(value))

    @property
    def now(self) -> int:
        """Nanoseconds since the epoch, by the clock of the run: virtual in a simulation."""
        return self._desk.ctx.now()

    @property
    def log(self) -> Logger:
        """`self.log.info("event_name", key=value)`."""
        return self._desk.ctx.log
