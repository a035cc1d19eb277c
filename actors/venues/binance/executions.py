"""What Binance tells about orders and balances, answers and stream events alike, in the desk's own messages."""

from typing import assert_never

from actors.messages import (
    AccountReported,
    Balance,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReported,
)
from actors.model.order import OrderSpec, Side
from actors.model.order_state import OrderState
from actors.venues.binance.payloads import (
    AccountPosition,
    AccountStatus,
    AccountTrade,
    ExecutionReport,
    ExecutionType,
    OrderInfo,
    OrderStatus,
    PlacedOrder,
)
from actors.venues.contract import Output
from runtime.clock import NS_PER_MS

STATES = {
    OrderStatus.NEW: OrderState.ACCEPTED,
    OrderStatus.PENDING_NEW: OrderState.ACCEPTED,
    OrderStatus.PARTIALLY_FILLED: OrderState.PARTIALLY_FILLED,
    OrderStatus.FILLED: OrderState.FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
    OrderStatus.PENDING_CANCEL: OrderState.ACCEPTED,
    OrderStatus.REJECTED: OrderState.REJECTED,
    OrderStatus.EXPIRED: OrderState.EXPIRED,
    OrderStatus.EXPIRED_IN_MATCH: OrderState.EXPIRED,
}

SELF_TRADE = "SELF_TRADE_PREVENTION"
SPENT = "QUOTE_QUANTITY_SPENT"
"""An order for an amount of the quote asset is done, whatever base quantity that came to."""


class Executions:
    """`venue` is the desk's name for it."""

    def __init__(self, venue: str) -> None:
        self._venue = venue

    def placed(self, order: OrderSpec, answer: PlacedOrder, ts_recv: int) -> list[Output]:
        """Accepted, then what was filled at once, then its end if that was already all."""
        ts_venue = answer.transact_time * NS_PER_MS
        id, venue_order_id = order.client_order_id, str(answer.order_id)
        if answer.status is OrderStatus.REJECTED:
            return [OrderRejected(self._venue, id, "REJECTED", "not accepted by the engine", ts_recv)]
        outputs: list[Output] = [OrderAccepted(self._venue, id, venue_order_id, ts_venue, ts_recv)]
        outputs += [
            OrderFilled(
                venue=self._venue,
                client_order_id=id,
                venue_order_id=venue_order_id,
                symbol=order.symbol,
                trade_id=str(fill.trade_id),
                side=order.side,
                price=fill.price,
                quantity=fill.qty,
                fee=fill.commission,
                fee_asset=fill.commission_asset or "",
                maker=False,
                ts_venue=ts_venue,
                ts_recv=ts_recv,
            )
            for fill in answer.fills
        ]
        if answer.status in (OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH):
            reason = answer.expiry_reason or answer.status.value
            outputs.append(OrderExpired(self._venue, id, answer.executed_qty, reason, ts_venue, ts_recv))
        elif answer.status is OrderStatus.FILLED and order.quote_quantity is not None:
            outputs.append(OrderExpired(self._venue, id, answer.executed_qty, SPENT, ts_venue, ts_recv))
        return outputs

    def reported(self, info: OrderInfo, ts_recv: int) -> OrderReported:
        return OrderReported(
            venue=self._venue,
            client_order_id=info.client_order_id,
            venue_order_id=str(info.order_id),
            symbol=info.symbol,
            side=info.side,
            quantity=info.orig_qty,
            filled_quantity=info.executed_qty,
            state=STATES[info.status],
            ts_recv=ts_recv,
            price=info.price,
        )

    def fill(self, trade: AccountTrade, ts_recv: int) -> OrderFilled:
        return OrderFilled(
            venue=self._venue,
            client_order_id="",
            venue_order_id=str(trade.order_id),
            symbol=trade.symbol,
            trade_id=str(trade.id),
            side=Side.BUY if trade.is_buyer else Side.SELL,
            price=trade.price,
            quantity=trade.qty,
            fee=trade.commission,
            fee_asset=trade.commission_asset,
            maker=trade.is_maker,
            ts_venue=trade.time * NS_PER_MS,
            ts_recv=ts_recv,
        )

    def account(self, status: AccountStatus | AccountPosition, ts_recv: int) -> AccountReported:
        balances = [Balance(balance.asset, balance.free, balance.locked) for balance in status.balances]
        return AccountReported(self._venue, balances, isinstance(status, AccountStatus), ts_recv)

    def executed(self, report: ExecutionReport, ts_recv: int) -> list[Output]:
        """One event of the user data stream."""
        ts_venue = report.time * NS_PER_MS
        id, venue_order_id = report.client_order_id, str(report.order_id)
        match report.execution:
            case ExecutionType.NEW:
                return [OrderAccepted(self._venue, id, venue_order_id, ts_venue, ts_recv)]
            case ExecutionType.TRADE:
                fills: list[Output] = [
                    OrderFilled(
                        venue=self._venue,
                        client_order_id=id,
                        venue_order_id=venue_order_id,
                        symbol=report.symbol,
                        trade_id=str(report.trade_id),
                        side=report.side,
                        price=report.last_price,
                        quantity=report.last_quantity,
                        fee=report.commission,
                        fee_asset=report.commission_asset or "",
                        maker=report.is_maker,
                        ts_venue=ts_venue,
                        ts_recv=ts_recv,
                    )
                ]
                if report.status is OrderStatus.FILLED and report.quote_quantity.strip("0."):
                    fills.append(OrderExpired(self._venue, id, report.filled_quantity, SPENT, ts_venue, ts_recv))
                return fills
            case ExecutionType.CANCELED:
                canceled = report.original_client_order_id or id
                return [OrderCanceled(self._venue, canceled, report.filled_quantity, ts_venue, ts_recv)]
            case ExecutionType.REJECTED:
                return [OrderRejected(self._venue, id, report.reject_reason, report.reject_reason, ts_recv)]
            case ExecutionType.EXPIRED:
                reason = report.expiry_reason or report.status.value
                return [OrderExpired(self._venue, id, report.filled_quantity, reason, ts_venue, ts_recv)]
            case ExecutionType.TRADE_PREVENTION if report.status is OrderStatus.EXPIRED_IN_MATCH:
                return [OrderExpired(self._venue, id, report.filled_quantity, SELF_TRADE, ts_venue, ts_recv)]
            case ExecutionType.REPLACED:
                return [OrderAmended(self._venue, id, report.quantity, ts_venue, ts_recv)]
            case ExecutionType.TRADE_PREVENTION:
                return []
            case _:
                assert_never(report.execution)
