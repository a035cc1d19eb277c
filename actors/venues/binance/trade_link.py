"""The link to Binance's WebSocket API: orders go out on it, answers and the account's events come in.

Both on one link, because the venue writes them in one order, and because orders should go only while their executions
are heard: one link makes that one fact. It costs that a long answer to a query is in front of an execution report.

On every opening: ask the venue's time, log on with an Ed25519 key (an HMAC key signs each request instead), subscribe
to the user data stream, then ready. A
request without answer in time, or in flight when the link drops, has an unknown outcome; its answer still counts if it
comes after all.
"""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from actors.messages import OrderFilled, PlaceOrder, QueryFills, ReplaceAtVenue
from actors.venues.binance.answers import Answers
from actors.venues.binance.errors import ERRORS
from actors.venues.binance.executions import Executions
from actors.venues.binance.order_requests import (
    Parameters,
    cost_of,
    goes_in_steps,
    next_fills,
    objection,
    request_for,
)
from actors.venues.binance.payloads import (
    USER_EVENTS,
    AccountPosition,
    BalanceUpdate,
    EventFrame,
    ExecutionReport,
    ExecutionType,
    ExternalLockUpdate,
    ListStatus,
    ServerShutdown,
    StreamTerminated,
    TradeFrame,
)
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import CONNECTION_WEIGHT, RateLimits
from actors.venues.binance_api.payloads import ErrorBody, ServerTime
from actors.venues.binance_api.requests import AskTime, LogOn, PendingRequests, Request, Subscribe, Upkeep
from actors.venues.binance_api.signing import Signer
from actors.venues.contract import BadFrame, Change, Command, OpenLink, Output, SendFrame, WakeUp
from actors.venues.refusals import lose, lose_change, refuse, refuse_change
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.message import Lane

TIMEOUTS = "timeouts"
SUBSCRIBE = "subscribe"
REMEMBERED = 10_000
"""Events that the other of two links may still tell."""
RETRY_NS = 5 * NS_PER_S
"""Until a refused subscription is tried again."""
BACK_OFF_NS = NS_PER_S
"""After being told to slow down without being told for how long."""
BAN_NS = 120 * NS_PER_S
"""The shortest ban, for one that does not say for how long."""
TOO_MANY_ORDERS = -1015

Asked = Command | Change | Upkeep


class EventSeam:
    """While two links tell the account's events: lets each through once."""

    def __init__(self) -> None:
        self._is_open = False
        self._seen: dict[tuple[object, ...], None] = {}

    def begin(self) -> None:
        self._is_open = True

    def end(self) -> None:
        """One link is left: it may still repeat what the other one was faster with."""
        self._is_open = False

    def repeats(self, *key: object) -> bool:
        if not self._is_open:
            return self._seen.pop(key, False) is None
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False


