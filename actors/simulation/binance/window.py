"""The test window onto the truth, which a real venue does not have: `/fake/ledger` and `/fake/state`."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from actors.model.order import Side
from actors.simulation.accounts import Account
from actors.simulation.binance.orders import Fill, VenueOrder
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.trading import Trading

Row = dict[str, object]


class Ordered(Protocol):
    """What orders of all products have."""

    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    fills: list[Fill]


Order = TypeVar("Order", bound=Ordered)


def orders_and_fills(found: Iterable[Order], row: Callable[[Order], Row]) -> dict[str, object]:
    """Every order under its client order id (oldest first: an id may be used again), and every fill."""
    orders: dict[str, list[Row]] = {}
    fills: list[Row] = []
    for order in found:
        orders.setdefault(order.client_order_id, []).append(row(order))
        fills.extend(_fill_row(order, fill) for fill in order.fills)
    fills.sort(key=lambda fill: (str(fill["symbol"]), fill["tradeId"]))
    return {"orders": orders, "fills": fills}


def ledger(trading: Trading, accounts: dict[str, Account]) -> dict[str, object]:
    """Every order, every fill, every balance."""
    balances = {
        key: {
            asset: {"free": str(balance.free), "locked": str(balance.locked)}
            for asset, balance in account.balances.items()
        }
        for key, account in accounts.items()
    }
    fees = {asset: str(amount) for asset, amount in trading.fees.items()}
    return {**orders_and_fills(trading.register.all(), _order_row), "balances": balances, "fees": fees}


def replay_state(replay: Replay | None) -> dict[str, object] | None:
    if replay is None:
        return None
    return {"finished": replay.finished, "played": replay.played, "total": replay.total}


def _order_row(order: VenueOrder) -> Row:
    return {
        "orderId": order.order_id,
        "account": order.account.key,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.ticket.type.value,
        "timeInForce": order.ticket.time_in_force.value,
        "price": str(order.price),
        "quantity": str(order.quantity),
        "executed": str(order.executed),
        "status": order.status.value,
    }


def _fill_row(order: Ordered, fill: Fill) -> Row:
    return {
        "tradeId": fill.trade_id,
        "orderId": order.order_id,
        "clientOrderId": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "price": str(fill.price),
        "quantity": str(fill.quantity),
        "maker": fill.is_maker,
        "commission": str(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.ms,
    }
