"""Order lists: one cancels the other, one triggers the other, one triggers a pair.

An OCO is a pair of which the first to work ends the other. In an OTO the pending orders wait until the working order
is filled. Whatever the client cancels, it cancels the whole list.
Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints (order lists)
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from actors.simulation.accounts import Account
from actors.simulation.binance import reports
from actors.simulation.binance.account_events import Tell
from actors.simulation.binance.funds import ZERO, paid_asset, reserve
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.orders import ExpiryReason, Status, Ticket, VenueOrder
from actors.simulation.binance.refusal import Refusal, rejected

if TYPE_CHECKING:
    from actors.simulation.binance.trading import Trading


class OrderList:
    """`working` is the order that triggers the others, `legs` are those others, or the pair of an OCO."""

    def __init__(
        self, list_id: int, client_id: str, working: VenueOrder | None, legs: Sequence[VenueOrder], ms: int
    ) -> None:
        self.list_id = list_id
        self.client_id = client_id
        self.contingency = "OCO" if working is None else "OTO"
        self.working = working
        self.legs = tuple(legs)
        self.orders = self.legs if working is None else (working, *self.legs)
        self.account = self.orders[0].account
        self.symbol = self.orders[0].symbol
        self.created_ms = self.updated_ms = ms
        self.is_done = False

    def pair_of(self, order: VenueOrder) -> tuple[VenueOrder, ...]:
        """The other leg of an OCO pair."""
        return tuple(leg for leg in self.legs if leg is not order) if order in self.legs else ()


class OrderLists:
    def __init__(self, trading: "Trading", tell: Tell) -> None:
        self._trading = trading
        self._tell = tell
        self._lists: list[OrderList] = []

    def all(self, account: Account) -> Iterable[OrderList]:
        return (found for found in self._lists if found.account is account)

    def find(self, account: Account, list_id: int | None, client_id: str | None) -> OrderList | None:
        """By id (the client's id must then agree), or the newest with this client id."""
        for found in reversed(self._lists):
            if found.account is account and list_id in (None, found.list_id) and client_id in (None, found.client_id):
                return found
        return None

    def place(
        self, account: Account, client_id: str | None, working: Ticket | None, legs: Sequence[Ticket], now: int
    ) -> dict[str, object]:
        """The answer, as it is before the list's first trade has had consequences. All of it is placed, or nothing."""
        trading = self._trading
        self._check_ids(account, client_id, legs if working is None else (working, *legs))
        order = None if working is None else trading.create(account, working, now)
        found = OrderList(
            len(self._lists),
            client_id or trading.register.new_client_order_id(),
            order,
            [trading.create(account, ticket, now) for ticket in legs],
            to_ms(now),
        )
        first = found.legs if order is None else (order,)
        if not self._reserve(first):
            raise rejected("Account has insufficient balance for requested action.")
        self._lists.append(found)
        for member in found.orders:
            member.list = found
            trading.accept(member, now, Status.NEW if member in first else Status.PENDING_NEW)
        self._announce(found, "EXEC_STARTED", now)
        with trading.consequences_later():
            for member in first:
                if member.is_open:
                    trading.start(member, now)
            answer = self._answer(found, [reports.response(each, each.ticket.response_type) for each in found.orders])
        trading.run_next(now)
        return answer

    def cancel(self, found: OrderList | None, new_client_id: str, now: int) -> dict[str, object]:
        if found is None or found.is_done:
            raise Refusal(-2011, "Unknown order sent.")
        with self._trading.consequences_later():
            canceled = [
                self._trading.cancel_alone(order, new_client_id, now) for order in found.orders if order.is_open
            ]
        self._trading.run_next(now)
        return self._answer(found, canceled)

    def describe(self, found: OrderList) -> dict[str, object]:
        """As questions about lists are answered."""
        return self._head(found) | {"orders": _members(found)}

    def brief(self, found: OrderList) -> dict[str, object]:
        """As the answer to an amended order shows its list."""
        whole = self.describe(found)
        return {name: whole[name] for name in whole if name not in ("listStatusType", "transactionTime")}

    # ---- what happens to one order of a list

    def take_over(self, order: VenueOrder) -> None:
        """The funds of a pair are set aside once: now this leg has them."""
        assert order.list is not None
        for other in order.list.pair_of(order):
            reserve(self._trading.market(order.symbol), other, ZERO)
        reserve(self._trading.market(order.symbol), order, self._trading.needed(order))

    def on_start(self, order: VenueOrder, now: int) -> None:
        """It has begun to work or to trade: the other leg of its pair ends."""
        if order.list is None:
            return
        for other in order.list.pair_of(order):
            self._trading.expire(other, ExpiryReason.OCO_TRIGGER, now)

    def on_end(self, order: VenueOrder, now: int) -> None:
        found = order.list
        if found is None or found.is_done:
            return
        if order is found.working and order.status is Status.FILLED:
            self._release(found, now)
        elif order.status is not Status.CANCELED:
            is_first = order is found.working
            reason = ExpiryReason.OTO_PHASE_ONE_EXPIRED if is_first else ExpiryReason.OCO_TRIGGER
            for other in found.legs:
                self._trading.expire(other, reason, now)
        if not found.is_done and not any(each.is_open for each in found.orders):
            found.is_done = True
            self._announce(found, "ALL_DONE", now)

    def renamed(self, found: OrderList, now: int) -> None:
        self._announce(found, "UPDATED", now)

    def _release(self, found: OrderList, now: int) -> None:
        """The working order is filled: the pending ones are placed now."""
        pending = [leg for leg in found.legs if leg.status is Status.PENDING_NEW]
        if not self._reserve(pending):
            for leg in pending:
                self._trading.expire(leg, ExpiryReason.REJECTED, now)
            return
        for leg in pending:
            self._trading.release(leg, now)
        if pending:
            self._announce(found, "EXEC_STARTED", now)
        for leg in pending:
            if leg.is_open:
                self._trading.start(leg, now)

    # ---- funds, ids, payloads

    def _reserve(self, orders: Sequence[VenueOrder]) -> bool:
        """For all of them together as much as the dearest needs: at most one of them will trade."""
        if not orders:
            return True
        market, account = self._trading.market(orders[0].symbol), orders[0].account
        wanted = [self._trading.needed(order) for order in orders]
        if account.balance(paid_asset(market, orders[0].side)).free < max(wanted):
            return False
        so_far = ZERO
        for order, amount in zip(orders, wanted, strict=True):
            reserve(market, order, max(ZERO, amount - so_far))
            so_far = max(so_far, amount)
        return True

    def _check_ids(self, account: Account, client_id: str | None, tickets: Sequence[Ticket]) -> None:
        ids = [ticket.client_order_id for ticket in tickets if ticket.client_order_id is not None]
        if len(set(ids)) < len(ids) or any(self._trading.register.is_taken(account, taken) for taken in ids):
            raise rejected("Duplicate order sent.")
        if client_id is not None and any(
            found.client_id == client_id and not found.is_done for found in self.all(account)
        ):
            raise rejected("Duplicate order sent.")

    def _answer(self, found: OrderList, order_reports: list[dict[str, object]]) -> dict[str, object]:
        return self.describe(found) | {"orderReports": order_reports}

    def _head(self, found: OrderList) -> dict[str, object]:
        return {
            "orderListId": found.list_id,
            "contingencyType": found.contingency,
            "listStatusType": "ALL_DONE" if found.is_done else "EXEC_STARTED",
            "listOrderStatus": "ALL_DONE" if found.is_done else "EXECUTING",
            "listClientOrderId": found.client_id,
            "transactionTime": found.updated_ms,
            "symbol": found.symbol,
        }

    def _announce(self, found: OrderList, status: str, now: int) -> None:
        found.updated_ms = to_ms(now)
        members = [{"s": found.symbol, "i": each.order_id, "c": each.client_order_id} for each in found.orders]
        event: dict[str, object] = {
            "e": "listStatus",
            "E": to_ms(now),
            "s": found.symbol,
            "g": found.list_id,
            "c": found.contingency,
            "l": status,
            "L": "ALL_DONE" if found.is_done else "EXECUTING",
            "r": "NONE",
            "C": found.client_id,
            "T": found.updated_ms,
            "O": members,
        }
        self._tell(found.account, event)


def _members(found: OrderList) -> list[dict[str, object]]:
    return [
        {"symbol": found.symbol, "orderId": each.order_id, "clientOrderId": each.client_order_id}
        for each in found.orders
    ]
