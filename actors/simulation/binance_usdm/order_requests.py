"""Signed requests about orders, the same by REST and by WebSocket API.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api and …/websocket-api
"""

from collections.abc import Callable
from typing import Any

import msgspec

from actors.model.order import Side
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance_usdm.accounts import BOTH, LONG, SHORT, MarginAccount
from actors.simulation.binance_usdm.algo import TYPES, AlgoOrder, AlgoOrders, AlgoTicket, kind_of
from actors.simulation.binance_usdm.orders import FuturesOrder, FuturesTicket, Kind, Tif
from actors.simulation.binance_usdm.trading import MarginTrading

_BAD_SIDE = Refusal(-1117, "Invalid side.")
_BAD_TYPE = Refusal(-1116, "Invalid orderType.")
_BAD_TIF = Refusal(-1115, "Invalid timeInForce.")
_LEAST_GOOD_TILL_MS = 600_000
_BATCH = 5
_MOST_CANCELS = 10
_WEEK_MS = 7 * 86_400_000
_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}
_IGNORED = ("selfTradePreventionMode", "priceMatch", "priceProtect", "workingType", "modifyId", "recvWindow")


class OrderRequests:
    def __init__(self, trading: MarginTrading, algos: AlgoOrders) -> None:
        self._trading = trading
        self._algos = algos
        self.countdowns: dict[tuple[str, str], tuple[MarginAccount, int]] = {}
        """(account, symbol) → when all its orders of the symbol are cancelled."""

    # ---- placing, changing, cancelling

    def place(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        ticket = self._ticket(parameters, now)
        parameters.done()
        order = self._trading.place(account, ticket, now)
        return _result(order) if ticket.wants_result else order.new()

    def test(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        ticket = self._ticket(parameters, now)
        parameters.done()
        self._trading.check(account, ticket)
        return {}

    def modify(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        order = self._asked(account, parameters)
        quantity, price = parameters.decimal("quantity"), parameters.decimal("price")
        parameters.required("side")
        _ignore(parameters)
        parameters.done()
        if quantity is None or price is None:
            raise mandatory("quantity" if quantity is None else "price")
        return self._trading.modify(order, quantity, price, now).ack()

    def cancel(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        order = self._asked(account, parameters)
        parameters.done()
        return self._trading.cancel(order, now).ack()

    def cancel_all(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.required("symbol")
        parameters.done()
        for order in self._trading.open_orders(account, symbol):
            self._trading.cancel(order, now)
        return _DONE

    def place_batch(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        return self._batch(parameters, "batchOrders", lambda one: self.place(account, one, now))

    def modify_batch(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        return self._batch(parameters, "batchOrders", lambda one: self.modify(account, one, now))

    def cancel_batch(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.required("symbol")
        ids = _list(parameters.text("orderIdList"))
        names = _list(parameters.text("origClientOrderIdList"))
        parameters.done()
        if not 1 <= len(ids) + len(names) <= _MOST_CANCELS:
            raise Refusal(-4083, "Invalid number of batch cancel orders.")
        asked = [{"symbol": symbol, "orderId": str(id)} for id in ids]
        asked += [{"symbol": symbol, "origClientOrderId": str(name)} for name in names]
        return [_attempt(lambda one=one: self.cancel(account, Parameters(one), now)) for one in asked]  # type: ignore[misc]

    def countdown(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, span = parameters.required("symbol"), parameters.integer("countdownTime")
        parameters.done()
        if span is None:
            raise mandatory("countdownTime")
        self.countdowns.pop((account.key, symbol), None)
        if span:
            self.countdowns[account.key, symbol] = (account, now + span * 1_000_000)
        return {"symbol": symbol, "countdownTime": str(span)}

    def cancel_counted_down(self, now: int) -> None:
        for (key, symbol), (account, due) in list(self.countdowns.items()):
            if due <= now:
                del self.countdowns[key, symbol]
                for order in self._trading.open_orders(account, symbol):
                    self._trading.cancel(order, now)

    # ---- asking

    def query(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        order = self._asked(account, parameters)
        parameters.done()
        if order is None:
            raise Refusal(-2013, "Order does not exist.")
        return order.query()

    def open_order(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        order = self._asked(account, parameters)
        parameters.done()
        if order is None or not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        return order.query()

    def open_orders(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        return [order.query() for order in self._trading.open_orders(account, symbol)]

    def all_orders(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, from_id = parameters.required("symbol"), parameters.integer("orderId")
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        limit = parameters.limit(500, 1000)
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

    def trades(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, order_id = parameters.required("symbol"), parameters.integer("orderId")
        from_id, limit = parameters.integer("fromId"), parameters.limit(500, 1000)
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        parameters.done()
        if from_id is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        if start is not None and (end or to_ms(now)) - start > _WEEK_MS:
            raise Refusal(-4166, "Search window is restricted to recent 7 days only.")
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

    # ---- algo orders

    def place_algo(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        algo_type = parameters.required("type")
        if parameters.required("algoType") != "CONDITIONAL" or algo_type not in TYPES:
            raise _BAD_TYPE
        trailing = algo_type == "TRAILING_STOP_MARKET"
        trigger = parameters.decimal("activatePrice" if trailing else "triggerPrice")
        rate = parameters.decimal("callbackRate") if trailing else None
        if rate is None and trigger is None:
            raise mandatory("callbackRate" if trailing else "triggerPrice")
        ticket = AlgoTicket(
            order=self._order(parameters, kind_of(algo_type), Tif.GTC),
            type=algo_type,
            trigger=trigger,
            callback_rate=rate,
            working_type=parameters.text("workingType") or "CONTRACT_PRICE",
        )
        name = parameters.text("clientAlgoId")
        parameters.text("newOrderRespType")
        parameters.done()
        return self._algos.place(account, ticket, name, now).row()

    def cancel_algo(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        algo = self._algos.cancel(self._asked_algo(account, parameters), now)
        return {"algoId": algo.algo_id, "clientAlgoId": algo.client_algo_id, "code": "200", "msg": "success"}

    def query_algo(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        algo = self._asked_algo(account, parameters)
        if algo is None:
            raise Refusal(-2013, "Order does not exist.")
        return algo.row()

    def open_algos(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.text("algoType")
        parameters.done()
        return [algo.row() for algo in self._algos.open(account, symbol)]

    def cancel_algos(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.required("symbol")
        parameters.done()
        for algo in self._algos.open(account, symbol):
            self._algos.cancel(algo, now)
        return _DONE

    # ---- reading parameters

    def _ticket(self, parameters: Parameters, now: int) -> FuturesTicket:
        parameters.required("type")
        if parameters.text("type") in TYPES:
            raise Refusal(-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints.")
        kind = parameters.choice("type", Kind, _BAD_TYPE)
        assert kind is not None
        if kind is Kind.LIMIT and not parameters.given("timeInForce"):
            raise mandatory("timeInForce")
        ticket = self._order(parameters, kind, Tif.GTC)
        good_till = parameters.integer("goodTillDate") or 0
        if (ticket.tif is Tif.GTD) != bool(good_till) or 0 < good_till < to_ms(now) + _LEAST_GOOD_TILL_MS:
            raise Refusal(-5040, "The goodTillDate timestamp must be greater than the current time plus 600 seconds.")
        response = parameters.text("newOrderRespType")
        name = parameters.text("newClientOrderId")
        return msgspec.structs.replace(
            ticket, good_till_ms=good_till, wants_result=response == "RESULT", client_order_id=name
        )

    def _order(self, parameters: Parameters, kind: Kind, default_tif: Tif) -> FuturesTicket:
        symbol = parameters.required("symbol")
        parameters.required("side")
        side = parameters.choice("side", Side, _BAD_SIDE)
        assert side is not None
        quantity, price = parameters.decimal("quantity"), parameters.decimal("price")
        if not quantity:
            raise mandatory("quantity")
        if kind is Kind.LIMIT and not price:
            raise mandatory("price")
        if kind is Kind.MARKET and price:
            raise Refusal(-1106, "Parameter 'price' sent when not required.")
        position_side = parameters.text("positionSide") or BOTH
        if position_side not in (BOTH, LONG, SHORT):
            raise Refusal(-4060, "Invalid position side.")
        _ignore(parameters)
        return FuturesTicket(
            symbol=symbol,
            side=side,
            kind=kind,
            quantity=quantity,
            price=price,
            tif=parameters.choice("timeInForce", Tif, _BAD_TIF) or default_tif,
            position_side=position_side,
            reduce_only=bool(parameters.flag("reduceOnly")),
        )

    def _asked(self, account: MarginAccount, parameters: Parameters) -> FuturesOrder | None:
        symbol = parameters.required("symbol")
        order_id, name = parameters.integer("orderId"), parameters.text("origClientOrderId")
        if order_id is None and name is None:
            raise Refusal(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        return self._trading.find(account, symbol, order_id, name)

    def _asked_algo(self, account: MarginAccount, parameters: Parameters) -> AlgoOrder | None:
        algo_id, name = parameters.integer("algoId"), parameters.text("clientAlgoId")
        parameters.text("symbol")
        parameters.done()
        if algo_id is None and name is None:
            raise Refusal(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!")
        return self._algos.find(account, algo_id, name)

    def _batch(self, parameters: Parameters, name: str, run: Callable[[Parameters], object]) -> object:
        rows = _list(parameters.required(name))
        parameters.done()
        if not 1 <= len(rows) <= _BATCH or not all(isinstance(row, dict) for row in rows):
            raise Refusal(-4082, "Invalid number of batch place orders.")
        values = [{key: _text(value) for key, value in row.items()} for row in rows]
        return [_attempt(lambda one=one: run(Parameters(one))) for one in values]  # type: ignore[misc]


def _result(order: FuturesOrder) -> dict[str, object]:
    return {**order.ack(), "avgPrice": f"{order.average:.5f}", "cumQuote": str(order.quote_executed)}


def _attempt(run: Callable[[], object]) -> object:
    try:
        return run()
    except Refusal as refusal:
        return refusal.body()


def _ignore(parameters: Parameters) -> None:
    """What changes nothing here."""
    for name in _IGNORED:
        parameters.given(name)


def _list(text: str | None) -> list[Any]:
    if text is None:
        return []
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.DecodeError:
        raise Refusal(-1100, "Illegal characters found in a parameter.") from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
