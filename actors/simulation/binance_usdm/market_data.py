"""Public requests of futures: the spot ones where they are the same, mark price, funding and contracts besides.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from typing import Any

from actors.simulation.binance.limits import Limits
from actors.simulation.binance.market_data import MarketData
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance_usdm.market import FuturesMarket

_HOUR_MS = 3_600_000


class FuturesData(MarketData):
    def __init__(self, infos: list[dict[str, Any]], markets: dict[str, FuturesMarket], limits: Limits) -> None:
        super().__init__(infos, dict(markets), limits)
        self._contracts = markets
        self.fundings: list[dict[str, object]] = []

    def exchange_info(self, parameters: Parameters, now: int) -> object:
        parameters.done()
        assets = sorted({str(info["marginAsset"]) for info in self._infos.values()})
        return {
            "timezone": "UTC",
            "serverTime": to_ms(now),
            "futuresType": "U_MARGINED",
            "rateLimits": self._limits.definitions(),
            "exchangeFilters": [],
            "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "0"} for asset in assets],
            "symbols": list(self._infos.values()),
        }

    def depth(self, parameters: Parameters, now: int) -> object:
        if (parameters.integer("limit") or 500) not in (5, 10, 20, 50, 100, 500, 1000):
            raise Refusal(-4021, "Invalid depth limit.")
        return super().depth(parameters, now)

    def aggregate_trades(self, parameters: Parameters, now: int) -> object:
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        if start is not None and end is not None and end - start >= _HOUR_MS:
            raise Refusal(-1127, "More than 1 hours between startTime and endTime.")
        return super().aggregate_trades(parameters, now)

    def premium_index(self, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        ms = to_ms(now)
        rows = [
            {
                "symbol": market.symbol,
                "markPrice": f"{market.mark_price:.8f}",
                "indexPrice": f"{market.last_price:.8f}",
                "estimatedSettlePrice": f"{market.mark_price:.8f}",
                "lastFundingRate": f"{market.funding_rate:.8f}",
                "interestRate": "0.00010000",
                "nextFundingTime": market.next_funding(ms),
                "time": ms,
            }
            for market in self._contracts.values()
            if symbol in (None, market.symbol)
        ]
        if symbol is None:
            return rows
        if not rows:
            raise Refusal(-1121, "Invalid symbol.")
        return rows[0]

    def funding_rates(self, parameters: Parameters, now: int) -> object:
        symbol, limit = parameters.text("symbol"), parameters.limit(100, 1000)
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        parameters.done()
        rows = [
            row
            for row in self.fundings
            if symbol in (None, row["symbol"]) and (start or 0) <= int(str(row["fundingTime"])) <= (end or to_ms(now))
        ]
        return rows[:limit]
