"""The symbols of the venue and their filters, in the shape of `exchangeInfo`.

Source: https://developers.binance.com/docs/binance-spot-api-docs/filters
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from actors.model.order import OrderType, Side
from actors.simulation.binance.orders import CONTINGENT, SelfTradeMode, Ticket, VenueOrder
from actors.simulation.binance.refusal import Refusal, amend_rejected, filter_failure, rejected
from actors.simulation.binance.stops import waits_above


class SymbolRules:
    """One entry of `exchangeInfo`; `info` is served as it is, the filters are what orders are checked against."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.symbol: str = info["symbol"]
        self.base: str = info["baseAsset"]
        self.quote: str = info["quoteAsset"]
        self._filters: dict[str, dict[str, Any]] = {item["filterType"]: item for item in info["filters"]}
        self.tick_size = self._number("PRICE_FILTER", "tickSize")
        self.lot_size = self._number("LOT_SIZE", "stepSize")

    def _number(self, filter_type: str, field: str) -> Decimal:
        return Decimal(self._filters.get(filter_type, {}).get(field, "0"))

    @property
    def default_self_trade(self) -> SelfTradeMode:
        return SelfTradeMode(self.info["defaultSelfTradePreventionMode"])

    def check(self, ticket: Ticket, average: Decimal) -> None:
        """Everything about one order that does not depend on the account; `average` stands for the average price."""
        kind = ticket.type.as_matched()
        if ticket.type.value not in self.info["orderTypes"]:
            name = ticket.type.value.replace("_", " ").capitalize()
            raise rejected(f"{name} orders are not supported for this symbol.")
        if ticket.self_trade.value not in self.info["allowedSelfTradePreventionModes"]:
            raise Refusal(-1013, "This symbol does not allow the specified self-trade prevention mode.")
        for price in (ticket.price, ticket.stop_price):
            if price is not None:
                self._check_price(ticket.side, price, average)
        if ticket.trailing_delta is not None:
            self._check_trailing_delta(ticket, ticket.trailing_delta)
        if ticket.quantity is not None:
            self._check_quantity(kind, ticket.quantity)
            self._check_notional(kind, ticket.quantity * (ticket.price or ticket.stop_price or average))
            if ticket.iceberg_quantity is not None:
                self._check_iceberg(ticket.quantity, ticket.iceberg_quantity)
        if ticket.quote_quantity is not None:
            self._check_notional(kind, ticket.quote_quantity)

    def check_counts(self, orders: Sequence[VenueOrder], tickets: Sequence[Ticket]) -> None:
        """`orders` are the account's open orders of this symbol, `tickets` what shall be added."""
        algos = sum(order.is_contingent for order in orders), sum(ticket.type in CONTINGENT for ticket in tickets)
        lists = len({order.list.list_id for order in orders if order.list is not None}), int(len(tickets) > 1)
        for filter_type, field, (there, new) in (
            ("MAX_NUM_ORDERS", "maxNumOrders", (len(orders), len(tickets))),
            ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", algos),
            ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", lists),
        ):
            limit = self._filters.get(filter_type, {}).get(field)
            if limit is not None and new and there + new > limit:
                raise filter_failure(filter_type)

    def check_amend(self, order: VenueOrder, quantity: Decimal) -> None:
        if not self.info["amendAllowed"]:
            raise amend_rejected("Order amend is not supported for this symbol.")
        if quantity > order.quantity:
            raise amend_rejected("Order amend (quantity increase) is not supported.")
        if quantity == order.quantity:
            raise amend_rejected("The requested action would change no state; rejecting")
        if quantity <= order.quantity - order.left:
            raise amend_rejected("Price * QTY is zero or less.")
        limit = self._filters.get("MAX_NUM_ORDER_AMENDS", {}).get("maxNumOrderAmends")
        if limit is not None and len(order.amendments) >= limit:
            raise amend_rejected("Filter failure: MAX_NUM_ORDER_AMENDS")
        self._check_quantity(order.ticket.type.as_matched(), quantity)

    def _check_price(self, side: Side, price: Decimal, average: Decimal) -> None:
        if not _within(price, self._filters.get("PRICE_FILTER", {}), "minPrice", "maxPrice", "tickSize"):
            raise filter_failure("PRICE_FILTER")
        limits = self._filters.get("PERCENT_PRICE")
        if limits is not None and not _between(price, average, limits["multiplierDown"], limits["multiplierUp"]):
            raise filter_failure("PERCENT_PRICE")
        limits = self._filters.get("PERCENT_PRICE_BY_SIDE")
        if limits is not None:
            prefix = "bid" if side is Side.BUY else "ask"
            if not _between(price, average, limits[f"{prefix}MultiplierDown"], limits[f"{prefix}MultiplierUp"]):
                raise filter_failure("PERCENT_PRICE_BY_SIDE")

    def _check_quantity(self, order_type: OrderType, quantity: Decimal) -> None:
        if not _within(quantity, self._filters.get("LOT_SIZE", {}), "minQty", "maxQty", "stepSize"):
            raise filter_failure("LOT_SIZE")
        market = self._filters.get("MARKET_LOT_SIZE", {})
        if order_type is OrderType.MARKET and not _within(quantity, market, "minQty", "maxQty", "stepSize"):
            raise filter_failure("MARKET_LOT_SIZE")

    def _check_notional(self, order_type: OrderType, notional: Decimal) -> None:
        limits = self._filters.get("NOTIONAL")
        if limits is None:
            return
        market = order_type is OrderType.MARKET
        if notional < Decimal(limits["minNotional"]) and (not market or limits["applyMinToMarket"]):
            raise filter_failure("NOTIONAL")
        if notional > Decimal(limits["maxNotional"]) and (not market or limits["applyMaxToMarket"]):
            raise filter_failure("NOTIONAL")

    def _check_iceberg(self, quantity: Decimal, tip: Decimal) -> None:
        if not self.info["icebergAllowed"]:
            raise rejected("Iceberg orders are not supported for this symbol.")
        if tip > quantity:
            raise rejected("IcebergQty exceeds QTY.")
        self._check_quantity(OrderType.LIMIT, tip)
        limit = self._filters.get("ICEBERG_PARTS", {}).get("limit")
        if limit is not None and -(-quantity // tip) > limit:
            raise filter_failure("ICEBERG_PARTS")

    def _check_trailing_delta(self, ticket: Ticket, delta: int) -> None:
        if not self.info["allowTrailingStop"]:
            raise rejected("Trailing stop orders are not supported for this symbol.")
        limits = self._filters.get("TRAILING_DELTA")
        place = "Above" if waits_above(ticket) else "Below"
        if limits is not None and not limits[f"minTrailing{place}Delta"] <= delta <= limits[f"maxTrailing{place}Delta"]:
            raise filter_failure("TRAILING_DELTA")


def _within(value: Decimal, limits: dict[str, Any], lowest: str, highest: str, step: str) -> bool:
    """A limit that is zero is switched off."""
    minimum, maximum = Decimal(limits.get(lowest, "0")), Decimal(limits.get(highest, "0"))
    size = Decimal(limits.get(step, "0"))
    return not ((minimum and value < minimum) or (maximum and value > maximum) or (size and value % size))


def _between(price: Decimal, average: Decimal, down: str, up: str) -> bool:
    return average * Decimal(down) <= price <= average * Decimal(up)


class Listing(msgspec.Struct, frozen=True):
    """A built-in symbol: where its price starts and how large an ordinary order is, in base currency."""

    base: str
    quote: str
    tick_size: str
    lot_size: str
    min_notional: str
    price: str
    ordinary_quantity: str

    @property
    def symbol(self) -> str:
        return self.base + self.quote

    def rules(self) -> SymbolRules:
        return SymbolRules(_info(self))


LISTINGS = {
    listing.symbol: listing
    for listing in (
        Listing("BTC", "USDT", "0.01", "0.00001", "5", "67250.00", "0.25"),
        Listing("ETH", "USDT", "0.01", "0.0001", "5", "3480.00", "4"),
        Listing("SOL", "USDT", "0.01", "0.001", "5", "152.40", "60"),
        Listing("ETH", "BTC", "0.00001", "0.0001", "0.0001", "0.05175", "5"),
        Listing("BNB", "USDT", "0.01", "0.001", "5", "592.10", "12"),
        Listing("XRP", "USDT", "0.0001", "0.1", "5", "0.5234", "9000"),
    )
}


def _info(listing: Listing) -> dict[str, Any]:
    def places(value: str) -> str:
        return f"{Decimal(value):.8f}"

    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        **_CURRENT_FIELDS,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": places(listing.tick_size),
                "maxPrice": "1000000.00000000",
                "tickSize": places(listing.tick_size),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": places(listing.lot_size),
                "maxQty": "900000.00000000",
                "stepSize": places(listing.lot_size),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": "90000.00000000",
                "stepSize": "0.00000000",
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": places(listing.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": 10,
                "maxTrailingAboveDelta": 2000,
                "minTrailingBelowDelta": 10,
                "maxTrailingBelowDelta": 2000,
            },
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
        ],
        **_PERMISSIONS,
    }


