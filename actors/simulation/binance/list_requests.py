"""Requests about order lists: OCO, OTO, OTOCO, the old form of an OCO, cancelling and asking.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints (order lists)
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from actors.model.order import Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.orders import (
    STOP_LOSSES,
    TAKE_PROFITS,
    ResponseType,
    Ticket,
    VenueOrderType,
)
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory, rejected
from actors.simulation.binance.tickets import Common, read_side, read_ticket
from actors.simulation.binance.trading import Trading

_PRICES_DO_NOT_FIT = "The relationship of the prices for the orders is not correct."
_WORKING = (VenueOrderType.LIMIT, VenueOrderType.LIMIT_MAKER)
_LEGS = (VenueOrderType.LIMIT_MAKER, *STOP_LOSSES, *TAKE_PROFITS)


class ListRequests:
    def __init__(self, trading: Trading, limits: Limits, common: Callable[[Parameters], Common]) -> None:
        """`common` reads what every order has, its symbol first."""
        self._trading = trading
        self._limits = limits
        self._common = common

    def oco(self, account: Account, parameters: Parameters, now: int) -> object:
        common, client_id = self._common(parameters), parameters.client_order_id("listClientOrderId")
        side, quantity = read_side(parameters), _required(parameters, "quantity")
        pair = (
            read_ticket(parameters, common, "above", side, quantity),
            read_ticket(parameters, common, "below", side, quantity),
        )
        parameters.done()
        return self._place(account, client_id, None, self._pair(pair), now)

    def oto(self, account: Account, parameters: Parameters, now: int) -> object:
        common, client_id = self._common(parameters), parameters.client_order_id("listClientOrderId")
        working = _working(parameters, common)
        pending = read_ticket(parameters, common, "pending")
        parameters.done()
        return self._place(account, client_id, working, (pending,), now)

    def otoco(self, account: Account, parameters: Parameters, now: int) -> object:
        common, client_id = self._common(parameters), parameters.client_order_id("listClientOrderId")
        working = _working(parameters, common)
        side, quantity = read_side(parameters, "pendingSide"), _required(parameters, "pendingQuantity")
        pair = (
            read_ticket(parameters, common, "pendingAbove", side, quantity),
            read_ticket(parameters, common, "pendingBelow", side, quantity),
        )
        parameters.done()
        return self._place(account, client_id, working, self._pair(pair), now)

    def old_oco(self, account: Account, parameters: Parameters, now: int) -> object:
        """A limit maker and a stop loss, under the names that they had before lists were named by place."""
        common, client_id = self._common(parameters), parameters.client_order_id("listClientOrderId")
        side, quantity = read_side(parameters), _required(parameters, "quantity")
        price, stop_price = _required(parameters, "price"), _required(parameters, "stopPrice")
        stop_limit = parameters.decimal("stopLimitPrice")
        bad_tif = Refusal(-1115, "Invalid timeInForce.")
        stop_tif = parameters.choice("stopLimitTimeInForce", TimeInForce, bad_tif)
        if stop_limit is not None and stop_tif is None:
            raise mandatory("stopLimitTimeInForce")
        kind = VenueOrderType.STOP_LOSS if stop_limit is None else VenueOrderType.STOP_LOSS_LIMIT
        stop = Ticket(
            symbol=common.symbol,
            side=side,
            type=kind,
            time_in_force=stop_tif or TimeInForce.GTC,
            quantity=quantity,
            quote_quantity=None,
            price=stop_limit,
            client_order_id=parameters.client_order_id("stopClientOrderId"),
            response_type=common.response_type or ResponseType.ACK,
            strategy_id=parameters.integer("stopStrategyId"),
            strategy_type=parameters.integer("stopStrategyType"),
            stop_price=stop_price,
            trailing_delta=parameters.integer("trailingDelta"),
            iceberg_quantity=parameters.decimal("stopIcebergQty"),
            self_trade=common.self_trade,
        )
        limit = Ticket(
            symbol=common.symbol,
            side=side,
            type=VenueOrderType.LIMIT_MAKER,
            time_in_force=TimeInForce.GTC,
            quantity=quantity,
            quote_quantity=None,
            price=price,
            client_order_id=parameters.client_order_id("limitClientOrderId"),
            response_type=common.response_type or ResponseType.ACK,
            strategy_id=parameters.integer("limitStrategyId"),
            strategy_type=parameters.integer("limitStrategyType"),
            iceberg_quantity=parameters.decimal("limitIcebergQty"),
            self_trade=common.self_trade,
        )
        parameters.done()
        pair = (limit, stop) if side is Side.SELL else (stop, limit)
        return self._place(account, client_id, None, self._pair(pair), now)

    def cancel(self, account: Account, parameters: Parameters, now: int) -> object:
        parameters.required("symbol")
        list_id, client_id = _ids(parameters, "listClientOrderId")
        new_id = parameters.client_order_id("newClientOrderId")
        parameters.done()
        found = self._trading.lists.find(account, list_id, client_id)
        return self._trading.lists.cancel(found, new_id or self._trading.register.new_client_order_id(), now)

    def status(self, account: Account, parameters: Parameters, now: int) -> object:
        list_id, client_id = _ids(parameters, "origClientOrderId")
        parameters.done()
        found = self._trading.lists.find(account, list_id, client_id)
        if found is None:
            raise Refusal(-2013, "Order does not exist.")
        return self._trading.lists.describe(found)

    def open(self, account: Account, parameters: Parameters, now: int) -> object:
        parameters.done()
        lists = self._trading.lists
        return [lists.describe(found) for found in lists.all(account) if not found.is_done]

    def all(self, account: Account, parameters: Parameters, now: int) -> object:
        from_id, limit = parameters.integer("fromId"), parameters.limit(500, 1000)
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        parameters.done()
        if from_id is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        found = [
            each
            for each in self._trading.lists.all(account)
            if (from_id is None or each.list_id >= from_id)
            and (start is None or each.created_ms >= start)
            and (end is None or each.created_ms <= end)
        ]
        shown = found[:limit] if from_id is not None or start is not None else found[-limit:]
        return [self._trading.lists.describe(each) for each in reversed(shown)]

    def _place(
        self, account: Account, client_id: str | None, working: Ticket | None, legs: Sequence[Ticket], now: int
    ) -> object:
        tickets = legs if working is None else (working, *legs)
        self._trading.check(account, *tickets)
        self._limits.count_orders(len(tickets), now)
        for ticket in legs if working is None else (working,):
            self._trading.check_book(account, ticket)
        return self._trading.lists.place(account, client_id, working, legs, now)

    def _pair(self, pair: tuple[Ticket, Ticket]) -> tuple[Ticket, Ticket]:
        """The stop loss first, as the venue lists them; refuses types and prices that make no pair."""
        above, below = pair
        _check_places(above, below)
        last = self._trading.market(above.symbol).last_price
        above_price, below_price = _deciding_price(above), _deciding_price(below)
        if (above_price is not None and above_price <= last) or (below_price is not None and below_price >= last):
            raise rejected(_PRICES_DO_NOT_FIT)
        return (below, above) if below.type in STOP_LOSSES else (above, below)


def _check_places(above: Ticket, below: Ticket) -> None:
    side = above.side
    if above.type not in _LEGS or below.type not in _LEGS:
        raise Refusal(-1158, "Order type not supported in OCO.")
    if above.type is below.type is VenueOrderType.LIMIT_MAKER:
        raise Refusal(-1168, "At least one OCO order must be contingent.")
    wrong = below if side is Side.SELL else above
    if wrong.type is VenueOrderType.LIMIT_MAKER:
        if side is Side.BUY:
            raise Refusal(-1165, "A limit order in a buy OCO must be below.")
        raise Refusal(-1166, "A limit order in a sell OCO must be above.")
    if wrong.type in TAKE_PROFITS:
        if side is Side.BUY:
            raise Refusal(-1198, "A take profit order in a buy OCO must be below.")
        raise Refusal(-1199, "A take profit order in a sell OCO must be above.")
    if (above if side is Side.SELL else below).type in STOP_LOSSES:
        if side is Side.BUY:
            raise Refusal(-1196, "A stop loss order in a buy OCO must be above.")
        raise Refusal(-1197, "A stop loss order in a sell OCO must be below.")


def _deciding_price(ticket: Ticket) -> Decimal | None:
    """What the last price is compared with; None for a trailing order without a stop price."""
    if ticket.type in (VenueOrderType.LIMIT_MAKER, VenueOrderType.TAKE_PROFIT_LIMIT):
        return ticket.price
    return ticket.stop_price


def _working(parameters: Parameters, common: Common) -> Ticket:
    ticket = read_ticket(parameters, common, "working")
    if ticket.type not in _WORKING:
        raise Refusal(-1116, "Invalid orderType.")
    return ticket


def _required(parameters: Parameters, name: str) -> Decimal:
    parameters.required(name)
    number = parameters.decimal(name)
    assert number is not None
    return number


def _ids(parameters: Parameters, client_name: str) -> tuple[int | None, str | None]:
    list_id, client_id = parameters.integer("orderListId"), parameters.text(client_name)
    if list_id is None and client_id is None:
        message = f"Param '{client_name}' or 'orderListId' must be sent, but both were empty/null!"
        raise Refusal(-1102, message)
    return list_id, client_id
