"""Binance USD-M futures as a pure protocol: market data, books, orders, the account's events, positions."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actors.credentials import Keys
from actors.messages import (
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    InstrumentsListed,
    PlaceOrder,
    QueryHistory,
    VenueDown,
    VenueUp,
)
from actors.model.instrument import Instrument
from actors.settings import VenueSettings
from actors.shards import symbols_of
from actors.venues.binance.books import REQUEST as DEPTH
from actors.venues.binance.books import BookRule, Books
from actors.venues.binance.history import PUMP as HISTORY_PUMP
from actors.venues.binance.history import REQUEST as HISTORY
from actors.venues.binance.history import History
from actors.venues.binance.market_fallback import REQUEST as POLLED
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.heeding import COUNT, ask_count, heed
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.order_polls import POLL
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_api.time_requests import TimeRequests
from actors.venues.binance_usdm import instruments
from actors.venues.binance_usdm.account import Account
from actors.venues.binance_usdm.batches import REQUEST as BATCH
from actors.venues.binance_usdm.book_sync import ChainedBookSync
from actors.venues.binance_usdm.errors import ERRORS
from actors.venues.binance_usdm.history import RULE as HISTORY_RULE
from actors.venues.binance_usdm.listen_key import KEEP_ALIVE, START
from actors.venues.binance_usdm.listen_key import LINK as ACCOUNT
from actors.venues.binance_usdm.market_data import MARKET_LINKS, STREAMS_PER_LINK, FuturesMarketData
from actors.venues.binance_usdm.market_data import PROBE as PROBE_FRAME
from actors.venues.binance_usdm.order_links import TIMEOUTS
from actors.venues.binance_usdm.payloads import ChainedDepthUpdate
from actors.venues.binance_usdm.rest_fallback import OPEN, POLLS
from actors.venues.binance_usdm.trading import HTTP
from actors.venues.binance_usdm.upkeep import COUNTDOWN, POSITIONS, SETTING
from actors.venues.contract import BadFrame, Batch, Change, Command, ConnectLimit, Output, SendFrame, WakeUp
from actors.venues.refusals import refuse, refuse_change
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_S

BOOKS = BookRule("/fapi/v1/depth?limit=1000&symbol=", 20, ChainedDepthUpdate, ChainedBookSync)

WEIGHT_LIMIT = 2400
CONNECT_LIMIT = ConnectLimit(300, 300 * NS_PER_S)
"""As for spot: this venue's own pages name no other."""
PROBE = "probe"
PROBE_NS = 15 * NS_PER_S
TIME = "time"
LIST = "instruments"
RETRY_MIN_NS = NS_PER_S // 2
RETRY_MAX_NS = 60 * NS_PER_S


