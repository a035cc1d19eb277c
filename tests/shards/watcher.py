"""A strategy that trades, and writes down every trade and every state of every book that it is handed."""

from pathlib import Path

from actors.strategy import InstrumentBook, Trade
from tests.desk.trader import Trader
from tests.faults.oracle import digest


class Watcher(Trader):
    """Parameter `record`: a file, one line for each event, as `Record` reads them."""

    def on_start(self) -> None:
        super().on_start()
        self.file = Path(self.parameters["record"]).open("a", buffering=1)  # noqa: SIM115
        self.file.write("life\n")

    def on_trade(self, trade: Trade) -> None:
        self.file.write(f"trade {trade.symbol} {trade.trade_id}\n")

    def on_book(self, book: InstrumentBook) -> None:
        symbol = book.instrument.partition(".")[2]
        if book.is_valid:
            self.file.write(f"book {symbol} {book.sequence} {digest(list(book.bids), list(book.asks))}\n")
        else:
            self.file.write(f"lost {symbol} {book.reason}\n")


class Record:
    """What it has written so far."""

    def __init__(self, file: Path) -> None:
        self.trades: dict[str, list[int]] = {}
        self.books: dict[str, list[tuple[int, str]]] = {}
        self.lost: dict[str, list[str]] = {}
        self.lives = 0
        text = file.read_text() if file.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            match line.split(" ", 2):
                case ["trade", symbol, number]:
                    self.trades.setdefault(symbol, []).append(int(number))
                case ["book", symbol, state]:
                    sequence, _, of_it = state.partition(" ")
                    self.books.setdefault(symbol, []).append((int(sequence), of_it))
                case ["lost", symbol, reason]:
                    self.lost.setdefault(symbol, []).append(reason)
                case _:
                    self.lives += 1
