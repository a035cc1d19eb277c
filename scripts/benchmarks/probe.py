"""The callback under measurement: notes when each trade arrived, buys on a trigger, hands its notes over at the end."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns

import msgspec

from actors.messages import Trade
from scripts.benchmarks.market import END, ORDINARY, TRIGGER


class Arrivals(msgspec.Struct, frozen=True, array_like=True):
    """Trade ids of one phase and when the callback had them, nanoseconds of the machine's monotonic clock."""

    trade_ids: list[str]
    times: list[int]


class Probe:
    """One per strategy. A machine has one monotonic clock, so arrivals compare with the sender's stamps."""

    def __init__(self, results: Path, buy: Callable[[str], None]) -> None:
        """`buy` gets the limit price as the venue wrote it."""
        self._results = results
        self._buy = buy
        self._trade_ids: list[str] = []
        self._times: list[int] = []

    def on_trade(self, trade: Trade) -> None:
        self._trade_ids.append(trade.trade_id)
        self._times.append(monotonic_ns())
        if trade.quantity != ORDINARY:
            self._on_mark(trade)

    def _on_mark(self, trade: Trade) -> None:
        match trade.quantity:
            case str(mark) if mark == TRIGGER:
                self._buy(trade.price)
            case str(mark) if mark == END:
                self._hand_over(trade.trade_id)

    def _hand_over(self, phase: str) -> None:
        partial = self._results / f"{phase}.partial"
        partial.write_bytes(msgspec.msgpack.encode(Arrivals(self._trade_ids[:-1], self._times[:-1])))
        partial.rename(arrivals_path(self._results, phase))
        self._trade_ids = []
        self._times = []


def arrivals_path(results: Path, phase: str) -> Path:
    return results / f"{phase}.msgpack"
