"""Public requests: what the exchange lists and what its markets show. The same answers by REST and by WebSocket API.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints and
…/market-data-endpoints
"""

from collections.abc import Callable
from typing import Any

from actors.simulation.binance.candles import INTERVALS
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.market import Market
from actors.simulation.binance.numbers import fixed, to_ms
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory

_BAD_SYMBOL = (-1121, "Invalid symbol.")


class MarketData:
    def __init__(self, infos: list[dict[str, Any]], markets: dict[str, Market], limits: Limits) -> None:
        self._infos = {info["symbol"]: info for info in infos}
        self._markets = markets
        self._limits = limits

    def check_symbol(self, symbol: str) -> str:
        if symbol not in self._infos:
            raise Refusal(*_BAD_SYMBOL)
        return symbol

    def ping(self, parameters: Parameters, now: int) -> object:
        parameters.done()
        return {}

    def time(self, parameters: Parameters, now: int) -> object:
        parameters.done()
        return {"serverTime": to_ms(now)}

    def exchange_info(self, parameters: Parameters, now: int) -> object:
        symbols = parameters.symbols()
        permissions, status = parameters.text("permissions"), parameters.text("symbolStatus")
        with_permission_sets = parameters.flag("showPermissionSets") is not False
        parameters.done()
        if symbols is not None and (permissions is not None or status is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        chosen = list(self._infos) if symbols is None else [self.check_symbol(symbol) for symbol in symbols]
        infos = [self._infos[symbol] for symbol in chosen]
        if permissions is not None:
            infos = [info for info in infos if any(name in permissions for name in info["permissionSets"][0])]
        if status is not None:
            infos = [info for info in infos if info["status"] == status]
        if not with_permission_sets:
            infos = [{**info, "permissionSets": []} for info in infos]
        return {
            "timezone": "UTC",
            "serverTime": to_ms(now),
            "rateLimits": self._limits.definitions(),
            "exchangeFilters": [],
            "symbols": infos,
        }

    def depth(self, parameters: Parameters, now: int) -> object:
        symbol = self.check_symbol(parameters.required("symbol"))
        limit = parameters.limit(100, 5000)
        parameters.done()
        market = self._markets.get(symbol)
        return {"lastUpdateId": 0, "bids": [], "asks": []} if market is None else market.snapshot(limit)

    def trades(self, parameters: Parameters, now: int) -> object:
        market = self._market(parameters)
        limit, from_id = parameters.limit(500, 1000), parameters.integer("fromId")
        parameters.done()
        rows = [trade.row() for trade in market.trades if from_id is None or trade.trade_id >= from_id]
        return rows[:limit] if from_id is not None else rows[-limit:]

    def aggregate_trades(self, parameters: Parameters, now: int) -> object:
        market = self._market(parameters)
        limit, from_id = parameters.limit(500, 1000), parameters.integer("fromId")
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        parameters.done()
        rows = [
            trade.row()
            for trade in market.aggregates
            if (from_id is None or trade.aggregate_id >= from_id)
            and (start is None or trade.ms >= start)
            and (end is None or trade.ms <= end)
        ]
        return rows[-limit:] if from_id is None and start is None else rows[:limit]

    def klines(self, parameters: Parameters, now: int) -> object:
        market = self._market(parameters)
        interval = parameters.required("interval")
        if interval not in INTERVALS:
            raise Refusal(-1120, "Invalid interval.")
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        limit = parameters.limit(500, 1000)
        parameters.text("timeZone")
        parameters.done()
        end = to_ms(now) if end is None else min(end, to_ms(now))
        return [candle.row(interval) for candle in market.candles.series(interval, start, end, limit)]

    def average_price(self, parameters: Parameters, now: int) -> object:
        market = self._market(parameters)
        parameters.done()
        recent = market.candles.window(to_ms(now) - 300_000, to_ms(now) + 1)
        traded = recent is not None and recent.volume
        price = recent.quote / recent.volume if recent is not None and traded else market.last_price
        close = market.trades[-1].ms if market.trades else to_ms(now)
        return {"mins": 5, "price": fixed(price), "closeTime": close}

    def book_ticker(self, parameters: Parameters, now: int) -> object:
        return self._for_symbols(parameters, lambda market: market.book_ticker())

    def price_ticker(self, parameters: Parameters, now: int) -> object:
        return self._for_symbols(
            parameters, lambda market: {"symbol": market.symbol, "price": fixed(market.last_price)}
        )

    def day_ticker(self, parameters: Parameters, now: int) -> object:
        mini = parameters.text("type") == "MINI"
        return self._for_symbols(parameters, lambda market: _day_row(market, to_ms(now), mini))

    def execution_rules(self, parameters: Parameters, now: int) -> object:
        """No symbol of this venue has a price range rule."""
        parameters.symbols()
        parameters.text("symbolStatus")
        parameters.done()
        return {"symbolRules": []}

    def _market(self, parameters: Parameters) -> Market:
        symbol = self.check_symbol(parameters.required("symbol"))
        market = self._markets.get(symbol)
        if market is None:
            raise Refusal(*_BAD_SYMBOL)
        return market

    def _for_symbols(self, parameters: Parameters, row: Callable[[Market], dict[str, object]]) -> object:
        """An object when one `symbol` was asked for, an array otherwise."""
        single = parameters.given("symbol")
        symbols = parameters.symbols()
        parameters.text("symbolStatus")
        parameters.done()
        if symbols is None:
            return [row(market) for market in self._markets.values()]
        for symbol in symbols:
            self.check_symbol(symbol)
        rows = [row(self._markets[symbol]) for symbol in symbols if symbol in self._markets]
        if not single:
            return rows
        if not rows:
            raise mandatory("symbol")
        return rows[0]


def _day_row(market: Market, ms: int, mini: bool) -> dict[str, object]:
    day = market.day(ms)
    window = {"openTime": day.open_ms, "closeTime": ms}
    ids = {"firstId": day.first_id, "lastId": day.last_id, "count": day.count}
    traded = {"volume": fixed(day.volume), "quoteVolume": fixed(day.quote)}
    prices = {"openPrice": fixed(day.open), "highPrice": fixed(day.high), "lowPrice": fixed(day.low)}
    if mini:
        return {"symbol": market.symbol, **prices, "lastPrice": fixed(day.close), **traded, **window, **ids}
    quotes = market.book_ticker()
    del quotes["symbol"]
    last = market.trades[-1].quantity if market.trades else day.volume
    return {
        "symbol": market.symbol,
        "priceChange": fixed(day.close - day.open),
        "priceChangePercent": f"{(day.close / day.open - 1) * 100:.3f}",
        "weightedAvgPrice": fixed(day.quote / day.volume if day.volume else day.close),
        "prevClosePrice": fixed(day.open),
        "lastPrice": fixed(day.close),
        "lastQty": fixed(last),
        **quotes,
        **prices,
        **traded,
        **window,
        **ids,
    }
