"""Time bars (open, high, low, close, volume) from trades: pure, times and trades in, closed bars out."""

from decimal import Decimal

import msgspec

ZERO = Decimal(0)


class Bar(msgspec.Struct, frozen=True):
    """Trades of one instrument with start <= time < end, in nanoseconds; start is a multiple of the length."""

    instrument: str
    start: int
    end: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    """Base quantity; 0 in a bar without a trade, whose four prices are the close before it."""
    trades: int


class BarBuilder:
    """Builds the bars of one instrument and one length.

    From the first trade on the closed bars follow each other without a gap and each is handed out once, as soon as a
    trade or a time at or after its end is seen. A trade that comes after its bar was closed counts in the open one,
    so the sum of the volumes is the volume traded.
    """

    def __init__(self, instrument: str, length_ns: int) -> None:
        if length_ns <= 0:
            raise ValueError(f"a bar's length is positive, not {length_ns} ns")
        self.instrument = instrument
        self.length_ns = length_ns
        self.end: int | None = None
        """When the open bar ends; None before the first trade."""
        self._open = self._high = self._low = self._close = self._volume = ZERO
        self._trades = 0

    def add(self, price: Decimal, quantity: Decimal, ts: int) -> list[Bar]:
        """Count a trade; returns the bars that it closes, oldest first."""
        closed = self.close_until(ts)
        if self.end is None:
            self.end = ts - ts % self.length_ns + self.length_ns
        if self._trades == 0:
            self._open = self._high = self._low = price
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += quantity
        self._trades += 1
        return closed

    def close_until(self, now: int) -> list[Bar]:
        """Close what ends at or before `now`; bars without a trade are among them."""
        closed: list[Bar] = []
        while self.end is not None and self.end <= now:
            closed.append(self._take(self.end))
            self.end += self.length_ns
        return closed

    def _take(self, end: int) -> Bar:
        bar = Bar(
            instrument=self.instrument,
            start=end - self.length_ns,
            end=end,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
            trades=self._trades,
        )
        self._open = self._high = self._low = self._close
        self._volume = ZERO
        self._trades = 0
        return bar
