"""Binance USD-M futures as a pure protocol: market data, books, orders, the account's events, positions."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.credentials import Keys
from actors.messages import BookInvalidated, BookSnapshot, InstrumentsListed, PlaceOrder, VenueDown, VenueUp
from actors.model.instrument import Instrument
from actors.settings import VenueSettings
from actors.venues.binance.books import REQUEST as DEPTH
from actors.venues.binance.books import BookRule, Books
from actors.venues.binance.market_data import MarketData
from actors.venues.binance.streams import TRADE
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.payloads import ErrorBody, ServerTime
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_usdm import instruments
from actors.venues.binance_usdm.account import Account
from actors.venues.binance_usdm.book_sync import ChainedBookSync
from actors.venues.binance_usdm.errors import ERRORS
from actors.venues.binance_usdm.listen_key import KEEP_ALIVE, START
from actors.venues.binance_usdm.listen_key import LINK as ACCOUNT
from actors.venues.binance_usdm.market_data import AGGREGATE, STREAMS_PER_LINK, USDM, FuturesStreamReader
from actors.venues.binance_usdm.market_data import PROBE as PROBE_FRAME
from actors.venues.binance_usdm.order_requests import Call
from actors.venues.binance_usdm.payloads import ChainedDepthUpdate, PositionRisk
from actors.venues.binance_usdm.trading import HTTP, LINK, TIMEOUTS
from actors.venues.contract import BadFrame, Change, Command, ConnectLimit, Output, SendFrame, WakeUp
from actors.venues.refusals import refuse, refuse_change
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S

BOOKS = BookRule("/fapi/v1/depth?limit=1000&symbol=", 20, ChainedDepthUpdate, ChainedBookSync)

WEIGHT_LIMIT = 2400
CONNECT_LIMIT = ConnectLimit(300, 300 * NS_PER_S)
"""As for spot: this venue's own pages name no other."""
PROBE = "probe"
PROBE_NS = 15 * NS_PER_S
TIME = "time"
LIST = "instruments"
SETTING = "setting"
POSITIONS = "positions"
COUNTDOWN = "countdown"
RETRY_MIN_NS = NS_PER_S // 2
RETRY_MAX_NS = 60 * NS_PER_S
RETRY_NS = 5 * NS_PER_S
BAN_NS = 120 * NS_PER_S
"""The shortest ban, for a 418 that does not say for how long."""

_time = msgspec.json.Decoder(ServerTime)
_error = msgspec.json.Decoder(ErrorBody)
_positions = msgspec.json.Decoder(list[PositionRisk])


