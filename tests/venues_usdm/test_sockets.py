"""The recorded traffic over real sockets: fake venue, WebSockets and HTTP, protocol; every book exact."""

import asyncio
import time

import aiohttp
import pytest

from actors.messages import BookSnapshot
from actors.settings import VenueSettings
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.capture import Capture
from actors.simulation.server import serve
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import BadFrame, OpenLink, Output, Resynchronised
from runtime.actor import HttpAnswered, HttpRequest
from tests.venues_usdm.recording import PREFIX, SYMBOLS, books, levels_of, needs_recording

pytestmark = [pytest.mark.slow, needs_recording]


class Reader:
    """Carries out what a protocol without an account asks for."""

    def __init__(self, venue: BinanceUsdm, http: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.faults: list[Output] = []
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, outputs: list[Output]) -> None:
        self.faults += [output for output in outputs if isinstance(output, BadFrame | Resynchronised)]
        for output in outputs:
            if isinstance(output, OpenLink):
                self._tasks.add(asyncio.create_task(self._read(output)))
            elif isinstance(output, HttpRequest):
                self._tasks.add(asyncio.create_task(self._ask(output)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, link: OpenLink) -> None:
        async with self._http.ws_connect(link.url) as socket:
            self.take(self.venue.on_link_up(link.link, time.time_ns()))
            async for message in socket:
                self.take(self.venue.on_frame(link.link, message.data.encode(), time.time_ns()))

    async def _ask(self, request: HttpRequest) -> None:
        async with self._http.request(request.method, request.url) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            body = await answer.read()
        now = time.time_ns()
        self.take(self.venue.on_http(HttpAnswered(request.id, answer.status, headers, body, now), now))


def is_complete(venue: BinanceUsdm) -> bool:
    states = [venue.book(symbol) for symbol in SYMBOLS]
    return all(
        isinstance(state, BookSnapshot) and state.sequence == books()[symbol][0]
        for symbol, state in zip(SYMBOLS, states, strict=True)
    )


@pytest.mark.parametrize("speed", [0.0, 20.0])
async def test_a_replay_over_sockets_ends_with_the_recorded_books(speed: float) -> None:
    server = await serve(FakeBinanceUsdm(time.time_ns(), replay=Capture.load(PREFIX), speed=speed))
    address = f"127.0.0.1:{server.port}"
    settings = VenueSettings(
        kind="binance-usdm", symbols=list(SYMBOLS), rest_url=f"http://{address}", stream_url=f"ws://{address}"
    )
    async with aiohttp.ClientSession() as http:
        reader = Reader(BinanceUsdm("usdm", settings, None), http)
        reader.take(reader.venue.start(time.time_ns()))
        async with asyncio.timeout(120):
            while not is_complete(reader.venue):
                await asyncio.sleep(0.02)
        await reader.close()
    await server.close()
    assert reader.faults == []
    for symbol, (_, levels) in books().items():
        book = reader.venue.book(symbol)
        assert isinstance(book, BookSnapshot)
        assert levels_of([list(level) for level in book.bids]) == levels["bids"]
        assert levels_of([list(level) for level in book.asks]) == levels["asks"]
