"""What Binance USD-M futures tells about orders, fills, balances and positions, in the desk's own messages.

Fills come from `ORDER_TRADE_UPDATE` or a query only: an answer to an order has had no average price since 2026-07-15,
and `TRADE_LITE` lacks the fee, which the first mention of a fill has to carry because later ones do not count.
"""

from typing import assert_never

from actors.messages import (
    AccountReported,
    Balance,
    ContractPosition,
    ForcedCause,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReported,
    PositionForceClosed,
    PositionsReported,
)
from actors.model.order import PositionSide
from actors.model.order_state import OrderState
from actors.venues.binance.executions import STATES
from actors.venues.binance.payloads import OrderInfo
from actors.venues.binance_usdm.order_requests import ALGO
from actors.venues.binance_usdm.payloads import (
    AccountUpdate,
    AlgoInfo,
    AlgoStatus,
    AlgoUpdate,
    ExecutionType,
    FuturesAccount,
    FuturesTrade,
    PositionRisk,
    ReportedOrder,
)
from actors.venues.contract import Output
from runtime.clock import NS_PER_MS

FORCED = {
    "autoclose-": ForcedCause.LIQUIDATION,
    "adl_autoclose": ForcedCause.AUTO_DELEVERAGING,
    "settlement_autoclose-": ForcedCause.SETTLEMENT,
    "delivery_autoclose-": ForcedCause.DELIVERY,
}
"""How the client order ids begin of orders that the venue makes itself."""

EXPIRY_REASONS = {
    "1": "SELF_TRADE_PREVENTION",
    "2": "IMMEDIATE_REMAINDER",
    "3": "SELF_TRADE_PREVENTION",
    "4": "REDUCE_ONLY",
    "5": "LIQUIDATION",
    "6": "GTE_UNSATISFIED",
    "7": "DELISTED",
    "8": "TRIGGERED",
    "9": "MARKET_REMAINDER",
    "10": "FOK_UNFILLED",
    "11": "POST_ONLY_WOULD_TAKE",
}
"""Field `er`: …/user-data-streams/Event-Order-Update, "Expiry Reason"."""

ALGO_STATES = {
    AlgoStatus.NEW: OrderState.ACCEPTED,
    AlgoStatus.TRIGGERING: OrderState.ACCEPTED,
    AlgoStatus.TRIGGERED: OrderState.ACCEPTED,
    AlgoStatus.FINISHED: OrderState.ACCEPTED,
    AlgoStatus.CANCELED: OrderState.CANCELED,
    AlgoStatus.REJECTED: OrderState.REJECTED,
    AlgoStatus.EXPIRED: OrderState.EXPIRED,
}
"""Of what was triggered the order that it has become is the truth: `Executions.actual_id`."""


def forced_cause(client_order_id: str) -> ForcedCause | None:
    return next((cause for prefix, cause in FORCED.items() if client_order_id.startswith(prefix)), None)