_CURRENT_FIELDS: dict[str, Any] = {
    "orderTypes": [
        "LIMIT",
        "LIMIT_MAKER",
        "MARKET",
        "STOP_LOSS",
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
    ],
    "icebergAllowed": True,
    "ocoAllowed": True,
    "otoAllowed": True,
    "opoAllowed": False,
    "quoteOrderQtyMarketAllowed": True,
    "allowTrailingStop": True,
    "cancelReplaceAllowed": True,
    "amendAllowed": True,
    "pegInstructionsAllowed": False,
}

_PERMISSIONS: dict[str, Any] = {
    "permissions": [],
    "permissionSets": [["SPOT"]],
    "defaultSelfTradePreventionMode": "NONE",
    "allowedSelfTradePreventionModes": [mode.value for mode in SelfTradeMode],
}


def in_current_shape(info: dict[str, Any]) -> dict[str, Any]:
    """A captured symbol as the venue would describe it today: fields added since, renamed filters, permission sets."""
    filters = [_current_filter(item) for item in info["filters"]]
    permissions = {**_PERMISSIONS, "permissionSets": [info.get("permissions") or ["SPOT"]]}
    allowed = {**_CURRENT_FIELDS, "quoteOrderQtyMarketAllowed": info["quoteOrderQtyMarketAllowed"]}
    return {**info, **allowed, "filters": filters, **permissions}


def _current_filter(item: dict[str, Any]) -> dict[str, Any]:
    if item["filterType"] != "MIN_NOTIONAL":
        return item
    return {
        "filterType": "NOTIONAL",
        "minNotional": item["minNotional"],
        "applyMinToMarket": item["applyToMarket"],
        "maxNotional": "9000000.00000000",
        "applyMaxToMarket": False,
        "avgPriceMins": item["avgPriceMins"],
    }
