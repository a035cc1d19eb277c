"""What an order sets aside: the most that what is left of it can cost. Balances never become negative."""

from decimal import Decimal

from actors.model.order import Side
from actors.simulation.binance.market import Market
from actors.simulation.binance.orders import MARKETABLE, SelfTradeMode, Ticket, VenueOrder

ZERO = Decimal(0)


def paid_asset(market: Market, side: Side) -> str:
    return market.rules.quote if side is Side.BUY else market.rules.base


def needed(market: Market, owner: str, ticket: Ticket, quantity: Decimal, is_triggered: bool = False) -> Decimal:
    """For so much of this ticket. A market order is priced by the book, a stop that still waits by its stop price."""
    but_of = "" if ticket.self_trade is SelfTradeMode.NONE else owner
    if ticket.quote_quantity is not None:
        if ticket.side is Side.BUY:
            return ticket.quote_quantity
        return market.engine.lots_for(Side.SELL, ticket.quote_quantity, but_of)
    if ticket.side is Side.SELL:
        return quantity
    if ticket.price is not None:
        return quantity * ticket.price
    if ticket.type in MARKETABLE[1:] and not is_triggered:
        return quantity * (ticket.stop_price or market.last_price)
    return market.engine.cost(Side.BUY, quantity, but_of)


def reserve(market: Market, order: VenueOrder, amount: Decimal) -> bool:
    """Make the order's lock this much; False, and nothing done, when the account has not as much."""
    asset, more = paid_asset(market, order.side), amount - order.locked
    if more > ZERO and not order.account.lock(asset, more):
        return False
    if more < ZERO:
        order.account.unlock(asset, -more)
    order.locked = amount
    return True
