"""How much a client of futures may ask: 2400 weight a minute and address, 300 orders in 10 s and 1200 a minute.

Source: the `rateLimits` of exchangeInfo; every order counts, filled or not.
"""

from actors.simulation.binance.limits import Limits, Window
from actors.simulation.binance.refusal import Refusal


class FuturesLimits(Limits):
    def __init__(self, weight_limit: int, order_limit: int) -> None:
        super().__init__(weight_limit, order_limit)
        self.minute_limit = order_limit * 4
        self._order_windows = ((Window(10), order_limit, "10S"), (Window(60), self.minute_limit, "1M"))

    def count_orders(self, orders: int, now: int) -> None:
        """Refuses with 429 when there is no room for all of them; then none is counted."""
        for window, limit, _ in self._order_windows:
            if window.count(now) + orders > limit:
                refusal = Refusal(-1015, f"Too many new orders; current limit is {limit} orders.", status=429)
                refusal.retry_after_s = window.seconds_left(now)
                raise refusal
        for window, _, _ in self._order_windows:
            window.add(orders, now)

    def definitions(self) -> list[dict[str, object]]:
        return [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.weight_limit},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": self.order_limit},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": self.minute_limit},
        ]

    def order_usage(self, now: int) -> list[dict[str, object]]:
        counts = [window.count(now) for window, _, _ in self._order_windows]
        return [{**row, "count": count} for row, count in zip(self.definitions()[1:], counts, strict=True)]

    def order_headers(self, now: int) -> dict[str, str]:
        return {f"X-MBX-ORDER-COUNT-{name}": str(window.count(now)) for window, _, name in self._order_windows}
