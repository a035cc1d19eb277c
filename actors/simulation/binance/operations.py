"""Every request that the venue answers, by its name in the WebSocket API: weight, security, handler."""

from collections.abc import Callable

import msgspec

from actors.simulation.accounts import Account
from actors.simulation.binance.account_requests import AccountRequests
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.list_requests import ListRequests
from actors.simulation.binance.market_data import MarketData
from actors.simulation.binance.parameters import Parameters

Public = Callable[[Parameters, int], object]
Signed = Callable[[Account, Parameters, int], object]
Weight = Callable[[Parameters], int]


class PublicOperation(msgspec.Struct, frozen=True):
    weight: Weight
    run: Public


class SignedOperation(msgspec.Struct, frozen=True):
    """`counts_orders`: the answer shows the account's unfilled order count; its weight is given back on success."""

    weight: Weight
    run: Signed
    counts_orders: bool = False


Operation = PublicOperation | SignedOperation


def _always(weight: int) -> Weight:
    return lambda parameters: weight


def _by_symbol(one: int, all_symbols: int) -> Weight:
    return lambda parameters: one if parameters.given("symbol") else all_symbols


def _depth_weight(parameters: Parameters) -> int:
    limit = parameters.limit(100, 5000)
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if limit <= most)


def _trades_weight(parameters: Parameters) -> int:
    return 5 if parameters.given("orderId") else 20


def _prevented_weight(parameters: Parameters) -> int:
    return 20 if parameters.given("orderId") else 2


def operations(data: MarketData, requests: AccountRequests, lists: ListRequests) -> dict[str, Operation]:
    return {
        "ping": PublicOperation(_always(1), data.ping),
        "time": PublicOperation(_always(1), data.time),
        "exchangeInfo": PublicOperation(_always(20), data.exchange_info),
        "executionRules": PublicOperation(_by_symbol(2, 40), data.execution_rules),
        "depth": PublicOperation(_depth_weight, data.depth),
        "trades.recent": PublicOperation(_always(25), data.trades),
        "trades.historical": PublicOperation(_always(25), data.trades),
        "trades.aggregate": PublicOperation(_always(4), data.aggregate_trades),
        "klines": PublicOperation(_always(2), data.klines),
        "uiKlines": PublicOperation(_always(2), data.klines),
        "avgPrice": PublicOperation(_always(2), data.average_price),
        "ticker.24hr": PublicOperation(_by_symbol(2, 80), data.day_ticker),
        "ticker.price": PublicOperation(_by_symbol(2, 4), data.price_ticker),
        "ticker.book": PublicOperation(_by_symbol(2, 4), data.book_ticker),
        "order.place": SignedOperation(_always(1), requests.place, counts_orders=True),
        "order.test": SignedOperation(_always(1), requests.test),
        "order.cancel": SignedOperation(_always(1), requests.cancel, counts_orders=True),
        "order.cancelReplace": SignedOperation(_always(1), requests.cancel_replace, counts_orders=True),
        "order.amend.keepPriority": SignedOperation(_always(4), requests.amend),
        "order.amendments": SignedOperation(_always(4), requests.amendments),
        "orderList.place": SignedOperation(_always(1), lists.old_oco, counts_orders=True),
        "orderList.place.oco": SignedOperation(_always(1), lists.oco, counts_orders=True),
        "orderList.place.oto": SignedOperation(_always(1), lists.oto, counts_orders=True),
        "orderList.place.otoco": SignedOperation(_always(1), lists.otoco, counts_orders=True),
        "orderList.cancel": SignedOperation(_always(1), lists.cancel, counts_orders=True),
        "orderList.status": SignedOperation(_always(4), lists.status),
        "openOrderLists.status": SignedOperation(_always(6), lists.open),
        "allOrderLists": SignedOperation(_always(20), lists.all),
        "myPreventedMatches": SignedOperation(_prevented_weight, requests.prevented_matches),
        "order.status": SignedOperation(_always(4), requests.query),
        "openOrders.status": SignedOperation(_by_symbol(6, 80), requests.open_orders),
        "openOrders.cancelAll": SignedOperation(_always(1), requests.cancel_all, counts_orders=True),
        "allOrders": SignedOperation(_always(20), requests.all_orders),
        "myTrades": SignedOperation(_trades_weight, requests.my_trades),
        "account.status": SignedOperation(_always(20), requests.account),
        "account.commission": SignedOperation(_always(20), requests.commission),
        "asset.tradeFee": SignedOperation(_always(1), requests.trade_fee),
        "account.rateLimits.orders": SignedOperation(_always(40), requests.order_usage),
    }


def charge(operation: Operation, parameters: Parameters, limits: Limits, now: int) -> int:
    weight = operation.weight(parameters)
    limits.charge(weight, now)
    return weight
