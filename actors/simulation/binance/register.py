"""Every order that a client has ever placed, by the ids under which it is asked for."""

import string
from collections.abc import Iterable
from random import Random

from actors.simulation.accounts import Account
from actors.simulation.binance.orders import VenueOrder


class OrderRegister:
    """Client order ids are unique among the open orders of an account only; asked for, the newest order answers."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._by_id: dict[tuple[str, int], VenueOrder] = {}
        self._open: dict[tuple[str, str], VenueOrder] = {}
        self._newest: dict[tuple[str, str, str], VenueOrder] = {}

    def add(self, order: VenueOrder) -> None:
        self._by_id[order.symbol, order.order_id] = order
        self._name(order)

    def rename(self, order: VenueOrder, client_order_id: str) -> None:
        self.close(order)
        order.client_order_id = client_order_id
        self._name(order)

    def close(self, order: VenueOrder) -> None:
        """It is not open any more."""
        self._open.pop((order.account.key, order.client_order_id), None)

    def all(self) -> Iterable[VenueOrder]:
        """In the order of their arrival."""
        return self._by_id.values()

    def of_id(self, symbol: str, order_id: int) -> VenueOrder | None:
        return self._by_id.get((symbol, order_id))

    def open(self, account: Account, symbol: str | None) -> list[VenueOrder]:
        return [order for order in self._open.values() if order.account is account and symbol in (None, order.symbol)]

    def is_taken(self, account: Account, client_order_id: str) -> bool:
        return (account.key, client_order_id) in self._open

    def find(
        self, account: Account, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> VenueOrder | None:
        """By venue id (the client id must then agree), or the newest with this client id."""
        if order_id is not None:
            order = self._by_id.get((symbol, order_id))
            if order is None or order.account is not account:
                return None
            return order if client_order_id in (None, order.client_order_id) else None
        return self._newest.get((account.key, symbol, client_order_id or ""))

    def new_client_order_id(self) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=22))

    def _name(self, order: VenueOrder) -> None:
        self._open[order.account.key, order.client_order_id] = order
        self._newest[order.account.key, order.symbol, order.client_order_id] = order
