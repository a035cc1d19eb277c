"""The test window onto the truth of the futures venue: `/fake/ledger`, in the spot venue's shape."""

from actors.simulation.binance.window import Row, orders_and_fills
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.orders import FuturesOrder
from actors.simulation.binance_usdm.trading import MarginTrading


def ledger(trading: MarginTrading, accounts: dict[str, MarginAccount]) -> dict[str, object]:
    """Every order under its client order id, every fill, every wallet and position."""
    balances = {
        key: {asset: {"free": str(amount), "locked": "0"} for asset, amount in account.wallets.items()}
        for key, account in accounts.items()
    }
    positions = {
        key: {f"{p.symbol}.{p.side}": str(p.quantity) for p in account.open_positions()}
        for key, account in accounts.items()
    }
    fees = {asset: str(amount) for asset, amount in trading.fees.items()}
    return {
        **orders_and_fills(trading.orders(), _order_row),
        "balances": balances,
        "positions": positions,
        "fees": fees,
    }


def _order_row(order: FuturesOrder) -> Row:
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
