"""A fake venue with silent, filled books, behind real sockets, and a client of it."""

import time
from collections.abc import AsyncIterator

import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import Server, serve
from tests.simulation.client import Client


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = await serve(FakeBinance(time.time_ns(), rate=0))
    yield server
    await server.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(server.port) as client:
        yield client
