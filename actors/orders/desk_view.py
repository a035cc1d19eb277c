"""The ledger as others see it: messages for the desk, plain data for reports."""

from itertools import islice

from actors.messages import DeskSnapshot, Holding, OrderUpdated
from actors.model.position import Position
from actors.orders.ledger import Ledger, Order
from actors.orders.reconciliation import Reconciliation
from runtime.actor import Context, Subscribed

SHOWN_ORDERS = 100


def order_updated(order: Order) -> OrderUpdated:
    average = order.average_price
    return OrderUpdated(
        order.spec,
        order.state,
        format(order.filled, "f"),
        None if average is None else format(average, "f"),
        order.reason,
        order.venue_order_id,
        order.updated,
        order.change,
    )


def snapshot(ledger: Ledger, strategies: set[str] | None, recovering: bool) -> DeskSnapshot:
    """Of these strategies, or of the whole desk."""
    orders = [
        order_updated(order)
        for order in ledger.open.values()
        if strategies is None or order.spec.strategy in strategies
    ]
    if strategies is None:
        positions = ledger.positions
    else:
        positions = {}
        for strategy in strategies:
            positions |= ledger.strategy_positions.get(strategy, {})
    return DeskSnapshot(
        orders,
        {key: format(position.quantity, "f") for key, position in positions.items()},
        recovering,
        tuple(holding(key, position) for key, position in positions.items()),
        ledger.epoch,
        {} if strategies is not None else _by_strategy(ledger),
        ledger.controls.halted,
        dict(ledger.controls.limits),
    )


def _by_strategy(ledger: Ledger) -> dict[str, dict[str, str]]:
    return {
        strategy: {key: format(position.quantity, "f") for key, position in positions.items()}
        for strategy, positions in ledger.strategy_positions.items()
    }


class Followers:
    """Who is told how things stand when it subscribes, and once more when every venue is reconciled."""

    def __init__(self, ledger: Ledger, reconciliation: Reconciliation) -> None:
        self._ledger = ledger
        self._reconciliation = reconciliation
        self._whole_desk: set[str] = set()
        """Subscribers of `orders.*`."""

    def begin(self, message: Subscribed, ctx: Context) -> None:
        topics = (pattern.partition(".") for pattern in message.patterns)
        strategies = {name for kind, _, name in topics if kind in ("orders", "fills")}
        if any("*" in name for name in strategies):
            self._whole_desk.add(message.subscriber)
            self._tell(message.subscriber, ctx)
        elif strategies:
            recovering = not self._reconciliation.complete
            ctx.tell(message.subscriber, snapshot(self._ledger, strategies, recovering))

    def tell_all(self, ctx: Context) -> None:
        for subscriber in self._whole_desk:
            self._tell(subscriber, ctx)

    def _tell(self, subscriber: str, ctx: Context) -> None:
        ctx.tell(subscriber, snapshot(self._ledger, None, not self._reconciliation.complete))
        self._reconciliation.tell(subscriber, ctx)


def holding(key: str, position: Position) -> Holding:
    """`key` is "<venue>.<SYMBOL>"."""
    venue, _, symbol = key.partition(".")
    average = position.average_price
    return Holding(
        venue,
        symbol,
        format(position.quantity, "f"),
        None if average is None else format(average, "f"),
        format(position.realized_pnl, "f"),
        {asset: format(fee, "f") for asset, fee in position.fees.items()},
    )


def plain_ledger(ledger: Ledger) -> dict[str, object]:
    """Counts over all lives, positions, and the first of the open orders."""
    return {
        "orders": {state.value: count for state, count in ledger.counts.items()},
        "fills": ledger.fills,
        "open": len(ledger.open),
        "open_orders": [plain_order(order) for order in islice(ledger.open.values(), SHOWN_ORDERS)],
        "positions": {key: format(position.quantity, "f") for key, position in ledger.positions.items()},
    }


def plain_order(order: Order) -> dict[str, str]:
    spec = order.spec
    return {
        "client_order_id": spec.client_order_id,
        "strategy": spec.strategy,
        "venue": spec.venue,
        "symbol": spec.symbol,
        "side": spec.side.value,
        "type": spec.type.value,
        "quantity": spec.quantity,
        "price": spec.price or "",
        "filled": format(order.filled, "f"),
        "state": order.state.value,
        "reason": order.reason,
        "venue_order_id": order.venue_order_id,
    }
