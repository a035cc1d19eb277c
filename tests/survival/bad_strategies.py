"""Strategies that nobody should write, and one that notes when it hears of the market."""

import time
from pathlib import Path

from actors.strategy import Quote, Strategy

HOARD_BYTES = 8 << 20


class Raiser(Strategy):
    """Raises at each quote."""

    def on_quote(self, quote: Quote) -> None:
        raise ValueError("on purpose")


class Blocker(Strategy):
    """Keeps its process for `seconds` at each quote, and nothing else happens in it; notes when in `file`."""

    def on_quote(self, quote: Quote) -> None:
        with Path(str(self.parameters["file"])).open("a") as file:
            file.write(f"{time.time_ns()}\n")
        time.sleep(float(self.number("seconds", 60)))


class Glutton(Strategy):
    """Holds on to eight more megabytes at each quote."""

    def on_start(self) -> None:
        self.hoard: list[bytes] = []

    def on_quote(self, quote: Quote) -> None:
        self.hoard.append(b"x" * HOARD_BYTES)


class Observer(Strategy):
    """Parameter `file`: one line for each quote, when it came in nanoseconds."""

    def on_start(self) -> None:
        self.file = Path(self.parameters["file"]).open("a", buffering=1)  # noqa: SIM115

    def on_quote(self, quote: Quote) -> None:
        self.file.write(f"{self.now}\n")
