"""The fake Binance USD-M futures venue, whole and pure: calls with the time in, frames and answers out.

Driven as the spot venue is (see `FakeBinance`), and by the same shell. Who is asked follows from the path: `/fapi/…` is
REST, `/public/…` and `/market/…` are market data, `/private/…` the account's events, `/ws-fapi/v1` the WebSocket API,
`/fake/…` the test window.
"""

import heapq
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from urllib.parse import parse_qsl

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET, Account
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.limits import Window
from actors.simulation.binance.numbers import NS_PER_MS, to_ms
from actors.simulation.binance.operations import Operation, PublicOperation
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.security import Security
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.binance_usdm.account_requests import AccountRequests
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.algo import AlgoOrders
from actors.simulation.binance_usdm.contracts import CONTRACTS, Contract
from actors.simulation.binance_usdm.limits import FuturesLimits
from actors.simulation.binance_usdm.listen_keys import ListenKeys
from actors.simulation.binance_usdm.market import FuturesMarket, UpdateIds
from actors.simulation.binance_usdm.market_data import FuturesData
from actors.simulation.binance_usdm.operations import WEBSOCKET, operations
from actors.simulation.binance_usdm.order_requests import OrderRequests
from actors.simulation.binance_usdm.replay import FuturesReplay
from actors.simulation.binance_usdm.rest import FuturesRest
from actors.simulation.binance_usdm.split_streams import SplitStreams
from actors.simulation.binance_usdm.trading import MarginTrading
from actors.simulation.binance_usdm.window import ledger
from actors.simulation.capture import Capture
from actors.simulation.fault_desk import FaultDesk
from actors.simulation.faults import Cut, Fault, Freeze, LinkRole, ServerShutdown, StreamTerminated
from actors.simulation.flow import OrderFlow
from actors.simulation.http_reply import (
    HttpReply,
    answer_fault_window,
    answer_under_faults,
    json_reply,
    refused_connection,
)
from actors.simulation.outbox import Outbox, Payload
from runtime.errors import ConfigError

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
KIND = "binance-usdm"

_FAST_NS = 100_000_000
_SLOW_NS = 1_000_000_000
_MOST_BEHIND_NS = 250_000_000
"""A venue that was not driven for longer than this goes on from now instead of catching up."""
_FIRST_ID = 1_000_000
_CONNECTIONS_PER_WINDOW = 300
_FUNDS = Decimal(10_000_000)


