"""The contracts of the venue and their filters, in the shape of `exchangeInfo`.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Exchange-Information
"""

from decimal import Decimal
from typing import Any

import msgspec

from actors.model.order import Side
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.symbols import SymbolRules


class ContractRules(SymbolRules):
    """One entry of `exchangeInfo`; its refusals have the codes of futures."""

    def __init__(self, info: dict[str, Any]) -> None:
        super().__init__(info)
        self.margin_asset: str = info["marginAsset"]
        self.maintenance_rate = Decimal(info["maintMarginPercent"]) / 100
        self.liquidation_fee = Decimal(info["liquidationFee"])

    def check_order(self, side: Side, quantity: Decimal, price: Decimal | None, mark: Decimal, reduces: bool) -> None:
        lot = self._filters["LOT_SIZE" if price is not None else "MARKET_LOT_SIZE"]
        if quantity < Decimal(lot["minQty"]):
            raise Refusal(-4004, "Quantity less than min quantity.")
        if quantity > Decimal(lot["maxQty"]):
            raise Refusal(-4005, "Quantity greater than max quantity.")
        if quantity % Decimal(lot["stepSize"]):
            raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
        if price is not None:
            self._check_price(side, price, mark)
        notional = Decimal(self._filters["MIN_NOTIONAL"]["notional"])
        if not reduces and quantity * (price or mark) < notional:
            message = f"Order's notional must be no smaller than {notional} (unless you choose reduce only)."
            raise Refusal(-4164, message)

    def _check_price(self, side: Side, price: Decimal, mark: Decimal) -> None:
        limits, percent = self._filters["PRICE_FILTER"], self._filters["PERCENT_PRICE"]
        if price % Decimal(limits["tickSize"]):
            raise Refusal(-4014, "Price not increased by tick size.")
        if price < Decimal(limits["minPrice"]):
            raise Refusal(-4013, "Price less than min price.")
        if price > Decimal(limits["maxPrice"]):
            raise Refusal(-4002, "Price greater than max price.")
        if side is Side.BUY and price > mark * Decimal(percent["multiplierUp"]):
            raise Refusal(-4016, f"Limit price can't be higher than {mark * Decimal(percent['multiplierUp'])}.")
        if side is Side.SELL and price < mark * Decimal(percent["multiplierDown"]):
            raise Refusal(-4024, f"Limit price can't be lower than {mark * Decimal(percent['multiplierDown'])}.")


class Contract(msgspec.Struct, frozen=True):
    """A built-in contract: where its price starts and how large an ordinary order is, in base currency."""

    base: str
    quote: str
    tick_size: str
    lot_size: str
    price: str
    ordinary_quantity: str

    @property
    def symbol(self) -> str:
        return self.base + self.quote

    def rules(self) -> ContractRules:
        return ContractRules(_info(self))


CONTRACTS = {
    contract.symbol: contract
    for contract in (
        Contract("BTC", "USDT", "0.10", "0.001", "67250.0", "0.25"),
        Contract("ETH", "USDT", "0.01", "0.001", "3480.00", "4"),
        Contract("SOL", "USDT", "0.010", "1", "152.400", "60"),
        Contract("BNB", "USDT", "0.010", "0.01", "592.100", "12"),
        Contract("XRP", "USDT", "0.0001", "0.1", "0.5234", "9000"),
    )
}

_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]


def _places(number: str) -> int:
    return len(number.partition(".")[2])


def _info(contract: Contract) -> dict[str, Any]:
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.quote,
        "pricePrecision": _places(contract.tick_size),
        "quantityPrecision": _places(contract.lot_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": contract.tick_size,
                "maxPrice": "4529764",
                "tickSize": contract.tick_size,
            },
            {"filterType": "LOT_SIZE", "minQty": contract.lot_size, "maxQty": "100000", "stepSize": contract.lot_size},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": contract.lot_size,
                "maxQty": "10000",
                "stepSize": contract.lot_size,
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500"},
        ],
        "orderTypes": _TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }
