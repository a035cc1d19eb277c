"""When orders go by REST because the link for them is lost, and when the venue is asked what became of them.

While no event of the account is heard its open orders are polled: an order that is not among them any longer, or that
is filled further than was known, is asked about by the order manager, as after every reconnect. Orders of symbols that
the desk does not trade are in the first answer and are repeated with every later one, which asks for less.
"""

from collections import deque
from collections.abc import Callable, Sequence

from actors.messages import OpenOrdersReported, OrderReported
from actors.venues.contract import Output, WakeUp

POLL = "poll-orders"
"""Tag of its wake-ups."""
MOST_FAILURES = 3
"""After so many polls in a row that failed orders do not go by REST either."""
ALL = ""
"""Every symbol of the account."""

Ask = Callable[[str, int], tuple[list[Output], int]]
"""(symbol or ALL, now) → the request for its open orders; or nothing, and for how many nanoseconds it has to wait."""


class OrderPolls:
    def __init__(self, venue: str, symbols: Sequence[str], ask: Ask, *, after_ns: int, poll_ns: int) -> None:
        """`symbols`: those to ask for one by one; none where all at once costs less."""
        self._venue = venue
        self._symbols = symbols
        self._ask = ask
        self._after_ns = after_ns
        self._poll_ns = poll_ns
        self._lost_since: int | None = None
        self._waiting: deque[str] = deque()
        self._collected: list[OrderReported] = []
        self._others: list[OrderReported] | None = None
        """Open orders of symbols that are not asked for one by one; None before the first answer."""
        self._asked: str | None = None
        self._failures = 0
        self._timer_set = False
        self.is_on = False
        self.reason = ""
        """Why, while orders may go by REST; "" before the venue has answered over it."""
        self._cause = ""

    def look(self, problem: str, now: int) -> list[Output]:
        """`problem` is why the links cannot do it, "" if they can."""
        if not problem:
            self._lost_since, self.is_on, self.reason = None, False, ""
            return []
        if self._lost_since is None:
            self._lost_since = now
        if self.is_on or now - self._lost_since < self._after_ns:
            return []
        self.is_on, self._cause, self._failures, self._others = True, problem, 0, None
        self._waiting.clear()
        return self._poll(now)

    def on_wake_up(self, now: int) -> list[Output]:
        self._timer_set = False
        return self._poll(now)

    def on_answer(self, orders: list[OrderReported], now: int) -> list[Output]:
        """What is open of the symbol that was asked for."""
        asked, self._asked = self._asked, None
        if not self.is_on or asked is None:
            return []
        self._collected += orders
        if self._waiting:
            return self._poll(now)
        if asked == ALL:
            self._others = [order for order in orders if order.symbol not in self._symbols] if self._symbols else []
        self._failures, self.reason = 0, self._cause
        known = self._others or [] if asked != ALL else []
        return [OpenOrdersReported(self._venue, self._collected + known, now), *self._later(self._poll_ns)]

    def on_failure(self, now: int) -> list[Output]:
        self._asked = None
        self._waiting.clear()
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self.reason = ""
        return self._later(self._poll_ns)

    def _poll(self, now: int) -> list[Output]:
        if not self.is_on or self._asked is not None:
            return []
        if not self._waiting:
            self._collected = []
            self._waiting.extend(self._symbols if self._others is not None and self._symbols else [ALL])
        requests, wait = self._ask(self._waiting[0], now)
        if wait:
            return [*requests, *self._later(wait)]
        self._asked = self._waiting.popleft()
        return requests

    def _later(self, delay_ns: int) -> list[Output]:
        if self._timer_set or not self.is_on:
            return []
        self._timer_set = True
        return [WakeUp(delay_ns, POLL)]