class FakeBinanceUsdm:
    """`start` is the time at which trading begins; `rate` is steps of simulated order flow a second and contract, 0 for
    none after the books have been filled. With a `replay` the markets are the recorded ones, without simulated flow.
    `funding_ms` is how far apart fundings are. `faults` is what shall go wrong.
    """

    def __init__(
        self,
        start: int,
        seed: int = 1,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        rate: float = 20.0,
        replay: Capture | None = None,
        speed: float = 1.0,
        weight_limit: int = 2_400,
        order_limit: int = 300,
        accounts: Sequence[MarginAccount] | None = None,
        funding_ms: int = 8 * 3_600_000,
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
        self._streams = SplitStreams(self._send_stream)
        self._listen_keys = ListenKeys(self._send_event, Random(f"{seed} listen keys"))
        self._ids = UpdateIds(_FIRST_ID)
        self._replay: FuturesReplay | None = None
        self.markets: dict[str, FuturesMarket] = {}
        if replay is not None:
            self._replay = FuturesReplay(replay, self._streams, speed, start)
            infos = self._replay.infos
            self.markets = self._replay.contracts
        else:
            for contract in (_contract(symbol) for symbol in symbols):
                self.markets[contract.symbol] = self._market(contract, seed, start, funding_ms)
            infos = [market.rules.info for market in self.markets.values()]
        if accounts is None:
            accounts = [_demo_account(self.markets)]
        self.accounts = {account.key: account for account in accounts}
        keyed: dict[str, Account] = dict(self.accounts)
        self._security = Security(keyed)
        limits = FuturesLimits(weight_limit, order_limit)
        self.trading = MarginTrading(self.markets, limits, self._listen_keys.tell, Random(f"{seed} ids"))
        self._algos = AlgoOrders(self.trading, self.markets, self._listen_keys.tell, _FIRST_ID)
        self._data = FuturesData(infos, self.markets, limits)
        self._requests = OrderRequests(self.trading, self._algos)
        served = operations(self._data, self._requests, AccountRequests(self.trading, self.markets))
        self._rest = FuturesRest(served, self._security, limits, self._listen_keys)
        over_socket = {name: served[name] for name in WEBSOCKET} | self._user_stream_methods()
        self._api = WebSocketApi(over_socket, self._security, limits, self.faults, self._send_event)
        self._at(start // _FAST_NS * _FAST_NS + _FAST_NS, self._tick_fast)
        self._at(start // _SLOW_NS * _SLOW_NS + _SLOW_NS, self._tick_slow)
        for market in self.markets.values():
            self._at(market.next_funding(to_ms(start)) * NS_PER_MS, self._funding(market))

    # ---- called by the shell -------------------------------------------------------------------------------------

    def connect(self, host: str, path: str, now: int) -> str | HttpReply:
        """A new session, or the HTTP answer that refuses it. `path` includes the query."""
        self.advance(now)
        role = _role(path)
        if role is None:
            return HttpReply(404, {"Content-Type": "text/html"}, b"<html><body><h2>404 Not found</h2></body></html>")
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
            match role:
                case LinkRole.WS_API:
                    self._api.open(session, path, at)
                case LinkRole.USER:
                    self._listen_keys.open(session, path.removeprefix("/private"))
                case _:
                    self._streams.open(session, path)
        except Refusal as refusal:
            return json_reply(refusal.body(), refusal.status)
        self._outbox.open(session, role)
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
        self._streams.close(session)
        self._api.close(session)
        self._listen_keys.close(session)
        self._outbox.close(session)

    def is_frozen(self, session: str) -> bool:
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
                return json_reply(ledger(self.trading, self.accounts))
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
        return self._replay is not None and self._replay.waits_for_readers

    def take_outbox(self) -> list[tuple[str, Payload]]:
        """What to send since the last call, in order; None as the payload closes the session, `Closing` too."""
        return self._outbox.take(self._now)

    def shut_down(self, now: int) -> None:
        """Say on every market data and WebSocket API socket that the venue is about to close it."""
        event: dict[str, object] = {"e": "serverShutdown", "E": to_ms(self._venue_time(now))}
        self._streams.announce("!serverShutdown", event)
        self._api.announce(event)

    # ---- time ----------------------------------------------------------------------------------------------------

    def _tick_fast(self, due: int) -> int:
        self._algos.trigger(due)
        self._requests.cancel_counted_down(due)
        self.trading.expire_due(due)
        for market in self.markets.values():
            market.tick_fast(due)
        return due // _FAST_NS * _FAST_NS + _FAST_NS

    def _tick_slow(self, due: int) -> int:
        for market in self.markets.values():
            market.tick_slow(due)
        self.trading.liquidate(self.accounts.values(), due)
        self._listen_keys.expire(due)
        return due // _SLOW_NS * _SLOW_NS + _SLOW_NS

    def _funding(self, market: FuturesMarket) -> Callable[[int], int]:
        def pay(due: int) -> int:
            for account in self.accounts.values():
                self.trading.fund(account, market.symbol, due)
            self._data.fundings.append(
                {
                    "symbol": market.symbol,
                    "fundingRate": f"{market.funding_rate:.8f}",
                    "fundingTime": to_ms(due),
                    "markPrice": f"{market.mark_price:.8f}",
                    "rateType": "Regular",
                }
            )
            return market.next_funding(to_ms(due)) * NS_PER_MS

        return pay

    def _at(self, due: int, action: Callable[[int], int]) -> None:
        """`action` gets the time at which it was due and says when it is due again."""
        self._scheduled += 1
        heapq.heappush(self._schedule, (due, self._scheduled, action))

    # ---- sessions ------------------------------------------------------------------------------------------------

    def _hear(self, session: str, text: str, now: int) -> None:
        at = self._venue_time(now)
        if session in self._streams:
            self._streams.receive(session, text, at)
            self._begin_replay(now)
        elif session in self._listen_keys:
            self._listen_keys.receive(session, text)
        elif session in self._api:
            place = len(self._outbox)
            method, answer = self._api.receive(session, text, at)
            if answer is not None:
                self._outbox.put(session, answer, LinkRole.WS_API, method, place)

    def _user_stream_methods(self) -> dict[str, Operation]:
        """Need the key, but no signature."""

        def method(run: Callable[[Account, int], object]) -> PublicOperation:
            def with_key(parameters: Parameters, now: int) -> object:
                account = self._security.account(parameters.required("apiKey"))
                parameters.done()
                return run(account, now)

            return PublicOperation(lambda parameters: 1, with_key)

        keys = self._listen_keys
        return {
            "userDataStream.start": method(lambda account, now: {"listenKey": keys.start(account, now)}),
            "userDataStream.ping": method(lambda account, now: {"listenKey": keys.keep_alive(account, now)}),
            "userDataStream.stop": method(lambda account, now: keys.stop(account, now)),
        }

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
                self._listen_keys.end_all(self._venue_time(now))
            case _:
                """A clock skew is in force as long as it is planned."""

    def _end_faults(self, now: int) -> None:
        self._outbox.thaw(now)
        self._now = now

    def _send_stream(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.STREAM, subject)

    def _send_event(self, session: str, payload: bytes | None, subject: str) -> None:
        self._outbox.put(session, payload, LinkRole.USER, subject)

    # ---- markets -------------------------------------------------------------------------------------------------

    def _market(self, contract: Contract, seed: int, start: int, funding_ms: int) -> FuturesMarket:
        rules, price = contract.rules(), Decimal(contract.price)
        candles = Candles(f"{seed} {contract.symbol} past", to_ms(start), price, rules.tick_size, invent=True)
        market = FuturesMarket(rules, self._streams, candles, price, _FIRST_ID, self._ids, funding_ms)
        flow = OrderFlow(
            engine=market.engine,
            submit=market.submit,
            cancel=market.cancel,
            next_order_id=market.next_order_id,
            price=price,
            tick_size=rules.tick_size,
            ordinary_quantity=Decimal(contract.ordinary_quantity),
            random=Random(f"{seed} {contract.symbol}"),
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

    def _begin_replay(self, now: int) -> None:
        if self._replay is not None and self._streams.subscriptions:
            self._replay.begin(now)

    def _state(self, now: int) -> dict[str, object]:
        replay = self._replay
        played = {"finished": replay.finished, "played": replay.played, "total": replay.total} if replay else None
        return {
            "kind": KIND,
            "now": now,
            "symbols": list(self.markets),
            "sessions": self._streams.sessions + self._api.sessions + len(self._listen_keys),
            "subscriptions": self._streams.subscriptions + len(self._listen_keys),
            "last_update_id": {symbol: market.last_update_id for symbol, market in self.markets.items()},
            "replay": played,
        }


def _role(path: str) -> LinkRole | None:
    path = path.partition("?")[0].rstrip("/")
    if path == "/ws-fapi/v1":
        return LinkRole.WS_API
    first, _, rest = path.removeprefix("/").partition("/")
    if rest.partition("/")[0] not in ("ws", "stream"):
        return None
    return {"public": LinkRole.STREAM, "market": LinkRole.STREAM, "private": LinkRole.USER}.get(first)


def _contract(symbol: str) -> Contract:
    contract = CONTRACTS.get(symbol)
    if contract is None:
        raise ConfigError(f"symbols: the fake venue does not list {symbol}; it lists {', '.join(CONTRACTS)}")
    return contract


def _demo_account(markets: Mapping[str, FuturesMarket]) -> MarginAccount:
    """Ten million of every asset that is margin here."""
    assets = dict.fromkeys((market.rules.margin_asset for market in markets.values()), _FUNDS)
    return MarginAccount(DEMO_KEY, DEMO_SECRET, zlib.crc32(DEMO_KEY.encode()), assets)
