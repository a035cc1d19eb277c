"""Candles of one symbol in every interval of the venue, from its trades and an invented day before them.

Seconds and minutes are kept; every longer interval is put together from minutes when somebody asks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from actors.simulation.binance.numbers import fixed

ZERO = Decimal(0)
_SECOND_MS = 1_000
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_MONDAY_MS = 4 * _DAY_MS
"""The first Monday after the epoch: weeks begin there."""
_KEPT_SECONDS = 1_000
_KEPT_MINUTES = 3_000
_INVENTED_MINUTES = 1_440

INTERVALS_MS = {
    "1s": _SECOND_MS,
    "1m": _MINUTE_MS,
    "3m": 3 * _MINUTE_MS,
    "5m": 5 * _MINUTE_MS,
    "15m": 15 * _MINUTE_MS,
    "30m": 30 * _MINUTE_MS,
    "1h": 60 * _MINUTE_MS,
    "2h": 120 * _MINUTE_MS,
    "4h": 240 * _MINUTE_MS,
    "6h": 360 * _MINUTE_MS,
    "8h": 480 * _MINUTE_MS,
    "12h": 720 * _MINUTE_MS,
    "1d": _DAY_MS,
    "3d": 3 * _DAY_MS,
    "1w": 7 * _DAY_MS,
}
"""Of one length always; `INTERVALS` are these and the month."""
MONTH = "1M"
INTERVALS = (*INTERVALS_MS, MONTH)


class Candle:
    """Prices and volumes of one interval that begins at `open_ms`; ids are -1 while nothing traded."""

    __slots__ = (
        "close",
        "count",
        "first_id",
        "high",
        "last_id",
        "low",
        "open",
        "open_ms",
        "quote",
        "taker_base",
        "taker_quote",
        "volume",
    )

    def __init__(self, open_ms: int, price: Decimal) -> None:
        self.open_ms = open_ms
        self.open = self.high = self.low = self.close = price
        self.volume = self.quote = self.taker_base = self.taker_quote = ZERO
        self.count = 0
        self.first_id = self.last_id = -1

    def add(self, other: "Candle") -> None:
        if other.count:
            if not self.count:
                self.open = self.high = self.low = other.open
                self.first_id = other.first_id
            self.high, self.low = max(self.high, other.high), min(self.low, other.low)
            self.close, self.last_id = other.close, other.last_id
        self.volume += other.volume
        self.quote += other.quote
        self.taker_base += other.taker_base
        self.taker_quote += other.taker_quote
        self.count += other.count

    def row(self, interval: str) -> list[object]:
        """As `GET /api/v3/klines` answers."""
        return [
            self.open_ms,
            fixed(self.open),
            fixed(self.high),
            fixed(self.low),
            fixed(self.close),
            fixed(self.volume),
            interval_end(interval, self.open_ms) - 1,
            fixed(self.quote),
            self.count,
            fixed(self.taker_base),
            fixed(self.taker_quote),
            "0",
        ]

    def payload(self, symbol: str, interval: str, closed: bool) -> dict[str, object]:
        """The `k` of a kline event."""
        return {
            "t": self.open_ms,
            "T": interval_end(interval, self.open_ms) - 1,
            "s": symbol,
            "i": interval,
            "f": self.first_id,
            "L": self.last_id,
            "o": fixed(self.open),
            "c": fixed(self.close),
            "h": fixed(self.high),
            "l": fixed(self.low),
            "v": fixed(self.volume),
            "n": self.count,
            "x": closed,
            "q": fixed(self.quote),
            "V": fixed(self.taker_base),
            "Q": fixed(self.taker_quote),
            "B": "0",
        }


def interval_start(interval: str, ms: int) -> int:
    if interval == MONTH:
        day = datetime.fromtimestamp(ms // 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    size = INTERVALS_MS[interval]
    offset = _MONDAY_MS if interval == "1w" else 0
    return (ms - offset) // size * size + offset


def interval_end(interval: str, open_ms: int) -> int:
    """Exclusive. Of the interval that begins at `open_ms`."""
    if interval == MONTH:
        return interval_start(interval, open_ms + 31 * _DAY_MS)
    return open_ms + INTERVALS_MS[interval]


class Candles:
    """`start_ms` is when real trading begins; the day before is invented from `seed`, ending at `price`."""

    def __init__(self, seed: str, start_ms: int, price: Decimal, tick_size: Decimal, invent: bool) -> None:
        self._seed = seed
        self._start_ms = start_ms
        self._price = price
        self._tick_size = tick_size
        self._invent = invent
        self._seconds: dict[int, Candle] = {}
        self._minutes: dict[int, Candle] = {}

    def add_trade(self, trade_id: int, ms: int, price: Decimal, quantity: Decimal, buyer_takes: bool) -> None:
        trade = Candle(ms, price)
        trade.volume, trade.quote, trade.count = quantity, price * quantity, 1
        trade.first_id = trade.last_id = trade_id
        if buyer_takes:
            trade.taker_base, trade.taker_quote = trade.volume, trade.quote
        _merge_into(self._seconds, ms // _SECOND_MS * _SECOND_MS, trade, _KEPT_SECONDS)
        _merge_into(self._minutes, ms // _MINUTE_MS * _MINUTE_MS, trade, _KEPT_MINUTES)

    def candle(self, interval: str, open_ms: int) -> Candle | None:
        """The candle that begins at `open_ms`: flat where nothing traded, None before anything did."""
        return self.window(open_ms, interval_end(interval, open_ms))

    def window(self, start_ms: int, end_ms: int) -> Candle | None:
        """Everything from `start_ms` to before `end_ms` in one candle."""
        self._ensure_history()
        kept, size = (self._minutes, _MINUTE_MS) if end_ms - start_ms >= _MINUTE_MS else (self._seconds, _SECOND_MS)
        first = start_ms // size * size
        inside = [kept[open_ms] for open_ms in _opens(kept, first, end_ms, size)]
        if not inside:
            price = self._close_before(start_ms)
            return Candle(start_ms, price) if price is not None else None
        whole = Candle(start_ms, inside[0].open)
        for candle in inside:
            whole.add(candle)
        return whole

    def series(self, interval: str, start_ms: int | None, end_ms: int, limit: int) -> list[Candle]:
        """Oldest first, at most `limit`: the first ones from `start_ms` on, or else the last ones up to `end_ms`."""
        self._ensure_history()
        kept = self._seconds if interval == "1s" else self._minutes
        if not kept:
            return []
        earliest = interval_start(interval, min(kept))
        last = interval_start(interval, end_ms)
        opens: list[int] = []
        if start_ms is None:
            while last >= earliest and len(opens) < limit:
                opens.insert(0, last)
                last = interval_start(interval, last - 1)
        else:
            first = interval_start(interval, start_ms)
            first = max(earliest, first if first == start_ms else interval_end(interval, first))
            while first <= last and len(opens) < limit:
                opens.append(first)
                first = interval_end(interval, first)
        return [candle for open_ms in opens if (candle := self.candle(interval, open_ms)) is not None]

    def _close_before(self, ms: int) -> Decimal | None:
        for kept in (self._seconds, self._minutes):
            for open_ms in reversed(kept):
                if open_ms < ms:
                    return kept[open_ms].close
        return None

    def _ensure_history(self) -> None:
        if not self._invent:
            return
        self._invent = False
        random = Random(self._seed)
        price, invented = self._price, []
        first_open = self._start_ms // _MINUTE_MS * _MINUTE_MS - _MINUTE_MS
        for index in range(_INVENTED_MINUTES):
            earlier = self._on_tick(price * Decimal(round(1 + random.gauss(0, 0.0006), 8)))
            candle = Candle(first_open - index * _MINUTE_MS, earlier)
            candle.close = price
            candle.high = self._on_tick(max(earlier, price) * Decimal(round(1 + random.expovariate(4000), 8)))
            candle.low = self._on_tick(min(earlier, price) * Decimal(round(1 - random.expovariate(4000), 8)))
            candle.count = random.randint(20, 400)
            candle.volume = Decimal(round(random.expovariate(1 / 20), 5)) or Decimal(1)
            candle.volume = candle.volume.quantize(Decimal("0.00001"))
            candle.quote = candle.volume * (earlier + price) / 2
            candle.taker_base, candle.taker_quote = candle.volume / 2, candle.quote / 2
            candle.first_id = candle.last_id = 0
            invented.append(candle)
            price = earlier
        self._minutes = {candle.open_ms: candle for candle in reversed(invented)} | self._minutes

    def _on_tick(self, price: Decimal) -> Decimal:
        return max(self._tick_size, price // self._tick_size * self._tick_size)


def _opens(kept: dict[int, Candle], first: int, end_ms: int, size: int) -> Iterable[int]:
    return (open_ms for open_ms in range(first, end_ms, size) if open_ms in kept)


def _merge_into(kept: dict[int, Candle], open_ms: int, trade: Candle, keep: int) -> None:
    candle = kept.get(open_ms)
    if candle is None:
        candle = kept[open_ms] = Candle(open_ms, trade.open)
        if len(kept) > keep:
            del kept[next(iter(kept))]
    candle.add(trade)
