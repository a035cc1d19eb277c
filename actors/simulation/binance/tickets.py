"""Reads what an order shall be from the parameters of a request; the legs of order lists have prefixed names.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
"""

from decimal import Decimal

import msgspec

from actors.model.order import Side, TimeInForce
from actors.simulation.binance.orders import (
    CONTINGENT,
    MARKETABLE,
    ResponseType,
    SelfTradeMode,
    Ticket,
    VenueOrderType,
)
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal, mandatory

_BAD_TIF = Refusal(-1115, "Invalid timeInForce.")
_BAD_TYPE = Refusal(-1116, "Invalid orderType.")
_BAD_SIDE = Refusal(-1117, "Invalid side.")
_BAD_RESPONSE_TYPE = Refusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
_BAD_SELF_TRADE = Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
_NOT_HERE = ("pegPriceType", "pegOffsetValue", "pegOffsetType")
_ICEBERGS = (
    VenueOrderType.LIMIT,
    VenueOrderType.LIMIT_MAKER,
    VenueOrderType.STOP_LOSS_LIMIT,
    VenueOrderType.TAKE_PROFIT_LIMIT,
)
_FIRST_STRATEGY_TYPE = 1_000_000


class Common(msgspec.Struct, frozen=True):
    """What all orders of one request share."""

    symbol: str
    response_type: ResponseType | None
    self_trade: SelfTradeMode


def read_common(parameters: Parameters, symbol: str, default_self_trade: SelfTradeMode) -> Common:
    response = parameters.choice("newOrderRespType", ResponseType, _BAD_RESPONSE_TYPE)
    self_trade = parameters.choice("selfTradePreventionMode", SelfTradeMode, _BAD_SELF_TRADE)
    return Common(symbol, response, self_trade or default_self_trade)


def read_side(parameters: Parameters, name: str = "side") -> Side:
    parameters.required(name)
    side = parameters.choice(name, Side, _BAD_SIDE)
    assert side is not None
    return side


def read_ticket(
    parameters: Parameters,
    common: Common,
    prefix: str = "",
    side: Side | None = None,
    quantity: Decimal | None = None,
) -> Ticket:
    """One order. `side` and `quantity` are given for legs that have none of their own.

    Which parameters a type needs, and which it must not have, is checked; numbers are not.
    """

    def name(plain: str) -> str:
        return prefix + plain[0].upper() + plain[1:] if prefix else plain

    if side is None:
        side = read_side(parameters, name("side"))
    parameters.required(name("type"))
    kind = parameters.choice(name("type"), VenueOrderType, _BAD_TYPE)
    assert kind is not None
    time_in_force = parameters.choice(name("timeInForce"), TimeInForce, _BAD_TIF)
    price, stop_price = parameters.decimal(name("price")), parameters.decimal(name("stopPrice"))
    trailing_delta = parameters.integer(name("trailingDelta"))
    iceberg = parameters.decimal(name("icebergQty"))
    quote_quantity = None
    if quantity is None:
        quantity = parameters.decimal(name("quantity"))
        quote_quantity = None if prefix else parameters.decimal("quoteOrderQty")
    _check_composition(
        kind,
        {
            name("timeInForce"): time_in_force is not None,
            name("quantity"): quantity is not None,
            name("price"): price is not None,
            "quoteOrderQty": quote_quantity is not None,
            name("stopPrice"): stop_price is not None,
            name("trailingDelta"): trailing_delta is not None,
        },
        prefix,
    )
    if iceberg is not None and (kind not in _ICEBERGS or time_in_force not in (None, TimeInForce.GTC)):
        if prefix:
            message = f"Parameter '{name('icebergQty')}' is not supported if '{name('timeInForce')}' is not GTC."
            raise Refusal(-1160, message)
        raise Refusal(-1014, "Unsupported order combination.")
    for unsupported in _NOT_HERE:
        if parameters.given(name(unsupported)):
            raise Refusal(-1106, f"Parameter '{name(unsupported)}' sent when not required.")
    strategy_type = parameters.integer(name("strategyType"))
    if strategy_type is not None and strategy_type < _FIRST_STRATEGY_TYPE:
        raise Refusal(-1134, f"`strategyType` was less than {_FIRST_STRATEGY_TYPE}.")
    full = kind in (VenueOrderType.LIMIT, VenueOrderType.MARKET)
    return Ticket(
        symbol=common.symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force or TimeInForce.GTC,
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=price,
        client_order_id=parameters.client_order_id(name("clientOrderId") if prefix else "newClientOrderId"),
        response_type=common.response_type or (ResponseType.FULL if full else ResponseType.ACK),
        strategy_id=parameters.integer(name("strategyId")),
        strategy_type=strategy_type,
        stop_price=stop_price,
        trailing_delta=trailing_delta,
        iceberg_quantity=iceberg,
        self_trade=common.self_trade,
    )


def _check_composition(kind: VenueOrderType, sent: dict[str, bool], prefix: str) -> None:
    """`sent` tells of time in force, quantity, price, quote quantity, stop price, trailing delta: given or not."""
    tif, quantity, price, quote_quantity, stop_price, trailing_delta = sent
    is_contingent, is_market = kind in CONTINGENT, kind in MARKETABLE
    unwanted = {
        tif: is_market or kind is VenueOrderType.LIMIT_MAKER,
        price: is_market,
        quote_quantity: kind is not VenueOrderType.MARKET or sent[quantity],
        stop_price: not is_contingent,
        trailing_delta: not is_contingent,
    }
    for name, is_unwanted in unwanted.items():
        if is_unwanted and sent[name]:
            raise Refusal(-1106, f"Parameter '{name}' sent when not required.")
    if kind is VenueOrderType.MARKET and not prefix:
        if not sent[quantity] and not sent[quote_quantity]:
            raise _one_of(quantity, quote_quantity)
        return
    if not is_market and kind is not VenueOrderType.LIMIT_MAKER and not sent[tif]:
        raise mandatory(tif)
    if not sent[quantity]:
        raise mandatory(quantity)
    if not is_market and not sent[price]:
        raise mandatory(price)
    if is_contingent and not sent[stop_price] and not sent[trailing_delta]:
        raise _one_of(stop_price, trailing_delta)


def _one_of(first: str, second: str) -> Refusal:
    return Refusal(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")
