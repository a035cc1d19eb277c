"""What Binance lets one address and one account do: request weight, requests, orders. Learned from what it tells.

The venue's own numbers count: exchangeInfo gives the limits, every answer how much of them is used, a 429 or 418 until
when to be silent. Going on after a 429 is a ban of 2 minutes to 3 days. Source:
github.com/binance/binance-spot-api-docs, rest-api.md, "Limits"; web-socket-api.md, "Rate limits".
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

from actors.sharing import LANES
from actors.venues.binance_api.payloads import RateLimit
from actors.venues.contract import LimitScope
from runtime.clock import NS_PER_S
from runtime.leases import LeasedBucket
from runtime.pacing import TokenBucket


class Priority(IntEnum):
    """The lanes of the limiter: what goes first when little is left."""

    CANCEL = 0
    REDUCE = 1
    NEW = 2
    QUERY = 3
    """About orders and the account."""
    BOOK = 4
    """A book that has to be built anew."""
    HISTORY = 5
    """What was long ago can wait longest."""


INTERVAL_NS = {"SECOND": NS_PER_S, "MINUTE": 60 * NS_PER_S, "HOUR": 3600 * NS_PER_S, "DAY": 86_400 * NS_PER_S}
LETTERS = {"s": "SECOND", "m": "MINUTE", "h": "HOUR", "d": "DAY"}

WEIGHT = "REQUEST_WEIGHT"
REQUESTS = "RAW_REQUESTS"
ORDERS = "ORDERS"
HEADERS = {"x-mbx-used-weight-": WEIGHT, "x-mbx-order-count-": ORDERS}
SCOPES = {WEIGHT: LimitScope.ADDRESS, REQUESTS: LimitScope.ADDRESS, ORDERS: LimitScope.ACCOUNT}
CONNECTION_WEIGHT = 2
"""Of opening a link to the WebSocket API."""

Key = tuple[str, str, int]
"""(type, interval, number of intervals)."""


class RateLimits:
    """All times are ours: the venue's windows begin at full minutes, and its clock may be a little off.

    Alone until it is told that others share its address or its account (`SharedLimits`).
    """

    def __init__(self, weight: int = 6000) -> None:
        self._buckets: dict[Key, TokenBucket | LeasedBucket] = {}
        self._holders = dict.fromkeys(LimitScope, 1)
        self._orders_until = self._silent_until = self._banned_until = 0
        self._set(WEIGHT, "MINUTE", 1, weight)

    def set(self, limits: Iterable[RateLimit]) -> None:
        """As exchangeInfo lists them; what it does not list stays."""
        for limit in limits:
            self._set(limit.type, limit.interval, limit.number, limit.limit)

    def learn(self, limits: Iterable[RateLimit], now: int) -> None:
        """What an answer of the WebSocket API says is used."""
        for limit in limits:
            bucket = self._set(limit.type, limit.interval, limit.number, limit.limit)
            if bucket is not None:
                bucket.learn(limit.count, now)

    def learn_headers(self, headers: Mapping[str, str], now: int) -> None:
        """What an answer over HTTP says is used: `x-mbx-used-weight-1m`, `x-mbx-order-count-10s`, …"""
        for name, value in headers.items():
            for prefix, kind in HEADERS.items():
                if name.startswith(prefix) and value.isdecimal():
                    number, letter = name[len(prefix) : -1], LETTERS.get(name[-1])
                    bucket = self._buckets.get((kind, letter or "", int(number) if number.isdecimal() else 0))
                    if bucket is not None:
                        bucket.learn(int(value), now)

    def spend(self, weight: int, priority: Priority, now: int, orders: int = 0) -> int:
        """0 and it is spent, or how many nanoseconds to wait before asking again."""
        blocked = self.blocked_for(priority, now, orders)
        if blocked:
            return blocked
        costs = {WEIGHT: weight, REQUESTS: 1, ORDERS: orders}
        wanted = [(bucket, costs[key[0]]) for key, bucket in self._buckets.items() if costs[key[0]]]
        delay = max((bucket.delay(cost, priority, now) for bucket, cost in wanted), default=0)
        if delay == 0:
            for bucket, cost in wanted:
                bucket.spend(cost, now, priority)
        return delay

    def give_back_order(self, now: int) -> None:
        """An order had its first fill: the venue does not count it as unfilled any longer."""
        for (kind, _, _), bucket in self._buckets.items():
            if kind == ORDERS:
                bucket.give_back(1, now)

    def block_orders(self, until: int) -> None:
        """Too many orders: no new one leaves before."""
        self._orders_until = max(self._orders_until, until)

    def back_off(self, until: int) -> None:
        """Too many requests: only cancels leave before."""
        self._silent_until = max(self._silent_until, until)

    def ban(self, until: int) -> None:
        """Locked out: whatever leaves before prolongs it."""
        self._banned_until = max(self._banned_until, until)

    def blocked_for(self, priority: Priority, now: int, orders: int = 0) -> int:
        """Nanoseconds for which the venue has forbidden this; 0 if it has not."""
        until = self._banned_until
        if priority is not Priority.CANCEL:
            until = max(until, self._silent_until)
        if orders:
            until = max(until, self._orders_until)
        return max(until - now, 0)

    # ---- shared with others

    def share(self, scope: LimitScope, holders: int, now: int) -> None:
        if holders == self._holders[scope]:
            return
        self._holders[scope] = holders
        for key, bucket in self._buckets.items():
            if SCOPES[key[0]] is scope and isinstance(bucket, LeasedBucket):
                bucket.share_with(holders)
            elif SCOPES[key[0]] is scope:
                self._buckets[key] = shared = LeasedBucket(bucket.limit, bucket.window_ns, LANES, holders)
                shared.spend(bucket.used(now), now)

    def leased(self) -> Iterator[tuple[LimitScope, str, LeasedBucket]]:
        for (kind, interval, number), bucket in self._buckets.items():
            if isinstance(bucket, LeasedBucket):
                yield SCOPES[kind], f"{kind} {number} {interval}", bucket

    def forbidden(self, now: int) -> Iterator[tuple[LimitScope, str, int]]:
        for scope, what, until in (
            (LimitScope.ADDRESS, "BAN", self._banned_until),
            (LimitScope.ADDRESS, "REQUESTS", self._silent_until),
            (LimitScope.ACCOUNT, "ORDERS", self._orders_until),
        ):
            if until > now:
                yield scope, what, until

    def forbid(self, what: str, until: int) -> None:
        {"BAN": self.ban, "REQUESTS": self.back_off, "ORDERS": self.block_orders}[what](until)

    def banned_for(self, now: int) -> int:
        return max(self._banned_until - now, 0)

    @property
    def weight(self) -> TokenBucket | LeasedBucket:
        return self._buckets[WEIGHT, "MINUTE", 1]

    def order_counts(self) -> dict[str, list[int]]:
        """Unfilled orders per interval: "10 SECOND" → [count, limit]."""
        return {
            f"{number} {interval}": [bucket.last_used, bucket.limit]
            for (kind, interval, number), bucket in self._buckets.items()
            if kind == ORDERS
        }

    def _set(self, kind: str, interval: str, number: int, limit: int) -> TokenBucket | LeasedBucket | None:
        """None for a kind of limit that is unknown here."""
        key = (kind, interval, number)
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.limit = limit
        elif kind in (WEIGHT, REQUESTS, ORDERS) and interval in INTERVAL_NS and number > 0 and limit > 0:
            window_ns, holders = number * INTERVAL_NS[interval], self._holders[SCOPES[kind]]
            if holders > 1:
                bucket = LeasedBucket(limit, window_ns, LANES, holders)
            else:
                bucket = TokenBucket(limit, window_ns, LANES, aligned=True)
            self._buckets[key] = bucket
        return bucket
