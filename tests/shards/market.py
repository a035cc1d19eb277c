"""A fake venue with a dozen symbols, and somebody who listens to all of it from the beginning to the end."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from actors.simulation.binance.symbols import LISTINGS, Listing
from tests.faults.oracle import Oracle, Update, digest
from tests.shards.watcher import Record
from tests.survival.venue import VenueThread, venue_thread

SYMBOLS = [f"S{number:02}USDT" for number in range(12)]


START_S = 60.0
LOOK_S = 0.2


class Witness:
    """What the venue has told of each symbol, on a link of its own."""

    def __init__(self, port: int, symbols: Sequence[str]) -> None:
        self.trades: dict[str, list[int]] = {symbol: [] for symbol in symbols}
        self._updates: dict[str, list[Update]] = {symbol: [] for symbol in symbols}
        streams = "/".join(f"{symbol.lower()}@{kind}" for symbol in symbols for kind in ("trade", "depth@100ms"))
        self._url = f"ws://127.0.0.1:{port}/stream?streams={streams}"
        self._listening, self._over = threading.Event(), threading.Event()
        self._told_ms = 0
        """The venue's time of what was heard last."""
        self._oracles: dict[str, Oracle] = {}
        self._thread = threading.Thread(target=self._listen, name="witness")
        self._thread.start()
        assert self._listening.wait(START_S)
        for symbol in symbols:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v3/depth?limit=5000&symbol={symbol}") as answer:
                book = json.load(answer)
            levels = ([(price, quantity) for price, quantity in book[side]] for side in ("bids", "asks"))
            self._oracles[symbol] = Oracle(book["lastUpdateId"], *levels)

    def catch_up(self) -> None:
        """Returns when all that the venue has told until now was heard. It goes on telling."""
        now_ms, deadline = time.time_ns() // 1_000_000, time.monotonic() + START_S
        while self._thread.is_alive() and self._told_ms <= now_ms:
            assert time.monotonic() < deadline, f"the venue has told nothing since {self._told_ms}, now {now_ms}"
            time.sleep(LOOK_S / 10)

    def close(self) -> None:
        try:
            self.catch_up()
        finally:
            self._over.set()
            self._thread.join()

    def _listen(self) -> None:
        with connect(self._url, max_queue=None, ping_interval=None) as socket:
            self._listening.set()
            while not self._over.is_set():
                with suppress(TimeoutError):
                    self._keep(json.loads(socket.recv(LOOK_S)))

    def _keep(self, frame: dict[str, Any]) -> None:
        event = frame["data"]
        if event["e"] == "trade":
            self.trades[event["s"]].append(event["t"])
        else:
            sides = ([(price, quantity) for price, quantity in event[side]] for side in ("b", "a"))
            self._updates[event["s"]].append(Update(event["U"], event["u"], *sides))
        self._told_ms = event["E"]

    def book_at(self, symbol: str, sequence: int) -> str | None:
        """Digest of the true book; None where the venue told none that ends there."""
        oracle, updates = self._oracles[symbol], self._updates[symbol]
        while updates:
            update = updates.pop(0)
            if update.last_id > oracle.last_id:
                first = max(update.first_id, oracle.last_id + 1)
                oracle.update(Update(first, update.last_id, update.bids, update.asks))
        book = oracle.book_at(sequence)
        return None if book is None else digest(book.bids, book.asks)


def assert_nothing_lost_or_doubled(record: Record, witness: Witness, symbols: Sequence[str]) -> None:
    """Every trade of each symbol once and in its sequence, from the first that was heard; no book but a true one."""
    witness.catch_up()
    for symbol in symbols:
        heard = record.trades[symbol]
        told = [number for number in witness.trades[symbol] if heard[0] <= number <= heard[-1]]
        assert heard == told, f"{symbol}: {sorted(set(told) ^ set(heard))} or doubled"
        assert_books_are_true(record, witness, symbol)


def assert_books_are_true(record: Record, witness: Witness, symbol: str) -> None:
    """None goes back, and each is the venue's of that sequence, where the venue has told that one."""
    sequences = [sequence for sequence, _ in record.books[symbol]]
    assert sequences == sorted(sequences), symbol
    unknown = 0
    for sequence, of_it in record.books[symbol]:
        true = witness.book_at(symbol, sequence)
        unknown += true is None
        assert true in (None, of_it), f"{symbol} at {sequence}"
    assert unknown < len(sequences) / 2, symbol


@contextmanager
def dozen(monkeypatch: pytest.MonkeyPatch, rate: float = 8.0) -> Iterator[tuple[VenueThread, Witness]]:
    for symbol in SYMBOLS:
        listing = Listing(symbol.removesuffix("USDT"), "USDT", "0.01", "0.00001", "5", "67250.00", "0.25")
        monkeypatch.setitem(LISTINGS, symbol, listing)
    with venue_thread(SYMBOLS, rate=rate) as venue:
        witness = Witness(venue.port, SYMBOLS)
        try:
            yield venue, witness
        finally:
            witness.close()


def configuration(venue: VenueThread, folder: Path, **settings: Any) -> dict[str, Any]:
    """A desk whose strategy trades all of them until there is a file `end`, and writes down what it hears."""
    instruments = [f"binance.{symbol}" for symbol in SYMBOLS]
    return {
        "name": "sharded",
        "cluster": {"backend": "processes"},
        # Links on which a busy machine is slow are not given up: each such time something would be missed.
        "venues": {"binance": venue.settings(folder, symbols=SYMBOLS, fallback_after_s=600, **settings)},
        "strategies": {
            "watcher": {
                "class": "tests.shards.watcher:Watcher",
                "instruments": instruments,
                "parameters": {
                    "quantity": "0.001",
                    "max_position": "0.05",
                    "record": str(folder / "record"),
                    "until_file": str(folder / "end"),
                },
            }
        },
        "restart": {"heartbeats_missed": 300},  # a busy machine is not a dead process
        "risk": {"max_open_orders": 200, "max_order_notional": 1000, "max_exposure": 100_000},
    }
