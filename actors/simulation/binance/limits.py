"""How much a client may ask: request weight per minute and address, unfilled orders per account.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits and …/faqs/order_count_decrement
"""

from actors.simulation.binance.refusal import Refusal

_NS_PER_S = 1_000_000_000
_DAY_S = 86_400
_FIRST_BAN_S = 120
_LONGEST_BAN_S = 3 * _DAY_S
_STRIKES_BEFORE_BAN = 10
_RAW_LIMIT = 300_000


class Window:
    """A count that starts again at zero with every interval of the clock."""

    def __init__(self, interval_s: int) -> None:
        self.interval_s = interval_s
        self._interval = -1
        self._count = 0

    def count(self, now: int) -> int:
        interval = now // (self.interval_s * _NS_PER_S)
        if interval != self._interval:
            self._interval, self._count = interval, 0
        return self._count

    def add(self, amount: int, now: int) -> None:
        self._count = max(0, self.count(now) + amount)

    def seconds_left(self, now: int) -> int:
        return self.interval_s - now // _NS_PER_S % self.interval_s


class Limits:
    """One address and one account: everybody who talks to this fake counts together."""

    def __init__(self, weight_limit: int, order_limit: int) -> None:
        self.weight_limit = weight_limit
        self.order_limit = order_limit
        self.day_limit = max(200_000, order_limit)
        self._weight = Window(60)
        self._orders = Window(10)
        self._orders_of_day = Window(_DAY_S)
        self._raw = Window(300)
        self._strikes = 0
        self._bans = 0
        self._banned_until = 0

    def charge(self, weight: int, now: int) -> None:
        """Refuses with 429 above the limit, and with 418 who goes on asking: each ban is twice as long as the last."""
        if now < self._banned_until:
            raise self._banned(now)
        self._weight.add(weight, now)
        self._raw.add(1, now)
        if self._weight.count(now) > self.weight_limit:
            raise self._limited(f"{self.weight_limit} request weight per 1 MINUTE", self._weight, now)
        if self._raw.count(now) > _RAW_LIMIT:
            raise self._limited(f"{_RAW_LIMIT} raw requests per 5 MINUTE", self._raw, now)
        self._strikes = 0

    def refund(self, weight: int, now: int) -> None:
        """A placed or cancelled order that succeeded costs no weight."""
        self._weight.add(-weight, now)

    def count_orders(self, orders: int, now: int) -> None:
        """Refuses with 429 when there is no room for all of them; then none is counted."""
        for window, limit, interval in (
            (self._orders, self.order_limit, "10 SECOND"),
            (self._orders_of_day, self.day_limit, "1 DAY"),
        ):
            if window.count(now) + orders > limit:
                message = f"Too many new orders; current limit is {limit} orders per {interval}."
                refusal = Refusal(-1015, message, status=429)
                refusal.retry_after_s = window.seconds_left(now)
                raise refusal
        self._orders.add(orders, now)
        self._orders_of_day.add(orders, now)

    def forgive_order(self, now: int) -> None:
        """An order that trades for the first time does not count."""
        self._orders.add(-1, now)
        self._orders_of_day.add(-1, now)

    def definitions(self) -> list[dict[str, object]]:
        return [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.weight_limit},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": self.order_limit},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": self.day_limit},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": _RAW_LIMIT},
        ]

    def weight_usage(self, now: int) -> dict[str, object]:
        return {**self.definitions()[0], "count": self._weight.count(now)}

    def order_usage(self, now: int) -> list[dict[str, object]]:
        seconds, day = self.definitions()[1:3]
        return [
            {**seconds, "count": self._orders.count(now)},
            {**day, "count": self._orders_of_day.count(now)},
        ]

    def weight_headers(self, now: int) -> dict[str, str]:
        used = str(self._weight.count(now))
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}

    def order_headers(self, now: int) -> dict[str, str]:
        return {
            "X-MBX-ORDER-COUNT-10S": str(self._orders.count(now)),
            "X-MBX-ORDER-COUNT-1D": str(self._orders_of_day.count(now)),
        }

    def _limited(self, limit: str, window: Window, now: int) -> Refusal:
        self._strikes += 1
        if self._strikes > _STRIKES_BEFORE_BAN:
            ban_s = min(_FIRST_BAN_S * 2**self._bans, _LONGEST_BAN_S)
            self._strikes, self._bans = 0, self._bans + 1
            self._banned_until = now + ban_s * _NS_PER_S
            return self._banned(now)
        message = (
            f"Too much request weight used; current limit is {limit}. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        refusal = Refusal(-1003, message, status=429)
        refusal.retry_after_s = window.seconds_left(now)
        return refusal

    def _banned(self, now: int) -> Refusal:
        message = (
            f"Way too much request weight used; IP banned until {self._banned_until // 1_000_000}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        refusal = Refusal(-1003, message, status=418)
        refusal.retry_after_s = max(1, (self._banned_until - now) // _NS_PER_S)
        return refusal
