"""The shell of a fake venue: pings, day-long sessions, TLS, ports, signals, and the life of its process."""

import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.server import run_venue, serve
from runtime.errors import ConfigError
from tests.simulation.client import Client

COMMAND = [sys.executable, "-m", "actors.simulation.server", "binance", "--port"]
CHECKOUT = Path(__file__).parents[2]


def venue() -> FakeBinance:
    return FakeBinance(time.time_ns(), rate=0)


async def test_a_client_that_answers_pings_stays_and_one_that_does_not_is_cut_off() -> None:
    server = await serve(venue(), ping_interval_s=0.05, pong_timeout_s=2.0)
    url = f"http://127.0.0.1:{server.port}/ws"
    async with aiohttp.ClientSession() as http:
        silent = await http.ws_connect(url, autoping=False)
        polite = await http.ws_connect(url)
        answering = asyncio.create_task(polite.receive())
        kinds: list[aiohttp.WSMsgType] = []
        while not kinds or kinds[-1] is aiohttp.WSMsgType.PING:
            kinds.append((await silent.receive(timeout=60)).type)
        assert kinds[0] is aiohttp.WSMsgType.PING
        assert kinds[-1] in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert not answering.done()
        await polite.close()
        await answering
    await server.close()


async def test_a_session_ends_when_it_is_too_old() -> None:
    server = await serve(venue(), ping_interval_s=0.05, session_limit_s=0.1)
    async with Client(server.port) as client:
        session = await client.socket("/ws")
        message = await session.raw.receive(timeout=60)
    await server.close()
    assert message.type is aiohttp.WSMsgType.CLOSE


async def test_a_port_that_is_taken_is_a_configuration_error() -> None:
    server = await serve(venue())
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        await serve(venue(), port=server.port)
    await server.close()


async def test_a_certificate_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="are not a certificate and its key"):
        await serve(venue(), tls=(str(tmp_path / "none.pem"), str(tmp_path / "none.key")))


def test_a_venue_that_does_not_exist_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no fake venue 'nyse'"):
        run_venue("nyse", 0)


@pytest.mark.slow
async def test_the_process_says_where_it_listens_and_stops_on_a_signal() -> None:
    process = await asyncio.create_subprocess_exec(*COMMAND, "0", cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 120)).decode()
    assert line.startswith("binance venue listening on http://127.0.0.1:")
    async with Client(int(line.rsplit(":", 1)[1])) as client:
        assert await client.get("/api/v3/ping") == {}
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0


@pytest.mark.slow
async def test_the_process_names_what_is_wrong_and_ends() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(*COMMAND, port, cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE)
        _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 2
    assert errors.decode().startswith(f"error: port: cannot listen on 127.0.0.1:{port}:")
    missing = await asyncio.create_subprocess_exec(
        *COMMAND, "0", "--replay", "/nowhere/BINANCE", cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(missing.communicate(), 120)
    assert errors.decode().startswith("error: replay: no files /nowhere/BINANCE.*")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is told by Linux")
async def test_the_process_ends_with_its_parent() -> None:
    starter = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", starter, *COMMAND, "0", "--parent-death", cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert b"listening" in await asyncio.wait_for(parent.stdout.readline(), 120)
    parent.kill()
    await parent.wait()
    assert await asyncio.wait_for(parent.stdout.read(), 60) == b"", "the pipe ends with its last writer"
