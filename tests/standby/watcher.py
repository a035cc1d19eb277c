"""A strategy that writes down everything that it hears of the market, and when."""

import time
from pathlib import Path

from actors.arbitration import numbered
from actors.strategy import InstrumentBook, Quote, Strategy, Trade
from runtime.clock import NS_PER_S
from tests.faults.oracle import digest


class Watcher(Strategy):
    """Parameter `record`: a file, one line for each event, as `Record` reads them."""

    def on_start(self) -> None:
        # In this process only: on a busy machine one source lags behind another for longer than while both are well.
        numbered.HOLD_NS = 60 * NS_PER_S
        self.file = Path(self.parameters["record"]).open("a", buffering=1)  # noqa: SIM115

    def on_trade(self, trade: Trade) -> None:
        self._note(f"trade {trade.symbol} {trade.trade_id}")

    def on_quote(self, quote: Quote) -> None:
        self._note(f"quote {quote.symbol} {quote.sequence}")

    def on_book(self, book: InstrumentBook) -> None:
        symbol = book.instrument.partition(".")[2]
        if book.is_valid:
            self._note(f"book {symbol} {book.sequence} {digest(list(book.bids), list(book.asks))}")
        else:
            self._note(f"lost {symbol} {book.reason}")

    def _note(self, line: str) -> None:
        self.file.write(f"{time.monotonic_ns()} {line}\n")


class Record:
    """What it has written so far. Numbers and books by symbol, in their order."""

    def __init__(self, file: Path) -> None:
        self.trades: dict[str, list[int]] = {}
        self.quotes: dict[str, list[int]] = {}
        self.books: dict[str, list[tuple[int, str]]] = {}
        self.lost: list[str] = []
        """Why a book was invalid."""
        self.arrivals: list[int] = []
        """Of everything but lost books, monotonic nanoseconds."""
        self.trade_arrivals: list[int] = []
        text = file.read_text() if file.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            came, kind, symbol, rest = line.split(" ", 3)
            match kind:
                case "trade":
                    self.trades.setdefault(symbol, []).append(int(rest))
                    self.trade_arrivals.append(int(came))
                case "quote":
                    self.quotes.setdefault(symbol, []).append(int(rest))
                case "book":
                    sequence, _, of_it = rest.partition(" ")
                    self.books.setdefault(symbol, []).append((int(sequence), of_it))
                case _:
                    self.lost.append(rest)
                    continue
            self.arrivals.append(int(came))

    def after(self, moment: int) -> int:
        """Nanoseconds from then to the next that came."""
        return next(came for came in self.arrivals if came > moment) - moment
