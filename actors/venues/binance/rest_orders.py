"""The desk's commands by signed REST, for the time in which no link to the WebSocket API is ready.

Its answers are the same JSON as the WebSocket API's results. A request that may have left and has no answer has an
unknown outcome: it is asked about, never sent again. Source: github.com/binance/binance-spot-api-docs, rest-api.md.
"""

from collections.abc import Sequence

import msgspec

from actors.messages import OrderFilled, OrderReported, PlaceOrder, QueryFills
from actors.venues.binance.answers import Answers
from actors.venues.binance.errors import ERRORS
from actors.venues.binance.executions import Executions
from actors.venues.binance.order_requests import Parameters, cost_of, next_fills, objection, request_for
from actors.venues.binance.payloads import OrderInfo
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.order_polls import ALL, OrderPolls
from actors.venues.binance_api.payloads import ErrorBody
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_api.time_requests import TimeRequests
from actors.venues.contract import BadFrame, Change, Command, Output
from actors.venues.refusals import lose, lose_change, refuse, refuse_change
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

REQUEST = "rest:"
TIME, OPEN = "rest:time", "rest:open"
"""Ids of its own requests; those of commands are `rest:` and a number."""
CLOCK_WAIT_NS = NS_PER_S // 4
ALL_WEIGHT, SYMBOL_WEIGHT = 80, 6
MOST_ONE_BY_ONE = 10
"""Symbols: more are asked for all at once."""

