"""Binance Spot as a pure protocol: market data streams, order books, orders and the account's events."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.credentials import Keys
from actors.messages import BookInvalidated, BookSnapshot, InstrumentsListed, PlaceOrder, VenueDown, VenueUp
from actors.model.instrument import Instrument
from actors.settings import VenueSettings
from actors.venues.binance import instruments
from actors.venues.binance.books import REQUEST as DEPTH
from actors.venues.binance.books import Books
from actors.venues.binance.clock import VenueClock
from actors.venues.binance.market_data import STREAMS_PER_LINK, MarketData
from actors.venues.binance.payloads import ErrorBody
from actors.venues.binance.signing import Signer
from actors.venues.binance.trade_link import LINK, SUBSCRIBE, TIMEOUTS, TradeLink
from actors.venues.binance.weight import HEADER, WeightBudget
from actors.venues.contract import BadFrame, Command, Output, SendFrame, WakeUp
from actors.venues.refusals import refuse
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_S

PROBE = "probe"
PROBE_NS = 15 * NS_PER_S
LIST = "instruments"
RETRY_MIN_NS = NS_PER_S // 2
RETRY_MAX_NS = 60 * NS_PER_S
BAN_NS = 120 * NS_PER_S
"""The shortest ban, for a 418 that does not say for how long."""


class BinanceSpot:
    """`VenueProtocol` of one account, or of none: then market data only, and orders are denied with NO_CREDENTIALS.

    Up when the instruments are known and, with an account, the venue's time is known and the user data stream
    subscribed. Source: github.com/binance/binance-spot-api-docs.
    """

    def __init__(
        self, name: str, settings: VenueSettings, keys: Keys | None, streams_per_link: int = STREAMS_PER_LINK
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = VenueClock()
        self._budget = WeightBudget()
        self._books = Books(name, settings.rest_url, self._budget, self._clock)
        self._market = MarketData(name, settings.symbols, settings.stream_url, self._books, streams_per_link)
        self._trade = self._trade_link(name, settings, keys) if keys else None
        self._instruments: dict[str, Instrument] | None = None
        """None until the venue has told them; one that it does not list is missing."""
        self._list_attempts = 0
        self._is_listing = False
        self._is_up = False
        self._probe_ns = min(PROBE_NS, int(settings.stale_after_s * NS_PER_S / 3))
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode

    def _trade_link(self, name: str, settings: VenueSettings, keys: Keys) -> TradeLink:
        return TradeLink(
            name,
            settings.trade_url,
            Signer(keys),
            self._clock,
            self._budget,
            recv_window_ms=settings.recv_window_ms,
            timeout_ns=int(settings.order_timeout_s * NS_PER_S),
        )

    @property
    def symbols(self) -> Sequence[str]:
        return self._settings.symbols

    # ---- links ---------------------------------------------------------------------------------------------------

    def start(self, now: int) -> list[Output]:
        return [
            *self._list(now),
            *self._market.open(),
            *(self._trade.open() if self._trade else []),
            WakeUp(self._probe_ns, PROBE),
        ]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        if link == LINK and self._trade:
            return [*self._trade.on_link_up(now), *(self._list(now) if self._instruments is not None else [])]
        self._market.on_link_up(link)
        return []

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        if link == LINK and self._trade:
            return self._and_state(self._trade.on_link_down(reason, now), now)
        return self._market.on_link_down(link, reason, now)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        if link == LINK and self._trade:
            return self._and_state(self._trade.on_frame(payload, ts_recv), ts_recv)
        return self._market.on_frame(link, payload, ts_recv)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        return self._trade.on_not_sent(frame.payload, now) if frame.link == LINK and self._trade else []

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        if tag == PROBE:
            probes = [*self._market.probe(), *(self._trade.probe(now) if self._trade else [])]
            return [*probes, WakeUp(self._probe_ns, PROBE)]
        if tag == LIST:
            return self._list(now)
        if tag in (TIMEOUTS, SUBSCRIBE) and self._trade:
            return self._and_state(self._trade.on_wake_up(tag, now), now)
        return self._books.on_wake_up(tag, now)

    def _and_state(self, outputs: list[Output], now: int) -> list[Output]:
        """With `VenueUp` or `VenueDown` at the end if that has changed."""
        is_up = self._instruments is not None and (self._trade is None or self._trade.is_subscribed)
        if is_up == self._is_up:
            return outputs
        self._is_up = is_up
        if is_up:
            return [*outputs, VenueUp(self._name, "", now)]
        return [*outputs, VenueDown(self._name, self._trade.problem if self._trade else "", now)]

    # ---- commands ------------------------------------------------------------------------------------------------

    def execute(self, command: Command, now: int) -> list[Output]:
        if self._trade is None:
            return [refuse(self._name, command, "NO_CREDENTIALS", "market data only", now)]
        if isinstance(command, PlaceOrder) and not self._is_listed(command.order.symbol):
            return [refuse(self._name, command, "UNKNOWN_SYMBOL", f"{command.order.symbol} is not listed", now)]
        return self._trade.execute(command, now)

    # ---- REST ----------------------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if isinstance(answer, HttpAnswered):
            self._learn_weight(answer, now)
        if answer.id.startswith(DEPTH):
            return self._books.on_snapshot(answer, now)
        return self._and_state(self._on_listing(answer, now), now)

    def _learn_weight(self, answer: HttpAnswered, now: int) -> None:
        venue_time = self._clock.time(now)
        used = answer.headers.get(HEADER, "")
        if used.isdecimal():
            self._budget.learn(int(used), venue_time)
        if answer.status in (418, 429):
            seconds = answer.headers.get("retry-after", "")
            self._budget.block(venue_time + (int(seconds) * NS_PER_S if seconds.isdecimal() else BAN_NS))

    def _list(self, now: int) -> list[Output]:
        if self._is_listing:
            return []
        wait = self._budget.spend(instruments.WEIGHT, self._clock.time(now))
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
            self._budget.limit = listing.weight_limit or self._budget.limit
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
        return self._books.current(symbol) if self._is_listed(symbol) else None

    def _is_listed(self, symbol: str) -> bool:
        """As far as is known yet."""
        return self._instruments is None or symbol in self._instruments

    def report(self, final: bool) -> dict[str, Any]:
        state: dict[str, Any] = {
            "books": self._books.states(),
            "unknown_symbols": [symbol for symbol in self.symbols if not self._is_listed(symbol)],
            "used_weight": self._budget.last_used,
            "weight_limit": self._budget.limit,
            "clock_offset_ms": self._clock.offset_ns / 1e6,
            "order_counts": self._trade.order_counts if self._trade else {},
            "problem": self._trade.problem if self._trade else "",
        }
        if final:
            state["digests"] = self._books.digests()
        return state
