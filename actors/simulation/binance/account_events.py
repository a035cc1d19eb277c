"""What an account is told: reports of its orders, and balances that may have changed.

Source: https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream
"""

from collections.abc import Callable, Mapping, Sequence

from actors.simulation.accounts import Account
from actors.simulation.binance import reports
from actors.simulation.binance.market import Market
from actors.simulation.binance.numbers import fixed, to_ms
from actors.simulation.binance.orders import Fill, PreventedMatch, VenueOrder

Tell = Callable[[Account, dict[str, object]], None]
"""An event for everybody who listens to this account."""


class AccountEvents:
    """Numbers executions: one number for each report, over all symbols."""

    def __init__(self, markets: Mapping[str, Market], tell: Tell) -> None:
        self._markets = markets
        self._tell = tell
        self.last_execution_id = 0

    def report(
        self,
        order: VenueOrder,
        execution: str,
        now: int,
        fill: Fill | None = None,
        original_id: str = "",
        prevented: PreventedMatch | None = None,
    ) -> None:
        self.last_execution_id += 1
        event = reports.execution_report(
            order, execution, self.last_execution_id, to_ms(now), fill, original_id, prevented
        )
        self._tell(order.account, event)

    def balances(self, orders: Sequence[VenueOrder], now: int) -> None:
        """To each account of these orders, the assets that they are made of."""
        accounts = {order.account.key: order.account for order in orders}
        for account in accounts.values():
            account.updated_ms = to_ms(now)
            assets: dict[str, None] = {}
            for order in orders:
                if order.account is account:
                    rules = self._markets[order.symbol].rules
                    assets |= {rules.base: None, rules.quote: None}
            balances = [
                {"a": asset, "f": fixed(account.balance(asset).free), "l": fixed(account.balance(asset).locked)}
                for asset in assets
            ]
            event = {"e": "outboundAccountPosition", "E": to_ms(now), "u": account.updated_ms, "B": balances}
            self._tell(account, event)
