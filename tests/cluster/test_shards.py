"""Shards of a venue on different machines: a symbol goes from one machine to another, and their number changes, while
somebody on a third machine writes down what it hears."""

import time
from pathlib import Path
from typing import Any

import pytest

from actors.desk import connect
from tests.cluster.desk import PATIENT, ClusterDesk, Status, Venue, desk
from tests.cluster.machines import START_S, network
from tests.standby.watcher import Record

pytestmark = [pytest.mark.slow, pytest.mark.ray]

SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
"""Of two shards the first has ETHUSDT only; of three the last has XRPUSDT."""
FIRST, SECOND, THIRD = (f"connector.binance{number}" for number in ("", ".1", ".2"))
MORE = 10


class Heard:
    """What the watcher has written down, and what the venue says that there was."""

    def __init__(self, file: Path, venue: Venue) -> None:
        self._file = file
        self._venue = venue
        self._told: dict[str, set[int]] = {symbol: set() for symbol in SYMBOLS}

    def goes_on(self) -> None:
        """Returns when so many trades more of each symbol were heard."""
        before = {symbol: len(heard) for symbol, heard in self.record().trades.items()}
        deadline = time.monotonic() + START_S
        while any(len(self.record().trades.get(symbol, ())) < before.get(symbol, 0) + MORE for symbol in SYMBOLS):
            assert time.monotonic() < deadline, {symbol: len(heard) for symbol, heard in self.record().trades.items()}
            time.sleep(0.1)
        self.ask()

    def ask(self) -> None:
        """What the venue keeps of them, which is not for ever."""
        for symbol in SYMBOLS:
            self._told[symbol].update(self._venue.trades(symbol))

    def assert_nothing_lost_or_doubled(self) -> None:
        record = self.record()
        assert record.lost == [], "no book was ever in doubt"
        for symbol in SYMBOLS:
            heard = record.trades[symbol]
            assert heard == sorted(number for number in self._told[symbol] if heard[0] <= number <= heard[-1]), symbol
            assert heard[-1] - heard[0] >= 4 * MORE, symbol
            for states in (record.quotes[symbol], [sequence for sequence, _ in record.books[symbol]]):
                assert states == sorted(states), f"{symbol}: a state is told again, none goes back"

    def record(self) -> Record:
        return Record(self._file)


def in_step(status: Status) -> bool:
    books = status["venues"].get("binance", {}).get("books", {})
    return (
        sorted(books) == SYMBOLS
        and set(books.values()) == {"SYNCED"}
        and all(actor["state"] == "READY" for actor in status["actors"].values())
    )


def nodes(running: ClusterDesk) -> dict[str, str]:
    return {name: row.node for name, row in running.rows().items() if name.startswith("connector.")}


def test_a_symbol_goes_to_another_machine_and_shards_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "record"
    watcher = {
        "class": "tests.standby.watcher:Watcher",
        "instruments": [f"binance.{symbol}" for symbol in SYMBOLS],
        "parameters": {"record": str(file)},
    }
    with network(3) as net:
        net.start_ray(["", "zone=tokyo", "resource=paris"])
        head, tokyo, paris = net.machines
        with Venue(head, SYMBOLS) as venue:
            settings: dict[str, Any] = {**venue.settings}
            settings["venues"]["binance"]["shards"] = 2
            configuration = {
                **settings,
                "strategies": {"watcher": watcher},
                "placement": {FIRST: {"zone": "tokyo"}, SECOND: {"resource": "paris"}},
                "restart": PATIENT,
            }
            heard = Heard(file, venue)
            with desk(head, net.address, configuration) as running:
                running.until(in_step)
                monkeypatch.setenv("XDG_RUNTIME_DIR", str(head.folder))
                heard.goes_on()
                with connect(frames="plain", client="test") as operator:
                    assert nodes(running) == {FIRST: tokyo.ip, SECOND: paris.ip}
                    moved = operator.move_symbol("binance.BTCUSDT", 0)["shards"]
                    assert moved == {FIRST: ["BTCUSDT", "ETHUSDT"], SECOND: ["SOLUSDT", "XRPUSDT"]}
                    heard.goes_on()

                    more = operator.set_shards("binance", 3)["shards"]
                    assert more == {FIRST: ["BTCUSDT", "ETHUSDT"], SECOND: ["SOLUSDT"], THIRD: ["XRPUSDT"]}
                    assert nodes(running) == {FIRST: tokyo.ip, SECOND: paris.ip, THIRD: tokyo.ip}
                    heard.goes_on()

                    assert operator.set_shards("binance", 1)["shards"] == {FIRST: SYMBOLS}
                    assert nodes(running) == {FIRST: tokyo.ip}
                    heard.goes_on()
                running.until(in_step)
                assert not [name for name, row in running.rows().items() if row.restarts]
                running.stop()
            heard.ask()
    heard.assert_nothing_lost_or_doubled()
