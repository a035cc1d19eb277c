"""What USD-M is asked by REST while links are down: books and trades, and what orders of the account are open.

Sources: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api: Order-Book and
Compressed-Aggregate-Trades-List; …/trade/rest-api: Current-All-Open-Orders and Current-All-Algo-Open-Orders.
"""

from collections.abc import Sequence

import msgspec

from actors.messages import OrderReported
from actors.venues.binance.market_fallback import PAGE, PollRule
from actors.venues.binance.payloads import AggregateTick, OrderInfo
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.order_polls import ALL, OrderPolls
from actors.venues.binance_usdm.order_requests import Call, Parameters
from actors.venues.binance_usdm.payloads import AlgoInfo
from actors.venues.binance_usdm.trading import Trading
from actors.venues.contract import BadFrame, Output
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_S

POLLS = PollRule(
    "/fapi/v1/depth?limit=100&symbol={symbol}",
    5,
    f"/fapi/v1/aggTrades?limit={PAGE}&symbol={{symbol}}&fromId={{id}}",
    "/fapi/v1/aggTrades?limit=1&symbol={symbol}",
    20,
    msgspec.json.Decoder(list[AggregateTick]).decode,
)

OPEN = "open:"
"""Prefix of the ids of its requests."""
ORDERS, ALGOS = "open:orders", "open:algos"
CLOCK_WAIT_NS = NS_PER_S // 4
ALL_WEIGHT, SYMBOL_WEIGHT = 40, 1
"""Of each of two requests."""


class OpenOrders:
    """Polls them: `polls` says when, this what."""

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        trading: Trading,
        clock: VenueClock,
        limits: RateLimits,
        *,
        after_ns: int,
        poll_ns: int,
    ) -> None:
        self._trading = trading
        self._clock = clock
        self._limits = limits
        self._symbol = ALL
        self._orders: list[OrderReported] = []
        one_by_one = symbols if len(symbols) * SYMBOL_WEIGHT < ALL_WEIGHT else ()
        weight = 2 * (len(symbols) * SYMBOL_WEIGHT if one_by_one else ALL_WEIGHT)
        share_ns = weight * 60 * NS_PER_S // (limits.weight.limit // 4)
        self.polls = OrderPolls(venue, one_by_one, self._ask, after_ns=after_ns, poll_ns=max(poll_ns, share_ns))
        self._decode_orders = msgspec.json.Decoder(list[OrderInfo]).decode
        self._decode_algos = msgspec.json.Decoder(list[AlgoInfo]).decode

    def _ask(self, symbol: str, now: int) -> tuple[list[Output], int]:
        if not self._clock.is_known:
            return [], CLOCK_WAIT_NS
        wait = self._limits.spend(2 * (ALL_WEIGHT if symbol == ALL else SYMBOL_WEIGHT), Priority.QUERY, now)
        if wait:
            return [], wait
        self._symbol = symbol
        return [self._request(ORDERS, "/fapi/v1/openOrders", now)], 0

    def _request(self, id: str, path: str, now: int) -> Output:
        parameters: Parameters = {} if self._symbol == ALL else {"symbol": self._symbol}
        return self._trading.signed_request(id, Call(path, parameters, 0, Priority.QUERY, verb="GET"), now)

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return self.polls.on_failure(now)
        executions = self._trading.executions
        try:
            if answer.id == ORDERS:
                self._orders = [executions.reported(info, answer.ts_recv) for info in self._decode_orders(answer.body)]
                return [self._request(ALGOS, "/fapi/v1/openAlgoOrders", now)]
            algos = [executions.algo_reported(info, answer.ts_recv) for info in self._decode_algos(answer.body)]
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False), *self.polls.on_failure(now)]
        return self.polls.on_answer(self._orders + algos, now)
