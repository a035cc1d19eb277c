"""Signed requests about the account: balances, positions, leverage, modes, income.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/account/rest-api and …/trade/rest-api
"""

from decimal import Decimal

from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory
from actors.simulation.binance_usdm.accounts import BOTH, MarginAccount, Position
from actors.simulation.binance_usdm.market import FuturesMarket
from actors.simulation.binance_usdm.trading import MAKER_FEE, TAKER_FEE, MarginTrading

_SUCCESS = {"code": 200, "msg": "success"}
_MOST_LEVERAGE = 125
_MOST_NOTIONAL = "1000000"


class AccountRequests:
    def __init__(self, trading: MarginTrading, markets: dict[str, FuturesMarket]) -> None:
        self._trading = trading
        self._markets = markets

    def account(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        parameters.done()
        assets = [self._asset(account, asset) for asset in account.wallets]

        def total(name: str) -> str:
            return f"{sum((Decimal(str(asset[name])) for asset in assets), Decimal(0)):.8f}"

        return {
            "totalInitialMargin": total("initialMargin"),
            "totalMaintMargin": total("maintMargin"),
            "totalWalletBalance": total("walletBalance"),
            "totalUnrealizedProfit": total("unrealizedProfit"),
            "totalMarginBalance": total("marginBalance"),
            "totalPositionInitialMargin": total("positionInitialMargin"),
            "totalOpenOrderInitialMargin": total("openOrderInitialMargin"),
            "totalCrossWalletBalance": total("crossWalletBalance"),
            "totalCrossUnPnl": total("crossUnPnl"),
            "availableBalance": total("availableBalance"),
            "maxWithdrawAmount": total("availableBalance"),
            "assets": assets,
            "positions": [self._account_position(account, position) for position in account.open_positions()],
        }

    def balance(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        parameters.done()
        rows = []
        for asset in account.wallets:
            row = self._asset(account, asset)
            kept = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "updateTime")
            rows.append(
                {
                    "accountAlias": "SgsR",
                    "balance": row["walletBalance"],
                    "marginAvailable": True,
                    **{name: row[name] for name in kept},
                }
            )
        return rows

    def positions(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        """Those that are open, as `v3` does."""
        symbol = parameters.text("symbol")
        parameters.done()
        return [self._risk(account, p) for p in account.open_positions() if symbol in (None, p.symbol)]

    def all_positions(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        """One for every contract at least, as `v2` does."""
        symbol = parameters.text("symbol")
        parameters.done()
        for name in self._markets:
            account.position(name, BOTH)
        return [
            {**self._risk(account, position), "leverage": str(account.leverage_of(position.symbol))}
            for position in account.positions.values()
            if symbol in (None, position.symbol)
        ]

    def set_leverage(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, leverage = self._symbol(parameters), parameters.integer("leverage")
        parameters.done()
        if leverage is None or not 1 <= leverage <= _MOST_LEVERAGE:
            raise Refusal(-4028, f"Leverage {leverage} is not valid")
        account.leverage[symbol] = leverage
        return {"leverage": leverage, "maxNotionalValue": _MOST_NOTIONAL, "symbol": symbol}

    def set_margin_type(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, kind = self._symbol(parameters), parameters.required("marginType")
        parameters.done()
        if kind not in ("ISOLATED", "CROSSED"):
            raise mandatory("marginType")
        if (kind == "ISOLATED") == (symbol in account.isolated):
            raise Refusal(-4046, "No need to change margin type.")
        if any(position.symbol == symbol for position in account.open_positions()):
            raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
        if self._trading.open_orders(account, symbol):
            raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
        account.isolated ^= {symbol}
        return _SUCCESS

    def position_mode(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        parameters.done()
        return {"dualSidePosition": account.is_hedged}

    def set_position_mode(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        hedged = parameters.flag("dualSidePosition")
        parameters.done()
        if hedged is None:
            raise mandatory("dualSidePosition")
        if hedged == account.is_hedged:
            raise Refusal(-4059, "No need to change position side.")
        if self._trading.open_orders(account):
            raise Refusal(-4067, "Position side cannot be changed if there exists open orders.")
        if account.open_positions():
            raise Refusal(-4068, "Position side cannot be changed if there exists position.")
        account.is_hedged = hedged
        return _SUCCESS

    def multi_asset_mode(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        parameters.done()
        return {"multiAssetsMargin": account.multi_asset}

    def set_multi_asset_mode(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        wanted = parameters.flag("multiAssetsMargin")
        parameters.done()
        if wanted == account.multi_asset:
            raise Refusal(-4171, "No need to change Multi-Assets mode")
        account.multi_asset = bool(wanted)
        return _SUCCESS

    def symbol_configuration(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        return [
            {
                "symbol": name,
                "marginType": "ISOLATED" if name in account.isolated else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": account.leverage_of(name),
                "maxNotionalValue": _MOST_NOTIONAL,
            }
            for name in self._markets
            if symbol in (None, name)
        ]

    def configuration(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        parameters.done()
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": account.is_hedged,
            "updateTime": 0,
            "multiAssetsMargin": account.multi_asset,
            "tradeGroupId": -1,
        }

    def commission(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = self._symbol(parameters)
        parameters.done()
        return {"symbol": symbol, "makerCommissionRate": str(MAKER_FEE), "takerCommissionRate": str(TAKER_FEE)}

    def income(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol, kind = parameters.text("symbol"), parameters.text("incomeType")
        start, end = parameters.milliseconds("startTime"), parameters.milliseconds("endTime")
        limit = parameters.limit(100, 1000)
        parameters.text("page")
        parameters.done()
        rows = [
            row
            for row in account.income
            if symbol in (None, row["symbol"])
            and kind in (None, row["incomeType"])
            and (start or 0) <= int(str(row["time"])) <= (end or to_ms(now))
        ]
        return rows[:limit]

    def leverage_brackets(self, account: MarginAccount, parameters: Parameters, now: int) -> object:
        symbol = parameters.text("symbol")
        parameters.done()
        bracket = {
            "bracket": 1,
            "initialLeverage": _MOST_LEVERAGE,
            "notionalCap": int(_MOST_NOTIONAL),
            "notionalFloor": 0,
            "cum": 0.0,
        }
        return [
            {"symbol": name, "brackets": [{**bracket, "maintMarginRatio": float(market.rules.maintenance_rate)}]}
            for name, market in self._markets.items()
            if symbol in (None, name)
        ]

    def _symbol(self, parameters: Parameters) -> str:
        symbol = parameters.required("symbol")
        if symbol not in self._markets:
            raise Refusal(-1121, "Invalid symbol.")
        return symbol

    def _asset(self, account: MarginAccount, asset: str) -> dict[str, object]:
        trading = self._trading
        wallet, profit = account.wallets[asset], trading.unrealized(account, asset)
        positions, orders = trading.position_margin(account, asset), trading.order_margin(account, asset)
        amounts = {
            "walletBalance": wallet,
            "unrealizedProfit": profit,
            "marginBalance": wallet + profit,
            "maintMargin": trading.maintenance(account, asset),
            "initialMargin": positions + orders,
            "positionInitialMargin": positions,
            "openOrderInitialMargin": orders,
            "crossWalletBalance": wallet,
            "crossUnPnl": profit,
            "availableBalance": trading.available(account, asset),
            "maxWithdrawAmount": trading.available(account, asset),
        }
        return {"asset": asset, **{name: f"{amount:.8f}" for name, amount in amounts.items()}, "updateTime": 0}

    def _account_position(self, account: MarginAccount, position: Position) -> dict[str, object]:
        mark = self._trading.mark(position.symbol)
        return {
            "symbol": position.symbol,
            "positionSide": position.side,
            "positionAmt": str(position.quantity),
            "unrealizedProfit": f"{position.unrealized(mark):.8f}",
            "isolatedMargin": "0",
            "notional": f"{position.quantity * mark:.8f}",
            "isolatedWallet": "0",
            "initialMargin": f"{self._trading.margin_of(account, position):.8f}",
            "maintMargin": f"{self._trading.maintenance_of(position):.8f}",
            "updateTime": position.updated_ms,
        }

    def _risk(self, account: MarginAccount, position: Position) -> dict[str, object]:
        row = self._account_position(account, position)
        return {
            **row,
            "entryPrice": str(position.entry_price),
            "breakEvenPrice": str(position.entry_price),
            "markPrice": f"{self._trading.mark(position.symbol):.8f}",
            "unRealizedProfit": row["unrealizedProfit"],
            "liquidationPrice": f"{self._trading.liquidation_price(account, position):.8f}",
            "marginAsset": self._markets[position.symbol].rules.margin_asset,
            "marginType": "isolated" if position.symbol in account.isolated else "cross",
            "positionInitialMargin": row["initialMargin"],
            "openOrderInitialMargin": "0",
            "adl": 1,
            "bidNotional": "0",
            "askNotional": "0",
        }
