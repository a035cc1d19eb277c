"""What has become of every order and fill, as the desk's journal and as the venue's ledger tell it."""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from actors.messages import SubmitOrder, SubmitOrderList
from actors.model.order_state import OrderState
from actors.orders.ledger import Ledger
from actors.orders.records import ChangeIntended, decode
from runtime.journal import Follower

STATES = {"NEW": "ACCEPTED"}
"""Where the venue's word for a state is another than ours."""
KEEP = 1_000_000
"""Orders; more than any test makes."""
NEVER_THERE = (OrderState.DENIED, OrderState.REJECTED)


class Truth(msgspec.Struct, frozen=True):
    """Equal for a desk and its venue if nothing was lost and nothing doubled. Numbers in their shortest form."""

    orders: dict[str, tuple[str, str]]
    """Client order id → state and filled quantity, of every order that was at the venue."""
    fills: list[tuple[str, ...]]
    """Symbol, trade id, client order id, price and quantity of each, sorted."""
    positions: dict[str, str]
    """Symbol → sum of the fills, those that are zero left out."""
    terms: dict[str, tuple[str, str]]
    """Client order id → quantity and limit price ("0" for none) that the order had in the end."""

    def difference(self, other: "Truth") -> dict[str, Any]:
        """What one of the two says and the other does not, by field; empty if they are equal."""
        found: dict[str, Any] = {}
        for field in self.__struct_fields__:
            mine, theirs = getattr(self, field), getattr(other, field)
            ours, others = (list(each.items() if isinstance(each, dict) else each) for each in (mine, theirs))
            here = [each for each in ours if each not in others]
            there = [each for each in others if each not in ours]
            if here or there or len(ours) != len(others):
                found[field] = (here, there)
        return found

    @classmethod
    def of_venue(cls, ledger: Mapping[str, Any]) -> "Truth":
        """From what the fake venue answers to `GET /fake/ledger`."""
        orders, terms = {}, {}
        for client_order_id, placed in ledger["orders"].items():
            assert len(placed) == 1, f"{client_order_id} was placed {len(placed)} times"
            state = placed[0]["status"]
            orders[client_order_id] = (STATES.get(state, state), shortest(placed[0]["executed"]))
            terms[client_order_id] = (shortest(placed[0]["quantity"]), shortest(placed[0]["price"]))
        fills = ledger["fills"]
        return cls(
            orders,
            sorted(
                (
                    fill["symbol"],
                    str(fill["tradeId"]),
                    fill["clientOrderId"],
                    *map(shortest, (fill["price"], fill["quantity"])),
                )
                for fill in fills
            ),
            _positions((fill["symbol"], fill["side"], fill["quantity"]) for fill in fills),
            terms,
        )

    @classmethod
    def of_journal(cls, folder: Path) -> "Truth":
        """From the order manager's journal, by its own ledger."""
        ledger, submitted, fills = Ledger(keep=KEEP), [], []
        for data in records(folder):
            record = decode(data)
            outcome = ledger.apply(record)
            if isinstance(record.event, SubmitOrder | ChangeIntended):
                submitted.append(record.event.order.client_order_id)
            elif isinstance(record.event, SubmitOrderList):
                submitted += [order.client_order_id for order in record.event.orders]
            if outcome.fill is not None:
                fills.append(outcome.fill)
        known = [order for key in submitted if (order := ledger.order(key)) is not None]
        orders = [order for order in known if order.state not in NEVER_THERE]
        return cls(
            {order.spec.client_order_id: (order.state.value, shortest(order.filled)) for order in orders},
            sorted(
                (fill.symbol, fill.trade_id, fill.client_order_id, *map(shortest, (fill.price, fill.quantity)))
                for fill in fills
            ),
            _positions((fill.symbol, fill.side.value, fill.quantity) for fill in fills),
            {
                order.spec.client_order_id: (shortest(order.quantity), shortest(order.spec.price or "0"))
                for order in orders
            },
        )


def records(folder: Path) -> Iterable[bytes]:
    """Every record of a journal, in order."""
    follower = Follower(folder)
    try:
        while batch := follower.poll():
            for _, record in batch:
                yield record
    finally:
        follower.close()


def digest(folder: Path) -> str:
    """Of what was written, without the journal's random id and what follows from it."""
    hashed = hashlib.sha256()
    for record in records(folder):
        hashed.update(len(record).to_bytes(8, "little") + record)
    return hashed.hexdigest()


def shortest(number: Decimal | str) -> str:
    return format(Decimal(number).normalize(), "f")


def _positions(fills: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    positions: dict[str, Decimal] = {}
    for symbol, side, quantity in fills:
        signed = Decimal(quantity) if side == "BUY" else -Decimal(quantity)
        positions[symbol] = positions.get(symbol, Decimal(0)) + signed
    return {symbol: shortest(quantity) for symbol, quantity in positions.items() if quantity}