class TradeLink:
    TAGS = (TIMEOUTS, SUBSCRIBE)
    """Of its wake-ups; all but the first link add a colon and their name."""

    def __init__(
        self,
        name: str,
        seam: EventSeam,
        venue: str,
        url: str,
        signer: Signer,
        clock: VenueClock,
        limits: RateLimits,
        *,
        recv_window_ms: int,
        timeout_ns: int,
    ) -> None:
        self.name = name
        self._suffix = "" if "." not in name else f":{name}"
        self._seam = seam
        self.up_since = 0
        self.is_ending = False
        """The venue has announced its end."""
        self._venue = venue
        self._url = url
        self._signer = signer
        self._clock = clock
        self._limits = limits
        self._recv_window_ms = recv_window_ms
        self._pending: PendingRequests[Asked] = PendingRequests(timeout_ns)
        self._executions = Executions(venue)
        self._answers = Answers(venue, self._executions)
        self._decode_frame = msgspec.json.Decoder(TradeFrame).decode
        self._decode_name = msgspec.json.Decoder(EventFrame).decode
        self._decode_time = msgspec.json.Decoder(ServerTime).decode
        self._encode = msgspec.json.Encoder().encode
        self._is_up = False
        self._is_logged_on = False
        self._timer_set = False
        self.is_subscribed = False
        """Orders may go: their executions are heard."""
        self.problem = "not connected yet"
        """Why it is not subscribed; "" while it is."""

    # ---- the link ------------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return [OpenLink(self.name, self._url, Lane.COMMANDS)]

    def on_link_up(self, now: int) -> list[Output]:
        self._is_up = True
        self.up_since = now
        self._limits.weight.spend(CONNECTION_WEIGHT, now)
        return self._ask_time(now)

    def on_link_down(self, reason: str, now: int) -> list[Output]:
        self._is_up = self._is_logged_on = False
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
                case AskTime() | LogOn() | Subscribe():
                    if not self.is_subscribed:
                        outputs += self._ask_time(now)
                case command:
                    outputs += self._lose_one(command, f"TIMEOUT: no answer within {seconds:g} s", now)
        return outputs + self._set_timer(now)

    # ---- out -----------------------------------------------------------------------------------------------------

    def execute(self, command: Command | Change, now: int) -> list[Output]:
        if not self._is_up or not self._clock.is_known:
            return self._refuse(command, "NOT_CONNECTED", self.problem, now)
        if isinstance(command, PlaceOrder | Change):
            if not self.is_subscribed:
                return self._refuse(command, "NOT_CONNECTED", self.problem, now)
            if reason := objection(command):
                code, _, words = reason.partition(": ")
                return self._refuse(command, code, words, now)
        weight, priority, orders = cost_of(command)
        wait = self._limits.spend(weight, priority, now, orders)
        if wait:
            return self._refuse(command, "RATE_LIMITED", f"for {-(-wait // NS_PER_MS)} ms more", now)
        method, parameters = request_for(command)
        return self._send(command, method, self._signed(parameters, now), now)

    def rehearse(self, command: PlaceOrder, now: int) -> None:
        """`execute`, on a link that has no socket and is for nothing else."""
        self._is_up = self.is_subscribed = True
        self.execute(command, now)
        self._pending.drop_all()

    def on_not_sent(self, payload: bytes, now: int) -> list[Output]:
        request = self._pending.take_unsent(payload)
        if request is None or isinstance(request.command, Upkeep):
            return []
        return self._refuse(request.command, "NOT_CONNECTED", "its frame did not leave", now)

    def _refuse(self, command: Command | Change, code: str, words: str, now: int) -> list[Output]:
        if isinstance(command, Change):
            return [*refuse_change(self._venue, command, code, words, now)]
        return [refuse(self._venue, command, code, words, now)]

    def _signed(self, parameters: Parameters, now: int) -> Parameters:
        parameters["timestamp"] = self._clock.timestamp_ms(now)
        parameters["recvWindow"] = self._recv_window_ms
        return parameters if self._is_logged_on else self._signer.sign_parameters(parameters)

    def _send(
        self,
        command: Command | Change | Upkeep,
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
        return [SendFrame(self.name, payload), *self._set_timer(now)]

    def _ask_time(self, now: int) -> list[Output]:
        return self._send(AskTime(), "time", None, now)

    def _set_timer(self, now: int) -> list[Output]:
        deadline = self._pending.next_deadline()
        if self._timer_set or deadline is None:
            return []
        self._timer_set = True
        return [WakeUp(max(deadline - now, 0), TIMEOUTS + self._suffix)]

    # ---- in ------------------------------------------------------------------------------------------------------

    def on_frame(self, payload: bytes, ts_recv: int) -> list[Output]:
        try:
            frame = self._decode_frame(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [
                BadFrame(self.name, payload, f"{type(error).__name__}: {error}", drop_link=self._is_serious(payload))
            ]
        if frame.event is not None:
            return self._on_event(frame, ts_recv)
        self._limits.learn(frame.rate_limits, ts_recv)
        request = self._pending.take(frame.id)
        if request is None:
            return [BadFrame(self.name, payload, f"answers no request: {frame.id!r}", drop_link=False)]
        if frame.error is not None or frame.status != 200:
            return self._on_refusal(request, frame.status, frame.error or ErrorBody(0), ts_recv)
        try:
            return self._on_answer(request, frame.result, ts_recv)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            lost = self._lose([request], f"MALFORMED: {reason}", ts_recv)
            return [*lost, BadFrame(self.name, payload, reason, drop_link=False)]

    def _is_serious(self, payload: bytes) -> bool:
        """Something about our orders may have been lost; an event of a kind unknown here is not that."""
        try:
            return self._decode_name(payload).event.kind in USER_EVENTS
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return True

    def _on_answer(self, request: Request[Asked], result: msgspec.Raw, ts_recv: int) -> list[Output]:
        match request.command:
            case AskTime():
                self._clock.learn(request.sent, ts_recv, self._decode_time(result).server_time)
                if self.is_subscribed or self._pending.has(LogOn) or self._pending.has(Subscribe):
                    return []
                if self._signer.can_log_on and not self._is_logged_on:
                    return self._send(LogOn(), "session.logon", self._signed({}, ts_recv), ts_recv)
                return self._subscribe(ts_recv)
            case LogOn():
                self._is_logged_on = True
                return self._subscribe(ts_recv)
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
            case ReplaceAtVenue() as change if goes_in_steps(change):
                told, rest = self._answers.canceled_to_replace(change, result, ts_recv)
                return told if rest is None else [*told, *self.execute(rest, ts_recv)]
            case command:
                return self._answers.read(command, result, ts_recv)

    def _subscribe(self, now: int) -> list[Output]:
        if self._is_logged_on:
            return self._send(Subscribe(), "userDataStream.subscribe", None, now)
        return self._send(Subscribe(), "userDataStream.subscribe.signature", self._signed({}, now), now)

    def _on_refusal(self, request: Request[Asked], status: int, error: ErrorBody, ts_recv: int) -> list[Output]:
        action = ERRORS.action(status, error.code, error.msg)
        outputs: list[Output] = []
        if action is Action.CLOCK:
            self._clock.distrust()
            outputs += self._ask_time(ts_recv)
        elif action is Action.RETRY:
            self._is_logged_on = False
            self._unsubscribed(f"LOGGED_OUT: {error.code} {error.msg}")
            outputs += self._ask_time(ts_recv)
        else:
            self._hold_back(action, error, ts_recv)
        match request.command:
            case AskTime():
                return [*outputs, WakeUp(RETRY_NS, SUBSCRIBE + self._suffix)]
            case Subscribe() if action is Action.ALREADY:
                self._subscribed()
                return outputs
            case LogOn() | Subscribe():
                what = "LOGON" if isinstance(request.command, LogOn) else "SUBSCRIPTION"
                self.problem = f"{what}_REFUSED: {error.code} {error.msg}"
                return [*outputs, WakeUp(RETRY_NS, SUBSCRIBE + self._suffix)]
            case command:
                return [*self._answers.refused(command, action, status, error, ts_recv), *outputs]

    def _hold_back(self, action: Action, error: ErrorBody, now: int) -> None:
        """Heed what a refusal says about how much may be sent."""
        retry_ms = error.data.retry_after if error.data else 0
        until = retry_ms * NS_PER_MS - self._clock.offset_ns if retry_ms else 0
        if action is Action.BAN:
            self._limits.ban(until or now + BAN_NS)
        elif action is Action.BACK_OFF and error.code == TOO_MANY_ORDERS:
            self._limits.block_orders(until or now + BACK_OFF_NS)
        elif action is Action.BACK_OFF:
            self._limits.back_off(until or now + BACK_OFF_NS)

    def _on_event(self, frame: TradeFrame, ts_recv: int) -> list[Output]:
        match frame.event:
            case ExecutionReport() as report:
                if report.execution_id and self._seam.repeats(report.symbol, report.execution_id):
                    return []
                if report.last_quantity == report.filled_quantity and report.execution is ExecutionType.TRADE:
                    self._limits.give_back_order(ts_recv)
                return self._executions.executed(report, ts_recv)
            case AccountPosition() as position:
                if self._seam.repeats(position.time, *[(b.asset, b.free, b.locked) for b in position.balances]):
                    return []
                return [self._executions.account(position, ts_recv)]
            case StreamTerminated():
                self._unsubscribed("STREAM_TERMINATED: the venue ended the user data stream")
                return self._ask_time(ts_recv)
            case ServerShutdown():
                self.is_ending = True
                return []
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

    def _lose(self, requests: Iterable[Request[Asked]], reason: str, now: int) -> list[Output]:
        return [
            output
            for request in requests
            if not isinstance(request.command, Upkeep)
            for output in self._lose_one(request.command, reason, now)
        ]

    def _lose_one(self, command: Command | Change, reason: str, now: int) -> list[Output]:
        if isinstance(command, Change):
            return [*lose_change(self._venue, command, reason, now)]
        return [lose(self._venue, command, reason, now)]
