"""From records of the journal to rows of the store: pure, so the same journal always gives the same rows."""

from decimal import Decimal

import msgspec

from actors.messages import OrderFilled, OrderRouted
from actors.model.position import Position
from actors.orders.ledger import Ledger, Order
from actors.orders.records import decode
from actors.store.schema import DECISIONS, FILLS, ORDERS, POSITIONS, STRATEGY_POSITIONS, Row, Value
from runtime.errors import Corrupt


class Projection:
    """Has to see every record from the first on, in order."""

    def __init__(self) -> None:
        self._ledger = Ledger()

    def apply(self, sequence: int, data: bytes) -> list[Row]:
        """Rows that record `sequence` changes. Raises `Corrupt` for a record that this version cannot read."""
        try:
            record = decode(data)
        except msgspec.DecodeError as error:
            raise Corrupt(f"record {sequence} cannot be read: {error}") from error
        outcome = self._ledger.apply(record)
        rows = [order_row(order) for order in outcome.orders]
        event = record.event
        if isinstance(event, OrderRouted):
            reasons = msgspec.json.encode(event.reasons).decode()
            rows.append(
                Row(DECISIONS, (sequence, event.client_order_id, event.venue, event.connector, reasons, event.ts))
            )
        if outcome.fill is not None:
            rows += self._fill_rows(sequence, outcome.fill, record.ts)
        if not outcome.orders and (order := self._ledger.order(getattr(event, "client_order_id", ""))) is not None:
            rows.append(order_row(order))
        return rows

    def _fill_rows(self, sequence: int, fill: OrderFilled, ts: int) -> list[Row]:
        order = self._ledger.order(fill.client_order_id)
        strategy = "" if order is None else order.spec.strategy
        key = f"{fill.venue}.{fill.symbol}"
        desk = self._ledger.positions[key]
        rows = [_fill_row(sequence, fill, strategy, ts), Row(POSITIONS, (fill.venue, fill.symbol, *_holding(desk, ts)))]
        own = self._ledger.strategy_positions.get(strategy, {}).get(key)
        if own is not None:
            rows.append(Row(STRATEGY_POSITIONS, (strategy, fill.venue, fill.symbol, *_holding(own, ts))))
        return rows


def order_row(order: Order) -> Row:
    spec = order.spec
    return Row(
        ORDERS,
        (
            spec.client_order_id,
            spec.strategy,
            spec.venue,
            spec.symbol,
            spec.side.value,
            spec.type.value,
            spec.time_in_force.value,
            int(spec.post_only),
            spec.quantity,
            spec.price,
            order.state.value,
            plain(order.filled),
            None if order.average_price is None else plain(order.average_price),
            order.venue_order_id,
            order.reason,
            order.submitted,
            order.updated,
        ),
    )


def _fill_row(sequence: int, fill: OrderFilled, strategy: str, ts: int) -> Row:
    return Row(
        FILLS,
        (
            fill.venue,
            fill.symbol,
            fill.trade_id,
            fill.client_order_id,
            sequence,
            fill.venue_order_id,
            strategy,
            fill.side.value,
            fill.price,
            fill.quantity,
            fill.fee or "0",
            fill.fee_asset,
            int(fill.maker),
            fill.ts_venue,
            fill.ts_recv,
            ts,
        ),
    )


def _holding(position: Position, ts: int) -> tuple[Value, ...]:
    average = position.average_price
    fees = {asset: plain(fee) for asset, fee in sorted(position.fees.items())}
    return (
        plain(position.quantity),
        None if average is None else plain(average),
        plain(position.realized_pnl),
        msgspec.json.encode(fees).decode(),
        ts,
    )


def plain(number: Decimal) -> str:
    return format(number, "f")
