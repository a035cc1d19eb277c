"""Orders that depend on one another, as a strategy writes them down."""

from collections.abc import Sequence

import msgspec

from actors.messages import ListKind
from actors.model.order import OrderSpec, OrderType, Side, TimeInForce
from actors.strategy.amount import Amount, wire_amount

LENGTHS = {ListKind.OCO: 2, ListKind.OTO: 2, ListKind.OTOCO: 3}
TYPES = {
    (False, False, False): OrderType.MARKET,
    (True, False, False): OrderType.LIMIT,
    (False, True, False): OrderType.STOP,
    (True, True, False): OrderType.STOP_LIMIT,
    (False, True, True): OrderType.TAKE_PROFIT,
    (True, True, True): OrderType.TAKE_PROFIT_LIMIT,
}
"""(has a price, has a stop price, takes profit) → type."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a list.

    With a price it is a limit order, with a stop price one that is triggered when the market gets there: against the
    position, or with `take_profit` in its favour. Amounts as in `buy` and `sell`.
    """

    side: Side
    quantity: Amount
    price: Amount | None = None
    stop_price: Amount | None = None
    take_profit: bool = False
    time_in_force: TimeInForce | str = TimeInForce.GTC
    post_only: bool = False

    def spec(self, client_order_id: str, strategy: str, venue: str, symbol: str) -> OrderSpec:
        """Raises as `wire_amount`, and ValueError for what is no order."""
        key = (self.price is not None, self.stop_price is not None, self.take_profit)
        if key not in TYPES:
            raise ValueError("take_profit needs a stop_price, at which profit is taken")
        return OrderSpec(
            client_order_id,
            strategy,
            venue,
            symbol,
            self.side,
            TYPES[key],
            wire_amount("quantity", self.quantity),
            None if self.price is None else wire_amount("price", self.price),
            TimeInForce(self.time_in_force),
            self.post_only,
            None if self.stop_price is None else wire_amount("stop_price", self.stop_price),
        )


def linked(kind: ListKind, orders: Sequence[OrderSpec]) -> list[OrderSpec]:
    """As orders of one list: of an OCO both exclude one another, of an OTOCO the last two.

    Raises ValueError for a number of orders that such a list does not have.
    """
    if len(orders) != LENGTHS[kind]:
        raise ValueError(f"a list of kind {kind.value} has {LENGTHS[kind]} orders, not {len(orders)}")
    first_exclusive = {ListKind.OCO: 0, ListKind.OTO: 2, ListKind.OTOCO: 1}[kind]
    return [
        msgspec.structs.replace(order, list_id=orders[0].client_order_id, exclusive=index >= first_exclusive)
        for index, order in enumerate(orders)
    ]
