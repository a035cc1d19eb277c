"""The link to Binance's WebSocket API: orders go out on it, answers and the account's events come in.

Both on one link, because the venue writes them in one order, and because orders should go only while their executions
are heard: one link makes that one fact. It costs that a long answer to a query is in front of an execution report.

On every opening: ask the venue's time, subscribe to the user data stream with a signature made with it, then ready. A
request without answer in time, or in flight when the link drops, has an unknown outcome; its answer still counts if it
comes after all.
"""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from actors.messages import OrderFilled, PlaceOrder, QueryFills
from actors.venues.binance.answers import Answers
from actors.venues.binance.clock import VenueClock
from actors.venues.binance.errors import Meaning, meaning_of
from actors.venues.binance.executions import Executions
from actors.venues.binance.order_requests import Parameters, next_fills, objection, request_for
from actors.venues.binance.payloads import (
    USER_EVENTS,
    AccountPosition,
    BalanceUpdate,
    ErrorBody,
    EventFrame,
    ExecutionReport,
    ExternalLockUpdate,
    ListStatus,
    RateLimit,
    ServerShutdown,
    ServerTime,
    StreamTerminated,
    TradeFrame,
)
from actors.venues.binance.requests import AskTime, PendingRequests, Request, Subscribe
from actors.venues.binance.signing import Signer
from actors.venues.binance.weight import WeightBudget
from actors.venues.contract import BadFrame, Command, OpenLink, Output, SendFrame, WakeUp
from actors.venues.refusals import lose, refuse
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.message import Lane

LINK = "orders"
TIMEOUTS = "timeouts"
SUBSCRIBE = "subscribe"
RETRY_NS = 5 * NS_PER_S
"""Until a refused subscription is tried again."""
BACK_OFF_NS = NS_PER_S
"""After being told to slow down without being told for how long."""


