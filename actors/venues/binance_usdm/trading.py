"""Orders and queries at Binance USD-M futures: sent by WebSocket API or REST, their answers, the account's events.

Orders may go while three things hold: the venue's time is known, the link for orders is up, and the account's stream
is heard on its own link. A request without answer in time, or in flight when the link drops, has an unknown outcome;
its answer still counts if it comes after all.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

import msgspec

from actors.messages import (
    AmendAtVenue,
    AmendRejected,
    CancelAtVenue,
    CancelRejected,
    FillsReported,
    OpenOrdersReported,
    OrderAccepted,
    OrderAmended,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderReported,
    PlaceOrder,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
)
from actors.model.order import TRIGGERED, OrderSpec, OrderType
from actors.model.order_state import OrderState
from actors.venues.binance.payloads import OrderInfo, OrderStatus
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import RateLimits
from actors.venues.binance_api.payloads import ErrorBody
from actors.venues.binance_api.requests import LogOn
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_usdm.errors import ERRORS
from actors.venues.binance_usdm.executions import Executions
from actors.venues.binance_usdm.order_links import PROBE_ID, OrderLinks
from actors.venues.binance_usdm.order_requests import (
    ALGO,
    FILLS_PER_PAGE,
    Call,
    Parameters,
    by_rest,
    call_for,
    modification,
    more_fills,
    objection,
    open_algo_orders,
)
from actors.venues.binance_usdm.payloads import AlgoAck, AlgoInfo, AnswerFrame, FuturesAccount, FuturesTrade, OrderAck
from actors.venues.contract import BadFrame, Change, Command, Output, SendFrame
from actors.venues.refusals import lose, lose_change, refuse, refuse_change
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

HTTP = "query:"
"""Prefix of the ids of requests that commands make over HTTP."""
REMEMBERED = 10_000
BACK_OFF_NS = NS_PER_S
"""After being told to slow down without being told for how long."""


class HttpQuery(msgspec.Struct):
    command: Command | AmendAtVenue
    call: Call
    orders: list[OrderReported] = []
    """Open orders that the first half of the answer brought."""
    fills: list[OrderFilled] = []
    """Pages that a `QueryFills` has brought so far."""


class Trading:
    def __init__(
        self,
        venue: str,
        trade_url: str,
        rest_url: str,
        symbols: Sequence[str],
        signer: Signer,
        clock: VenueClock,
        limits: RateLimits,
        *,
        recv_window_ms: int,
        timeout_ns: int,
    ) -> None:
        self._venue = venue
        self._rest_url = rest_url
        self._signer = signer
        self._clock = clock
        self._limits = limits
        self._recv_window_ms = recv_window_ms
        self.links: OrderLinks[Command | AmendAtVenue] = OrderLinks(
            trade_url, signer, clock, symbols, recv_window_ms=recv_window_ms, timeout_ns=timeout_ns
        )
        self._placed: dict[str, OrderSpec] = {}
        """Limit orders of this life, the oldest forgotten first: an amendment has to repeat side and price."""
        self._queries: dict[str, HttpQuery] = {}
        self._last_query = 0
        self.executions = Executions(venue)
        self.by_rest = False
        """While the link is down everything goes by REST."""
        self._decode_frame = msgspec.json.Decoder(AnswerFrame).decode
        self._decode_ack = msgspec.json.Decoder(OrderAck).decode
        self._decode_algo_ack = msgspec.json.Decoder(AlgoAck).decode
        self._decode_order = msgspec.json.Decoder(OrderInfo).decode
        self._decode_orders = msgspec.json.Decoder(list[OrderInfo]).decode
        self._decode_algo = msgspec.json.Decoder(AlgoInfo).decode
        self._decode_algos = msgspec.json.Decoder(list[AlgoInfo]).decode
        self._decode_trades = msgspec.json.Decoder(list[FuturesTrade]).decode
        self._decode_account = msgspec.json.Decoder(FuturesAccount).decode
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode

    # ---- the links -----------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        return self.links.is_ready

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        lost, outputs = self.links.on_down(link)
        return [*self._lose(lost, f"LINK_DOWN: {reason}", now), *outputs]

    def on_wake_up(self, now: int) -> list[Output]:
        """The first deadline has passed."""
        seconds = self.links.timeout_ns / NS_PER_S
        lost = self._lose(self.links.expire(now), f"TIMEOUT: no answer within {seconds:g} s", now)
        return [*lost, *self.links.log_on(now), *self.links.set_timer(now)]

    # ---- out -----------------------------------------------------------------------------------------------------

    def execute(self, command: Command, problem: str, now: int) -> list[Output]:
        """`problem` is why orders may not go, "" if they may."""
        if not (self.is_up or self.by_rest) or not self._clock.is_known:
            return [refuse(self._venue, command, "NOT_CONNECTED", problem or "no link for orders", now)]
        venue_time = self._clock.time(now)
        if isinstance(command, PlaceOrder):
            if problem:
                return [refuse(self._venue, command, "NOT_CONNECTED", problem, now)]
            if reason := objection(command.order, venue_time):
                code, _, words = reason.partition(": ")
                return [refuse(self._venue, command, code, words, now)]
            self.remember(command.order)
        return self._send(command, call_for(command, venue_time), now)

    def change(self, command: Change, now: int) -> list[Output]:
        """Changes a limit order as told, or one placed in this life; the venue puts it at the end of the queue."""
        placed = None
        if isinstance(command, AmendAtVenue):
            placed = command.order or self._placed.get(command.client_order_id)
        if not isinstance(command, AmendAtVenue):
            return [*refuse_change(self._venue, command, "NOT_SUPPORTED", "contracts have no such change", now)]
        if not (self.is_up or self.by_rest) or not self._clock.is_known:
            return [*refuse_change(self._venue, command, "NOT_CONNECTED", "no link for orders", now)]
        if placed is None:
            return [*refuse_change(self._venue, command, "UNKNOWN_ORDER", "its side and price are not known here", now)]
        call = modification(command, placed)
        wait = self._limits.spend(call.weight, call.priority, now, call.orders)
        if wait:
            return [*refuse_change(self._venue, command, "RATE_LIMITED", f"for {wait // NS_PER_MS} ms more", now)]
        return (
            self.links.send(command, call, now) if self.is_up else self._query(HttpQuery(command, by_rest(call)), now)
        )

    def rehearse(self, command: PlaceOrder, now: int) -> None:
        venue_time = self._clock.time(now)
        if not objection(command.order, venue_time):
            call = call_for(command, venue_time)
            parameters = self._signer.sign_parameters(self._stamped(call.parameters, now))
            msgspec.json.encode({"id": 0, "method": call.name, "params": parameters})

    def remember(self, order: OrderSpec) -> None:
        if order.type is OrderType.LIMIT:
            self._placed[order.client_order_id] = order
            if len(self._placed) > REMEMBERED:
                del self._placed[next(iter(self._placed))]

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        command, words = self.links.take_unsent(frame), "its frame did not leave"
        if command is None:
            return []
        if isinstance(command, AmendAtVenue):
            return [*refuse_change(self._venue, command, "NOT_CONNECTED", words, now)]
        return [refuse(self._venue, command, "NOT_CONNECTED", words, now)]

    def signed_request(self, id: str, call: Call, now: int) -> HttpRequest:
        query = self._signer.sign_query(self._stamped(call.parameters, now))
        headers = {"X-MBX-APIKEY": self._signer.key}
        url = f"{self._rest_url}{call.name}?{query}"
        return HttpRequest(id, call.verb, url, headers, timeout_ns=self.links.timeout_ns)

    def _send(self, command: Command, call: Call, now: int) -> list[Output]:
        wait = self._limits.spend(call.weight, call.priority, now, call.orders)
        if wait:
            return [refuse(self._venue, command, "RATE_LIMITED", f"for {wait // NS_PER_MS} ms more", now)]
        if call.verb:
            return self._query(HttpQuery(command, call), now)
        if not self.is_up:
            return self._query(HttpQuery(command, by_rest(call)), now)
        return self.links.send(command, call, now)

    def _query(self, query: HttpQuery, now: int) -> list[Output]:
        self._last_query += 1
        id = f"{HTTP}{self._last_query}"
        self._queries[id] = query
        return [self.signed_request(id, query.call, now)]

    def _stamped(self, parameters: Parameters, now: int) -> Parameters:
        return {**parameters, "recvWindow": self._recv_window_ms, "timestamp": self._clock.timestamp_ms(now)}

    # ---- answers of the WebSocket API ----------------------------------------------------------------------------

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        try:
            frame = self._decode_frame(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [BadFrame(link, payload, f"{type(error).__name__}: {error}", drop_link=True)]
        self._limits.learn(frame.rate_limits, ts_recv)
        if frame.id == PROBE_ID:
            return []
        if frame.event is not None and frame.event.kind == "serverShutdown":
            return self.links.replace() if link == self.links.name else []
        request = self.links.take(link, frame.id)
        if request is None:
            return [BadFrame(link, payload, f"answers no request: {frame.id!r}", drop_link=False)]
        command, said = request.command, frame.error or ErrorBody(0)
        if isinstance(command, LogOn):
            refusal = "" if frame.status == 200 else f"LOGON_REFUSED: {said.code} {said.msg}"
            return self.links.on_logon(link, refusal)
        if frame.error is not None or frame.status != 200:
            is_out = ERRORS.action(frame.status, said.code, said.msg) is Action.RETRY
            again = self.links.on_logged_out(link, ts_recv) if is_out else []
            return [*self.refused(command, frame.status, said, ts_recv), *again]
        try:
            return self._on_answer(command, frame.result, ts_recv)
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            reason = f"{type(problem).__name__}: {problem}"
            lost = self._lose([command], f"MALFORMED: {reason}", ts_recv)
            return [*lost, BadFrame(link, payload, reason, drop_link=False)]

    def _on_answer(self, command: Command | AmendAtVenue, result: msgspec.Raw, ts: int) -> list[Output]:
        """An acknowledged cancel is not an end: the event of the stream tells how much was filled before."""
        match command:
            case AmendAtVenue():
                amended = self._decode_ack(result)
                if amended.status is not OrderStatus.NEW and amended.status is not OrderStatus.PARTIALLY_FILLED:
                    return [
                        AmendRejected(self._venue, command.client_order_id, "CANCELED", "it had to be cancelled", ts)
                    ]
                ts_venue = amended.update_time * NS_PER_MS
                price = command.order.price or "" if command.order else ""
                return [OrderAmended(self._venue, command.client_order_id, command.quantity, ts_venue, ts, price)]
            case PlaceOrder(order=order) if order.type in TRIGGERED:
                ack = self._decode_algo_ack(result)
                ts_venue = ack.update_time * NS_PER_MS
                return [OrderAccepted(self._venue, order.client_order_id, f"{ALGO}{ack.algo_id}", ts_venue, ts)]
            case PlaceOrder(order=order):
                placed = self._decode_ack(result)
                ts_venue = placed.update_time * NS_PER_MS
                return [OrderAccepted(self._venue, order.client_order_id, str(placed.order_id), ts_venue, ts)]
            case CancelAtVenue():
                return []
            case QueryOrder():
                report = self.executions.reported(self._decode_order(result), ts)
                return [msgspec.structs.replace(report, client_order_id=command.client_order_id)]
            case QueryAccount():
                return [self.executions.account(self._decode_account(result), ts)]
            case QueryOpenOrders() | QueryFills():
                raise ValueError(f"{type(command).__name__} does not go over this link")
            case _:
                assert_never(command)

    def refused(self, command: Command | AmendAtVenue, status: int, error: ErrorBody, now: int) -> list[Output]:
        action = ERRORS.action(status, error.code, error.msg)
        until = (error.data.retry_after if error.data else 0) * NS_PER_MS - self._clock.offset_ns
        if action is Action.CLOCK:
            self._clock.distrust()
        elif action is Action.BACK_OFF:
            self._limits.back_off(max(until, now + BACK_OFF_NS))
        elif action is Action.BAN:
            self._limits.ban(max(until, now + BACK_OFF_NS))
        elif action is Action.UNKNOWN:
            return self._lose_one(command, f"VENUE_UNSURE: status {status}, {error.code} {error.msg}", now)
        code = str(error.code)
        match command:
            case PlaceOrder():
                return [OrderRejected(self._venue, command.order.client_order_id, code, error.msg, now)]
            case AmendAtVenue():
                return [AmendRejected(self._venue, command.client_order_id, code, error.msg, now)]
            case CancelAtVenue():
                return [CancelRejected(self._venue, command.client_order_id, code, error.msg, now)]
            case QueryOrder() if action is Action.NOT_FOUND and not command.venue_order_id.startswith(ALGO):
                return self._ask_as_algo(command, now)
            case QueryOrder() if action is Action.NOT_FOUND:
                return [OrderNotFound(self._venue, command.client_order_id, now)]
            case _:
                return [refuse(self._venue, command, code, error.msg, now)]

    # ---- answers over HTTP ---------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        query = self._queries.pop(answer.id, None)
        if query is None:
            return []
        if isinstance(answer, HttpFailed):
            return self._unanswered(query.command, answer, now)
        try:
            if answer.status != 200:
                return self._on_http_refusal(query, answer.status, self._error(answer.body), now)
            return self._on_http_answer(query, answer.body, answer.ts_recv, now)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            lost = self._lose_one(query.command, f"MALFORMED: {error}", now)
            return [*lost, BadFrame(answer.id, answer.body, str(error), drop_link=False)]

    def _unanswered(self, command: Command | AmendAtVenue, failed: HttpFailed, now: int) -> list[Output]:
        if failed.sent:
            return self._lose_one(command, f"NO_ANSWER: {failed.reason}", now)
        if isinstance(command, AmendAtVenue):
            return [*refuse_change(self._venue, command, "NOT_CONNECTED", failed.reason, now)]
        return [refuse(self._venue, command, "NOT_CONNECTED", failed.reason, now)]

    def _error(self, body: bytes) -> ErrorBody:
        """Not every refusal is written by the exchange: what stands before it answers with a page of its own."""
        try:
            return self._decode_error(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ErrorBody(0, "not understood")

    def _on_http_refusal(self, query: HttpQuery, status: int, error: ErrorBody, now: int) -> list[Output]:
        command = query.command
        is_algo = query.call.name == "/fapi/v1/algoOrder"
        if is_algo and isinstance(command, QueryOrder) and ERRORS.action(status, error.code) is Action.NOT_FOUND:
            return [OrderNotFound(self._venue, command.client_order_id, now)]
        return self.refused(command, status, error, now)

    def _on_http_answer(self, query: HttpQuery, body: bytes, ts: int, now: int) -> list[Output]:
        match query.command:
            case QueryOpenOrders() if query.call.name == open_algo_orders().name:
                algos = [self.executions.algo_reported(info, ts) for info in self._decode_algos(body)]
                return [OpenOrdersReported(self._venue, query.orders + algos, ts)]
            case QueryOpenOrders():
                orders = [self.executions.reported(info, ts) for info in self._decode_orders(body)]
                return self._query(HttpQuery(query.command, open_algo_orders(), orders=orders), now)
            case QueryFills() as command:
                trades = self._decode_trades(body)
                fills = query.fills + [self.executions.fill(trade, ts) for trade in trades]
                if len(trades) < FILLS_PER_PAGE:
                    return [FillsReported(self._venue, command.symbol, fills, ts)]
                following = more_fills(command, max(trade.id for trade in trades) + 1)
                return self._query(HttpQuery(command, following, fills=fills), now)
            case QueryOrder() as command if query.call.name == "/fapi/v1/algoOrder":
                return self._on_algo_order(command, self._decode_algo(body), ts, now)
            case command:
                return self._on_answer(command, msgspec.Raw(body), ts)

    def _on_algo_order(self, command: QueryOrder, info: AlgoInfo, ts: int, now: int) -> list[Output]:
        """What was triggered is asked for as the order that it has become."""
        actual = self.executions.actual_id(info)
        if actual:
            by_id = QueryOrder(command.client_order_id, command.symbol, actual)
            return self._send(by_id, call_for(by_id, 0), now)
        report = self.executions.algo_reported(info, ts)
        if report.state is OrderState.REJECTED:
            return [OrderRejected(self._venue, command.client_order_id, "REJECTED", "when triggered", ts)]
        return [msgspec.structs.replace(report, client_order_id=command.client_order_id)]

    def _ask_as_algo(self, command: QueryOrder, now: int) -> list[Output]:
        """It is no order yet, so it may be one that waits for its trigger."""
        parameters: Parameters = {"clientAlgoId": command.client_order_id}
        call = call_for(QueryOrder(command.client_order_id, command.symbol, f"{ALGO}0"), now)
        return self._query(HttpQuery(command, msgspec.structs.replace(call, parameters=parameters)), now)

    # ---- what got no answer --------------------------------------------------------------------------------------

    def _lose(self, commands: Iterable[Command | AmendAtVenue], reason: str, now: int) -> list[Output]:
        return [output for command in commands for output in self._lose_one(command, reason, now)]

    def _lose_one(self, command: Command | AmendAtVenue, reason: str, now: int) -> list[Output]:
        if isinstance(command, AmendAtVenue):
            return [*lose_change(self._venue, command, reason, now)]
        return [lose(self._venue, command, reason, now)]
