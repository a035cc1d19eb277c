"""The desk as the gateway last heard of it: orders, positions and quotes, ready to be shown."""

from collections import OrderedDict
from decimal import Decimal
from typing import Any

import msgspec

from actors.messages import DeskSnapshot, FillRecorded, OrderFilled, OrderUpdated, Quote
from actors.model.order import Side
from actors.model.order_state import FINAL, OrderState
from actors.model.position import ZERO, Position

KEPT_DONE = 1_000
"""So many orders that are done can still be shown to who asked for them."""
UNANSWERED = frozenset({OrderState.PENDING, OrderState.SENT})


class Mirror:
    """The order manager's snapshot, and what it told since. Without a snapshot nothing here is true."""

    def __init__(self) -> None:
        self.ready = False
        self.halted = ""
        self.limits: dict[str, str] = {}
        self.open: dict[str, OrderUpdated] = {}
        self.done: OrderedDict[str, OrderUpdated] = OrderedDict()
        self.positions: dict[str, Position] = {}
        self.by_strategy: dict[str, dict[str, Decimal]] = {}
        """Strategy → "<venue>.<SYMBOL>" → signed quantity."""
        self.quotes: dict[str, Quote] = {}

    def begin(self, snapshot: DeskSnapshot) -> None:
        listed = {update.order.client_order_id: update for update in snapshot.orders}
        for client_order_id, update in self.open.items():
            if client_order_id not in listed:
                self._keep(msgspec.structs.replace(update, state=OrderState.UNKNOWN, reason="LOST_SIGHT"))
        self.open = listed
        self.positions = {holding.key: holding.position() for holding in snapshot.holdings}
        self.by_strategy = {
            strategy: {key: Decimal(quantity) for key, quantity in positions.items()}
            for strategy, positions in snapshot.strategies.items()
        }
        self.halted, self.limits = snapshot.halted, dict(snapshot.limits)
        self.ready = True

    def update(self, update: OrderUpdated) -> None:
        client_order_id = update.order.client_order_id
        if update.state in FINAL:
            self.open.pop(client_order_id, None)
            self._keep(update)
        else:
            self.open[client_order_id] = update
            self.done.pop(client_order_id, None)

    def fill(self, event: FillRecorded) -> None:
        fill = event.fill
        key = f"{fill.venue}.{fill.symbol}"
        quantity = Decimal(fill.quantity)
        self.positions.setdefault(key, Position()).add_fill(
            fill.side, quantity, Decimal(fill.price), Decimal(fill.fee or 0), fill.fee_asset
        )
        own = self.by_strategy.setdefault(event.strategy, {})
        own[key] = own.get(key, ZERO) + (quantity if fill.side is Side.BUY else -quantity)

    def order(self, client_order_id: str) -> OrderUpdated | None:
        return self.open.get(client_order_id) or self.done.get(client_order_id)

    def is_answered(self, client_order_id: str, *, done: bool) -> bool:
        """The venue, or who refused it, has spoken of it; with `done` also to its end."""
        update = self.order(client_order_id)
        if update is None:
            return False
        return update.state in FINAL if done else update.state not in UNANSWERED

    def _keep(self, update: OrderUpdated) -> None:
        self.done[update.order.client_order_id] = update
        if len(self.done) > KEPT_DONE:
            self.done.popitem(last=False)


def plain_order(update: OrderUpdated) -> dict[str, Any]:
    spec = update.order
    return {
        "client_order_id": spec.client_order_id,
        "strategy": spec.strategy,
        "instrument": f"{spec.venue}.{spec.symbol}" if spec.venue else spec.symbol,
        "side": spec.side.value,
        "type": spec.type.value,
        "quantity": spec.quantity,
        "price": spec.price,
        "filled": update.filled_quantity,
        "average_price": update.average_price,
        "state": update.state.value,
        "reason": update.reason,
        "venue_order_id": update.venue_order_id,
        "ts": update.ts,
    }


def plain_position(instrument: str, position: Position) -> dict[str, Any]:
    average = position.average_price
    return {
        "instrument": instrument,
        "quantity": format(position.quantity, "f"),
        "average_price": None if average is None else format(average, "f"),
        "realized_pnl": format(position.realized_pnl, "f"),
        "fees": {asset: format(fee, "f") for asset, fee in position.fees.items()},
    }


def plain_quote(quote: Quote) -> dict[str, Any]:
    return {
        "instrument": quote.instrument,
        "bid": quote.bid,
        "bid_quantity": quote.bid_quantity,
        "ask": quote.ask,
        "ask_quantity": quote.ask_quantity,
        "ts_venue": quote.ts_venue,
        "ts_recv": quote.ts_recv,
    }


def plain_fill(strategy: str, fill: OrderFilled) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "instrument": f"{fill.venue}.{fill.symbol}",
        "side": fill.side.value,
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
        "client_order_id": fill.client_order_id,
        "trade_id": fill.trade_id,
        "ts_venue": fill.ts_venue,
        "ts_recv": fill.ts_recv,
    }
