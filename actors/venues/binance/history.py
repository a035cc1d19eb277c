"""Klines and trades of the past, page after page, within what other requests leave of the venue's limits.

Source: github.com/binance/binance-spot-api-docs, rest-api.md, "Kline/Candlestick data" (weight 2) and "Compressed/
Aggregate trades list" (weight 4); both give at most 1000 entries at once.
"""

from collections import deque
from urllib.parse import urlencode

import msgspec

from actors.messages import AggregateTrade, HistoryFailed, HistoryPage, Kline, QueryHistory
from actors.model.order import Side
from actors.venues.binance.payloads import AggregateTick
from actors.venues.binance.streams import INTERVALS
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.contract import BadFrame, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

REQUEST = "history:"
"""Prefix of the ids of its HTTP requests; the number of the request follows."""
PUMP = "history"
PAGE = 1000
MAX_WAITING = 1000
ATTEMPTS = 6
RETRY_MIN_NS = NS_PER_S // 2

UNIT_NS = {"s": NS_PER_S, "m": 60 * NS_PER_S, "h": 3600 * NS_PER_S, "d": 86_400 * NS_PER_S}
ALIGNED = {name: int(name[:-1]) * UNIT_NS[name[-1]] for name in INTERVALS if name[-1] in UNIT_NS and name != "3d"}
"""Length of the intervals that begin at multiples of it since the epoch."""


class HistoryRule(msgspec.Struct, frozen=True):
    """Where an interface keeps its past, and how much of it one request gets."""

    klines_path: str
    klines_weight: int
    trades_path: str
    trades_weight: int
    intervals: frozenset[str] = frozenset(INTERVALS)
    trades_span_ns: int | None = None
    """One request for trades by time looks at less than that."""


SPOT_HISTORY = HistoryRule("/api/v3/klines", 2, "/api/v3/aggTrades", 4)

_Row = tuple[int, str, str, str, str, str, int, str, int, str, str, str]
"""Start, open, high, low, close, volume, last millisecond, quote volume, trades, taker buy volumes (base, quote), –"""


