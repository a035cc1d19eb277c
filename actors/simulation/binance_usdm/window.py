"""The test window onto the truth of the futures venue: `/fake/ledger`, in the spot venue's shape."""

from actors.simulation.binance.orders import Fill
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.orders import FuturesOrder
from actors.simulation.binance_usdm.trading import MarginTrading


def ledger(trading: MarginTrading, accounts: dict[str, MarginAccount]) -> dict[str, object]:
    """Every order under its client order id, every fill, every wallet and position."""
    orders: dict[str, list[dict[str, object]]] = {}
    fills: list[dict[str, object]] = []
    for order in trading.orders():
        orders.setdefault(order.client_order_id, []).append(_order_row(order))
        fills.extend(_fill_row(order, fill) for fill in order.fills)
    fills.sort(key=lambda fill: (str(fill["symbol"]), fill["tradeId"]))
    balances = {
        key: {asset: {"free": str(amount), "locked": "0"} for asset, amount in account.wallets.items()}
        for key, account in accounts.items()
    }
    positions = {
        key: {f"{p.symbol}.{p.side}": str(p.quantity) for p in account.open_positions()}
        for key, account in accounts.items()
    }
    fees = {asset: str(amount) for asset, amount in trading.fees.items()}
    return {"orders": orders, "fills": fills, "balances": balances, "positions": positions, "fees": fees}


def _order_row(order: FuturesOrder) -> dict[str, object]:
    return {
        "orderId": order.order_id,
        "account": order.account.key,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.ticket.kind.value,
        "timeInForce": order.ticket.tif.value,
        "price": str(order.price),
        "quantity": str(order.quantity),
        "executed": str(order.executed),
        "status": order.status.value,
    }


def _fill_row(order: FuturesOrder, fill: Fill) -> dict[str, object]:
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
