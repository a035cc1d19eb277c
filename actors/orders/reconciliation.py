"""Comparing with the venues: when to ask for what is there, what the account holds, and what there is not ours."""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from actors import names
from actors.messages import (
    AccountReported,
    Balance,
    OpenOrdersReported,
    OrderReported,
    QueryAccount,
    QueryOpenOrders,
)
from runtime.actor import Context, Timer
from runtime.clock import NS_PER_S

RETRY_NS = NS_PER_S


class ReconcileDue(msgspec.Struct, frozen=True):
    venue: str


class VenueView(msgspec.Struct):
    venue: str
    up: bool = False
    listed: bool = False
    """It has told its open orders in this life of the order manager."""
    reconciled: bool = False
    """… and nothing about our orders there was left open since."""
    foreign: list[OrderReported] = []
    """Open orders of the account that this desk did not make: reported and counted, never cancelled."""
    balances: dict[str, Balance] = msgspec.field(default_factory=dict)
    account_complete: bool = False
    account_ts: int = 0
    timer: Timer | None = None


class Reconciliation:
    def __init__(self, venues: Iterable[str], every_ns: int) -> None:
        self.views = {venue: VenueView(venue) for venue in venues}
        self.epoch = 0
        """Of the order manager's life."""
        self._every_ns = every_ns

    def add(self, venue: str) -> None:
        self.views[venue] = VenueView(venue)

    def remove(self, venue: str) -> None:
        view = self.views.pop(venue)
        if view.timer is not None:
            view.timer.cancel()

    @property
    def complete(self) -> bool:
        return all(view.reconciled for view in self.views.values())

    def begin(self, venue: str, ctx: Context) -> None:
        """Ask now, and again after the period."""
        if venue in self.views:
            ctx.tell(names.connector(venue), QueryOpenOrders(self.epoch))
            ctx.tell(names.connector(venue), QueryAccount())
            self._after(venue, self._every_ns, ctx)

    def failed(self, venue: str, ctx: Context) -> None:
        if venue in self.views:
            self._after(venue, RETRY_NS, ctx)

    def due(self, message: ReconcileDue, ctx: Context) -> None:
        view = self.views.get(message.venue)
        if view is not None and (view.up or not view.listed):
            self.begin(message.venue, ctx)

    def set_up(self, venue: str, up: bool) -> None:
        if venue in self.views:
            self.views[venue].up = up

    def account(self, report: AccountReported, ctx: Context) -> None:
        """Keep the balances, and hand them to who calculates with them."""
        view = self.views.get(report.venue)
        if view is None:
            return
        changed = {balance.asset: balance for balance in report.balances}
        view.balances = changed if report.complete else view.balances | changed
        view.account_complete |= report.complete
        view.account_ts = report.ts_recv
        ctx.tell(names.RISK_CHECKER, report)
        ctx.tell(names.PORTFOLIO, report)

    def open_orders(
        self, report: OpenOrdersReported, knows: Callable[[str], bool], ctx: Context
    ) -> list[OrderReported]:
        """Keep and count what is not ours; returns what is."""
        view = self.views[report.venue]
        view.up = view.listed = True
        view.foreign = [order for order in report.orders if not knows(order.client_order_id)]
        if view.foreign:
            ctx.log.warning("foreign_orders", venue=report.venue, count=len(view.foreign))
        ctx.tell(names.RISK_CHECKER, OpenOrdersReported(report.venue, view.foreign, report.ts_recv))
        return [order for order in report.orders if knows(order.client_order_id)]

    def settle(self, unresolved: Callable[[str], bool], ctx: Context) -> bool:
        """Notice venues about which nothing is left open; True when that completes the desk."""
        if self.complete:
            return False
        for venue, view in self.views.items():
            if view.listed and not view.reconciled and not unresolved(venue):
                view.reconciled = True
                ctx.log.info("venue_reconciled", venue=venue)
        return self.complete

    def tell(self, subscriber: str, ctx: Context) -> None:
        """Everything that is known of the accounts, for somebody who starts now."""
        for view in self.views.values():
            if view.balances:
                balances = list(view.balances.values())
                ctx.tell(subscriber, AccountReported(view.venue, balances, view.account_complete, view.account_ts))
            if view.foreign and subscriber == names.RISK_CHECKER:
                ctx.tell(subscriber, OpenOrdersReported(view.venue, view.foreign, view.account_ts))

    def plain(self) -> dict[str, object]:
        return {
            venue: {
                "up": view.up,
                "reconciled": view.reconciled,
                "foreign_orders": len(view.foreign),
                "balances": {
                    asset: [balance.free, balance.locked]
                    for asset, balance in view.balances.items()
                    if Decimal(balance.free) or Decimal(balance.locked)
                },
            }
            for venue, view in self.views.items()
        }

    def _after(self, venue: str, delay_ns: int, ctx: Context) -> None:
        view = self.views[venue]
        if view.timer is not None:
            view.timer.cancel()
        view.timer = ctx.after(delay_ns, ReconcileDue(venue))
