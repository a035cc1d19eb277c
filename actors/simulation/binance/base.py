"""What the fake spot and futures venues have in common: sessions, time, faults, simulated flow, the test window.

It holds no socket, no clock and no loop. A shell (or an in-memory network under a virtual clock) connects sessions,
hands in what they send, calls `advance` when `next_due` has come, and takes the outbox after every call. The same
seed and the same calls give the same frames.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Protocol
from urllib.parse import parse_qsl

from actors.simulation.binance.limits import Window
from actors.simulation.binance.market import Market
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.fault_desk import FaultDesk
from actors.simulation.faults import Cut, Fault, Freeze, LinkRole, RequestFault, ServerShutdown, StreamTerminated
from actors.simulation.flow import OrderFlow
from actors.simulation.http_reply import (
    NOT_FOUND,
    HttpReply,
    answer_fault_window,
    answer_under_faults,
    json_reply,
    refused_connection,
)
from actors.simulation.outbox import Outbox, Payload

FIRST_ID = 1_000_000
"""Where order, trade and update ids of every symbol begin: as at the venue, ids of two symbols may be equal."""
FUNDS = Decimal(10_000_000)
"""Of every asset that an account can trade with."""

_FAST_NS = 100_000_000
_SLOW_NS = 1_000_000_000
_MOST_BEHIND_NS = 250_000_000
"""A venue that was not driven for longer than this goes on from now instead of catching up."""
_CONNECTIONS_PER_WINDOW = 300


class RestFace(Protocol):
    def name(self, method: str, path: str) -> str: ...

    def answer(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: str,
        now: int,
        fault: RequestFault | None = None,
    ) -> HttpReply: ...


class BaseVenue(ABC):
    """Its heir makes `_hub`, `_rest` and `_api`, then calls `_begin_ticking`."""

    _hub: StreamHub
    _rest: RestFace
    _api: WebSocketApi
    _replay: Replay | None = None

    def __init__(self, start: int, seed: int, rate: float) -> None:
        self.faults = FaultDesk(Random(f"{seed} faults"), self._begin_fault, self._end_faults)
        self._random = Random(f"{seed} corruption")
        self._outbox = Outbox(self.faults, self._random)
        self._now = start
        self._schedule: list[tuple[int, int, Callable[[int], int]]] = []
        self._scheduled = 0
        self._sessions = 0
        self._connections = Window(300)
        self._rate = rate

    # ---- what differs --------------------------------------------------------------------------------------------

    @abstractmethod
    def _role(self, host: str, path: str) -> LinkRole | None:
        """What a session on this path is; None if there is nothing."""

    @abstractmethod
    def _open(self, session: str, role: LinkRole, path: str, now: int) -> None:
        """Raises Refusal."""

    @abstractmethod
    def _terminate_streams(self, now: int) -> None:
        """End the streams of accounts, as the venue does now and then."""

    @abstractmethod
    def _ledger(self) -> dict[str, object]:
        """Every order, fill and balance."""

    @abstractmethod
    def _state(self, now: int) -> dict[str, object]: ...

    @abstractmethod
    def _tick_market_fast(self, due: int) -> None: ...

    @abstractmethod
    def _tick_market_slow(self, due: int) -> None: ...

    # ---- called by the shell -------------------------------------------------------------------------------------

    def connect(self, host: str, path: str, now: int) -> str | HttpReply:
        """A new session, or the HTTP answer that refuses it. `path` includes the query."""
        self.advance(now)
        role = self._role(host, path)
        if role is None:
            return NOT_FOUND
        fault = self.faults.connect_fault(role, path, now)
        if fault is not None:
            return refused_connection(fault)
        at = self._venue_time(now)
        if self._connections.count(at) >= _CONNECTIONS_PER_WINDOW:
            return json_reply({"code": -1034, "msg": "Too many connection attempts from IP."}, 429)
        self._connections.add(1, at)
        self._sessions += 1
        session = f"{role.value}-{self._sessions}"
        try:
            self._open(session, role, path, at)
        except Refusal as refusal:
            return json_reply(refusal.body(), refusal.status)
        self._begin_replay(now)
        return session

    def receive(self, session: str, text: str, now: int) -> None:
        """One text frame of this session."""
        self.advance(now)
        if self._outbox.is_frozen(session):
            self._outbox.keep_unheard(session, text)
        else:
            self._hear(session, text, now)

    def disconnect(self, session: str, now: int | None = None) -> None:
        self._hub.close(session)
        self._api.close(session)
        self._outbox.close(session)

    def is_frozen(self, session: str) -> bool:
        """Whether a fault keeps this session silent: who drives it answers no ping either."""
        return self._outbox.is_frozen(session)

    def http(
        self, method: str, host: str, path: str, query: str, headers: Mapping[str, str], body: str, now: int
    ) -> HttpReply:
        """`path` without the query, `query` as it was sent, without the question mark."""
        self.advance(now)
        match method, path:
            case _, "/fake/faults":
                return answer_fault_window(self.faults, method, dict(parse_qsl(query)), body, now)
            case "GET", "/fake/ledger":
                return json_reply(self._ledger())
            case "GET", "/fake/state":
                return json_reply(self._state(now))
            case _:
                pass
        at = self._venue_time(now)
        return answer_under_faults(
            self.faults,
            self._random,
            self._rest.name(method, path),
            f"{method} {path}",
            now,
            lambda fault: self._rest.answer(method, path, query, headers, body, at, fault),
        )

    def advance(self, now: int) -> None:
        """Do everything that is due, in the order of its time."""
        self._now = now
        skew = self._venue_time(0)
        while self._schedule[0][0] <= now:
            due, _, action = heapq.heappop(self._schedule)
            self._at(action(max(due, now - _MOST_BEHIND_NS) + skew) - skew, action)
        if self._replay is not None:
            self._replay.advance(now)
        for session, text in self._outbox.take_unheard(now):
            self._hear(session, text, now)

    def next_due(self) -> int | None:
        dues = [self._schedule[0][0], self._outbox.next_due()]
        if self._replay is not None:
            dues.append(self._replay.next_due())
        return min(due for due in dues if due is not None)

    @property
    def waits_for_readers(self) -> bool:
        """Whether everything that is left is due at once: who drives it should let the readers keep up."""
        return self._replay is not None and self._replay.waits_for_readers

    def take_outbox(self) -> list[tuple[str, Payload]]:
        """What to send since the last call, in order; None as the payload closes the session, `Closing` too."""
        return self._outbox.take(self._now)

    def shut_down(self, now: int) -> None:
        """Say on every market data and WebSocket API socket that the venue is about to close it."""
        event: dict[str, object] = {"e": "serverShutdown", "E": to_ms(self._venue_time(now))}
        self._hub.announce("!serverShutdown", event)
        self._api.announce(event)

    # ---- sessions ------------------------------------------------------------------------------------------------

    def _hear(self, session: str, text: str, now: int) -> None:
        at = self._venue_time(now)
        if session in self._hub:
            self._hub.receive(session, text, at)
            self._begin_replay(now)
        elif session in self._api:
            place = len(self._outbox)
            method, answer = self._api.receive(session, text, at)
            if answer is not None:
                self._outbox.put(session, answer, LinkRole.WS_API, method, place)

    def _send_stream(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.STREAM, subject)

    def _send_event(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.USER, subject)

    # ---- faults --------------------------------------------------------------------------------------------------

    def _venue_time(self, now: int) -> int:
        """What the venue's clock shows: a fault may have set it wrong."""
        return now if self.faults.is_quiet else now + self.faults.clock_skew_ns(self._now)

    def _begin_fault(self, fault: Fault, now: int) -> None:
        match fault:
            case Cut():
                self._outbox.cut(fault)
            case Freeze():
                self._outbox.freeze(fault, now)
            case ServerShutdown():
                self.shut_down(now)
            case StreamTerminated():
                self._terminate_streams(self._venue_time(now))
            case _:
                """A clock skew is in force as long as it is planned."""

    def _end_faults(self, now: int) -> None:
        self._outbox.thaw(now)
        self._now = now

    # ---- time ----------------------------------------------------------------------------------------------------

    def _at(self, due: int, action: Callable[[int], int]) -> None:
        """`action` gets the time at which it was due and says when it is due again."""
        self._scheduled += 1
        heapq.heappush(self._schedule, (due, self._scheduled, action))

    def _begin_ticking(self) -> None:
        """Ten times a second, and once a second."""
        self._at(self._now // _FAST_NS * _FAST_NS + _FAST_NS, self._tick_fast)
        self._at(self._now // _SLOW_NS * _SLOW_NS + _SLOW_NS, self._tick_slow)

    def _tick_fast(self, due: int) -> int:
        self._tick_market_fast(due)
        return due // _FAST_NS * _FAST_NS + _FAST_NS

    def _tick_slow(self, due: int) -> int:
        self._tick_market_slow(due)
        return due // _SLOW_NS * _SLOW_NS + _SLOW_NS

    # ---- markets -------------------------------------------------------------------------------------------------

    def _let_flow(
        self, market: Market, price: Decimal, tick_size: Decimal, ordinary_quantity: Decimal, random: Random
    ) -> None:
        """Fill its book; from now on strangers trade there, unless the rate is 0."""
        flow = OrderFlow(
            engine=market.engine,
            submit=market.submit,
            cancel=market.cancel,
            next_order_id=market.next_order_id,
            price=price,
            tick_size=tick_size,
            ordinary_quantity=ordinary_quantity,
            random=random,
        )
        flow.seed(self._now)
        if self._rate > 0:
            self._at(self._now + flow.pause_ns(self._rate), self._flow_step(flow))

    def _flow_step(self, flow: OrderFlow) -> Callable[[int], int]:
        def step(due: int) -> int:
            flow.step(due)
            return due + flow.pause_ns(self._rate)

        return step

    def _begin_replay(self, now: int) -> None:
        if self._replay is not None and self._hub.subscriptions:
            self._replay.begin(now)