ROUTES = {
    "order.place": ("POST", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
    "orderList.place.oco": ("POST", "/api/v3/orderList/oco"),
    "orderList.place.oto": ("POST", "/api/v3/orderList/oto"),
    "orderList.place.otoco": ("POST", "/api/v3/orderList/otoco"),
    "order.status": ("GET", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
}
"""Method of the WebSocket API → the same by REST."""


class _Call(msgspec.Struct):
    command: Command | Change
    fills: list[OrderFilled] = []
    """Pages that a `QueryFills` has brought so far."""


class RestOrders:
    def __init__(
        self,
        venue: str,
        rest_url: str,
        symbols: Sequence[str],
        signer: Signer,
        clock: VenueClock,
        limits: RateLimits,
        *,
        recv_window_ms: int,
        timeout_ns: int,
        after_ns: int,
        poll_ns: int,
    ) -> None:
        self._venue = venue
        self._url = rest_url
        self._signer = signer
        self._clock = clock
        self._limits = limits
        self._recv_window_ms = recv_window_ms
        self._timeout_ns = timeout_ns
        self._executions = Executions(venue)
        self._answers = Answers(venue, self._executions)
        self._calls: dict[str, _Call] = {}
        self._last_call = 0
        self._time = TimeRequests(TIME, f"{rest_url}/api/v3/time", clock, limits)
        one_by_one = symbols if len(symbols) <= MOST_ONE_BY_ONE else ()
        weight = len(symbols) * SYMBOL_WEIGHT if one_by_one else ALL_WEIGHT
        share_ns = weight * 60 * NS_PER_S // (limits.weight.limit // 4)
        self.polls = OrderPolls(venue, one_by_one, self._ask_open, after_ns=after_ns, poll_ns=max(poll_ns, share_ns))
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode
        self._decode_orders = msgspec.json.Decoder(list[OrderInfo]).decode

    # ---- out -----------------------------------------------------------------------------------------------------

    def execute(self, command: Command | Change, now: int) -> list[Output]:
        if not self._clock.is_known:
            return self._refuse(command, "NOT_CONNECTED", "the venue's time is not known yet", now)
        if isinstance(command, PlaceOrder | Change):
            if not self.polls.reason:
                return self._refuse(command, "NOT_CONNECTED", "neither a link nor REST answers", now)
            if reason := objection(command):
                code, _, words = reason.partition(": ")
                return self._refuse(command, code, words, now)
        weight, priority, orders = cost_of(command)
        wait = self._limits.spend(weight, priority, now, orders)
        if wait:
            return self._refuse(command, "RATE_LIMITED", f"for {-(-wait // NS_PER_MS)} ms more", now)
        return self._call(_Call(command), *request_for(command), now)

    def _call(self, call: _Call, method: str, parameters: Parameters, now: int) -> list[Output]:
        self._last_call += 1
        id = f"{REQUEST}{self._last_call}"
        self._calls[id] = call
        return [self._request(id, method, parameters, now)]

    def _request(self, id: str, method: str, parameters: Parameters, now: int) -> HttpRequest:
        parameters["recvWindow"] = self._recv_window_ms
        parameters["timestamp"] = self._clock.timestamp_ms(now)
        verb, path = ROUTES[method]
        url = f"{self._url}{path}?{self._signer.sign_query(parameters)}"
        return HttpRequest(id, verb, url, {"X-MBX-APIKEY": self._signer.key}, timeout_ns=self._timeout_ns)

    def _refuse(self, command: Command | Change, code: str, words: str, now: int) -> list[Output]:
        if isinstance(command, Change):
            return [*refuse_change(self._venue, command, code, words, now)]
        return [refuse(self._venue, command, code, words, now)]

    def _lose(self, command: Command | Change, reason: str, now: int) -> list[Output]:
        if isinstance(command, Change):
            return [*lose_change(self._venue, command, reason, now)]
        return [lose(self._venue, command, reason, now)]

    def _ask_open(self, symbol: str, now: int) -> tuple[list[Output], int]:
        if not self._clock.is_known:
            return self._time.ask(now), CLOCK_WAIT_NS
        wait = self._limits.spend(ALL_WEIGHT if symbol == ALL else SYMBOL_WEIGHT, Priority.QUERY, now)
        if wait:
            return [], wait
        parameters: Parameters = {} if symbol == ALL else {"symbol": symbol}
        return [self._request(OPEN, "openOrders.status", parameters, now)], 0

    # ---- in ------------------------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if answer.id == TIME:
            return self._time.on_http(answer)
        if answer.id == OPEN:
            return self._on_open(answer, now)
        call = self._calls.pop(answer.id, None)
        if call is None:
            return []
        if isinstance(answer, HttpFailed):
            if answer.sent:
                return self._lose(call.command, f"NO_ANSWER: {answer.reason}", now)
            return self._refuse(call.command, "NOT_CONNECTED", answer.reason, now)
        if answer.status != 200:
            return self._on_refusal(call.command, answer, now)
        try:
            return self._on_answer(call, answer, now)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            lost = self._lose(call.command, f"MALFORMED: {reason}", now)
            return [*lost, BadFrame(answer.id, answer.body, reason, drop_link=False)]

    def _on_answer(self, call: _Call, answer: HttpAnswered, now: int) -> list[Output]:
        command, result = call.command, msgspec.Raw(answer.body)
        if not isinstance(command, QueryFills):
            return self._answers.read(command, result, answer.ts_recv)
        page = self._answers.read_fills(result, answer.ts_recv)
        fills = call.fills + page.fills
        if page.next_id is None:
            return [self._answers.fills(command, fills, answer.ts_recv)]
        return self._call(_Call(command, fills), "myTrades", next_fills(command, page.next_id), now)

    def _on_refusal(self, command: Command | Change, answer: HttpAnswered, now: int) -> list[Output]:
        """How much more may be sent, a 429 or 418 has told the limiter already."""
        error = self._error(answer)
        action = ERRORS.action(answer.status, error.code, error.msg)
        outputs: list[Output] = []
        if action is Action.CLOCK:
            self._clock.distrust()
            outputs = self._time.ask(now)
        try:
            return [*self._answers.refused(command, action, answer.status, error, now), *outputs]
        except (msgspec.MsgspecError, ValueError, RecursionError) as failure:
            return [*self._lose(command, f"MALFORMED: {failure}", now), *outputs]

    def _error(self, answer: HttpAnswered) -> ErrorBody:
        try:
            return self._decode_error(answer.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ErrorBody(0, f"status {answer.status}")

    def _on_open(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpFailed):
            return self.polls.on_failure(now)
        if answer.status != 200:
            if ERRORS.action(answer.status, self._error(answer).code) is Action.CLOCK:
                self._clock.distrust()
                return [*self._time.ask(now), *self.polls.on_failure(now)]
            return self.polls.on_failure(now)
        try:
            orders: list[OrderReported] = [
                self._executions.reported(order, answer.ts_recv) for order in self._decode_orders(answer.body)
            ]
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            bad = BadFrame(answer.id, answer.body, str(error), drop_link=False)
            return [bad, *self.polls.on_failure(now)]
        return self.polls.on_answer(orders, now)
