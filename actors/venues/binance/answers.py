"""Answers of the WebSocket API to the desk's commands, in the desk's own messages."""

from typing import assert_never

import msgspec

from actors.messages import (
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    OpenOrdersReported,
    OrderCanceled,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.venues.binance.errors import Meaning
from actors.venues.binance.executions import Executions
from actors.venues.binance.order_requests import FILLS_PER_PAGE
from actors.venues.binance.payloads import (
    AccountStatus,
    AccountTrade,
    CanceledOrder,
    ErrorBody,
    OrderInfo,
    PlacedOrder,
)
from actors.venues.contract import Command, Output
from actors.venues.refusals import lose, refuse
from runtime.clock import NS_PER_MS


class FillsPage(msgspec.Struct, frozen=True):
    fills: list[OrderFilled]
    next_id: int | None
    """Trade id to go on from; None if this was the last page."""


class Answers:
    def __init__(self, venue: str, executions: Executions) -> None:
        self._venue = venue
        self._executions = executions
        self._decode_placed = msgspec.json.Decoder(PlacedOrder).decode
        self._decode_canceled = msgspec.json.Decoder(CanceledOrder).decode
        self._decode_order = msgspec.json.Decoder(OrderInfo).decode
        self._decode_orders = msgspec.json.Decoder(list[OrderInfo]).decode
        self._decode_trades = msgspec.json.Decoder(list[AccountTrade]).decode
        self._decode_account = msgspec.json.Decoder(AccountStatus).decode

    def read(
        self,
        command: PlaceOrder | CancelAtVenue | QueryOrder | QueryOpenOrders | QueryAccount,
        result: msgspec.Raw,
        ts: int,
    ) -> list[Output]:
        """Raises `msgspec.MsgspecError` for what is no such answer."""
        match command:
            case PlaceOrder():
                return self._executions.placed(command.order, self._decode_placed(result), ts)
            case CancelAtVenue():
                canceled = self._decode_canceled(result)
                ts_venue = canceled.transact_time * NS_PER_MS
                return [OrderCanceled(self._venue, command.client_order_id, canceled.executed_qty, ts_venue, ts)]
            case QueryOrder():
                report = self._executions.reported(self._decode_order(result), ts)
                return [msgspec.structs.replace(report, client_order_id=command.client_order_id)]
            case QueryOpenOrders():
                reports = [self._executions.reported(order, ts) for order in self._decode_orders(result)]
                return [OpenOrdersReported(self._venue, reports, ts)]
            case QueryAccount():
                return [self._executions.account(self._decode_account(result), ts)]
            case _:
                assert_never(command)

    def read_fills(self, result: msgspec.Raw, ts: int) -> FillsPage:
        """Raises `msgspec.MsgspecError` for what is no such answer."""
        trades = self._decode_trades(result)
        is_full = len(trades) >= FILLS_PER_PAGE
        return FillsPage(
            [self._executions.fill(trade, ts) for trade in trades],
            max(trade.id for trade in trades) + 1 if is_full else None,
        )

    def fills(self, query: QueryFills, fills: list[OrderFilled], ts: int) -> FillsReported:
        return FillsReported(self._venue, query.symbol, fills, ts)

    def refused(self, command: Command, meaning: Meaning, status: int, error: ErrorBody, ts: int) -> Output:
        """What the venue's "no" means for a command."""
        if meaning is Meaning.UNKNOWN:
            return lose(self._venue, command, f"VENUE_UNSURE: status {status}, {error.code} {error.msg}", ts)
        match command:
            case PlaceOrder():
                return OrderRejected(self._venue, command.order.client_order_id, str(error.code), error.msg, ts)
            case CancelAtVenue():
                return CancelRejected(self._venue, command.client_order_id, str(error.code), error.msg, ts)
            case QueryOrder() if meaning is Meaning.NOT_FOUND:
                return OrderNotFound(self._venue, command.client_order_id, ts)
            case _:
                return refuse(self._venue, command, str(error.code), error.msg, ts)