class _Job:
    """One query and how far it has come."""

    def __init__(self, query: QueryHistory, rule: HistoryRule) -> None:
        self.query = query
        interval = query.kind.removeprefix("kline_")
        self.interval = interval if interval in rule.intervals and query.kind != interval else ""
        self.from_ns = query.start
        """Of the present request for trades by time, as long as none has been found."""
        self.until_ns = min(query.end, query.start + rule.trades_span_ns) if rule.trades_span_ns else query.end
        """Exclusive."""
        length = ALIGNED.get(self.interval, 0)
        self.next_start = -(-query.start // length) * length if length else query.start
        """Where the next kline should begin; before the first one it is known for aligned intervals only."""
        self.is_exact = bool(length)
        self.next_id: int | None = None
        """Of the next trade; None before the first."""
        self.attempts = 0


class History:
    """One request at a time, one query after the other."""

    def __init__(self, venue: str, rest_url: str, limits: RateLimits, rule: HistoryRule = SPOT_HISTORY) -> None:
        self._venue = venue
        self._rule = rule
        self._url = rest_url
        self._limits = limits
        self._jobs: deque[_Job] = deque()
        self._asked = ""
        """Id of the request that is on its way."""
        self._number = 0
        self._is_waiting = False
        self._decode_rows = msgspec.json.Decoder(list[_Row]).decode
        self._decode_trades = msgspec.json.Decoder(list[AggregateTick]).decode

    def query(self, query: QueryHistory, now: int) -> list[Output]:
        job = _Job(query, self._rule)
        if not job.interval and query.kind != "aggtrade":
            return [_failed(query, f"NOT_SUPPORTED: there is no history of {query.kind}")]
        if len(self._jobs) >= MAX_WAITING:
            return [_failed(query, f"OVERLOADED: {MAX_WAITING} queries are waiting")]
        self._jobs.append(job)
        return self._pump(now)

    def on_wake_up(self, now: int) -> list[Output]:
        self._is_waiting = False
        return self._pump(now)

    def _pump(self, now: int) -> list[Output]:
        if not self._jobs or self._asked or self._is_waiting:
            return []
        job = self._jobs[0]
        weight = self._rule.klines_weight if job.interval else self._rule.trades_weight
        wait = self._limits.spend(weight, Priority.HISTORY, now)
        if wait:
            return self._wait(wait)
        self._number += 1
        self._asked = f"{REQUEST}{self._number}"
        return [HttpRequest(self._asked, "GET", self._url + _page(job, self._rule))]

    def _wait(self, delay_ns: int) -> list[Output]:
        self._is_waiting = True
        return [WakeUp(delay_ns, PUMP)]

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        if answer.id != self._asked:
            return []
        self._asked = ""
        job = self._jobs[0]
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return self._again(job, answer, now)
        try:
            page = self._read_klines(job, answer) if job.interval else self._read_trades(job, answer)
        except (msgspec.MsgspecError, ValueError) as error:
            self._jobs.popleft()
            bad = BadFrame(answer.id, answer.body, str(error), drop_link=False)
            return [bad, _failed(job.query, f"MALFORMED: {error}"), *self._pump(now)]
        job.attempts = 0
        if page.complete:
            self._jobs.popleft()
        return [page, *self._pump(now)]

    def _again(self, job: _Job, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        """The same page once more, ever later; a refusal that would be repeated ends it."""
        job.attempts += 1
        is_refused = isinstance(answer, HttpAnswered) and answer.status in (400, 401, 404)
        if is_refused or job.attempts >= ATTEMPTS:
            self._jobs.popleft()
            reason = answer.reason if isinstance(answer, HttpFailed) else f"status {answer.status}"
            return [
                _failed(job.query, f"REFUSED: {reason}" if is_refused else f"NO_ANSWER: {reason}"),
                *self._pump(now),
            ]
        return self._wait(RETRY_MIN_NS << job.attempts)

    def _read_klines(self, job: _Job, answer: HttpAnswered) -> HistoryPage:
        query = job.query
        rows = self._decode_rows(answer.body)
        klines = [self._kline(job, row, answer.ts_recv) for row in rows if row[0] * NS_PER_MS < query.end]
        gaps: list[tuple[int, int]] = []
        for kline in klines:
            if kline.start < job.next_start:
                raise ValueError(f"klines are not in their order: {kline.start} after {job.next_start}")
            if kline.start > job.next_start and job.is_exact:
                gaps.append((job.next_start, kline.start))
            job.next_start, job.is_exact = kline.end, True
        complete = len(rows) < PAGE or job.next_start >= query.end
        end = min(query.end, answer.ts_recv)
        if complete and job.is_exact and job.next_start < end:
            gaps.append((job.next_start, end))
        return self._page(query, klines, [], gaps, complete)

    def _read_trades(self, job: _Job, answer: HttpAnswered) -> HistoryPage:
        query = job.query
        by_time = job.next_id is None
        ticks = self._decode_trades(answer.body)
        wanted = [tick for tick in ticks if tick.time * NS_PER_MS < query.end]
        gaps: list[tuple[int, int]] = []
        for tick in wanted:
            if job.next_id is not None and tick.id < job.next_id:
                raise ValueError(f"trades are not in their order: {tick.id} where {job.next_id} is next")
            if job.next_id is not None and tick.id > job.next_id:
                gaps.append((job.next_id, tick.id))
            job.next_id = tick.id + 1
        trades = [self._trade(query.symbol, tick, answer.ts_recv) for tick in wanted]
        complete = len(ticks) < PAGE or len(wanted) < len(ticks)
        if job.next_id is None and job.until_ns < min(query.end, answer.ts_recv):
            complete = False
            job.from_ns, job.until_ns = job.until_ns, min(query.end, job.until_ns + (self._rule.trades_span_ns or 0))
        elif complete and self._rule.trades_span_ns and by_time and job.until_ns < query.end:
            complete = False
        return self._page(query, [], trades, gaps, complete)

    def _page(
        self,
        query: QueryHistory,
        klines: list[Kline],
        trades: list[AggregateTrade],
        gaps: list[tuple[int, int]],
        complete: bool,
    ) -> HistoryPage:
        return HistoryPage(
            query.reply_to, query.request_id, self._venue, query.kind, query.symbol, klines, trades, gaps, complete
        )

    def _kline(self, job: _Job, row: _Row, ts_recv: int) -> Kline:
        end = (row[6] + 1) * NS_PER_MS
        return Kline(
            venue=self._venue,
            symbol=job.query.symbol,
            interval=job.interval,
            start=row[0] * NS_PER_MS,
            end=end,
            open=row[1],
            high=row[2],
            low=row[3],
            close=row[4],
            volume=row[5],
            quote_volume=row[7],
            trades=row[8],
            taker_buy_volume=row[9],
            taker_buy_quote_volume=row[10],
            closed=end <= ts_recv,
            ts_venue=end,
            ts_recv=ts_recv,
        )

    def _trade(self, symbol: str, tick: AggregateTick, ts_recv: int) -> AggregateTrade:
        return AggregateTrade(
            self._venue,
            symbol,
            str(tick.id),
            tick.price,
            tick.quantity,
            Side.SELL if tick.buyer_is_maker else Side.BUY,
            str(tick.first_id),
            str(tick.last_id),
            tick.time * NS_PER_MS,
            ts_recv,
        )


def _page(job: _Job, rule: HistoryRule) -> str:
    """Path and query of the next page."""
    query = job.query
    last_ms = -(-query.end // NS_PER_MS) - 1
    parameters: dict[str, str | int] = {"symbol": query.symbol, "limit": PAGE}
    if job.interval:
        parameters |= {"interval": job.interval, "startTime": -(-job.next_start // NS_PER_MS), "endTime": last_ms}
        return f"{rule.klines_path}?{urlencode(parameters)}"
    if job.next_id is None:
        last_ms = -(-job.until_ns // NS_PER_MS) - 1
        parameters |= {"startTime": -(-job.from_ns // NS_PER_MS), "endTime": last_ms}
    else:
        parameters["fromId"] = job.next_id
    return f"{rule.trades_path}?{urlencode(parameters)}"


def _failed(query: QueryHistory, reason: str) -> HistoryFailed:
    return HistoryFailed(query.reply_to, query.request_id, reason)
