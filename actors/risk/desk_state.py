"""The whole desk's exposure as sums that every event moves, so that no check has to look at more than one instrument.

Worst case: every open order that raises a position fills, none that lowers it does; of orders that exclude one another
(one and what is to take its place, the pair of an OCO) the largest. An order whose state is UNKNOWN is open, and one
that is being changed counts as the larger of before and after. Capital: what the venue calls free, less what our orders
will take of it and the venue has not yet deducted.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from actors.messages import AccountReported, DeskSnapshot, FillRecorded, OrderUpdated, Quote
from actors.model.order import OrderSpec, Side
from actors.model.order_state import FINAL, OrderState

ZERO = Decimal(0)
AT_VENUE = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})

Claims = dict[tuple[str, str], Decimal]
"""(venue, asset) → what the venue is going to take from the free balance for an order."""
Placement = Callable[[OrderSpec], tuple[Sequence[str], Claims]]
"""Where an order may be, as "<venue>.<SYMBOL>", and what it claims."""


class InstrumentExposure(msgspec.Struct):
    """One instrument of one venue. Quantities are in base units."""

    position: Decimal = ZERO
    """Signed."""
    buying: Decimal = ZERO
    """Sum of what open buy orders may still fill."""
    selling: Decimal = ZERO
    bid: Decimal | None = None
    ask: Decimal | None = None
    price: Decimal | None = None
    """Middle of the last quote; before the first one what the position has cost."""
    exposure: Decimal = ZERO
    """Worst-case absolute position at `price`, in the quote asset; it is part of the desk's total."""

    def worst_case(self, buy: Decimal = ZERO, sell: Decimal = ZERO) -> Decimal:
        """Largest absolute position that open orders, and so much more, can lead to."""
        long = self.position + self.buying + buy
        short = self.selling + sell - self.position
        return max(long, short, ZERO)


class Reservation(msgspec.Struct):
    """What one open order holds."""

    keys: Sequence[str]
    """Instruments it may be sent to: one, or every candidate while the router has not chosen."""
    side: Side
    leaves: Decimal
    claims: Claims
    touched: bool = False
    """It has been at the venue, so its claims end with the next balances, not with itself."""
    group: str = ""
    """Those of one group exclude one another: together they hold as much as the largest of them."""


