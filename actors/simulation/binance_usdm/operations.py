"""Every request that the futures venue answers: weight, security, handler, route, and name in the WebSocket API.

Weights as in github.com/binance/binance-connector-python 17.2, clients/derivatives_trading_usds_futures.
"""

from collections.abc import Callable

from actors.simulation.accounts import Account
from actors.simulation.binance.operations import Operation, PublicOperation, SignedOperation, Weight
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance_usdm.account_requests import AccountRequests
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.market_data import FuturesData
from actors.simulation.binance_usdm.order_requests import OrderRequests

Run = Callable[[MarginAccount, Parameters, int], object]

ROUTES = {
    ("GET", "/fapi/v1/ping"): "ping",
    ("GET", "/fapi/v1/time"): "time",
    ("GET", "/fapi/v1/exchangeInfo"): "exchangeInfo",
    ("GET", "/fapi/v1/depth"): "depth",
    ("GET", "/fapi/v1/trades"): "trades",
    ("GET", "/fapi/v1/aggTrades"): "aggTrades",
    ("GET", "/fapi/v1/klines"): "klines",
    ("GET", "/fapi/v1/premiumIndex"): "premiumIndex",
    ("GET", "/fapi/v1/fundingRate"): "fundingRate",
    ("GET", "/fapi/v1/ticker/24hr"): "ticker.24hr",
    ("GET", "/fapi/v1/ticker/price"): "ticker.price",
    ("GET", "/fapi/v2/ticker/price"): "ticker.price",
    ("GET", "/fapi/v1/ticker/bookTicker"): "ticker.book",
    ("POST", "/fapi/v1/order"): "order.place",
    ("POST", "/fapi/v1/order/test"): "order.test",
    ("PUT", "/fapi/v1/order"): "order.modify",
    ("DELETE", "/fapi/v1/order"): "order.cancel",
    ("GET", "/fapi/v1/order"): "order.status",
    ("GET", "/fapi/v1/openOrder"): "openOrder",
    ("GET", "/fapi/v1/openOrders"): "openOrders",
    ("GET", "/fapi/v1/allOrders"): "allOrders",
    ("GET", "/fapi/v1/userTrades"): "userTrades",
    ("DELETE", "/fapi/v1/allOpenOrders"): "allOpenOrders.cancel",
    ("POST", "/fapi/v1/batchOrders"): "batchOrders.place",
    ("PUT", "/fapi/v1/batchOrders"): "batchOrders.modify",
    ("DELETE", "/fapi/v1/batchOrders"): "batchOrders.cancel",
    ("POST", "/fapi/v1/countdownCancelAll"): "countdownCancelAll",
    ("POST", "/fapi/v1/algoOrder"): "algoOrder.place",
    ("DELETE", "/fapi/v1/algoOrder"): "algoOrder.cancel",
    ("GET", "/fapi/v1/algoOrder"): "algoOrder.status",
    ("GET", "/fapi/v1/openAlgoOrders"): "openAlgoOrders",
    ("DELETE", "/fapi/v1/algoOpenOrders"): "algoOpenOrders.cancel",
    ("GET", "/fapi/v2/account"): "v2/account.status",
    ("GET", "/fapi/v3/account"): "v2/account.status",
    ("GET", "/fapi/v2/balance"): "v2/account.balance",
    ("GET", "/fapi/v3/balance"): "v2/account.balance",
    ("GET", "/fapi/v2/positionRisk"): "account.position",
    ("GET", "/fapi/v3/positionRisk"): "v2/account.position",
    ("POST", "/fapi/v1/leverage"): "leverage",
    ("POST", "/fapi/v1/marginType"): "marginType",
    ("GET", "/fapi/v1/positionSide/dual"): "positionSide",
    ("POST", "/fapi/v1/positionSide/dual"): "positionSide.set",
    ("GET", "/fapi/v1/multiAssetsMargin"): "multiAssetsMargin",
    ("POST", "/fapi/v1/multiAssetsMargin"): "multiAssetsMargin.set",
    ("GET", "/fapi/v1/symbolConfig"): "symbolConfig",
    ("GET", "/fapi/v1/accountConfig"): "accountConfig",
    ("GET", "/fapi/v1/commissionRate"): "commissionRate",
    ("GET", "/fapi/v1/income"): "income",
    ("GET", "/fapi/v1/leverageBracket"): "leverageBracket",
}

