"""Signed requests: placing, cancelling and querying orders, and the account. The same by REST and by WebSocket API.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and …/account-endpoints
"""

from collections.abc import Callable

from actors.model.order import Side, TimeInForce
from actors.simulation.accounts import Account
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.numbers import fixed
from actors.simulation.binance.orders import ResponseType, Status, Ticket, VenueOrder, VenueOrderType
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance.trading import FEE_RATE, Trading

_DAY_MS = 86_400_000
_BAD_TIF = Refusal(-1115, "Invalid timeInForce.")
_BAD_TYPE = Refusal(-1116, "Invalid orderType.")
_BAD_SIDE = Refusal(-1117, "Invalid side.")
_BAD_RESPONSE_TYPE = Refusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
_UNSUPPORTED = ("stopPrice", "trailingDelta", "icebergQty", "pegPriceType", "pegOffsetValue", "pegOffsetType")


class AccountRequests:
    def __init__(self, trading: Trading, limits: Limits, check_symbol: Callable[[str], str]) -> None:
        self._trading = trading
        self._limits = limits
        self._check_symbol = check_symbol

    def place(self, account: Account, parameters: Parameters, now: int) -> object:
        ticket = self._ticket(parameters)
        parameters.done()
        return self._trading.place(account, ticket, now).response(ticket.response_type)

    def test(self, account: Account, parameters: Parameters, now: int) -> object:
        ticket = self._ticket(parameters)
        rates = parameters.flag("computeCommissionRates")
        parameters.done()
        self._trading.check(account, ticket)
        return _commission("ForOrder", with_sides=False) if rates else {}

    def cancel(self, account: Account, parameters: Parameters, now: int) -> object:
        order = self._asked_order(account, parameters, "orderId", "origClientOrderId")
        new_id, restriction = parameters.client_order_id("newClientOrderId"), parameters.text("cancelRestrictions")
        parameters.done()
        return self._cancel(order, new_id, restriction, now)

    def cancel_all(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        parameters.done()
        orders = self._trading.open_orders(account, symbol)
        if not orders:
            raise Refusal(-2011, "Unknown order sent.")
        return [self._trading.cancel(order, None, now) for order in orders]

    def cancel_replace(self, account: Account, parameters: Parameters, now: int) -> object:
        mode = parameters.required("cancelReplaceMode")
        if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
            raise mandatory("cancelReplaceMode")
        ticket = self._ticket(parameters)
        order = self._asked_order(account, parameters, "cancelOrderId", "cancelOrigClientOrderId")
        new_id = parameters.client_order_id("cancelNewClientOrderId")
        restriction = parameters.text("cancelRestrictions")
        parameters.text("orderRateLimitExceededMode")
        parameters.done()
        self._trading.check(account, ticket)
        canceled, cancel_answer = _attempt(lambda: self._cancel(order, new_id, restriction, now))
        if not canceled and mode == "STOP_ON_FAILURE":
            placed, place_answer = None, None
        else:
            placed, place_answer = _attempt(
                lambda: self._trading.place(account, ticket, now).response(ticket.response_type)
            )
        data = {
            "cancelResult": "SUCCESS" if canceled else "FAILURE",
            "newOrderResult": "NOT_ATTEMPTED" if placed is None else "SUCCESS" if placed else "FAILURE",
            "cancelResponse": cancel_answer,
            "newOrderResponse": place_answer,
        }
        if canceled and placed:
            return data
        if not canceled and not placed:
            raise Refusal(-2022, "Order cancel-replace failed.", data=data)
        raise Refusal(-2021, "Order cancel-replace partially failed.", status=409, data=data)

    def query(self, account: Account, parameters: Parameters, now: int) -> object:
        order = self._asked_order(account, parameters, "orderId", "origClientOrderId")
        parameters.done()
        if order is None:
            raise Refusal(-2013, "Order does not exist.")
        return order.query()

    def open_orders(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        if symbol is not None:
            self._check_symbol(symbol)
        return [order.query() for order in self._trading.open_orders(account, symbol)]

    def all_orders(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        from_id, limit = parameters.integer("orderId"), parameters.limit(500, 1000)
        start, end = _period(parameters)
        parameters.done()
        rows = [
            order.query()
            for order in self._trading.orders()
            if order.account is account
            and order.symbol == symbol
            and (from_id is None or order.order_id >= from_id)
            and (start is None or order.created_ms >= start)
            and (end is None or order.created_ms <= end)
        ]
        return rows[:limit] if from_id is not None or start is not None else rows[-limit:]

    def my_trades(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        order_id, from_id = parameters.integer("orderId"), parameters.integer("fromId")
        start, end = _period(parameters)
        limit = parameters.limit(500, 1000)
        parameters.done()
        if from_id is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        found = [
            (fill.trade_id, order.trade_row(fill))
            for order in self._trading.orders()
            if order.account is account and order.symbol == symbol and order_id in (None, order.order_id)
            for fill in order.fills
            if (from_id is None or fill.trade_id >= from_id)
            and (start is None or fill.ms >= start)
            and (end is None or fill.ms <= end)
        ]
        rows = [row for _, row in sorted(found, key=lambda pair: pair[0])]
        return rows[:limit] if from_id is not None or start is not None else rows[-limit:]

    def account(self, account: Account, parameters: Parameters, now: int) -> object:
        omit_zero = parameters.flag("omitZeroBalances")
        parameters.done()
        basis_points = int(FEE_RATE * 10_000)
        return {
            "makerCommission": basis_points,
            "takerCommission": basis_points,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": _rates(),
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": account.updated_ms,
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": fixed(balance.free), "locked": fixed(balance.locked)}
                for asset, balance in account.balances.items()
                if not omit_zero or balance.free or balance.locked
            ],
            "permissions": ["SPOT"],
            "uid": account.uid,
        }

    def commission(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        parameters.done()
        return {"symbol": symbol} | _commission("", with_sides=True)

    def trade_fee(self, account: Account, parameters: Parameters, now: int) -> object:
        """`GET /sapi/v1/asset/tradeFee`, of one symbol."""
        symbol = self._check_symbol(parameters.required("symbol"))
        parameters.done()
        return [{"symbol": symbol, "makerCommission": str(FEE_RATE), "takerCommission": str(FEE_RATE)}]

    def order_usage(self, account: Account, parameters: Parameters, now: int) -> object:
        parameters.done()
        return self._limits.order_usage(now)

    def _ticket(self, parameters: Parameters) -> Ticket:
        symbol = self._check_symbol(parameters.required("symbol"))
        parameters.required("side")
        parameters.required("type")
        side = parameters.choice("side", Side, _BAD_SIDE)
        kind = parameters.choice("type", VenueOrderType, _BAD_TYPE)
        assert side is not None
        assert kind is not None
        time_in_force = parameters.choice("timeInForce", TimeInForce, _BAD_TIF)
        quantity, price = parameters.decimal("quantity"), parameters.decimal("price")
        quote_quantity = parameters.decimal("quoteOrderQty")
        _check_composition(
            kind, time_in_force is not None, quantity is not None, price is not None, quote_quantity is not None
        )
        for name in _UNSUPPORTED:
            if parameters.given(name):
                raise Refusal(-1106, f"Parameter '{name}' sent when not required.")
        if parameters.text("selfTradePreventionMode") not in (None, "NONE"):
            raise Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
        response = parameters.choice("newOrderRespType", ResponseType, _BAD_RESPONSE_TYPE)
        default = ResponseType.ACK if kind is VenueOrderType.LIMIT_MAKER else ResponseType.FULL
        strategy_type = parameters.integer("strategyType")
        if strategy_type is not None and strategy_type < 1_000_000:
            raise Refusal(-1134, "`strategyType` was less than 1000000.")
        return Ticket(
            symbol=symbol,
            side=side,
            type=kind,
            time_in_force=time_in_force or TimeInForce.GTC,
            quantity=quantity,
            quote_quantity=quote_quantity,
            price=price,
            client_order_id=parameters.client_order_id("newClientOrderId"),
            response_type=response or default,
            strategy_id=parameters.integer("strategyId"),
            strategy_type=strategy_type,
        )

    def _asked_order(
        self, account: Account, parameters: Parameters, id_name: str, client_id_name: str
    ) -> VenueOrder | None:
        symbol = self._check_symbol(parameters.required("symbol"))
        order_id, client_id = parameters.integer(id_name), parameters.text(client_id_name)
        if order_id is None and client_id is None:
            message = f"Param '{client_id_name}' or '{id_name}' must be sent, but both were empty/null!"
            raise Refusal(-1102, message)
        return self._trading.find(account, symbol, order_id, client_id)

    def _cancel(self, order: VenueOrder | None, new_id: str | None, restriction: str | None, now: int) -> object:
        if restriction not in (None, "ONLY_NEW", "ONLY_PARTIALLY_FILLED"):
            raise Refusal(-1145, "Invalid cancelRestrictions")
        allowed = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}
        if restriction is not None and order is not None and order.is_open and order.status is not allowed[restriction]:
            raise Refusal(-2011, "Order was not canceled due to cancel restrictions.")
        return self._trading.cancel(order, new_id, now)


def _check_composition(kind: VenueOrderType, tif: bool, quantity: bool, price: bool, quote_quantity: bool) -> None:
    """Which parameters an order type needs and which it must not have."""
    if kind is VenueOrderType.MARKET:
        if tif:
            raise Refusal(-1106, "Parameter 'timeInForce' sent when not required.")
        if price:
            raise Refusal(-1106, "Parameter 'price' sent when not required.")
        if quantity and quote_quantity:
            raise Refusal(-1106, "Parameter 'quoteOrderQty' sent when not required.")
        if not quantity and not quote_quantity:
            raise Refusal(-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")
        return
    if quote_quantity:
        raise Refusal(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if kind is VenueOrderType.LIMIT and not tif:
        raise mandatory("timeInForce")
    if kind is VenueOrderType.LIMIT_MAKER and tif:
        raise Refusal(-1106, "Parameter 'timeInForce' sent when not required.")
    if not quantity:
        raise mandatory("quantity")
    if kind in (VenueOrderType.LIMIT, VenueOrderType.LIMIT_MAKER) and not price:
        raise mandatory("price")


def _period(parameters: Parameters) -> tuple[int | None, int | None]:
    start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
    if start is not None and end is not None and end - start > _DAY_MS:
        raise Refusal(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def _attempt(action: Callable[[], object]) -> tuple[bool, object]:
    try:
        return True, action()
    except Refusal as refusal:
        return False, refusal.body()


def _rates() -> dict[str, str]:
    rate = fixed(FEE_RATE)
    return {"maker": rate, "taker": rate, "buyer": "0.00000000", "seller": "0.00000000"}


def _commission(suffix: str, with_sides: bool) -> dict[str, object]:
    rates = _rates()
    none = dict.fromkeys(rates, "0.00000000")
    if not with_sides:
        rates, none = ({side: table[side] for side in ("maker", "taker")} for table in (rates, none))
    discount = {"enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "BNB", "discount": "0.00000000"}
    return {
        f"standardCommission{suffix}": rates,
        f"specialCommission{suffix}": none,
        f"taxCommission{suffix}": none,
        "discount": discount,
    }
