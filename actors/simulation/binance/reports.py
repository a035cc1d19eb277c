"""Every payload that shows an order: answers to requests, and the account's events.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and …/user-data-stream
"""

from decimal import Decimal

from actors.model.order import Side
from actors.simulation.binance.numbers import fixed
from actors.simulation.binance.orders import (
    Fill,
    PreventedMatch,
    ResponseType,
    SelfTradeMode,
    Status,
    VenueOrder,
    VenueOrderType,
)

_ZERO = Decimal(0)
_ZERO_TEXT = "0.00000000"
_NO_GROUP = -1


def ack(order: VenueOrder) -> dict[str, object]:
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": _list_id(order),
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }


def response(order: VenueOrder, kind: ResponseType) -> dict[str, object]:
    """The answer to a placed order."""
    if kind is ResponseType.ACK:
        return ack(order)
    result = ack(order) | _state(order) | {"workingTime": _working_ms(order)} | _self_trade(order)
    if kind is ResponseType.FULL:
        result["fills"] = [
            {
                "price": fixed(fill.price),
                "qty": fixed(fill.quantity),
                "commission": fixed(fill.commission),
                "commissionAsset": fill.commission_asset,
                "tradeId": fill.trade_id,
            }
            for fill in order.fills
        ]
        taken = [found for found in order.prevented_matches if found.taker_order_id == order.order_id]
        if taken:
            result["preventedMatches"] = [_prevented(found) for found in taken]
    return result | _conditional(order)


def cancel_response(order: VenueOrder, original_id: str) -> dict[str, object]:
    ids = {"symbol": order.symbol, "origClientOrderId": original_id}
    return ids | ack(order) | _state(order) | _self_trade(order) | _conditional(order)