WEBSOCKET = (
    "depth",
    "ticker.price",
    "ticker.book",
    "order.place",
    "order.modify",
    "order.cancel",
    "order.status",
    "algoOrder.place",
    "algoOrder.cancel",
    "account.position",
    "v2/account.position",
    "v2/account.status",
    "v2/account.balance",
)
"""Those that the WebSocket API has too."""


def _always(weight: int) -> Weight:
    return lambda parameters: weight


def _by_symbol(one: int, all_symbols: int) -> Weight:
    return lambda parameters: one if parameters.given("symbol") else all_symbols


def _depth_weight(parameters: Parameters) -> int:
    limit = parameters.integer("limit") or 500
    return next(weight for most, weight in ((50, 2), (100, 5), (500, 10), (limit, 20)) if limit <= most)


def _signed(weight: Weight, run: Run, counts_orders: bool = False) -> SignedOperation:
    def with_margin(account: Account, parameters: Parameters, now: int) -> object:
        assert isinstance(account, MarginAccount)
        return run(account, parameters, now)

    return SignedOperation(weight, with_margin, counts_orders)


def operations(data: FuturesData, orders: OrderRequests, accounts: AccountRequests) -> dict[str, Operation]:
    return {
        "ping": PublicOperation(_always(1), data.ping),
        "time": PublicOperation(_always(1), data.time),
        "exchangeInfo": PublicOperation(_always(1), data.exchange_info),
        "depth": PublicOperation(_depth_weight, data.depth),
        "trades": PublicOperation(_always(5), data.trades),
        "aggTrades": PublicOperation(_always(20), data.aggregate_trades),
        "klines": PublicOperation(_always(5), data.klines),
        "premiumIndex": PublicOperation(_by_symbol(1, 10), data.premium_index),
        "fundingRate": PublicOperation(_always(1), data.funding_rates),
        "ticker.24hr": PublicOperation(_by_symbol(1, 40), data.day_ticker),
        "ticker.price": PublicOperation(_by_symbol(1, 2), data.price_ticker),
        "ticker.book": PublicOperation(_by_symbol(2, 5), data.book_ticker),
        "order.place": _signed(_always(1), orders.place, counts_orders=True),
        "order.test": _signed(_always(1), orders.test),
        "order.modify": _signed(_always(1), orders.modify, counts_orders=True),
        "order.cancel": _signed(_always(1), orders.cancel),
        "order.status": _signed(_always(1), orders.query),
        "openOrder": _signed(_always(1), orders.open_order),
        "openOrders": _signed(_by_symbol(1, 40), orders.open_orders),
        "allOrders": _signed(_always(5), orders.all_orders),
        "userTrades": _signed(_always(5), orders.trades),
        "allOpenOrders.cancel": _signed(_always(1), orders.cancel_all),
        "batchOrders.place": _signed(_always(5), orders.place_batch),
        "batchOrders.modify": _signed(_always(5), orders.modify_batch),
        "batchOrders.cancel": _signed(_always(1), orders.cancel_batch),
        "countdownCancelAll": _signed(_always(10), orders.countdown),
        "algoOrder.place": _signed(_always(1), orders.place_algo, counts_orders=True),
        "algoOrder.cancel": _signed(_always(1), orders.cancel_algo),
        "algoOrder.status": _signed(_always(1), orders.query_algo),
        "openAlgoOrders": _signed(_by_symbol(1, 40), orders.open_algos),
        "algoOpenOrders.cancel": _signed(_always(1), orders.cancel_algos),
        "v2/account.status": _signed(_always(5), accounts.account),
        "v2/account.balance": _signed(_always(5), accounts.balance),
        "account.position": _signed(_always(5), accounts.all_positions),
        "v2/account.position": _signed(_always(5), accounts.positions),
        "leverage": _signed(_always(1), accounts.set_leverage),
        "marginType": _signed(_always(1), accounts.set_margin_type),
        "positionSide": _signed(_always(30), accounts.position_mode),
        "positionSide.set": _signed(_always(1), accounts.set_position_mode),
        "multiAssetsMargin": _signed(_always(30), accounts.multi_asset_mode),
        "multiAssetsMargin.set": _signed(_always(1), accounts.set_multi_asset_mode),
        "symbolConfig": _signed(_always(5), accounts.symbol_configuration),
        "accountConfig": _signed(_always(5), accounts.configuration),
        "commissionRate": _signed(_always(20), accounts.commission),
        "income": _signed(_always(30), accounts.income),
        "leverageBracket": _signed(_always(1), accounts.leverage_brackets),
    }