class DeskState:
    def __init__(self) -> None:
        self.instruments: dict[str, InstrumentExposure] = {}
        self.open: dict[str, Reservation] = {}
        """By client order id: every order that is not final."""
        self.foreign_orders: dict[str, int] = {}
        """Venue → open orders of the account that the desk did not make."""
        self.exposure = ZERO
        """Sum over all instruments."""
        self.free: dict[tuple[str, str], Decimal] = {}
        """(venue, asset) → what the venue last called free."""
        self._claims: dict[tuple[str, str], dict[str, Decimal]] = {}
        self._claimed: dict[tuple[str, str], Decimal] = {}
        self._groups: dict[str, list[Reservation]] = {}

    @property
    def open_orders(self) -> int:
        return len(self.open) + sum(self.foreign_orders.values())

    def at(self, key: str) -> InstrumentExposure:
        instrument = self.instruments.get(key)
        if instrument is None:
            instrument = self.instruments[key] = InstrumentExposure()
        return instrument

    def available(self, venue: str, asset: str) -> Decimal:
        """Free balance less what our orders will take of it; 0 while the venue has not told."""
        key = (venue, asset)
        return self.free.get(key, ZERO) - self._claimed.get(key, ZERO)

    # ---- what the market, the venue and the order manager tell

    def quote(self, quote: Quote) -> None:
        instrument = self.at(f"{quote.venue}.{quote.symbol}")
        instrument.bid, instrument.ask = Decimal(quote.bid), Decimal(quote.ask)
        instrument.price = (instrument.bid + instrument.ask) / 2
        if instrument.exposure or instrument.position or instrument.buying or instrument.selling:
            self._value(instrument)

    def account(self, report: AccountReported) -> None:
        """Balances as they are now: claims of orders that had reached the venue before are contained in them."""
        for balance in report.balances:
            key = (report.venue, balance.asset)
            self.free[key] = Decimal(balance.free)
            for client_order_id in list(self._claims.get(key, ())):
                reservation = self.open.get(client_order_id)
                if reservation is None or reservation.touched:
                    self._drop_claim(key, client_order_id)

    def begin(self, snapshot: DeskSnapshot, place: Placement) -> None:
        """Start again from the order manager's truth."""
        for instrument in self.instruments.values():
            instrument.position = instrument.buying = instrument.selling = ZERO
        self.open.clear()
        self._groups.clear()
        self._claims.clear()
        self._claimed.clear()
        for holding in snapshot.holdings:
            instrument = self.at(f"{holding.venue}.{holding.symbol}")
            instrument.position = Decimal(holding.quantity)
            if instrument.price is None and holding.average_price is not None:
                instrument.price = Decimal(holding.average_price)
        for update in snapshot.orders:
            self._open(update, place)
        for instrument in self.instruments.values():
            self._value(instrument)

    def reserve(self, spec: OrderSpec, keys: Sequence[str], leaves: Decimal, claims: Claims) -> None:
        reservation = Reservation(keys, spec.side, leaves, claims)
        self.open[spec.client_order_id] = reservation
        if spec.replaces or (spec.exclusive and spec.list_id):
            reservation.leaves = ZERO
            self._group(reservation, spec)
            self._set_leaves(reservation, leaves)
        else:
            self._hold(reservation, leaves)
        self._claim(spec.client_order_id, claims)

    def withdraw(self, client_order_id: str) -> None:
        """It does not go after all."""
        reservation = self.open[client_order_id]
        self._drop(client_order_id, reservation)
        for key in reservation.claims:
            self._drop_claim(key, client_order_id)

    def reserve_change(self, client_order_id: str, leaves: Decimal, claims: Claims) -> None:
        """An open order may become so much until the order manager tells what it has become."""
        reservation = self.open[client_order_id]
        self._set_leaves(reservation, max(leaves, reservation.leaves))
        reservation.claims = claims | reservation.claims
        self._claim(client_order_id, claims)

    def update(self, update: OrderUpdated, place: Placement) -> None:
        spec = update.order
        reservation = self.open.get(spec.client_order_id)
        if update.state in FINAL:
            if reservation is not None:
                self._release(spec.client_order_id, reservation, update)
        elif reservation is None:
            # Before its check an order holds nothing; anything else was approved by an earlier life, or has come back.
            if update.state is not OrderState.PENDING:
                self._open(update, place)
        else:
            leaves = _leaves(update)
            keys = [f"{spec.venue}.{spec.symbol}"] if spec.venue else reservation.keys
            if reservation.group:
                self._set_leaves(reservation, leaves)
            elif leaves != reservation.leaves or keys != reservation.keys:
                self._hold(reservation, -reservation.leaves)
                for key in [claim for claim in reservation.claims if spec.venue and claim[0] != spec.venue]:
                    del reservation.claims[key]
                    self._drop_claim(key, spec.client_order_id)
                reservation.keys, reservation.leaves = keys, leaves
                self._hold(reservation, leaves)
            reservation.touched |= update.state in AT_VENUE

    def fill(self, event: FillRecorded) -> None:
        fill = event.fill
        instrument = self.at(f"{fill.venue}.{fill.symbol}")
        quantity = Decimal(fill.quantity)
        instrument.position += quantity if fill.side is Side.BUY else -quantity
        if instrument.price is None:
            instrument.price = Decimal(fill.price)
        self._value(instrument)

    # ---- keeping the sums

    def _open(self, update: OrderUpdated, place: Placement) -> None:
        spec = update.order
        keys, claims = place(spec)
        self.reserve(spec, keys, _leaves(update), claims)
        self.open[spec.client_order_id].touched = update.state in AT_VENUE

    def _hold(self, reservation: Reservation, leaves: Decimal) -> None:
        for key in reservation.keys:
            instrument = self.at(key)
            if reservation.side is Side.BUY:
                instrument.buying += leaves
            else:
                instrument.selling += leaves
            self._value(instrument)

    def _group(self, reservation: Reservation, spec: OrderSpec) -> None:
        """With the other orders that it excludes, if there are any; an order is in one group at a time."""
        if spec.replaces:
            old = self.open.get(spec.replaces)
            if old is None or (old.group and len(self._groups[old.group]) > 1):
                return
            if old.group:
                del self._groups[old.group]
            old.group = spec.replaces
            self._groups[old.group] = [old]
        reservation.group = spec.replaces or spec.list_id
        self._groups.setdefault(reservation.group, []).append(reservation)

    def _set_leaves(self, reservation: Reservation, leaves: Decimal) -> None:
        members = self._groups[reservation.group] if reservation.group else [reservation]
        before = max(member.leaves for member in members)
        reservation.leaves = leaves
        self._hold(reservation, max(member.leaves for member in members) - before)

    def _claim(self, client_order_id: str, claims: Claims) -> None:
        for key, amount in claims.items():
            of_order = self._claims.setdefault(key, {})
            of_order[client_order_id] = of_order[client_order_id] + amount if client_order_id in of_order else amount
            self._claimed[key] = self._claimed.get(key, ZERO) + amount

    def _value(self, instrument: InstrumentExposure) -> None:
        now = ZERO if instrument.price is None else instrument.worst_case() * instrument.price
        self.exposure += now - instrument.exposure
        instrument.exposure = now

    def _drop(self, client_order_id: str, reservation: Reservation) -> None:
        del self.open[client_order_id]
        if not reservation.group:
            self._hold(reservation, -reservation.leaves)
        else:
            self._set_leaves(reservation, ZERO)
            self._groups[reservation.group].remove(reservation)
            if not self._groups[reservation.group]:
                del self._groups[reservation.group]

    def _release(self, client_order_id: str, reservation: Reservation, update: OrderUpdated) -> None:
        self._drop(client_order_id, reservation)
        if not Decimal(update.filled_quantity) and not reservation.touched:
            for key in reservation.claims:
                self._drop_claim(key, client_order_id)

    def _drop_claim(self, key: tuple[str, str], client_order_id: str) -> None:
        amount = self._claims.get(key, {}).pop(client_order_id, None)
        if amount is not None:
            self._claimed[key] -= amount


def _leaves(update: OrderUpdated) -> Decimal:
    """What may still be filled, at most; if it is being changed where it is, of the larger quantity."""
    quantity, pending = Decimal(update.order.quantity), update.pending
    if pending is not None and pending.client_order_id == update.order.client_order_id:
        quantity = max(quantity, Decimal(pending.quantity))
    return max(ZERO, quantity - Decimal(update.filled_quantity))
