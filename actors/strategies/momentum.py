"""Momentum: follows a run of rising or falling bars with market orders, sent in slices by an async hook."""

from collections import deque
from decimal import Decimal

from actors.strategy import Bar, Strategy


class Momentum(Strategy):
    """Long after `run` closes that rose in a row, short after as many that fell.

    Parameters: `bar_seconds`, `run`, `slices`, `pause_s` between two slices, and `quantity`, the size of a slice in
    the base asset: for all instruments or as a mapping by instrument.
    """

    def on_start(self) -> None:
        length = int(self.number("run", 3)) + 1
        self.closes: dict[str, deque[Decimal]] = {name: deque(maxlen=length) for name in self.instruments}
        for instrument in self.instruments:
            self.bars(instrument, int(self.number("bar_seconds", 1)))

    async def on_bar(self, bar: Bar) -> None:
        closes = self.closes[bar.instrument]
        closes.append(bar.close)
        if len(closes) < (closes.maxlen or 0):
            return
        steps = [later - earlier for earlier, later in zip(closes, list(closes)[1:], strict=False)]
        if all(step > 0 for step in steps):
            await self.move(bar.instrument, 1)
        elif all(step < 0 for step in steps):
            await self.move(bar.instrument, -1)

    async def move(self, instrument: str, direction: int) -> None:
        """Trade towards a position of all slices in that direction."""
        quantity = self.number("quantity", "0.001", instrument)
        target = quantity * int(self.number("slices", 2)) * direction
        missing = (target - self.position(instrument)) * direction
        self.log.info("momentum", instrument=instrument, direction=direction, missing=str(missing))
        while missing > 0:
            send = self.buy if direction > 0 else self.sell
            send(instrument, min(quantity, missing))
            missing -= quantity
            await self.sleep(float(self.number("pause_s", "0.2")))
