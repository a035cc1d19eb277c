"""A whole desk behind a faulty network: real processes, real sockets, a dozen seeds at once, one truth for all."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest

from actors.simulation.accounts import DEMO_KEY, DEMO_SECRET
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import serve
from runtime.clock import WallClock
from tests.desk.runs import PATIENT, Run, outcry_run
from tests.faults.faults import CALM, Fault, Faults, FrameFault, Rates
from tests.faults.oracle import Levels, Oracle, Update, digest
from tests.faults.proxy import Proxy
from tests.faults.recorder import Handed, read

SYMBOLS = ("BTCUSDT", "ETHUSDT")
WAYS = tuple(f"way-{seed}" for seed in range(12))
FAULTY = Rates(
    drop=0.015,
    duplicate=0.015,
    reorder=0.015,
    corrupt=0.01,
    cut=0.002,
    freeze=0.001,
    corrupt_answer=0.1,
    cut_answer=0.1,
    refuse=0.1,
    delay=0.2,
    outdated=0.2,
)
ENOUGH = 300
"""Faults in all."""
TIMEOUT_S = 240.0


class Truth:
    """What the venue says to a client of its own that nothing disturbs, and every depth answer as it left the venue."""

    def __init__(self) -> None:
        self._updates: dict[str, list[Update]] = {symbol: [] for symbol in SYMBOLS}
        self._depths: dict[str, list[tuple[int, Levels, Levels]]] = {symbol: [] for symbol in SYMBOLS}

    @asynccontextmanager
    async def following(self, venue: str) -> AsyncIterator[None]:
        streams = "/".join(f"{symbol.lower()}@depth@100ms" for symbol in SYMBOLS)
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{venue}/stream?streams={streams}") as socket:
            for symbol in SYMBOLS:
                path = f"api/v3/depth?limit=5000&symbol={symbol}"
                async with client.get(f"{venue}/{path}") as answered:
                    self.on_answer(path, await answered.read())
            reading = asyncio.create_task(self._read(socket))
            yield
            reading.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            data = json.loads(message.data)["data"]
            update = Update(data["U"], data["u"], _levels(data["b"]), _levels(data["a"]))
            self._updates[data["s"]].append(update)

    def on_answer(self, path: str, body: bytes) -> None:
        if path.startswith("api/v3/depth"):
            depth = json.loads(body)
            levels = _levels(depth["bids"]), _levels(depth["asks"])
            self._depths[path.rpartition("symbol=")[2]].append((depth["lastUpdateId"], *levels))

    def last_id(self, symbol: str) -> int:
        return self._updates[symbol][-1].last_id

    def oracle(self, symbol: str) -> Oracle:
        """Knows each book from the first depth answer on."""
        depths = self._depths[symbol]
        oracle = Oracle(*depths[0])
        for update in self._updates[symbol]:
            if update.last_id > oracle.last_id:
                oracle.update(msgspec.structs.replace(update, first_id=max(update.first_id, depths[0][0] + 1)))
        for depth in depths:
            oracle.witness(*depth)
        return oracle


def _levels(rows: list[list[str]]) -> Levels:
    return [(price, quantity) for price, quantity in rows]


def configuration(proxy: Proxy, venue_port: int, file: Path) -> dict[str, object]:
    """Market data comes by the ways of the proxy; the account, which a strategy has to have, is left in peace."""
    key, secret = file.with_name("key"), file.with_name("secret")
    key.write_text(DEMO_KEY)
    secret.write_text(DEMO_SECRET)
    return {
        "cluster": {"backend": "processes"},
        "restart": PATIENT,
        "venues": {
            way: {
                "kind": "binance",
                "symbols": list(SYMBOLS),
                "credentials": {"key": f"file:{key}", "secret": f"file:{secret}"},
                "rest_url": f"http://127.0.0.1:{proxy.port}/{way}",
                "stream_url": f"ws://127.0.0.1:{proxy.port}/{way}",
                "trade_url": f"ws://127.0.0.1:{venue_port}/ws-api/v3",
                "stale_after_s": 2.0,
            }
            for way in WAYS
        },
        "strategies": {
            "recorder": {
                "class": "tests.faults.recorder:Recorder",
                "instruments": [f"{way}.{symbol}" for way in WAYS for symbol in SYMBOLS],
                "parameters": {"file": str(file)},
            }
        },
        "colocate": [[f"connector.{way}" for way in WAYS]],
    }


async def until(holds: Callable[[], bool], what: str, run: Run | None = None) -> None:
    """With a run it has to go on meanwhile."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, f"{what}: {run.output() if run else ''}"
        assert run is None or run.processes(), run.output()
        await asyncio.sleep(0.1)


