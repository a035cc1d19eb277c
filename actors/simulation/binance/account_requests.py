"""Signed requests: placing, cancelling and querying orders, and the account. The same by REST and by WebSocket API.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints and …/account-endpoints
"""

from collections.abc import Callable

from actors.simulation.accounts import Account
from actors.simulation.binance import reports
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.numbers import fixed
from actors.simulation.binance.orders import Status, VenueOrder
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance.tickets import Common, read_common, read_ticket
from actors.simulation.binance.trading import FEE_RATE, Trading

_DAY_MS = 86_400_000


class AccountRequests:
    def __init__(self, trading: Trading, limits: Limits, check_symbol: Callable[[str], str]) -> None:
        self._trading = trading
        self._limits = limits
        self._check_symbol = check_symbol

    def place(self, account: Account, parameters: Parameters, now: int) -> object:
        ticket = read_ticket(parameters, self.common(parameters))
        parameters.done()
        return reports.response(self._trading.place(account, ticket, now), ticket.response_type)

    def test(self, account: Account, parameters: Parameters, now: int) -> object:
        ticket = read_ticket(parameters, self.common(parameters))
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
        """Orders of a list are cancelled and shown as that list."""
        symbol = self._check_symbol(parameters.required("symbol"))
        parameters.done()
        orders = self._trading.register.open(account, symbol)
        if not orders:
            raise Refusal(-2011, "Unknown order sent.")
        return [self._trading.cancel(order, None, now) for order in orders if order.is_open]

    def cancel_replace(self, account: Account, parameters: Parameters, now: int) -> object:
        """Filters and the order count come first; a new order that was not attempted counts too."""
        mode = parameters.required("cancelReplaceMode")
        if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
            raise mandatory("cancelReplaceMode")
        ticket = read_ticket(parameters, self.common(parameters))
        order = self._asked_order(account, parameters, "cancelOrderId", "cancelOrigClientOrderId")
        new_id = parameters.client_order_id("cancelNewClientOrderId")
        restriction = parameters.text("cancelRestrictions")
        at_limit = parameters.text("orderRateLimitExceededMode") or "DO_NOTHING"
        if at_limit not in ("DO_NOTHING", "CANCEL_ONLY"):
            raise Refusal(-1130, "Data sent for parameter 'orderRateLimitExceededMode' is not valid.")
        parameters.done()
        self._trading.check(account, ticket)
        limited: Refusal | None = None
        try:
            self._limits.count_orders(1, now)
        except Refusal as refusal:
            if at_limit == "DO_NOTHING":
                raise
            limited = refusal

        def place() -> object:
            if limited is not None:
                raise limited
            return reports.response(self._trading.place(account, ticket, now, is_counted=True), ticket.response_type)

        canceled, cancel_answer = _attempt(lambda: self._cancel(order, new_id, restriction, now))
        placed, place_answer = (None, None) if not canceled and mode == "STOP_ON_FAILURE" else _attempt(place)
        data = {
            "cancelResult": "SUCCESS" if canceled else "FAILURE",
            "newOrderResult": "NOT_ATTEMPTED" if placed is None else "SUCCESS" if placed else "FAILURE",
            "cancelResponse": cancel_answer,
            "newOrderResponse": place_answer,
        }
        if canceled and placed:
            return data
        at_limit_status = 429 if limited is not None and mode == "STOP_ON_FAILURE" else None
        if not canceled and not placed:
            raise Refusal(-2022, "Order cancel-replace failed.", status=at_limit_status or 400, data=data)
        message = "Order cancel-replace partially failed."
        raise Refusal(-2021, message, status=at_limit_status or 409, data=data)

    def amend(self, account: Account, parameters: Parameters, now: int) -> object:
        order = self._asked_order(account, parameters, "orderId", "origClientOrderId")
        new_id = parameters.client_order_id("newClientOrderId")
        parameters.required("newQty")
        quantity = parameters.decimal("newQty")
        assert quantity is not None
        parameters.done()
        return self._trading.amend(order, quantity, new_id, now)

    def amendments(self, account: Account, parameters: Parameters, now: int) -> object:
        parameters.required("orderId")
        order = self._asked_order(account, parameters, "orderId", "origClientOrderId")
        from_id, limit = parameters.integer("fromExecutionId"), parameters.limit(500, 1000)
        parameters.done()
        if order is None:
            return []
        made = zip(order.amendments, reports.amendments(order), strict=True)
        rows = [row for amendment, row in made if from_id is None or amendment.execution_id >= from_id]
        return rows[:limit]

    def prevented_matches(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        match_id, order_id = parameters.integer("preventedMatchId"), parameters.integer("orderId")
        from_id, limit = parameters.integer("fromPreventedMatchId"), parameters.limit(500, 1000)
        parameters.done()
        if (match_id is None) == (order_id is None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        mine = {order.order_id for order in self._trading.register.all() if order.account is account}
        return [
            reports.prevented_row(symbol, match)
            for match in self._trading.prevented_matches(symbol)
            if match.taker_order_id in mine
            and match_id in (None, match.match_id)
            and order_id in (None, match.taker_order_id, match.maker_order_id)
            and (from_id is None or match.match_id >= from_id)
        ][:limit]

    def common(self, parameters: Parameters) -> Common:
        """What every order of a request has; the symbol is checked first."""
        symbol = self._check_symbol(parameters.required("symbol"))
        return read_common(parameters, symbol, self._trading.market(symbol).rules.default_self_trade)

    def query(self, account: Account, parameters: Parameters, now: int) -> object:
        order = self._asked_order(account, parameters, "orderId", "origClientOrderId")
        parameters.done()
        if order is None:
            raise Refusal(-2013, "Order does not exist.")
        return reports.query(order)

    def open_orders(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        if symbol is not None:
            self._check_symbol(symbol)
        return [reports.query(order) for order in self._trading.register.open(account, symbol)]

    def all_orders(self, account: Account, parameters: Parameters, now: int) -> object:
        symbol = self._check_symbol(parameters.required("symbol"))
        from_id, limit = parameters.integer("orderId"), parameters.limit(500, 1000)
        start, end = _period(parameters)
        parameters.done()
        rows = [
            reports.query(order)
            for order in self._trading.register.all()
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
            (fill.trade_id, reports.trade_row(order, fill))
            for order in self._trading.register.all()
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

    def _asked_order(
        self, account: Account, parameters: Parameters, id_name: str, client_id_name: str
    ) -> VenueOrder | None:
        symbol = self._check_symbol(parameters.required("symbol"))
        order_id, client_id = parameters.integer(id_name), parameters.text(client_id_name)
        if order_id is None and client_id is None:
            message = f"Param '{client_id_name}' or '{id_name}' must be sent, but both were empty/null!"
            raise Refusal(-1102, message)
        return self._trading.register.find(account, symbol, order_id, client_id)

    def _cancel(self, order: VenueOrder | None, new_id: str | None, restriction: str | None, now: int) -> object:
        if restriction not in (None, "ONLY_NEW", "ONLY_PARTIALLY_FILLED"):
            raise Refusal(-1145, "Invalid cancelRestrictions")
        allowed = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}
        if restriction is not None and order is not None and order.is_open and order.status is not allowed[restriction]:
            raise Refusal(-2011, "Order was not canceled due to cancel restrictions.")
        return self._trading.cancel(order, new_id, now)


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
