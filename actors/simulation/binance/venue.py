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

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET, Account
from actors.simulation.binance.account_requests import AccountRequests
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.limits import Limits, Window
from actors.simulation.binance.market import Market
from actors.simulation.binance.market_data import MarketData
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.operations import operations
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.rest import HttpReply, Rest, json_reply
from actors.simulation.binance.security import Security
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.symbols import LISTINGS, Listing
from actors.simulation.binance.trading import Trading
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.binance.window import ledger, replay_state
from actors.simulation.capture import Capture
from actors.simulation.flow import OrderFlow
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
    ) -> None:
        self._outbox: list[tuple[str, bytes | None]] = []
        self._schedule: list[tuple[int, int, Callable[[int], int]]] = []
        self._scheduled = 0
        self._sessions = 0
        self._connections = Window(300)
        self._rate = rate
        self._hub = StreamHub(self._send)
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
        self._accounts = {account.key: account for account in accounts}
        limits = Limits(weight_limit, order_limit)
        security = Security(self._accounts)
        self._trading = Trading(self._markets, limits, self._tell, Random(f"{seed} ids"))
        data = MarketData(infos, self._markets, limits)
        served = operations(data, AccountRequests(self._trading, limits, data.check_symbol))
        self._rest = Rest(served, security, limits)
        self._api = WebSocketApi(served, security, limits, self._send)
        self._at(start // _FAST_NS * _FAST_NS + _FAST_NS, self._tick_fast)
        self._at(start // _SLOW_NS * _SLOW_NS + _SLOW_NS, self._tick_slow)

    def connect(self, host: str, path: str, now: int) -> str | HttpReply:
        """A new session, or the HTTP answer that refuses it. `path` includes the query."""
        self.advance(now)
        role = _role(host, path)
        if role is None:
            return HttpReply(404, {"Content-Type": "text/html"}, b"<html><body><h2>404 Not found</h2></body></html>")
        if self._connections.count(now) >= _CONNECTIONS_PER_WINDOW:
            return json_reply({"code": -1034, "msg": "Too many connection attempts from IP."}, 429)
        self._connections.add(1, now)
        self._sessions += 1
        session = f"{role}-{self._sessions}"
        try:
            if role == "api":
                self._api.open(session, path, now)
            else:
                self._hub.open(session, path)
        except Refusal as refusal:
            return json_reply(refusal.body(), refusal.status)
        self._begin_replay(now)
        return session

    def receive(self, session: str, text: str, now: int) -> None:
        """One text frame of this session."""
        self.advance(now)
        if session in self._hub:
            self._hub.receive(session, text, now)
            self._begin_replay(now)
        elif session in self._api:
            mark = len(self._outbox)
            answer = self._api.receive(session, text, now)
            self._outbox.insert(mark, (session, answer))

    def disconnect(self, session: str, now: int | None = None) -> None:
        self._hub.close(session)
        self._api.close(session)

    def http(
        self, method: str, host: str, path: str, query: str, headers: Mapping[str, str], body: str, now: int
    ) -> HttpReply:
        """`path` without the query, `query` as it was sent, without the question mark."""
        self.advance(now)
        match method, path:
            case "GET", "/fake/ledger":
                return json_reply(ledger(self._trading, self._accounts))
            case "GET", "/fake/state":
                return json_reply(self._state(now))
            case _:
                return self._rest.answer(method, path, query, headers, body, now)

    def advance(self, now: int) -> None:
        """Do everything that is due, in the order of its time."""
        while self._schedule[0][0] <= now:
            due, _, action = heapq.heappop(self._schedule)
            self._at(action(max(due, now - _MOST_BEHIND_NS)), action)
        if self._replay is not None:
            self._replay.advance(now)

    def next_due(self) -> int | None:
        due = self._schedule[0][0]
        replay_due = self._replay.next_due() if self._replay is not None else None
        return due if replay_due is None else min(due, replay_due)

    @property
    def waits_for_readers(self) -> bool:
        """Whether everything that is left is due at once: who drives it should let the readers keep up."""
        return self._replay is not None and self._replay.waits_for_readers

    def take_outbox(self) -> list[tuple[str, bytes | None]]:
        """What to send since the last call, in order; None as the payload closes the session."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def shut_down(self, now: int) -> None:
        """Say on every socket that the venue is about to close it."""
        event: dict[str, object] = {"e": "serverShutdown", "E": to_ms(now)}
        self._hub.announce("!serverShutdown", event)
        self._api.announce(event)

    def _send(self, session: str, payload: bytes | None) -> None:
        self._outbox.append((session, payload))

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


def _demo_account(markets: Mapping[str, Market]) -> Account:
    """Ten million of every asset that is traded here."""
    assets = [asset for market in markets.values() for asset in (market.rules.base, market.rules.quote)]
    return Account(DEMO_KEY, DEMO_SECRET, zlib.crc32(DEMO_KEY.encode()), dict.fromkeys(assets, _FUNDS))
