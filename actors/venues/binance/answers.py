"""Answers of the WebSocket API to the desk's commands, in the desk's own messages."""

from decimal import Decimal
from typing import assert_never

import msgspec

from actors.messages import (
    AmendAtVenue,
    AmendRejected,
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    OpenOrdersReported,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    PlaceOrderList,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    ReplaceAtVenue,
)
from actors.venues.binance.errors import ERRORS
from actors.venues.binance.executions import Executions
from actors.venues.binance.order_requests import FILLS_PER_PAGE, rest_of
from actors.venues.binance.payloads import (
    AccountStatus,
    AccountTrade,
    AmendedOrder,
    CanceledList,
    CanceledOrder,
    OrderInfo,
    PlacedList,
    PlacedOrder,
    ReplacedOrder,
)
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.payloads import ErrorBody, ErrorData
from actors.venues.contract import Change, Command, Output
from actors.venues.refusals import lose, lose_change, refuse
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
        self._decode_canceled_list = msgspec.json.Decoder(CanceledList).decode
        self._decode_replaced = msgspec.json.Decoder(ReplacedOrder).decode
        self._decode_amended = msgspec.json.Decoder(AmendedOrder).decode
        self._decode_list = msgspec.json.Decoder(PlacedList).decode
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode
        self._decode_order = msgspec.json.Decoder(OrderInfo).decode
        self._decode_orders = msgspec.json.Decoder(list[OrderInfo]).decode
        self._decode_trades = msgspec.json.Decoder(list[AccountTrade]).decode
        self._decode_account = msgspec.json.Decoder(AccountStatus).decode

    def read(
        self,
        command: PlaceOrder | CancelAtVenue | QueryOrder | QueryOpenOrders | QueryAccount | Change,
        result: msgspec.Raw,
        ts: int,
    ) -> list[Output]:
        """Raises `msgspec.MsgspecError` for what is no such answer."""
        match command:
            case PlaceOrder():
                return self._executions.placed(command.order, self._decode_placed(result), ts)
            case CancelAtVenue():
                return self._canceled_alone_or_in_list(command, result, ts)
            case ReplaceAtVenue():
                replaced = self._decode_replaced(result)
                canceled = self._canceled(command.client_order_id, replaced.cancel_response, ts)
                return [canceled, *self._executions.placed(command.order, replaced.new_order_response, ts)]
            case AmendAtVenue():
                amended = self._decode_amended(result)
                quantity, ts_venue = amended.amended_order.qty, amended.transact_time * NS_PER_MS
                return [OrderAmended(self._venue, command.client_order_id, quantity, ts_venue, ts)]
            case PlaceOrderList():
                placed = {report.client_order_id: report for report in self._decode_list(result).order_reports}
                return [
                    output
                    for order in command.orders
                    for output in self._executions.placed(order, placed[order.client_order_id], ts)
                ]
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

    def canceled_to_replace(
        self, change: ReplaceAtVenue, result: msgspec.Raw, ts: int
    ) -> tuple[list[Output], PlaceOrder | None]:
        """The first of two steps is done: what it brought, and the second if anything is left to be done.

        Raises `msgspec.MsgspecError` for what is no such answer.
        """
        canceled = self._canceled(change.client_order_id, self._decode_canceled(result), ts)
        order, left = change.order, rest_of(change, canceled.filled_quantity)
        if left <= 0 or ts > change.deadline:
            code = "NOTHING_LEFT" if left <= 0 else "DEADLINE_PASSED"
            return [canceled, OrderRejected(self._venue, order.client_order_id, code, "after the cancel", ts)], None
        told: list[Output] = [canceled]
        if left != Decimal(order.quantity):
            order = msgspec.structs.replace(order, quantity=format(left, "f"))
            told.append(OrderAmended(self._venue, order.client_order_id, order.quantity, canceled.ts_venue, ts))
        return told, PlaceOrder(order, change.stamps, change.epoch, change.deadline)

    def _canceled_alone_or_in_list(self, command: CancelAtVenue, result: msgspec.Raw, ts: int) -> list[Output]:
        try:
            return [self._canceled(command.client_order_id, self._decode_canceled(result), ts)]
        except msgspec.ValidationError:
            reports = self._decode_canceled_list(result).order_reports
            return [self._canceled(report.orig_client_order_id, report, ts) for report in reports]

    def _canceled(self, client_order_id: str, canceled: CanceledOrder, ts: int) -> OrderCanceled:
        ts_venue = canceled.transact_time * NS_PER_MS
        return OrderCanceled(self._venue, client_order_id, canceled.executed_qty, ts_venue, ts)

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

    def refused(
        self, command: Command | Change, action: Action, status: int, error: ErrorBody, ts: int
    ) -> list[Output]:
        """What the venue's "no" means for a command."""
        code, words = str(error.code), error.msg
        if isinstance(command, ReplaceAtVenue) and error.data is not None and error.data.cancel_result:
            return self._half_replaced(command, error.data, ts)
        if action is Action.UNKNOWN:
            reason = f"VENUE_UNSURE: status {status}, {code} {words}"
            if isinstance(command, Change):
                return [*lose_change(self._venue, command, reason, ts)]
            return [lose(self._venue, command, reason, ts)]
        match command:
            case PlaceOrder():
                return [OrderRejected(self._venue, command.order.client_order_id, code, words, ts)]
            case PlaceOrderList():
                return [OrderRejected(self._venue, order.client_order_id, code, words, ts) for order in command.orders]
            case CancelAtVenue():
                return [CancelRejected(self._venue, command.client_order_id, code, words, ts)]
            case ReplaceAtVenue():
                return [
                    CancelRejected(self._venue, command.client_order_id, code, words, ts),
                    OrderRejected(self._venue, command.order.client_order_id, code, words, ts),
                ]
            case AmendAtVenue():
                return [AmendRejected(self._venue, command.client_order_id, code, words, ts)]
            case QueryOrder() if action is Action.NOT_FOUND:
                return [OrderNotFound(self._venue, command.client_order_id, ts)]
            case _:
                return [refuse(self._venue, command, code, words, ts)]

    def _half_replaced(self, command: ReplaceAtVenue, parts: ErrorData, ts: int) -> list[Output]:
        """One part of it, or both, failed; each says what came of it."""
        old, new = command.client_order_id, command.order.client_order_id
        outputs: list[Output] = []
        if parts.cancel_result == "SUCCESS":
            outputs.append(self._canceled(old, self._decode_canceled(parts.cancel_response), ts))
        else:
            outputs += self._part_failed(CancelRejected, old, parts.cancel_response, ts)
        if parts.new_order_result == "SUCCESS":
            outputs += self._executions.placed(command.order, self._decode_placed(parts.new_order_response), ts)
        elif parts.new_order_result == "NOT_ATTEMPTED":
            outputs.append(OrderRejected(self._venue, new, "NOT_ATTEMPTED", "the cancel before it failed", ts))
        else:
            outputs += self._part_failed(OrderRejected, new, parts.new_order_response, ts)
        return outputs

    def _part_failed(
        self, rejected: type[CancelRejected | OrderRejected], id: str, response: msgspec.Raw, ts: int
    ) -> list[Output]:
        error = self._decode_error(response)
        if ERRORS.action(400, error.code, error.msg) is Action.UNKNOWN:
            return [OutcomeUnknown(self._venue, id, f"VENUE_UNSURE: {error.code} {error.msg}", ts)]
        return [rejected(self._venue, id, str(error.code), error.msg, ts)]