class TradeLink:
    def __init__(
        self,
        venue: str,
        url: str,
        signer: Signer,
        clock: VenueClock,
        budget: WeightBudget,
        *,
        recv_window_ms: int,
        timeout_ns: int,
    ) -> None:
        self._venue = venue
        self._url = url
        self._signer = signer
        self._clock = clock
        self._budget = budget
        self._recv_window_ms = recv_window_ms
        self._pending = PendingRequests(timeout_ns)
        self._executions = Executions(venue)
        self._answers = Answers(venue, self._executions)
        self._decode_frame = msgspec.json.Decoder(TradeFrame).decode
        self._decode_name = msgspec.json.Decoder(EventFrame).decode
        self._decode_time = msgspec.json.Decoder(ServerTime).decode
        self._encode = msgspec.json.Encoder().encode
        self._is_up = False
        self._timer_set = False
        self.is_subscribed = False
        """Orders may go: their executions are heard."""
        self.problem = "not connected yet"
        """Why it is not subscribed; "" while it is."""
        self.order_counts: dict[str, list[int]] = {}
        """Unfilled orders per interval, e.g. "10 SECOND" → [count, limit]."""

    # ---- the link ------------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return [OpenLink(LINK, self._url, Lane.COMMANDS)]

    def on_link_up(self, now: int) -> list[Output]:
        self._is_up = True
        return self._ask_time(now)

    def on_link_down(self, reason: str, now: int) -> list[Output]:
        self._is_up = False
        self._unsubscribed(f"LINK_DOWN: {reason}")
        return self._lose(self._pending.drop_all(), f"LINK_DOWN: {reason}", now)

    def probe(self, now: int) -> list[Output]:
        """The venue's time again: keeps the clock, and shows that a quiet link is alive."""
        return self._ask_time(now) if self._is_up else []

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        if tag == SUBSCRIBE:
            return self._ask_time(now) if self._is_up and not self.is_subscribed else []
        self._timer_set = False
        outputs: list[Output] = []
        seconds = self._pending.timeout_ns / NS_PER_S
        for request in list(self._pending.expire(now)):
            match request.command:
                case AskTime() | Subscribe():
                    if not self.is_subscribed:
                        outputs += self._ask_time(now)
                case command:
                    outputs.append(lose(self._venue, command, f"TIMEOUT: no answer within {seconds:g} s", now))
        return outputs + self._set_timer(now)

    # ---- out -----------------------------------------------------------------------------------------------------

    def execute(self, command: Command, now: int) -> list[Output]:
        if not self._is_up or not self._clock.is_known:
            return [refuse(self._venue, command, "NOT_CONNECTED", self.problem, now)]
        if isinstance(command, PlaceOrder):
            if not self.is_subscribed:
                return [refuse(self._venue, command, "NOT_CONNECTED", self.problem, now)]
            wait = self._budget.blocked_until - self._clock.time(now)
            if wait > 0:
                return [refuse(self._venue, command, "RATE_LIMITED", f"for {wait // NS_PER_MS} ms more", now)]
            if reason := objection(command.order):
                code, _, words = reason.partition(": ")
                return [refuse(self._venue, command, code, words, now)]
        method, parameters = request_for(command)
        return self._send(command, method, self._signed(parameters, now), now)

    def on_not_sent(self, payload: bytes, now: int) -> list[Output]:
        request = self._pending.take_unsent(payload)
        if request is None or isinstance(request.command, AskTime | Subscribe):
            return []
        return [refuse(self._venue, request.command, "NOT_CONNECTED", "its frame did not leave", now)]

    def _signed(self, parameters: Parameters, now: int) -> Parameters:
        parameters["timestamp"] = self._clock.timestamp_ms(now)
        parameters["recvWindow"] = self._recv_window_ms
        return self._signer.sign_parameters(parameters)

    def _send(
        self,
        command: Command | AskTime | Subscribe,
        method: str,
        parameters: Parameters | None,
        now: int,
        fills: list[OrderFilled] | None = None,
    ) -> list[Output]:
        id = self._pending.next_id()
        body: dict[str, object] = {"id": id, "method": method}
        if parameters is not None:
            body["params"] = parameters
        payload = self._encode(body)
        self._pending.add(Request(id, command, now, now + self._pending.timeout_ns, payload, fills or []))
        return [SendFrame(LINK, payload), *self._set_timer(now)]

    def _ask_time(self, now: int) -> list[Output]:
        return self._send(AskTime(), "time", None, now)

    def _set_timer(self, now: int) -> list[Output]:
        deadline = self._pending.next_deadline()
        if self._timer_set or deadline is None:
            return []
        self._timer_set = True
        return [WakeUp(max(deadline - now, 0), TIMEOUTS)]

    # ---- in ------------------------------------------------------------------------------------------------------

    def on_frame(self, payload: bytes, ts_recv: int) -> list[Output]:
        try:
            frame = self._decode_frame(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [BadFrame(LINK, payload, f"{type(error).__name__}: {error}", drop_link=self._is_serious(payload))]
        if frame.event is not None:
            return self._on_event(frame, ts_recv)
        self._learn_limits(frame.rate_limits, ts_recv)
        request = self._pending.take(frame.id)
        if request is None:
            return [BadFrame(LINK, payload, f"answers no request: {frame.id!r}", drop_link=False)]
        if frame.error is not None or frame.status != 200:
            return self._on_refusal(request, frame.status, frame.error or ErrorBody(0), ts_recv)
        try:
            return self._on_answer(request, frame.result, ts_recv)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            lost = self._lose([request], f"MALFORMED: {reason}", ts_recv)
            return [*lost, BadFrame(LINK, payload, reason, drop_link=False)]

    def _is_serious(self, payload: bytes) -> bool:
        """Something about our orders may have been lost; an event of a kind unknown here is not that."""
        try:
            return self._decode_name(payload).event.kind in USER_EVENTS
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return True

    def _on_answer(self, request: Request, result: msgspec.Raw, ts_recv: int) -> list[Output]:
        match request.command:
            case AskTime():
                self._clock.learn(request.sent, ts_recv, self._decode_time(result).server_time)
                if self.is_subscribed or self._pending.has(Subscribe):
                    return []
                return self._send(Subscribe(), "userDataStream.subscribe.signature", self._signed({}, ts_recv), ts_recv)
            case Subscribe():
                self._subscribed()
                return []
            case QueryFills() as query:
                page = self._answers.read_fills(result, ts_recv)
                fills = request.fills + page.fills
                if page.next_id is None:
                    return [self._answers.fills(query, fills, ts_recv)]
                parameters = self._signed(next_fills(query, page.next_id), ts_recv)
                return self._send(query, "myTrades", parameters, ts_recv, fills)
            case command:
                return self._answers.read(command, result, ts_recv)

    def _on_refusal(self, request: Request, status: int, error: ErrorBody, ts_recv: int) -> list[Output]:
        meaning = meaning_of(status, error.code, error.msg)
        outputs: list[Output] = []
        if meaning is Meaning.CLOCK:
            self._clock.distrust()
            outputs += self._ask_time(ts_recv)
        elif meaning is Meaning.RATE_LIMIT:
            retry_ms = error.data.retry_after if error.data else 0
            self._budget.block(retry_ms * NS_PER_MS or self._clock.time(ts_recv) + BACK_OFF_NS)
        match request.command:
            case AskTime():
                return [*outputs, WakeUp(RETRY_NS, SUBSCRIBE)]
            case Subscribe() if meaning is Meaning.SUBSCRIBED:
                self._subscribed()
                return outputs
            case Subscribe():
                self.problem = f"SUBSCRIPTION_REFUSED: {error.code} {error.msg}"
                return [*outputs, WakeUp(RETRY_NS, SUBSCRIBE)]
            case command:
                return [self._answers.refused(command, meaning, status, error, ts_recv), *outputs]

    def _on_event(self, frame: TradeFrame, ts_recv: int) -> list[Output]:
        match frame.event:
            case ExecutionReport() as report:
                return self._executions.executed(report, ts_recv)
            case AccountPosition() as position:
                return [self._executions.account(position, ts_recv)]
            case StreamTerminated():
                self._unsubscribed("STREAM_TERMINATED: the venue ended the user data stream")
                return self._ask_time(ts_recv)
            case ServerShutdown():
                return self.open()
            case BalanceUpdate() | ListStatus() | ExternalLockUpdate() | None:
                return []
            case _:
                assert_never(frame.event)

    # ---- what is known of it -------------------------------------------------------------------------------------

    def _subscribed(self) -> None:
        self.is_subscribed = True
        self.problem = ""

    def _unsubscribed(self, problem: str) -> None:
        self.is_subscribed = False
        self.problem = problem

    def _lose(self, requests: Iterable[Request], reason: str, now: int) -> list[Output]:
        return [
            lose(self._venue, request.command, reason, now)
            for request in requests
            if not isinstance(request.command, AskTime | Subscribe)
        ]

    def _learn_limits(self, limits: list[RateLimit], ts_recv: int) -> None:
        for limit in limits:
            if limit.type == "REQUEST_WEIGHT" and limit.interval == "MINUTE" and limit.number == 1:
                self._budget.limit = limit.limit
                self._budget.learn(limit.count, self._clock.time(ts_recv))
            elif limit.type == "ORDERS":
                self.order_counts[f"{limit.number} {limit.interval}"] = [limit.count, limit.limit]