def query(order: VenueOrder) -> dict[str, object]:
    """The answer to a question about the order."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": _list_id(order),
        "clientOrderId": order.client_order_id,
        **_state(order),
        "stopPrice": fixed(order.ticket.stop_price or _ZERO),
        "icebergQty": fixed(order.ticket.iceberg_quantity or _ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms is not None,
        "workingTime": _working_ms(order),
        **_self_trade(order),
        **_conditional(order, shown=("stopPrice", "icebergQty")),
    }


def amended(order: VenueOrder, original_id: str) -> dict[str, object]:
    """The order in the answer to `order.amend.keepPriority`, which has names of its own for some fields."""
    answer: dict[str, object] = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": _list_id(order),
        "origClientOrderId": original_id,
        "clientOrderId": order.client_order_id,
        "price": fixed(order.price),
        "qty": fixed(order.quantity),
        "executedQty": fixed(order.executed),
        "preventedQty": fixed(order.prevented),
        "quoteOrderQty": fixed(order.quote_quantity),
        "cumulativeQuoteQty": fixed(order.quote_executed),
        "status": order.status.value,
        "timeInForce": order.ticket.time_in_force.value,
        "type": order.ticket.type.value,
        "side": order.side.value,
    }
    if order.working_ms is not None:
        answer["workingTime"] = order.working_ms
    return answer | _self_trade(order) | _conditional(order)


def amendments(order: VenueOrder) -> list[dict[str, object]]:
    return [
        {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "executionId": amendment.execution_id,
            "origClientOrderId": amendment.old_client_order_id,
            "newClientOrderId": amendment.new_client_order_id,
            "origQty": fixed(amendment.old_quantity),
            "newQty": fixed(amendment.new_quantity),
            "time": amendment.ms,
        }
        for amendment in order.amendments
    ]


def trade_row(order: VenueOrder, fill: Fill) -> dict[str, object]:
    """As `GET /api/v3/myTrades` answers."""
    return {
        "symbol": order.symbol,
        "id": fill.trade_id,
        "orderId": order.order_id,
        "orderListId": _list_id(order),
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.price * fill.quantity),
        "commission": fixed(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.ms,
        "isBuyer": order.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def prevented_row(symbol: str, match: PreventedMatch) -> dict[str, object]:
    """As `GET /api/v3/myPreventedMatches` answers."""
    row: dict[str, object] = {
        "symbol": symbol,
        "preventedMatchId": match.match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": _NO_GROUP,
        "selfTradePreventionMode": match.mode.value,
        "price": fixed(match.price),
    }
    return row | _prevented_quantities(match) | {"transactTime": match.ms}


def execution_report(
    order: VenueOrder,
    execution: str,
    execution_id: int,
    ms: int,
    fill: Fill | None = None,
    original_id: str = "",
    prevented: PreventedMatch | None = None,
) -> dict[str, object]:
    """The event; `fill` for a TRADE, `original_id` for CANCELED and REPLACED, `prevented` for TRADE_PREVENTION."""
    ticket = order.ticket
    is_on_book = order.is_open and order.working_ms is not None and ticket.type is not VenueOrderType.MARKET
    report: dict[str, object] = {
        "e": "executionReport",
        "E": ms,
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side.value,
        "o": ticket.type.value,
        "f": ticket.time_in_force.value,
        "q": fixed(order.quantity),
        "p": fixed(order.price),
        "P": fixed(ticket.stop_price or _ZERO),
        "F": fixed(ticket.iceberg_quantity or _ZERO),
        "g": _list_id(order),
        "C": original_id,
        "x": execution,
        "X": order.status.value,
        "r": "NONE",
        "i": order.order_id,
        "l": fixed(fill.quantity) if fill else _ZERO_TEXT,
        "z": fixed(order.executed),
        "L": fixed(fill.price) if fill else _ZERO_TEXT,
        "n": fixed(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": order.updated_ms,
        "t": fill.trade_id if fill else -1,
        "I": execution_id,
        "w": is_on_book,
        "m": fill.is_maker if fill else False,
        "M": fill is not None,
        "O": order.created_ms,
        "Z": fixed(order.quote_executed),
        "Y": fixed(fill.price * fill.quantity) if fill else _ZERO_TEXT,
        "Q": fixed(order.quote_quantity),
        "V": ticket.self_trade.value,
    }
    if order.working_ms is not None:
        report["W"] = order.working_ms
    if ticket.strategy_id is not None:
        report["j"] = ticket.strategy_id
    if ticket.strategy_type is not None:
        report["J"] = ticket.strategy_type
    if order.trigger is not None and ticket.trailing_delta is not None:
        report |= {"d": ticket.trailing_delta, "D": order.trigger.tracking_since_ms}
    if execution == "EXPIRED" and order.expiry_reason is not None:
        report["eR"] = order.expiry_reason.value
    return report if prevented is None else report | _prevention(order, prevented)


def _prevention(order: VenueOrder, match: PreventedMatch) -> dict[str, object]:
    is_taker = match.taker_order_id == order.order_id
    quantity = max(match.taker_quantity, match.maker_quantity)
    if match.taker_quantity and match.maker_quantity:
        quantity = min(match.taker_quantity, match.maker_quantity)
    return {
        "v": match.match_id,
        "A": fixed(order.prevented),
        "B": fixed(match.taker_quantity if is_taker else match.maker_quantity),
        "u": _NO_GROUP,
        "U": match.maker_order_id if is_taker else match.taker_order_id,
        "Cs": order.symbol,
        "pl": fixed(quantity),
        "pL": fixed(match.price),
        "pY": fixed(quantity * match.price),
    }


def _prevented(match: PreventedMatch) -> dict[str, object]:
    head = {"preventedMatchId": match.match_id, "makerOrderId": match.maker_order_id, "price": fixed(match.price)}
    return head | _prevented_quantities(match)


def _prevented_quantities(match: PreventedMatch) -> dict[str, object]:
    """A side that lost nothing is not shown."""
    shown: dict[str, object] = {}
    if match.taker_quantity:
        shown["takerPreventedQuantity"] = fixed(match.taker_quantity)
    if match.maker_quantity:
        shown["makerPreventedQuantity"] = fixed(match.maker_quantity)
    return shown


def _state(order: VenueOrder) -> dict[str, object]:
    return {
        "price": fixed(order.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.executed),
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "cummulativeQuoteQty": fixed(order.quote_executed),
        "status": order.status.value,
        "timeInForce": order.ticket.time_in_force.value,
        "type": order.ticket.type.value,
        "side": order.side.value,
    }


def _conditional(order: VenueOrder, shown: tuple[str, ...] = ()) -> dict[str, object]:
    """Fields that are there only when they mean something; `shown` are there already."""
    ticket = order.ticket
    fields: dict[str, object] = {}
    if ticket.stop_price is not None:
        fields["stopPrice"] = fixed(ticket.stop_price)
    if ticket.iceberg_quantity is not None:
        fields["icebergQty"] = fixed(ticket.iceberg_quantity)
    if ticket.trailing_delta is not None and order.trigger is not None:
        fields |= {"trailingDelta": ticket.trailing_delta, "trailingTime": order.trigger.tracking_since_ms}
    if ticket.strategy_id is not None:
        fields["strategyId"] = ticket.strategy_id
    if ticket.strategy_type is not None:
        fields["strategyType"] = ticket.strategy_type
    if order.prevented:
        fields |= {
            "preventedMatchId": order.prevented_matches[-1].match_id,
            "preventedQuantity": fixed(order.prevented),
        }
    if order.status is Status.EXPIRED and order.expiry_reason is not None:
        fields["expiryReason"] = order.expiry_reason.value
    return {name: value for name, value in fields.items() if name not in shown}


def _self_trade(order: VenueOrder) -> dict[str, object]:
    mode: SelfTradeMode = order.ticket.self_trade
    return {"selfTradePreventionMode": mode.value}


def _list_id(order: VenueOrder) -> int:
    return order.list.list_id if order.list is not None else -1


def _working_ms(order: VenueOrder) -> int:
    return -1 if order.working_ms is None else order.working_ms