class BinanceUsdm:
    """`VenueProtocol` of one account, or of none: then market data only, and orders are denied with NO_CREDENTIALS.

    Up when the instruments are known and, with an account, its settings are in force, the link for orders is up and
    the account's stream is heard. Source: https://developers.binance.com/docs/derivatives/usds-margined-futures.
    """

    def __init__(
        self,
        name: str,
        settings: VenueSettings,
        keys: Keys | None,
        streams_per_link: int = STREAMS_PER_LINK,
        shard: int = 0,
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = VenueClock()
        self._limits = self.limits = RateLimits(WEIGHT_LIMIT)
        self._books = Books(name, settings.rest_url, self._limits, BOOKS)
        symbols = symbols_of(settings, shard)
        self._market = FuturesMarketData(name, symbols, settings.stream_url, self._books, streams_per_link)
        self.on_frames = self._market.on_frames
        self._history = History(name, settings.rest_url, self._limits, HISTORY_RULE)
        self._account = Account(name, settings, Signer(keys), self._clock, self._limits) if keys else None
        if self._account:
            self.hold_switch = self._account.upkeep.hold_switch
        self._instruments: dict[str, Instrument] | None = None
        """None until the venue has told them; one that it does not list is missing."""
        self._list_attempts, self._is_listing = 0, False
        self._time = TimeRequests(TIME, f"{settings.rest_url}/fapi/v1/time", self._clock, self._limits)
        self._told: str | None = None
        """Why it is degraded, as was told last; "" for up, None for down."""
        self._after_ns = int((settings.fallback_after_s or 0) * NS_PER_S)
        if self._after_ns:
            poll_ns = int(settings.fallback_poll_s * NS_PER_S)
            self._market.fall_back(
                settings.rest_url, self._limits, POLLS, after_ns=self._after_ns, poll_ns=poll_ns
            ).skips = lambda symbol: symbol not in self.symbols or not self._is_listed(symbol)
        self._probe_ns = min(PROBE_NS, int(settings.stale_after_s * NS_PER_S / 3))

    @property
    def symbols(self) -> Sequence[str]:
        return self._market.symbols

    @property
    def connect_limit(self) -> ConnectLimit:
        return CONNECT_LIMIT

    # ---- links ---------------------------------------------------------------------------------------------------

    def start(self, now: int) -> list[Output]:
        account = self._account
        return [
            *self._list(now),
            *self._market.open(),
            *([*account.trading.links.open(), *account.listen_key.ask(), *self._time.ask(now)] if account else []),
            WakeUp(self._probe_ns, PROBE),
        ]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        account = self._account
        if account is None or not account.has(link):
            return self._market.on_link_up(link, now)
        if not link.startswith(ACCOUNT):
            outputs = account.trading.links.on_up(link, now)
            if link == account.trading.links.name:
                account.order_watch.on_up(now)
            listed = self._list(now) if self._instruments is not None else []
            return self._and_state([*outputs, *self._time.ask(now), *listed], now)
        outputs = account.listen_key.on_up(link, now)
        if link != account.listen_key.name:
            return outputs
        account.stream.on_link_up()
        account.settings.trust()
        account.stream_watch.on_up(now)
        return self._and_state([*outputs, *account.upkeep.apply(now)], now)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        account = self._account
        if account is None or not account.has(link):
            return self._market.on_link_down(link, reason, now)
        if not link.startswith(ACCOUNT):
            if link == account.trading.links.name:
                account.order_watch.on_down(reason, now)
            return self._and_state(account.trading.on_link_down(link, reason, now), now)
        handed_over = account.listen_key.on_down(link, now)
        if handed_over is not None:
            return handed_over
        account.stream_watch.on_down(reason, now)
        account.stream.on_link_down(reason)
        account.settings.doubt()
        return self._and_state(account.listen_key.ask(), now)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        account = self._account
        if account is None or link.startswith(MARKET_LINKS):
            return self._market.on_frame(link, payload, ts_recv)
        if link.startswith(ACCOUNT):
            return self._and_state(account.stream.on_frame(link, payload, ts_recv), ts_recv)
        return self._and_state(account.trading.on_frame(link, payload, ts_recv), ts_recv)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        return self._account.trading.on_not_sent(frame, now) if self._account else []

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        account = self._account
        if tag == PROBE:
            return [*self._probes(now), WakeUp(self._probe_ns, PROBE)]
        if tag == LIST:
            return self._list(now)
        if tag == HISTORY_PUMP:
            return self._history.on_wake_up(now)
        outputs = self._market.on_wake_up(tag, now)
        if outputs is not None:
            return outputs
        if account is None:
            return self._books.on_wake_up(tag, now)
        outputs = account.trading.links.on_wake_up(tag, now)
        if outputs is not None:
            return self._and_state(outputs, now)
        if tag == TIMEOUTS:
            return account.trading.on_wake_up(now)
        outputs = account.listen_key.on_wake_up(tag, now)
        if outputs is not None:
            return outputs
        if tag == SETTING:
            return account.upkeep.apply(now)
        if tag == COUNTDOWN:
            return account.upkeep.renew_countdowns(now) if self._told is not None else []
        if tag == POLL:
            return account.open_orders.polls.on_wake_up(now)
        return self._books.on_wake_up(tag, now)

    def _probes(self, now: int) -> list[Output]:
        account = self._account
        if account is None:
            return self._market.probe(now)
        own = [SendFrame(account.listen_key.name, PROBE_FRAME)] if account.stream.is_heard else []
        return [*self._market.probe(now), *account.trading.links.probe(), *own, *self._time.ask(now)]

    def _and_state(self, outputs: list[Output], now: int) -> list[Output]:
        """With `VenueUp` or `VenueDown` at the end if that has changed."""
        problem, account = self._problem(), self._account
        state = None if problem else account.open_orders.polls.reason if account and account.link_problem else ""
        if state == self._told:
            return outputs
        was_up, self._told = self._told is not None, state
        if state is None:
            return [*outputs, VenueDown(self._name, problem, now)]
        after: list[Output] = []
        if account is not None:
            after = [*account.upkeep.ask_positions(now), *([] if was_up else account.upkeep.begin_countdowns(now))]
        return [*outputs, VenueUp(self._name, "", now, state), *after]

    def _problem(self) -> str:
        """Why orders may not go; "" if they may."""
        account = self._account
        if self._instruments is None:
            return "NOT_LISTED: the venue has not told its contracts yet"
        if account is None:
            return ""
        is_polled = bool(account.open_orders.polls.reason)
        if not account.trading.is_up and not is_polled:
            return account.trading.links.problem or "LINK_DOWN: no link for orders"
        if not self._clock.is_known:
            return "CLOCK: the venue's time is not known yet"
        if not account.stream.is_heard and not is_polled:
            return account.listen_key.problem or account.stream.problem
        return "" if account.settings.is_done else account.upkeep.problem

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

    def execute_batch(self, batch: Batch, now: int) -> list[Output]:
        account = self._account
        if account is None or not all(
            isinstance(each, CancelAtVenue) or self._is_listed(each.order.symbol) for each in batch
        ):
            return [output for command in batch for output in self.execute(command, now)]
        return account.batches.execute(batch, self._problem(), now)

    def query_history(self, query: QueryHistory, now: int) -> list[Output]:
        return self._history.query(query, now)

    def change(self, command: Change, now: int) -> list[Output]:
        if self._account is None:
            return [*refuse_change(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        return self._account.trading.change(command, now)

    # ---- REST ----------------------------------------------------------------------------------------------------

    def count_again(self, now: int) -> list[Output]:
        return ask_count(f"{self._settings.rest_url}/fapi/v1/ping", self._limits, now)

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpAnswered):
            heed(answer, ERRORS, self._limits, now)
        if answer.id == COUNT:
            return []
        if answer.id.startswith(DEPTH):
            return self._books.on_snapshot(answer, now)
        if answer.id.startswith(HISTORY):
            return self._history.on_http(answer, now)
        if answer.id.startswith(POLLED):
            return self._market.fallback.on_http(answer, now) if self._market.fallback else []
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
            return account.upkeep.on_setting(answer, now)
        if answer.id.startswith(BATCH):
            return account.batches.on_http(answer, now)
        if answer.id.startswith(OPEN):
            return account.open_orders.on_http(answer, now)
        return account.upkeep.on_positions(answer) if answer.id == POSITIONS else []

    def _on_time(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        was_known, outputs, account = self._clock.is_known, self._time.on_http(answer), self._account
        if account is None or not self._clock.is_known:
            return outputs
        settings = account.upkeep.apply(now) if account.stream.is_heard and not was_known else []
        return [*outputs, *account.trading.links.log_on(now), *settings]

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

    # ---- without links -------------------------------------------------------------------------------------------

    @property
    def watch_ns(self) -> int:
        return self._after_ns // 4

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        outputs = self._market.watch(heard, now)
        account = self._account
        if account is None:
            return outputs
        outputs += account.watch(heard, now)
        polls = account.open_orders.polls
        outputs += polls.look(account.link_problem, now)
        account.trading.by_rest = polls.is_on
        if polls.is_on:
            outputs += account.upkeep.apply(now)
            outputs += [] if self._clock.is_known else self._time.ask(now)
        return self._and_state(outputs, now)

    def _degraded(self) -> dict[str, str]:
        fallback = self._market.fallback
        parts = {f"market data {link}": reason for link, reason in (fallback.reasons() if fallback else {}).items()}
        if self._account and self._account.link_problem and self._account.open_orders.polls.reason:
            parts["orders"] = self._account.open_orders.polls.reason
        return parts

    # ---- asked from outside --------------------------------------------------------------------------------------

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        return self._books.current(symbol) if self._is_listed(symbol) else None

    def carry(self, symbols: Sequence[str], now: int) -> list[Output]:
        return self._market.carry(symbols, now)

    def carries(self, symbol: str) -> bool:
        return self._market.carries(symbol)

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        return self._market.follow(kind, symbol, now)

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        return self._market.unfollow(kind, symbol, now)

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
            "degraded": self._degraded(),
            "problem": self._problem(),
            "settings": dict(self._account.settings.applied) if self._account else {},
        }
        if final:
            state["digests"] = self._books.digests()
        return state
