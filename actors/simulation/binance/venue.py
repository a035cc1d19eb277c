"""The fake Binance spot venue, whole and pure: calls with the time in, frames and answers out.

Who is asked follows from the path: `/api/…` is REST, `/ws` and `/stream` are market data, `/ws-api/v3` is the
WebSocket API, `/fake/…` is the test window; hosts of the venue's other products are not here.
"""

import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from actors.simulation.accounts import DEMO_KEY, DEMO_PUBLIC_KEY_NAME, DEMO_SECRET, Account
from actors.simulation.binance.account_requests import AccountRequests
from actors.simulation.binance.base import FIRST_ID, FUNDS, BaseVenue
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.list_requests import ListRequests
from actors.simulation.binance.market import Market
from actors.simulation.binance.market_data import MarketData
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.operations import operations
from actors.simulation.binance.replay import Replay
from actors.simulation.binance.rest import Rest
from actors.simulation.binance.security import Security
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance.symbols import LISTINGS, Listing
from actors.simulation.binance.trading import Trading
from actors.simulation.binance.websocket_api import WebSocketApi
from actors.simulation.binance.window import ledger, replay_state
from actors.simulation.capture import Capture
from actors.simulation.faults import LinkRole
from actors.simulation.keys import load_public_key
from runtime.errors import ConfigError

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC")

_OTHER_PRODUCTS = ("fapi.", "dapi.", "eapi.", "fstream.", "dstream.", "ws-fapi.", "ws-dapi.")


class FakeBinance(BaseVenue):
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
        super().__init__(start, seed, rate)
        self._hub = StreamHub(self._send_stream)
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
        self._begin_ticking()

    def _role(self, host: str, path: str) -> LinkRole | None:
        if host.startswith(_OTHER_PRODUCTS):
            return None
        path = path.partition("?")[0]
        if path.rstrip("/") == "/ws-api/v3":
            return LinkRole.WS_API
        if path.rstrip("/") in ("/ws", "/stream") or path.startswith("/ws/"):
            return LinkRole.STREAM
        return None

    def _open(self, session: str, role: LinkRole, path: str, now: int) -> None:
        if role is LinkRole.WS_API:
            self._api.open(session, path, now)
            self._outbox.open(session, LinkRole.WS_API, LinkRole.USER)
        else:
            self._hub.open(session, path)
            self._outbox.open(session, LinkRole.STREAM)

    def _terminate_streams(self, now: int) -> None:
        self._api.terminate_subscriptions(now)

    def _tell(self, account: Account, event: dict[str, object]) -> None:
        self._api.tell(account, event)

    def _market(self, listing: Listing, seed: int, start: int) -> Market:
        rules, price = listing.rules(), Decimal(listing.price)
        candles = Candles(f"{seed} {listing.symbol} past", to_ms(start), price, rules.tick_size, invent=True)
        market = Market(rules, self._hub, candles, price, FIRST_ID)
        ordinary = Decimal(listing.ordinary_quantity)
        self._let_flow(market, price, rules.tick_size, ordinary, Random(f"{seed} {listing.symbol}"))
        return market

    def _tick_market_fast(self, due: int) -> None:
        for market in self._markets.values():
            market.tick_fast(due)

    def _tick_market_slow(self, due: int) -> None:
        for market in self._markets.values():
            market.tick_slow(due)
        if self._hub.wanted("!miniTicker@arr"):
            events = [market.mini_ticker_event(to_ms(due)) for market in self._markets.values()]
            self._hub.publish("!miniTicker@arr", events)

    def _ledger(self) -> dict[str, object]:
        return ledger(self._trading, self._accounts)

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


def _listing(symbol: str) -> Listing:
    listing = LISTINGS.get(symbol)
    if listing is None:
        raise ConfigError(f"symbols: the fake venue does not list {symbol}; it lists {', '.join(LISTINGS)}")
    return listing


def _demo_account(markets: Mapping[str, Market], public_key: str | None = None) -> Account:
    """Ten million of every asset that is traded here."""
    assets = [asset for market in markets.values() for asset in (market.rules.base, market.rules.quote)]
    funds = dict.fromkeys(assets, FUNDS)
    if public_key is None:
        return Account(DEMO_KEY, DEMO_SECRET, zlib.crc32(DEMO_KEY.encode()), funds)
    uid = zlib.crc32(DEMO_PUBLIC_KEY_NAME.encode())
    return Account(DEMO_PUBLIC_KEY_NAME, "", uid, funds, load_public_key(public_key))
