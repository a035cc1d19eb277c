"""Binance Spot as a pure protocol: market data streams, order books, orders and the account's events."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actors.credentials import Keys
from actors.messages import (
    BookInvalidated,
    BookSnapshot,
    InstrumentsListed,
    PlaceOrder,
    QueryHistory,
    VenueDown,
    VenueUp,
)
from actors.model.instrument import Instrument
from actors.settings import VenueSettings
from actors.shards import symbols_of
from actors.venues.binance import instruments
from actors.venues.binance.books import REQUEST as DEPTH
from actors.venues.binance.books import Books
from actors.venues.binance.errors import ERRORS
from actors.venues.binance.history import PUMP as HISTORY_PUMP
from actors.venues.binance.history import REQUEST as HISTORY
from actors.venues.binance.history import History
from actors.venues.binance.market_data import STREAMS_PER_LINK, MarketData
from actors.venues.binance.market_fallback import REQUEST as POLLED
from actors.venues.binance.market_fallback import SPOT_POLLS
from actors.venues.binance.rest_orders import REQUEST as REST
from actors.venues.binance.rest_orders import RestOrders
from actors.venues.binance.trade_link import EventSeam, TradeLink
from actors.venues.binance.trade_links import FIRST as ORDERS
from actors.venues.binance.trade_links import TradeLinks
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.heeding import COUNT, ask_count, heed
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.link_watch import Health, LinkWatch
from actors.venues.binance_api.order_polls import POLL
from actors.venues.binance_api.payloads import ErrorBody
from actors.venues.binance_api.signing import Signer
from actors.venues.contract import (
    BadFrame,
    Capability,
    Change,
    Command,
    ConnectLimit,
    OpenLink,
    Output,
    SendFrame,
    WakeUp,
)
from actors.venues.refusals import refuse, refuse_change
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_S
from runtime.message import Lane

PROBE = "probe"
PROBE_NS = 15 * NS_PER_S
LIST = "instruments"
RETRY_MIN_NS = NS_PER_S // 2
RETRY_MAX_NS = 60 * NS_PER_S
CONNECT_LIMIT = ConnectLimit(300, 300 * NS_PER_S)
"""web-socket-streams.md, "General WSS information"."""


class BinanceSpot:
    """`VenueProtocol` of one account, or of none: then market data only, and orders are denied with NO_CREDENTIALS.

    Up when the instruments are known and, with an account, the venue's time is known and the user data stream
    subscribed. Source: github.com/binance/binance-spot-api-docs.
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
        self._limits = self.limits = RateLimits()
        self._books = Books(name, settings.rest_url, self._limits)
        symbols = symbols_of(settings, shard)
        self._market = MarketData(name, symbols, settings.stream_url, self._books, streams_per_link)
        self.on_frames = self._market.on_frames
        self._history = History(name, settings.rest_url, self._limits)
        self._trade = self._trade_links(name, settings, keys) if keys else None
        self._after_ns = int((settings.fallback_after_s or 0) * NS_PER_S)
        self._rest = self._rest_orders(name, settings, keys) if keys and self._after_ns else None
        self._order_watch = LinkWatch(self._after_ns)
        if self._after_ns:
            poll_ns = int(settings.fallback_poll_s * NS_PER_S)
            self._market.fall_back(
                settings.rest_url, self._limits, SPOT_POLLS, after_ns=self._after_ns, poll_ns=poll_ns
            ).skips = lambda symbol: symbol not in self.symbols or not self._is_listed(symbol)
        self._instruments: dict[str, Instrument] | None = None
        """None until the venue has told them; one that it does not list is missing."""
        self._list_attempts = 0
        self._is_listing = False
        self._told: str | None = None
        """Why it is degraded, as was told last; "" for up, None for down."""
        self._probe_ns = min(PROBE_NS, int(settings.stale_after_s * NS_PER_S / 3))
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode

    def _trade_links(self, name: str, settings: VenueSettings, keys: Keys) -> TradeLinks:
        signer = Signer(keys)
        timeout_ns = int(settings.order_timeout_s * NS_PER_S)

        def make(link: str, seam: EventSeam, limits: RateLimits = self._limits) -> TradeLink:
            return TradeLink(
                link,
                seam,
                name,
                settings.trade_url,
                signer,
                self._clock,
                limits,
                recv_window_ms=settings.recv_window_ms,
                timeout_ns=timeout_ns,
            )

        self._understudy = make("rehearsal", EventSeam(), RateLimits())
        return TradeLinks(make, 2 * timeout_ns)

    def _rest_orders(self, name: str, settings: VenueSettings, keys: Keys) -> RestOrders:
        return RestOrders(
            name,
            settings.rest_url,
            settings.symbols,
            Signer(keys),
            self._clock,
            self._limits,
            recv_window_ms=settings.recv_window_ms,
            timeout_ns=int(settings.order_timeout_s * NS_PER_S),
            after_ns=self._after_ns,
            poll_ns=int(settings.fallback_poll_s * NS_PER_S),
        )

    @property
    def symbols(self) -> Sequence[str]:
        return self._market.symbols

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability) - {Capability.REDUCE_ONLY}

    @property
    def connect_limit(self) -> ConnectLimit:
        return CONNECT_LIMIT

    # ---- links ---------------------------------------------------------------------------------------------------

    def start(self, now: int) -> list[Output]:
        return [
            *self._list(now),
            *self._market.open(),
            *(self._trade.open() if self._trade else []),
            WakeUp(self._probe_ns, PROBE),
        ]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        if self._trade and self._trade.has(link):
            if link == self._trade.name:
                self._order_watch.on_up(now)
            return [*self._trade.on_link_up(link, now), *(self._list(now) if self._instruments is not None else [])]
        return self._market.on_link_up(link, now)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        if self._trade and self._trade.has(link):
            if link == self._trade.name:
                self._order_watch.on_down(reason, now)
            return self._and_state(self._trade.on_link_down(link, reason, now), now)
        return self._market.on_link_down(link, reason, now)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        if self._trade and link.startswith(ORDERS):
            return self._and_state(self._trade.on_frame(link, payload, ts_recv), ts_recv)
        return self._market.on_frame(link, payload, ts_recv)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        return self._trade.on_not_sent(frame, now) if self._trade else []

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        if tag == PROBE:
            probes = [*self._market.probe(now), *(self._trade.probe(now) if self._trade else [])]
            return [*probes, WakeUp(self._probe_ns, PROBE)]
        if tag == HISTORY_PUMP:
            return self._history.on_wake_up(now)
        if tag == LIST:
            return self._list(now)
        if tag == POLL:
            return self._rest.polls.on_wake_up(now) if self._rest else []
        outputs = self._trade.on_wake_up(tag, now) if self._trade else None
        if outputs is not None:
            return self._and_state(outputs, now)
        outputs = self._market.on_wake_up(tag, now)
        return self._books.on_wake_up(tag, now) if outputs is None else outputs

    def _and_state(self, outputs: list[Output], now: int) -> list[Output]:
        """With `VenueUp` or `VenueDown` at the end if that has changed."""
        state: str | None = None
        if self._instruments is not None:
            is_ready = self._trade is None or self._trade.is_subscribed
            state = "" if is_ready else (self._rest and self._rest.polls.reason) or None
        if state == self._told:
            return outputs
        self._told = state
        if state is not None:
            return [*outputs, VenueUp(self._name, "", now, state)]
        return [*outputs, VenueDown(self._name, self._trade.problem if self._trade else "", now)]

    # ---- without links -------------------------------------------------------------------------------------------

    @property
    def watch_ns(self) -> int:
        return self._after_ns // 4

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        outputs = self._market.watch(heard, now)
        trade, rest = self._trade, self._rest
        if trade is None or rest is None:
            return outputs
        match self._order_watch.look(heard.get(trade.name, 0), now):
            case Health.QUIET:
                outputs += trade.probe(now)
            case Health.FROZEN:
                self._order_watch.on_frozen(now)
                outputs.append(OpenLink(trade.name, self._settings.trade_url, Lane.COMMANDS))
            case _:
                """What counts is whether orders may go over it, which it says itself."""
        problem = "" if trade.is_subscribed else f"ORDERS: {trade.problem}"
        return self._and_state([*outputs, *rest.polls.look(problem, now)], now)

    def _degraded(self) -> dict[str, str]:
        fallback = self._market.fallback
        parts = {f"market data {link}": reason for link, reason in (fallback.reasons() if fallback else {}).items()}
        if self._rest and self._rest.polls.reason and self._trade and not self._trade.is_subscribed:
            parts["orders"] = self._rest.polls.reason
        return parts

    # ---- commands ------------------------------------------------------------------------------------------------

    def execute(self, command: Command, now: int) -> list[Output]:
        if self._trade is None:
            return [refuse(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        if isinstance(command, PlaceOrder) and not self._is_listed(command.order.symbol):
            return [refuse(self._name, command, "UNKNOWN_SYMBOL", f"{command.order.symbol} is not listed", now)]
        if self._rest is not None and self._rest.polls.is_on and not self._trade.is_subscribed:
            return self._rest.execute(command, now)
        return self._trade.execute(command, now)

    def rehearse(self, command: PlaceOrder, now: int) -> None:
        if self._trade is not None and self._is_listed(command.order.symbol):
            self._understudy.rehearse(command, now)

    def change(self, command: Change, now: int) -> list[Output]:
        if self._trade is None:
            return [*refuse_change(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        if self._rest is not None and self._rest.polls.is_on and not self._trade.is_subscribed:
            return self._rest.execute(command, now)
        return self._trade.execute(command, now)

    def query_history(self, query: QueryHistory, now: int) -> list[Output]:
        return self._history.query(query, now)

    # ---- REST ----------------------------------------------------------------------------------------------------

    def count_again(self, now: int) -> list[Output]:
        return ask_count(f"{self._settings.rest_url}/api/v3/ping", self._limits, now)

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpAnswered):
            heed(answer, ERRORS, self._limits, now)
        if answer.id == COUNT:
            return []
        if answer.id.startswith(HISTORY):
            return self._history.on_http(answer, now)
        if answer.id.startswith(DEPTH):
            return self._books.on_snapshot(answer, now)
        if answer.id.startswith(POLLED):
            return self._market.fallback.on_http(answer, now) if self._market.fallback else []
        if answer.id.startswith(REST):
            return self._and_state(self._rest.on_http(answer, now) if self._rest else [], now)
        return self._and_state(self._on_listing(answer, now), now)

    def _list(self, now: int) -> list[Output]:
        if self._is_listing:
            return []
        wait = self._limits.spend(instruments.WEIGHT, Priority.QUERY, now)
        if wait:
            return [WakeUp(wait, LIST)]
        self._is_listing = True
        return [instruments.ask(self._settings.rest_url, self._settings.symbols)]

    def _on_listing(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        self._is_listing = False
        if isinstance(answer, HttpAnswered) and answer.status == 200:
            try:
                listing = instruments.read(self._name, self._settings.symbols, answer.body)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                return [BadFrame(answer.id, answer.body, str(error), drop_link=False), *self._list_later()]
            self._instruments = listing.instruments
            self._limits.set(listing.rate_limits)
            self._list_attempts = 0
            return [InstrumentsListed(self._name, list(listing.instruments.values()))]
        if answer.id == instruments.REQUEST and self._names_unknown_symbol(answer):
            self._is_listing = True
            return [instruments.ask_all(self._settings.rest_url)]
        return self._list_later()

    def _names_unknown_symbol(self, answer: HttpAnswered | HttpFailed) -> bool:
        if isinstance(answer, HttpFailed) or answer.status != 400:
            return False
        try:
            return self._decode_error(answer.body).code == instruments.BAD_SYMBOL
        except (msgspec.MsgspecError, ValueError):
            return False

    def _list_later(self) -> list[Output]:
        self._list_attempts += 1
        return [WakeUp(min(RETRY_MAX_NS, RETRY_MIN_NS << min(self._list_attempts, 16)), LIST)]

    # ---- asked from outside --------------------------------------------------------------------------------------

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        is_missing = symbol in self.symbols and not self._is_listed(symbol)
        return None if is_missing else self._books.current(symbol)

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
            "capabilities": sorted(capability.value for capability in self.capabilities),
            "degraded": self._degraded(),
            "problem": self._trade.problem if self._trade else "",
        }
        if final:
            state["digests"] = self._books.digests()
        return state