class BinanceUsdm:
    """`VenueProtocol` of one account, or of none: then market data only, and orders are denied with NO_CREDENTIALS.

    Up when the instruments are known and, with an account, its settings are in force, the link for orders is up and
    the account's stream is heard. Source: https://developers.binance.com/docs/derivatives/usds-margined-futures.
    """

    def __init__(
        self, name: str, settings: VenueSettings, keys: Keys | None, streams_per_link: int = STREAMS_PER_LINK
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = VenueClock()
        self._limits = RateLimits(WEIGHT_LIMIT)
        self._books = Books(name, settings.rest_url, self._limits, BOOKS)
        self._reader = FuturesStreamReader(name)
        self._market = MarketData(
            name, settings.symbols, settings.stream_url, self._books, streams_per_link, USDM, self._reader
        )
        self._trades_read: set[str] = set()
        """Symbols whose trades somebody asked for by themselves."""
        self._account = Account(name, settings, Signer(keys), self._clock, self._limits) if keys else None
        self._instruments: dict[str, Instrument] | None = None
        """None until the venue has told them; one that it does not list is missing."""
        self._list_attempts = 0
        self._is_listing = False
        self._time_asked = 0
        self._is_up = False
        self._probe_ns = min(PROBE_NS, int(settings.stale_after_s * NS_PER_S / 3))

    @property
    def symbols(self) -> Sequence[str]:
        return self._settings.symbols

    @property
    def connect_limit(self) -> ConnectLimit:
        return CONNECT_LIMIT

    # ---- links ---------------------------------------------------------------------------------------------------

    def start(self, now: int) -> list[Output]:
        account = self._account
        return [
            *self._list(now),
            *self._market.open(),
            *([*account.trading.open(), *account.listen_key.ask(), *self._ask_time(now)] if account else []),
            WakeUp(self._probe_ns, PROBE),
        ]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        account = self._account
        if account is None or link not in (LINK, ACCOUNT):
            return self._market.on_link_up(link, now)
        if link == LINK:
            account.trading.on_link_up()
            listed = self._list(now) if self._instruments is not None else []
            return self._and_state([*self._ask_time(now), *listed], now)
        account.stream.on_link_up()
        return self._and_state(self._apply_settings(now), now)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        account = self._account
        if account is None or link not in (LINK, ACCOUNT):
            return self._market.on_link_down(link, reason, now)
        if link == LINK:
            return self._and_state(account.trading.on_link_down(reason, now), now)
        account.stream.on_link_down(reason)
        account.settings.begin()
        return self._and_state(account.listen_key.ask(), now)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        account = self._account
        if account is None or link not in (LINK, ACCOUNT):
            return self._market.on_frame(link, payload, ts_recv)
        handle = account.trading.on_frame if link == LINK else account.stream.on_frame
        return self._and_state(handle(payload, ts_recv), ts_recv)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        if frame.link == LINK and self._account:
            return self._account.trading.on_not_sent(frame.payload, now)
        return []

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        account = self._account
        if tag == PROBE:
            return [*self._probes(now), WakeUp(self._probe_ns, PROBE)]
        if tag == LIST:
            return self._list(now)
        outputs = self._market.on_wake_up(tag, now)
        if outputs is not None:
            return outputs
        if account is None:
            return self._books.on_wake_up(tag, now)
        if tag == TIMEOUTS:
            return account.trading.on_wake_up(now)
        if tag in (START, KEEP_ALIVE):
            return account.listen_key.on_wake_up(tag)
        if tag == SETTING:
            return self._apply_settings(now)
        if tag == COUNTDOWN:
            return self._renew_countdowns(now)
        return self._books.on_wake_up(tag, now)

    def _probes(self, now: int) -> list[Output]:
        account = self._account
        if account is None:
            return self._market.probe(now)
        own = [SendFrame(ACCOUNT, PROBE_FRAME)] if account.stream.is_heard else []
        return [*self._market.probe(now), *account.trading.probe(), *own, *self._ask_time(now)]

    def _and_state(self, outputs: list[Output], now: int) -> list[Output]:
        """With `VenueUp` or `VenueDown` at the end if that has changed."""
        problem = self._problem()
        is_up = not problem
        if is_up == self._is_up:
            return outputs
        self._is_up = is_up
        if not is_up:
            return [*outputs, VenueDown(self._name, problem, now)]
        after = [*self._ask_positions(now), *self._renew_countdowns(now)] if self._account else []
        return [*outputs, VenueUp(self._name, "", now), *after]

    def _problem(self) -> str:
        """Why orders may not go; "" if they may."""
        account = self._account
        if self._instruments is None:
            return "NOT_LISTED: the venue has not told its contracts yet"
        if account is None:
            return ""
        if not account.trading.is_up:
            return "LINK_DOWN: no link for orders"
        if not self._clock.is_known:
            return "CLOCK: the venue's time is not known yet"
        if not account.stream.is_heard:
            return account.listen_key.problem or account.stream.problem
        return "" if account.settings.is_done else account.setting_problem

    # ---- commands ------------------------------------------------------------------------------------------------

    def execute(self, command: Command, now: int) -> list[Output]:
        if self._account is None:
            return [refuse(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        if isinstance(command, PlaceOrder) and not self._is_listed(command.order.symbol):
            return [refuse(self._name, command, "UNKNOWN_SYMBOL", f"{command.order.symbol} is not listed", now)]
        return self._account.trading.execute(command, self._problem(), now)

    def rehearse(self, command: PlaceOrder, now: int) -> None:
        if self._account is not None and self._clock.is_known and self._is_listed(command.order.symbol):
            self._account.trading.rehearse(command, now)

    def change(self, command: Change, now: int) -> list[Output]:
        if self._account is None:
            return [*refuse_change(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        return self._account.trading.change(command, now)

    # ---- REST ----------------------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpAnswered):
            self._learn_limits(answer, now)
        if answer.id.startswith(DEPTH):
            return self._books.on_snapshot(answer, now)
        return self._and_state(self._on_http(answer, now), now)

    def _on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        account = self._account
        if answer.id == instruments.REQUEST:
            return self._on_listing(answer)
        if account is None:
            return []
        if answer.id.startswith(HTTP):
            return account.trading.on_http(answer, now)
        if answer.id == TIME:
            return self._on_time(answer, now)
        if answer.id in (START, KEEP_ALIVE):
            return account.listen_key.on_http(answer)
        if answer.id == SETTING:
            return self._on_setting(account, answer, now)
        return self._on_positions(account, answer) if answer.id == POSITIONS else []

    def _learn_limits(self, answer: HttpAnswered, now: int) -> None:
        self._limits.learn_headers(answer.headers, now)
        seconds = answer.headers.get("retry-after", "")
        wait_ns = int(seconds) * NS_PER_S if seconds.isdecimal() else BAN_NS
        match ERRORS.action(answer.status, 0):
            case Action.BAN:
                self._limits.ban(now + wait_ns)
            case Action.BACK_OFF:
                self._limits.back_off(now + wait_ns)
            case _:
                pass

    def _ask_time(self, now: int) -> list[Output]:
        if self._limits.spend(1, Priority.QUERY, now):
            return []
        self._time_asked = now
        return [HttpRequest(TIME, "GET", f"{self._settings.rest_url}/fapi/v1/time")]

    def _on_time(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return []
        try:
            server_time = _time.decode(answer.body).server_time
        except (msgspec.MsgspecError, ValueError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False)]
        was_known = self._clock.is_known
        self._clock.learn(self._time_asked, answer.ts_recv, server_time)
        return [] if was_known else self._apply_settings(now)

    def _list(self, now: int) -> list[Output]:
        if self._is_listing:
            return []
        wait = self._limits.spend(instruments.WEIGHT, Priority.QUERY, now)
        if wait:
            return [WakeUp(wait, LIST)]
        self._is_listing = True
        return [instruments.ask(self._settings.rest_url)]

    def _on_listing(self, answer: HttpAnswered | HttpFailed) -> list[Output]:
        self._is_listing = False
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return self._list_later()
        try:
            listing = instruments.read(self._name, self._settings.symbols, answer.body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False), *self._list_later()]
        self._instruments = listing.instruments
        self._limits.set(listing.rate_limits)
        self._list_attempts = 0
        return [InstrumentsListed(self._name, list(listing.instruments.values()))]

    def _list_later(self) -> list[Output]:
        self._list_attempts += 1
        return [WakeUp(min(RETRY_MAX_NS, RETRY_MIN_NS << min(self._list_attempts, 16)), LIST)]

    # ---- settings of the account and its positions ---------------------------------------------------------------

    def _apply_settings(self, now: int) -> list[Output]:
        """The next one, while the account is heard; one at a time, because the venue takes them in no other order."""
        account = self._account
        if account is None or account.is_setting or not account.stream.is_heard or not self._clock.is_known:
            return []
        call = account.settings.next()
        if call is None:
            return []
        account.is_setting = True
        return [account.trading.signed_request(SETTING, call, now)]

    def _on_setting(self, account: Account, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        account.is_setting = False
        if isinstance(answer, HttpAnswered) and (answer.status == 200 or _is_already(answer)):
            account.settings.taken()
            return self._apply_settings(now)
        words = answer.reason if isinstance(answer, HttpFailed) else answer.body[:200].decode("utf-8", "replace")
        account.setting_problem = f"SETTING_REFUSED: {words}"
        return [WakeUp(RETRY_NS, SETTING)]

    def _ask_positions(self, now: int) -> list[Output]:
        account = self._account
        if account is None or self._limits.spend(5, Priority.QUERY, now):
            return []
        call = Call("/fapi/v3/positionRisk", {}, 5, Priority.QUERY, verb="GET")
        return [account.trading.signed_request(POSITIONS, call, now)]

    def _on_positions(self, account: Account, answer: HttpAnswered | HttpFailed) -> list[Output]:
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return []
        try:
            return [account.trading.executions.positions(_positions.decode(answer.body), answer.ts_recv)]
        except (msgspec.MsgspecError, ValueError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False)]

    def _renew_countdowns(self, now: int) -> list[Output]:
        account = self._account
        if account is None or not account.settings.renew_ns or not self._is_up:
            return []
        requests: list[Output] = [
            account.trading.signed_request(COUNTDOWN, call, now)
            for call in account.settings.countdowns()
            if not self._limits.spend(call.weight, call.priority, now)
        ]
        return [*requests, WakeUp(account.settings.renew_ns, COUNTDOWN)]

    # ---- asked from outside --------------------------------------------------------------------------------------

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        return self._books.current(symbol) if self._is_listed(symbol) else None

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        """Trades and aggregate trades are one stream."""
        readers = self._one_stream(kind)
        if readers is None:
            return self._market.follow(kind, symbol, now)
        readers.add(symbol)
        return self._market.follow(TRADE, symbol, now)

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        readers = self._one_stream(kind)
        if readers is None:
            return self._market.unfollow(kind, symbol, now)
        readers.discard(symbol)
        is_read = symbol in self._trades_read or symbol in self._reader.aggregates
        return [] if is_read else self._market.unfollow(TRADE, symbol, now)

    def _one_stream(self, kind: str) -> set[str] | None:
        return {AGGREGATE: self._reader.aggregates, TRADE: self._trades_read}.get(kind)

    def _is_listed(self, symbol: str) -> bool:
        """As far as is known yet."""
        return self._instruments is None or symbol in self._instruments

    def report(self, final: bool) -> dict[str, Any]:
        state: dict[str, Any] = {
            "books": self._books.states(),
            "unknown_symbols": [symbol for symbol in self.symbols if not self._is_listed(symbol)],
            "used_weight": self._limits.weight.last_used,
            "weight_limit": self._limits.weight.limit,
            "clock_offset_ms": self._clock.offset_ns / 1e6,
            "order_counts": self._limits.order_counts(),
            "problem": self._problem(),
            "settings": dict(self._account.settings.applied) if self._account else {},
        }
        if final:
            state["digests"] = self._books.digests()
        return state


def _is_already(answer: HttpAnswered) -> bool:
    try:
        error = _error.decode(answer.body)
    except (msgspec.MsgspecError, ValueError):
        return False
    return ERRORS.action(answer.status, error.code, error.msg) is Action.ALREADY