class Executions:
    """`venue` is the desk's name for it."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._triggered: dict[str, str] = {}
        """Order id → client id of the algo order that became it."""

    # ---- events of the user data stream --------------------------------------------------------------------------

    def order(self, order: ReportedOrder, ts_recv: int) -> list[Output]:
        venue_order_id = str(order.order_id)
        id = self._triggered.get(venue_order_id, order.client_order_id)
        ts_venue = order.time * NS_PER_MS
        match order.execution:
            case ExecutionType.NEW:
                return [OrderAccepted(self._venue, id, venue_order_id, ts_venue, ts_recv)]
            case ExecutionType.TRADE | ExecutionType.CALCULATED:
                return self._fill(order, id, ts_venue, ts_recv)
            case ExecutionType.CANCELED:
                return [OrderCanceled(self._venue, id, order.filled_quantity, ts_venue, ts_recv)]
            case ExecutionType.EXPIRED:
                reason = EXPIRY_REASONS.get(order.expiry_reason, order.status.value)
                return [OrderExpired(self._venue, id, order.filled_quantity, reason, ts_venue, ts_recv)]
            case ExecutionType.AMENDMENT:
                return [OrderAmended(self._venue, id, order.quantity, ts_venue, ts_recv, order.price)]
            case _:
                assert_never(order.execution)

    def _fill(self, order: ReportedOrder, id: str, ts_venue: int, ts_recv: int) -> list[Output]:
        filled = OrderFilled(
            venue=self._venue,
            client_order_id=id,
            venue_order_id=str(order.order_id),
            symbol=order.symbol,
            trade_id=str(order.trade_id),
            side=order.side,
            price=order.last_price,
            quantity=order.last_quantity,
            fee=order.commission,
            fee_asset=order.commission_asset or "",
            maker=order.is_maker,
            ts_venue=ts_venue,
            ts_recv=ts_recv,
        )
        cause = forced_cause(id)
        if cause is None:
            return [filled]
        closed = PositionForceClosed(
            self._venue, order.symbol, cause, order.side, order.last_price, order.last_quantity, id, ts_venue, ts_recv
        )
        return [filled, closed]

    def algo(self, update: AlgoUpdate, ts_recv: int) -> list[Output]:
        order, ts_venue = update.order, update.time * NS_PER_MS
        id = order.client_algo_id
        match order.status:
            case AlgoStatus.NEW:
                return [OrderAccepted(self._venue, id, f"{ALGO}{order.algo_id}", ts_venue, ts_recv)]
            case AlgoStatus.TRIGGERED | AlgoStatus.FINISHED if order.order_id:
                self._triggered[order.order_id] = id
                return [OrderAccepted(self._venue, id, order.order_id, ts_venue, ts_recv)]
            case AlgoStatus.TRIGGERING | AlgoStatus.TRIGGERED | AlgoStatus.FINISHED:
                return []
            case AlgoStatus.CANCELED:
                return [OrderCanceled(self._venue, id, "0", ts_venue, ts_recv)]
            case AlgoStatus.EXPIRED:
                return [OrderExpired(self._venue, id, "0", "EXPIRED", ts_venue, ts_recv)]
            case AlgoStatus.REJECTED:
                return [OrderRejected(self._venue, id, "REJECTED", order.reject_reason or "when triggered", ts_recv)]
            case _:
                assert_never(order.status)

    def account_changed(self, update: AccountUpdate, ts_recv: int) -> list[Output]:
        """Wallets only, not what is free of them, so balances have to be asked for; positions as they are now."""
        positions = [
            ContractPosition(
                position.symbol,
                _position_side(position.position_side),
                position.quantity,
                position.entry_price,
                position.unrealized_pnl,
            )
            for position in update.change.positions
        ]
        return [PositionsReported(self._venue, positions, False, update.change.reason, ts_recv)] if positions else []

    # ---- answers -------------------------------------------------------------------------------------------------

    def reported(self, info: OrderInfo, ts_recv: int) -> OrderReported:
        venue_order_id = str(info.order_id)
        return OrderReported(
            venue=self._venue,
            client_order_id=self._triggered.get(venue_order_id, info.client_order_id),
            venue_order_id=venue_order_id,
            symbol=info.symbol,
            side=info.side,
            quantity=info.orig_qty,
            filled_quantity=info.executed_qty,
            state=STATES[info.status],
            ts_recv=ts_recv,
            price=info.price,
        )

    def algo_reported(self, info: AlgoInfo, ts_recv: int) -> OrderReported:
        return OrderReported(
            venue=self._venue,
            client_order_id=info.client_algo_id,
            venue_order_id=f"{ALGO}{info.algo_id}",
            symbol=info.symbol,
            side=info.side,
            quantity=info.quantity,
            filled_quantity="0",
            state=ALGO_STATES[info.algo_status],
            ts_recv=ts_recv,
        )

    def actual_id(self, info: AlgoInfo) -> str:
        """Of the order that an algo order has become; "" if it has not been triggered."""
        if info.actual_order_id:
            self._triggered[info.actual_order_id] = info.client_algo_id
        return info.actual_order_id

    def fill(self, trade: FuturesTrade, ts_recv: int) -> OrderFilled:
        return OrderFilled(
            venue=self._venue,
            client_order_id="",
            venue_order_id=str(trade.order_id),
            symbol=trade.symbol,
            trade_id=str(trade.id),
            side=trade.side,
            price=trade.price,
            quantity=trade.qty,
            fee=trade.commission,
            fee_asset=trade.commission_asset,
            maker=trade.maker,
            ts_venue=trade.time * NS_PER_MS,
            ts_recv=ts_recv,
        )

    def account(self, account: FuturesAccount, ts_recv: int) -> AccountReported:
        """Free is what may be used as margin now; locked is the margin of positions and open orders."""
        balances = [Balance(asset.asset, asset.available_balance, asset.initial_margin) for asset in account.assets]
        return AccountReported(self._venue, balances, True, ts_recv)

    def positions(self, rows: list[PositionRisk], ts_recv: int) -> PositionsReported:
        positions = [
            ContractPosition(
                row.symbol, _position_side(row.position_side), row.position_amt, row.entry_price, row.un_realized_profit
            )
            for row in rows
        ]
        return PositionsReported(self._venue, positions, True, "", ts_recv)


def _position_side(text: str) -> PositionSide | None:
    """ "BOTH" is the one position of an account that does not hold long and short apart."""
    return None if text == "BOTH" else PositionSide(text)
