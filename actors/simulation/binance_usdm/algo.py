"""Algo orders: stops, take-profits and trailing stops that wait for their trigger outside of the book.

Nothing is set aside for one and its margin is checked when it is triggered; then it becomes an order with the same
client id. Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/New-Algo-Order
and …/user-data-streams/Event-Algo-Order-Update.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from actors.model.order import Side
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.market import FuturesMarket
from actors.simulation.binance_usdm.orders import FuturesTicket, Kind
from actors.simulation.binance_usdm.trading import MarginTrading, Tell

ZERO = Decimal(0)
RISING = {("STOP", Side.BUY), ("TAKE_PROFIT", Side.SELL)}
"""(kind, side) triggered by a price at or above the trigger; all others by one at or below it."""
TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")


class AlgoTicket(msgspec.Struct, frozen=True):
    order: FuturesTicket
    """What it becomes."""
    type: str
    trigger: Decimal | None = None
    callback_rate: Decimal | None = None
    """Percent."""
    working_type: str = "CONTRACT_PRICE"


class AlgoOrder:
    def __init__(self, algo_id: int, client_algo_id: str, account: MarginAccount, ticket: AlgoTicket, ms: int) -> None:
        self.algo_id = algo_id
        self.client_algo_id = client_algo_id
        self.account = account
        self.ticket = ticket
        self.status = "NEW"
        self.actual_order_id = ""
        self.created_ms = self.updated_ms = ms
        self.triggered_ms = 0
        self.extreme: Decimal | None = None
        """Of a trailing stop: the best price since it was activated."""

    def is_due(self, price: Decimal) -> bool:
        ticket = self.ticket
        if ticket.callback_rate is not None:
            return self._trails_to(price, ticket.callback_rate)
        if ticket.trigger is None:
            return False
        rises = (ticket.type.removesuffix("_MARKET"), ticket.order.side) in RISING
        return price >= ticket.trigger if rises else price <= ticket.trigger

    def _trails_to(self, price: Decimal, rate: Decimal) -> bool:
        sells, activation = self.ticket.order.side is Side.SELL, self.ticket.trigger
        if self.extreme is None:
            if activation is not None and (price < activation if sells else price > activation):
                return False
            self.extreme = price
        self.extreme = max(self.extreme, price) if sells else min(self.extreme, price)
        distance = self.extreme * rate / 100
        return price <= self.extreme - distance if sells else price >= self.extreme + distance

    def row(self) -> dict[str, object]:
        order = self.ticket.order
        return {
            "algoId": self.algo_id,
            "clientAlgoId": self.client_algo_id,
            "algoType": "CONDITIONAL",
            "orderType": self.ticket.type,
            "symbol": order.symbol,
            "side": order.side.value,
            "positionSide": order.position_side,
            "timeInForce": order.tif.value,
            "quantity": str(order.quantity),
            "algoStatus": self.status,
            "actualOrderId": self.actual_order_id,
            "actualPrice": "0.00000",
            "triggerPrice": str(self.ticket.trigger or ZERO),
            "price": str(order.price or ZERO),
            "icebergQuantity": None,
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": self.ticket.working_type,
            "priceMatch": "NONE",
            "closePosition": False,
            "priceProtect": False,
            "reduceOnly": order.reduce_only,
            "createTime": self.created_ms,
            "updateTime": self.updated_ms,
            "triggerTime": self.triggered_ms,
            "goodTillDate": 0,
        }

    def update(self, ms: int, reason: str = "") -> dict[str, object]:
        """`ALGO_UPDATE`."""
        order = self.ticket.order
        body = {
            "caid": self.client_algo_id,
            "aid": self.algo_id,
            "at": "CONDITIONAL",
            "o": self.ticket.type,
            "s": order.symbol,
            "S": order.side.value,
            "ps": order.position_side,
            "f": order.tif.value,
            "q": str(order.quantity),
            "X": self.status,
            "ai": self.actual_order_id,
            "tp": str(self.ticket.trigger or ZERO),
            "p": str(order.price or ZERO),
            "V": "EXPIRE_MAKER",
            "wt": self.ticket.working_type,
            "pm": "NONE",
            "cp": False,
            "pP": False,
            "R": order.reduce_only,
            "tt": self.triggered_ms,
            "gtd": 0,
            "rm": reason,
        }
        return {"e": "ALGO_UPDATE", "T": ms, "E": ms, "o": body}


class AlgoOrders:
    def __init__(self, trading: MarginTrading, markets: dict[str, FuturesMarket], tell: Tell, first_id: int) -> None:
        self._trading = trading
        self._markets = markets
        self._tell = tell
        self._last_id = first_id
        self._orders: dict[int, AlgoOrder] = {}

    def all(self) -> Iterable[AlgoOrder]:
        return self._orders.values()

    def open(self, account: MarginAccount, symbol: str | None) -> list[AlgoOrder]:
        return [
            algo
            for algo in self._orders.values()
            if algo.status == "NEW" and algo.account is account and symbol in (None, algo.ticket.order.symbol)
        ]

    def place(self, account: MarginAccount, ticket: AlgoTicket, client_algo_id: str | None, now: int) -> AlgoOrder:
        market = self._markets.get(ticket.order.symbol)
        if market is None:
            raise Refusal(-1121, "Invalid symbol.")
        if client_algo_id is not None and self.find(account, None, client_algo_id, only_open=True) is not None:
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        if account.is_hedged == (ticket.order.position_side == "BOTH"):
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        self._last_id += 1
        name = client_algo_id or self._trading.new_client_order_id()
        algo = AlgoOrder(self._last_id, name, account, ticket, to_ms(now))
        if ticket.callback_rate is None and algo.is_due(self._price(algo)):
            raise Refusal(-2021, "Order would immediately trigger.")
        self._orders[algo.algo_id] = algo
        self._tell(account, algo.update(to_ms(now)))
        return algo

    def find(
        self, account: MarginAccount, algo_id: int | None, client_algo_id: str | None, only_open: bool = False
    ) -> AlgoOrder | None:
        for algo in reversed(self._orders.values()):
            named = algo.algo_id == algo_id if algo_id is not None else algo.client_algo_id == client_algo_id
            if named and algo.account is account and (algo.status == "NEW" or not only_open):
                return algo
        return None

    def cancel(self, algo: AlgoOrder | None, now: int) -> AlgoOrder:
        if algo is None or algo.status != "NEW":
            raise Refusal(-2011, "Unknown order sent.")
        self._move(algo, "CANCELED", now)
        return algo

    def trigger(self, now: int) -> None:
        """Whatever its price has reached."""
        for algo in [algo for algo in self._orders.values() if algo.status == "NEW"]:
            if algo.is_due(self._price(algo)):
                self._send(algo, now)

    def _send(self, algo: AlgoOrder, now: int) -> None:
        algo.triggered_ms = to_ms(now)
        self._move(algo, "TRIGGERING", now)
        ticket = msgspec.structs.replace(algo.ticket.order, client_order_id=algo.client_algo_id)
        try:
            order = self._trading.place(algo.account, ticket, now)
        except Refusal as refusal:
            self._move(algo, "REJECTED", now, refusal.message)
            return
        algo.actual_order_id = str(order.order_id)
        self._move(algo, "TRIGGERED", now)
        if not order.is_open:
            self._move(algo, "FINISHED", now)

    def _move(self, algo: AlgoOrder, status: str, now: int, reason: str = "") -> None:
        algo.status = status
        algo.updated_ms = to_ms(now)
        self._tell(algo.account, algo.update(to_ms(now), reason))

    def _price(self, algo: AlgoOrder) -> Decimal:
        market = self._markets[algo.ticket.order.symbol]
        return market.mark_price if algo.ticket.working_type == "MARK_PRICE" else market.last_price


def kind_of(algo_type: str) -> Kind:
    """Of the order that it becomes."""
    return Kind.LIMIT if algo_type in ("STOP", "TAKE_PROFIT") else Kind.MARKET