def whole(file: Path, beyond: dict[str, int]) -> bool:
    """Every instrument's last book is valid and later than that."""
    last = {handed.instrument: handed for handed in read(file)}
    return len(last) == len(WAYS) * len(SYMBOLS) and all(
        handed.is_valid and handed.sequence > beyond[handed.instrument.partition(".")[2]] for handed in last.values()
    )


@pytest.mark.slow
async def test_behind_a_faulty_network_every_book_is_the_venues_or_invalid(tmp_path: Path) -> None:
    """Calm until every book is whole, then faults on each of twelve ways by its own seed, then calm again."""
    file = tmp_path / "handed.jsonl"
    venue = FakeBinance(WallClock().now(), 5, SYMBOLS, rate=20.0, weight_limit=1_000_000)
    server = await serve(venue)
    address = f"http://127.0.0.1:{server.port}"
    truth = Truth()
    ways = {way: Faults(seed) for seed, way in enumerate(WAYS)}
    proxy = Proxy(address, ways, truth.on_answer)
    try:
        async with truth.following(address), proxy.serving():
            with outcry_run(configuration(proxy, server.port, file)) as run:
                await until(lambda: whole(file, dict.fromkeys(SYMBOLS, 0)), "not whole before any fault", run)
                for faults in ways.values():
                    faults.rates = FAULTY
                await until(
                    lambda: has_seen_enough(ways.values()) and has_handed_enough(read(file)), "too few faults", run
                )
                for faults in ways.values():
                    faults.rates = CALM
                calm = {symbol: truth.last_id(symbol) for symbol in SYMBOLS}
                await until(lambda: whole(file, calm), "not whole again", run)
                await asyncio.to_thread(run.stop)
            await until(lambda: has_heard(truth, read(file)), "the undisturbed client has not heard all of it")
    finally:
        await server.close()
    assert_true(read(file), truth)


def has_seen_enough(ways: Iterable[Faults]) -> bool:
    counts = sum((faults.counts for faults in ways), Counter[Fault]())
    return set(counts) >= set(FrameFault) and counts.total() >= ENOUGH


def has_handed_enough(handed: list[Handed]) -> bool:
    """Valid books, and others for either reason."""
    reasons = Counter(book.reason.partition(":")[0] for book in handed if not book.is_valid)
    valid = sum(book.is_valid for book in handed)
    return valid > 500 and set(reasons) >= {"GAP", "LINK_DOWN"} and reasons.total() > 10


def has_heard(truth: Truth, handed: list[Handed]) -> bool:
    """The undisturbed client is as far as the books that were handed over."""
    return all(book.sequence <= truth.last_id(book.instrument.partition(".")[2]) for book in handed if book.is_valid)


def assert_true(handed: list[Handed], truth: Truth) -> None:
    oracles = {symbol: truth.oracle(symbol) for symbol in SYMBOLS}
    assert has_handed_enough(handed)
    for book in sorted(handed, key=lambda book: book.sequence):
        if book.is_valid:
            true = oracles[book.instrument.partition(".")[2]].book_at(book.sequence)
            assert true is not None, f"{book}: the venue never was there"
            assert digest(true.bids, true.asks) == book.digest, book
