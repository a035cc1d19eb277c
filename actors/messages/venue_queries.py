"""Asking the venue: order manager → connector, and the answers."""

from actors.messages.execution import OrderFilled
from actors.model.order import Side
from actors.model.order_state import OrderState
from runtime.message import Message


class QueryOrder(Message, frozen=True, array_like=True, tag=True):
    client_order_id: str
    symbol: str
    venue_order_id: str = ""
    """Asked for by this one where it is known: a venue may give a cancelled order another client order id."""


class QueryOpenOrders(Message, frozen=True, array_like=True, tag=True):
    """All open orders of the account."""

    epoch: int = 0
    """Of the order manager that asks: from now on the connector refuses the commands of every earlier one."""


class QueryFills(Message, frozen=True, array_like=True, tag=True):
    """Fills of one order, or all of the symbol since `since` if `venue_order_id` is ""."""

    symbol: str
    venue_order_id: str
    since: int


class QueryAccount(Message, frozen=True, array_like=True, tag=True):
    """Balances of the account."""


class OrderReported(Message, frozen=True, array_like=True, tag=True):
    """What the venue says about one order now; the answer to `QueryOrder`."""

    venue: str
    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    quantity: str
    filled_quantity: str
    state: OrderState
    """ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED or EXPIRED."""
    ts_recv: int
    price: str = ""
    """Limit price; "" where the venue does not say it."""


class OrderNotFound(Message, frozen=True, array_like=True, tag=True):
    """The venue knows no such order (it may still be on its way to it)."""

    venue: str
    client_order_id: str
    ts_recv: int


class OpenOrdersReported(Message, frozen=True, array_like=True, tag=True):
    venue: str
    orders: list[OrderReported]
    ts_recv: int


class FillsReported(Message, frozen=True, array_like=True, tag=True):
    venue: str
    symbol: str
    fills: list[OrderFilled]
    """`client_order_id` is "" where the venue does not say it."""
    ts_recv: int


class Balance(Message, frozen=True, array_like=True, tag=True):
    asset: str
    free: str
    locked: str


class AccountReported(Message, frozen=True, array_like=True, tag=True):
    """Balances of the account: all of them if `complete`, else only those that changed."""

    venue: str
    balances: list[Balance]
    complete: bool
    ts_recv: int


class QueryFailed(Message, frozen=True, array_like=True, tag=True):
    """A query got no answer; ask again later."""

    venue: str
    query: str
    """Class name of the query."""
    key: str
    """Client order id or symbol; "" where there is none."""
    reason: str
