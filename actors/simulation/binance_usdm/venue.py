"""The fake Binance USD-M futures venue, whole and pure: calls with the time in, frames and answers out.

Who is asked follows from the path: `/fapi/…` is REST, `/public/…` and `/market/…` are market data, `/private/…` the
account's events, `/ws-fapi/v1` the WebSocket API, `/fake/…` the test window.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET, Account
from actors.simulation.binance.base import FIRST_ID, FUNDS, BaseVenue
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.numbers import NS_PER_MS, to_ms
from actors.simulation.binance.operations import Operation, PublicOperation
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.security import Security
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.binance.window import replay_state
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
from actors.simulation.faults import LinkRole
from runtime.errors import ConfigError

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
KIND = "binance-usdm"


class FakeBinanceUsdm(BaseVenue):
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
        super().__init__(start, seed, rate)
        self._hub = SplitStreams(self._send_stream)
        self._listen_keys = ListenKeys(self._send_event, Random(f"{seed} listen keys"))
        self._ids = UpdateIds(FIRST_ID)
        self.markets: dict[str, FuturesMarket] = {}
        if replay is not None:
            played = FuturesReplay(replay, self._hub, speed, start)
            self._replay = played
            infos = played.infos
            self.markets = played.contracts
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
        self._algos = AlgoOrders(self.trading, self.markets, self._listen_keys.tell, FIRST_ID)
        self._data = FuturesData(infos, self.markets, limits)
        self._requests = OrderRequests(self.trading, self._algos)
        served = operations(self._data, self._requests, AccountRequests(self.trading, self.markets))
        self._rest = FuturesRest(served, self._security, limits, self._listen_keys)
        over_socket = {name: served[name] for name in WEBSOCKET} | self._user_stream_methods()
        self._api = WebSocketApi(over_socket, self._security, limits, self.faults, self._send_event)
        self._begin_ticking()
        for market in self.markets.values():
            self._at(market.next_funding(to_ms(start)) * NS_PER_MS, self._funding(market))

    def disconnect(self, session: str, now: int | None = None) -> None:
        self._listen_keys.close(session)
        super().disconnect(session, now)

    def _role(self, host: str, path: str) -> LinkRole | None:
        path = path.partition("?")[0].rstrip("/")
        if path == "/ws-fapi/v1":
            return LinkRole.WS_API
        first, _, rest = path.removeprefix("/").partition("/")
        if rest.partition("/")[0] not in ("ws", "stream"):
            return None
        return {"public": LinkRole.STREAM, "market": LinkRole.STREAM, "private": LinkRole.USER}.get(first)

    def _open(self, session: str, role: LinkRole, path: str, now: int) -> None:
        match role:
            case LinkRole.WS_API:
                self._api.open(session, path, now)
            case LinkRole.USER:
                self._listen_keys.open(session, path.removeprefix("/private"))
            case _:
                self._hub.open(session, path)
        self._outbox.open(session, role)

    def _hear(self, session: str, text: str, now: int) -> None:
        if session in self._listen_keys:
            self._listen_keys.receive(session, text)
        else:
            super()._hear(session, text, now)

    def _terminate_streams(self, now: int) -> None:
        self._listen_keys.end_all(now)

    def _tick_market_fast(self, due: int) -> None:
        self._algos.trigger(due)
        self._requests.cancel_counted_down(due)
        self.trading.expire_due(due)
        for market in self.markets.values():
            market.tick_fast(due)

    def _tick_market_slow(self, due: int) -> None:
        for market in self.markets.values():
            market.tick_slow(due)
        self.trading.liquidate(self.accounts.values(), due)
        self._listen_keys.expire(due)

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

    def _market(self, contract: Contract, seed: int, start: int, funding_ms: int) -> FuturesMarket:
        rules, price = contract.rules(), Decimal(contract.price)
        candles = Candles(f"{seed} {contract.symbol} past", to_ms(start), price, rules.tick_size, invent=True)
        market = FuturesMarket(rules, self._hub, candles, price, FIRST_ID, self._ids, funding_ms)
        ordinary = Decimal(contract.ordinary_quantity)
        self._let_flow(market, price, rules.tick_size, ordinary, Random(f"{seed} {contract.symbol}"))
        return market

    def _ledger(self) -> dict[str, object]:
        return ledger(self.trading, self.accounts)

    def _state(self, now: int) -> dict[str, object]:
        return {
            "kind": KIND,
            "now": now,
            "symbols": list(self.markets),
            "sessions": self._hub.sessions + self._api.sessions + len(self._listen_keys),
            "subscriptions": self._hub.subscriptions + len(self._listen_keys),
            "last_update_id": {symbol: market.last_update_id for symbol, market in self.markets.items()},
            "replay": replay_state(self._replay),
        }


def _contract(symbol: str) -> Contract:
    contract = CONTRACTS.get(symbol)
    if contract is None:
        raise ConfigError(f"symbols: the fake venue does not list {symbol}; it lists {', '.join(CONTRACTS)}")
    return contract


def _demo_account(markets: Mapping[str, FuturesMarket]) -> MarginAccount:
    """Ten million of every asset that is margin here."""
    assets = dict.fromkeys((market.rules.margin_asset for market in markets.values()), FUNDS)
    return MarginAccount(DEMO_KEY, DEMO_SECRET, zlib.crc32(DEMO_KEY.encode()), assets)
