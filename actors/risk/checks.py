"""The six checks before an order may leave, as pure functions in a table: (desk, limits, proposal) → reason or None.

A reason is an upper-case code, a colon, then words with both numbers. Limits are inclusive: exactly the limit passes.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.model.instrument import Instrument
from actors.model.order import WITH_PRICE, OrderSpec, Side
from actors.risk.desk_state import ZERO, Claims, DeskState, InstrumentExposure
from actors.settings import RiskLimits


class Proposal(msgspec.Struct, frozen=True):
    """An order at one venue where it may be sent to, with its numbers made once."""

    spec: OrderSpec
    key: str
    """<venue>.<SYMBOL>."""
    instrument: Instrument
    exposure: InstrumentExposure
    quantity: Decimal
    price: Decimal
    """Worst price at which it can fill: its limit, or for a market order the edge of the price band."""
    fee: Decimal
    """Fraction of the notional, the higher of the venue's two."""
    leaves: Decimal
    """What of the quantity is not filled yet."""
    added: Decimal
    """How much more may be filled than the desk counts already: all of a new order, less of a changed one."""
    before: str = ""
    """Client order id of the order that is being changed; it is one order with what it becomes."""
    claimed: Claims = {}
    """What that order claims already; the venue frees it first."""

    @property
    def buys(self) -> bool:
        return self.spec.side is Side.BUY

    @property
    def notional(self) -> Decimal:
        return self.quantity * self.price

    def claims(self) -> Claims:
        """Beyond what is claimed already. Of a contract the whole notional, as if it were not leveraged."""
        instrument = self.instrument
        asset, amount = instrument.quote, self.leaves * self.price * (1 + self.fee)
        if instrument.margin:
            asset, amount = instrument.margin, ZERO if self.spec.reduce_only else amount
        elif not self.buys:
            asset, amount = instrument.base, self.leaves
        key = (instrument.venue, asset)
        return {key: max(ZERO, amount - self.claimed[key]) if key in self.claimed else amount}

    def brings(self) -> Claims:
        """What the account will have more when it is filled, at least."""
        instrument, kept = self.instrument, 1 - self.fee
        if instrument.margin:
            return {}
        if self.buys:
            return {(instrument.venue, instrument.base): self.leaves * kept}
        return {(instrument.venue, instrument.quote): self.leaves * self.price * kept}


Check = Callable[[DeskState, RiskLimits, Proposal], str | None]


def quantity_validity(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    instrument, quantity = order.instrument, order.quantity
    if not instrument.trading:
        return f"NOT_TRADING: {order.key}"
    if instrument.lot_size and quantity % instrument.lot_size:
        return f"INVALID_QUANTITY: {quantity} is not a multiple of {instrument.lot_size}"
    if instrument.min_quantity is not None and quantity < instrument.min_quantity:
        return f"INVALID_QUANTITY: {quantity}, at least {instrument.min_quantity}"
    if instrument.max_quantity is not None and quantity > instrument.max_quantity:
        return f"INVALID_QUANTITY: {quantity}, at most {instrument.max_quantity}"
    most = limits.max_order_quantity.get(order.key)
    if most is not None and quantity > most:
        return f"MAX_ORDER_QUANTITY: {quantity}, limit {most}"
    return None


def price_validity(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    bid, ask = order.exposure.bid, order.exposure.ask
    if bid is None or ask is None:
        return f"NO_PRICE: no quote of {order.key} yet"
    instrument, price, spec = order.instrument, order.price, order.spec
    if spec.stop_price is not None:
        bid = ask = stop = Decimal(spec.stop_price)  # what it will meet when it is triggered
        if instrument.tick_size and stop % instrument.tick_size:
            return f"INVALID_PRICE: triggered at {stop}, which is not a multiple of {instrument.tick_size}"
    if spec.type not in WITH_PRICE:
        return None
    if instrument.tick_size and price % instrument.tick_size:
        return f"INVALID_PRICE: {price} is not a multiple of {instrument.tick_size}"
    if instrument.min_price is not None and price < instrument.min_price:
        return f"INVALID_PRICE: {price}, at least {instrument.min_price}"
    if instrument.max_price is not None and price > instrument.max_price:
        return f"INVALID_PRICE: {price}, at most {instrument.max_price}"
    if order.buys and price > (worst := ask * (1 + limits.price_band)):
        return f"PRICE_BAND: buy at {price}, at most {worst}"
    if not order.buys and price < (worst := bid * (1 - limits.price_band)):
        return f"PRICE_BAND: sell at {price}, at least {worst}"
    return None


def notional_validity(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    """Part of quantity validity that needs a valid price."""
    instrument, notional = order.instrument, order.notional
    if instrument.min_notional is not None and notional < instrument.min_notional:
        return f"INVALID_NOTIONAL: {notional}, at least {instrument.min_notional}"
    if instrument.max_notional is not None and notional > instrument.max_notional:
        return f"INVALID_NOTIONAL: {notional}, at most {instrument.max_notional}"
    if notional > limits.max_order_notional:
        return f"MAX_ORDER_NOTIONAL: {notional}, limit {limits.max_order_notional}"
    return None


def open_orders(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    count = desk.open_orders - ((order.before or order.spec.client_order_id) in desk.open)
    if count >= limits.max_open_orders:
        return f"MAX_OPEN_ORDERS: {count} open, limit {limits.max_open_orders}"
    return None


def position_limit(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    most = limits.max_position.get(order.key)
    if most is None or not order.added:
        return None
    exposure = order.exposure
    if order.buys:
        worst = exposure.position + exposure.buying + order.added
    else:
        worst = exposure.selling + order.added - exposure.position
    if worst > most:
        return f"MAX_POSITION: {worst} of {order.key} at worst, limit {most}"
    return None


def exposure_limit(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    """What does not raise the instrument's worst case always passes: it must be possible to get out."""
    exposure = order.exposure
    worst = exposure.worst_case(buy=order.added) if order.buys else exposure.worst_case(sell=order.added)
    added = worst * (exposure.price or ZERO) - exposure.exposure
    if added > 0 and desk.exposure + added > limits.max_exposure:
        return f"MAX_EXPOSURE: {desk.exposure + added} at worst, limit {limits.max_exposure}"
    return None


def capital(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
    if not limits.check_capital:
        return None
    for (venue, asset), amount in order.claims().items():
        available = desk.available(venue, asset)
        if amount > available:
            return f"INSUFFICIENT_CAPITAL: {amount} {asset} at {venue}, available {available}"
    return None


CHECKS: dict[str, Check] = {
    "quantity": quantity_validity,
    "price": price_validity,
    "notional": notional_validity,
    "open_orders": open_orders,
    "position": position_limit,
    "exposure": exposure_limit,
    "capital": capital,
}
"""In this order; the first reason decides."""
