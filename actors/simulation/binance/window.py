"""The test window onto the truth, which a real venue does not have: `/fake/ledger` and `/fake/state`."""

from actors.simulation.accounts import Account
from actors.simulation.binance.orders import Fill, VenueOrder
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.trading import Trading


def ledger(trading: Trading, accounts: dict[str, Account]) -> dict[str, object]:
    """Every order under its client order id (oldest first: an id may be used again), every fill, every balance."""
    orders: dict[str, list[dict[str, object]]] = {}
    fills: list[dict[str, object]] = []
    for order in trading.register.all():
        orders.setdefault(order.client_order_id, []).append(_order_row(order))
        fills.extend(_fill_row(order, fill) for fill in order.fills)
    fills.sort(key=lambda fill: (str(fill["symbol"]), fill["tradeId"]))
    balances = {
        key: {
            asset: {"free": str(balance.free), "locked": str(balance.locked)}
            for asset, balance in account.balances.items()
        }
        for key, account in accounts.items()
    }
    fees = {asset: str(amount) for asset, amount in trading.fees.items()}
    return {"orders": orders, "fills": fills, "balances": balances, "fees": fees}


def replay_state(replay: Replay | None) -> dict[str, object] | None:
    if replay is None:
        return None
    return {"finished": replay.finished, "played": replay.played, "total": replay.total}


def _order_row(order: VenueOrder) -> dict[str, object]:
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


def _fill_row(order: VenueOrder, fill: Fill) -> dict[str, object]:
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
