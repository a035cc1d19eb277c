"""The fake Binance spot venue, whole and pure: calls with the time in, frames and answers out.

It holds no socket, no clock and no loop. A shell (or an in-memory network under a virtual clock) connects sessions,
hands in what they send, calls `advance` when `next_due` has come, and takes the outbox after every call. The same
seed and the same calls give the same frames. Who is asked follows from the path: `/api/…` is REST, `/ws` and
`/stream` are market data, `/ws-api/v3` is the WebSocket API, `/fake/…` is the test window; hosts of the venue's other
products are not here.
"""

import heapq
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from urllib.parse import parse_qsl

from actors.simulation.accounts import DEMO_KEY, DEMO_PUBLIC_KEY_NAME, DEMO_SECRET, Account
from actors.simulation.binance.account_requests import AccountRequests
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.limits import Limits, Window
from actors.simulation.binance.list_requests import ListRequests
from actors.simulation.binance.market import Market
from actors.simulation.binance.market_data import MarketData
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.operations import operations
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.rest import Rest
from actors.simulation.binance.security import Security
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.symbols import LISTINGS, Listing
from actors.simulation.binance.trading import Trading
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.binance.window import ledger, replay_state
from actors.simulation.capture import Capture
from actors.simulation.fault_desk import FaultDesk
from actors.simulation.faults import (
    Cut,
    Fault,
    Freeze,
    LinkRole,
    ServerShutdown,
    StreamTerminated,
)
from actors.simulation.flow import OrderFlow
from actors.simulation.http_reply import (
    HttpReply,
    answer_fault_window,
    answer_under_faults,
    json_reply,
    refused_connection,
)
from actors.simulation.keys import load_public_key
from actors.simulation.outbox import Outbox, Payload
from runtime.errors import ConfigError

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC")

_NS_PER_S = 1_000_000_000
_FAST_NS = 100_000_000
_SLOW_NS = 1_000_000_000
_MOST_BEHIND_NS = 250_000_000
"""A venue that was not driven for longer than this goes on from now instead of catching up."""
_FIRST_ID = 1_000_000
"""Where order, trade and update ids of every symbol begin: as at the venue, ids of two symbols may be equal."""
_CONNECTIONS_PER_WINDOW = 300
_OTHER_PRODUCTS = ("fapi.", "dapi.", "eapi.", "fstream.", "dstream.", "ws-fapi.", "ws-dapi.")
_FUNDS = Decimal(10_000_000)


class FakeBinance:
    """`start` is the time at which trading begins; `rate` is steps of simulated order flow a second and symbol, 0 for
    none after the books have been filled. With a `replay` the markets are the recorded ones, without simulated flow.
    `accounts` replace the demo account; `public_key` (PEM) adds one that signs with its private key.
    `faults` is what shall go wrong.
    """

    def __init__(
        self,
        start: int,
        seed: int = 1,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        rate: float = 20.0,
        replay: Capture | None = None,
        speed: float = 1.0,
        weight_limit: int = 6_000,
        order_limit: int = 100,
        accounts: Sequence[Account] | None = None,
        public_key: str | None = None,
    ) -> None:
        self.faults = FaultDesk(Random(f"{seed} faults"), self._begin_fault, self._end_faults)
        self._random = Random(f"{seed} corruption")
        self._outbox = Outbox(self.faults, self._random)
        self._now = start
        self._schedule: list[tuple[int, int, Callable[[int], int]]] = []
        self._scheduled = 0
        self._sessions = 0
        self._connections = Window(300)
        self._rate = rate
        self._hub = StreamHub(self._send_stream)
        self._replay: Replay | None = None
        if replay is not None:
            self._replay = Replay(replay, self._hub, speed, start)
            infos, self._markets = self._replay.infos, self._replay.markets
        else:
            listings = [_listing(symbol) for symbol in symbols]
            self._markets = {listing.symbol: self._market(listing, seed, start) for listing in listings}
            infos = [market.rules.info for market in self._markets.values()]
        if accounts is None:
            accounts = [_demo_account(self._markets)]
        if public_key is not None:
            accounts = [*accounts, _demo_account(self._markets, public_key)]
        self._accounts = {account.key: account for account in accounts}
        limits = Limits(weight_limit, order_limit)
        security = Security(self._accounts)
        self._trading = Trading(self._markets, limits, self._tell, Random(f"{seed} ids"))
        data = MarketData(infos, self._markets, limits)
        requests = AccountRequests(self._trading, limits, data.check_symbol)
        served = operations(data, requests, ListRequests(self._trading, limits, requests.common))
        self._rest = Rest(served, security, limits)
        self._api = WebSocketApi(served, security, limits, self.faults, self._send_event)
        self._at(start // _FAST_NS * _FAST_NS + _FAST_NS, self._tick_fast)
        self._at(start // _SLOW_NS * _SLOW_NS + _SLOW_NS, self._tick_slow)

    def connect(self, host: str, path: str, now: int) -> str | HttpReply:
        """A new session, or the HTTP answer that refuses it. `path` includes the query."""
        self.advance(now)
        role = _role(host, path)
        if role is None:
            return HttpReply(404, {"Content-Type": "text/html"}, b"<html><body><h2>404 Not found</h2></body></html>")
        link = LinkRole.WS_API if role == "api" else LinkRole.STREAM
        fault = self.faults.connect_fault(link, path, now)
        if fault is not None:
            return refused_connection(fault)
        at = self._venue_time(now)
        if self._connections.count(at) >= _CONNECTIONS_PER_WINDOW:
            return json_reply({"code": -1034, "msg": "Too many connection attempts from IP."}, 429)
        self._connections.add(1, at)
        self._sessions += 1
        session = f"{role}-{self._sessions}"
        try:
            if role == "api":
                self._api.open(session, path, at)
                self._outbox.open(session, LinkRole.WS_API, LinkRole.USER)
            else:
                self._hub.open(session, path)
                self._outbox.open(session, LinkRole.STREAM)
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
                return json_reply(ledger(self._trading, self._accounts))
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
        """Say on every socket that the venue is about to close it."""
        event: dict[str, object] = {"e": "serverShutdown", "E": to_ms(self._venue_time(now))}
        self._hub.announce("!serverShutdown", event)
        self._api.announce(event)

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
                self._api.terminate_subscriptions(self._venue_time(now))
            case _:
                """A clock skew is in force as long as it is planned."""

    def _end_faults(self, now: int) -> None:
        self._outbox.thaw(now)
        self._now = now

    def _send_stream(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.STREAM, subject)

    def _send_event(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.USER, subject)

    def _tell(self, account: Account, event: dict[str, object]) -> None:
        self._api.tell(account, event)

    def _at(self, due: int, action: Callable[[int], int]) -> None:
        """`action` gets the time at which it was due and says when it is due again."""
        self._scheduled += 1
        heapq.heappush(self._schedule, (due, self._scheduled, action))

    def _market(self, listing: Listing, seed: int, start: int) -> Market:
        rules, price = listing.rules(), Decimal(listing.price)
        candles = Candles(f"{seed} {listing.symbol} past", to_ms(start), price, rules.tick_size, invent=True)
        market = Market(rules, self._hub, candles, price, _FIRST_ID)
        flow = OrderFlow(
            engine=market.engine,
            submit=market.submit,
            cancel=market.cancel,
            next_order_id=market.next_order_id,
            price=price,
            tick_size=rules.tick_size,
            ordinary_quantity=Decimal(listing.ordinary_quantity),
            random=Random(f"{seed} {listing.symbol}"),
        )
        flow.seed(start)
        if self._rate > 0:
            self._at(start + flow.pause_ns(self._rate), self._flow_step(flow))
        return market

    def _flow_step(self, flow: OrderFlow) -> Callable[[int], int]:
        def step(due: int) -> int:
            flow.step(due)
            return due + flow.pause_ns(self._rate)

        return step

    def _tick_fast(self, due: int) -> int:
        for market in self._markets.values():
            market.tick_fast(due)
        return due // _FAST_NS * _FAST_NS + _FAST_NS

    def _tick_slow(self, due: int) -> int:
        for market in self._markets.values():
            market.tick_slow(due)
        if self._hub.wanted("!miniTicker@arr"):
            events = [market.mini_ticker_event(to_ms(due)) for market in self._markets.values()]
            self._hub.publish("!miniTicker@arr", events)
        return due // _SLOW_NS * _SLOW_NS + _SLOW_NS

    def _begin_replay(self, now: int) -> None:
        if self._replay is not None and self._hub.subscriptions:
            self._replay.begin(now)

    def _state(self, now: int) -> dict[str, object]:
        return {
            "kind": "binance",
            "now": now,
            "symbols": list(self._markets),
            "sessions": self._hub.sessions + self._api.sessions,
            "subscriptions": self._hub.subscriptions + self._api.subscriptions,
            "last_update_id": {symbol: market.last_update_id for symbol, market in self._markets.items()},
            "replay": replay_state(self._replay),
        }


def _role(host: str, path: str) -> str | None:
    if host.startswith(_OTHER_PRODUCTS):
        return None
    path = path.partition("?")[0]
    if path.rstrip("/") == "/ws-api/v3":
        return "api"
    if path.rstrip("/") in ("/ws", "/stream") or path.startswith("/ws/"):
        return "stream"
    return None


def _listing(symbol: str) -> Listing:
    listing = LISTINGS.get(symbol)
    if listing is None:
        raise ConfigError(f"symbols: the fake venue does not list {symbol}; it lists {', '.join(LISTINGS)}")
    return listing


def _demo_account(markets: Mapping[str, Market], public_key: str | None = None) -> Account:
    """Ten million of every asset that is traded here."""
    assets = [asset for market in markets.values() for asset in (market.rules.base, market.rules.quote)]
    funds = dict.fromkeys(assets, _FUNDS)
    if public_key is None:
        return Account(DEMO_KEY, DEMO_SECRET, zlib.crc32(DEMO_KEY.encode()), funds)
    uid = zlib.crc32(DEMO_PUBLIC_KEY_NAME.encode())
    return Account(DEMO_PUBLIC_KEY_NAME, "", uid, funds, load_public_key(public_key))
